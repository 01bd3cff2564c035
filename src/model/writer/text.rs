//! The layer above the buffer, which collects.
//!
//! 1. It collects what is written until it has a chunk (rules `chunk`, `chunk_at`), and
//!    hands all of it down in one write.
//! 2. Rule `chunk_before`: what it has may go first.
//! 3. A flush hands down, then flushes the buffer; a close does the same, and whatever came
//!    of it, closes the buffer, which flushes once more.
//! 4. What the buffer refuses: rule `chunk_error`.

use super::{
    Extents, NoSay, Told,
    buffer::Buffer,
    descriptor::Descriptor,
    policy::Terms,
    rules::{ChunkAt, ChunkBefore, ChunkError, Close, Lines},
};

/// What was collected.
#[derive(Clone, Debug, Default)]
pub(super) struct Collector {
    pending: Extents,
    ends_line: bool,
}

impl Collector {
    /// Bytes that it holds.
    pub(super) fn held(&self) -> u64 {
        self.pending.len()
    }

    pub(super) fn write(
        &mut self,
        terms: &Terms,
        buffer: &mut Buffer,
        below: &mut Descriptor<'_>,
        data: Extents,
        newline: bool,
    ) -> Result<Told, NoSay> {
        let (chunk, bytes) = (terms.chunk()?, data.len());
        if chunk == 0 {
            return buffer.write(terms, below, data, newline);
        }
        // Who fails says how much of older bytes was taken too, but not more than it was given.
        let told = |told: Told| match told {
            Told::Failed { errno, bytes: taken } => Told::Failed { errno, bytes: taken.min(bytes) },
            _ => Told::Ok { bytes },
        };
        let passes = !self.pending.is_empty() && self.held() + bytes > chunk;
        if passes && (terms.is(ChunkBefore::Before)? || bytes >= chunk && terms.is(ChunkBefore::Large)?) {
            let failed = self.hand_down(terms, buffer, below)?;
            if !failed.is_ok() {
                return Ok(told(failed));
            }
        }
        self.pending.append(data);
        self.ends_line = newline;
        if newline && terms.is(Lines::Flushes)? {
            let handed = self.hand_down(terms, buffer, below)?;
            if !handed.is_ok() {
                return Ok(told(handed));
            }
            let failed = buffer.flush(terms, below)?;
            return Ok(failed.map_or(Told::Ok { bytes }, |errno| Told::Failed { errno, bytes: 0 }));
        }
        if self.held() > chunk || self.held() == chunk && terms.is(ChunkAt::At)? {
            return Ok(told(self.hand_down(terms, buffer, below)?));
        }
        Ok(Told::Ok { bytes })
    }

    /// Rule 4.
    fn hand_down(
        &mut self,
        terms: &Terms,
        buffer: &mut Buffer,
        below: &mut Descriptor<'_>,
    ) -> Result<Told, NoSay> {
        if self.pending.is_empty() {
            return Ok(Told::Done);
        }
        let mut data = std::mem::take(&mut self.pending);
        // Its flush is ours to give, once the buffer has taken all.
        let newline = self.ends_line && !terms.is(Lines::Flushes)?;
        let told = buffer.write(terms, below, data.clone(), newline)?;
        if let Told::Failed { bytes, .. } = told
            && terms.is(ChunkError::Keeps)?
        {
            data.take(bytes);
            self.pending = data;
        }
        Ok(told)
    }

    pub(super) fn flush(
        &mut self,
        terms: &Terms,
        buffer: &mut Buffer,
        below: &mut Descriptor<'_>,
    ) -> Result<Told, NoSay> {
        let failed = match self.hand_down(terms, buffer, below)?.errno() {
            Some(errno) => Some(errno),
            None => buffer.flush(terms, below)?,
        };
        Ok(failed.map_or(Told::Done, |errno| Told::Failed { errno, bytes: 0 }))
    }

    pub(super) fn close(
        &mut self,
        terms: &Terms,
        buffer: &mut Buffer,
        below: &mut Descriptor<'_>,
    ) -> Result<Told, NoSay> {
        if self.pending.is_empty() && buffer.held() == 0 || terms.is(Close::Drops)? {
            return Ok(Told::Done);
        }
        let flushed = match terms.chunk()? {
            0 => None,
            _ => self.flush(terms, buffer, below)?.errno(),
        };
        let closed = buffer.flush(terms, below)?;
        match flushed.or(closed) {
            Some(errno) if terms.is(Close::Tells)? => Ok(Told::Failed { errno, bytes: 0 }),
            _ => Ok(Told::Done),
        }
    }
}
