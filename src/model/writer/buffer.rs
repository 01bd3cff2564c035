//! The buffer above the descriptor.
//!
//! 1. A write that fits into the room that is left is put there, and that is all.
//!    (One as long as the whole buffer: rule `through`.)
//! 2. One that doesn't fit makes room first (rule `overflow`); then what is still too
//!    long goes past the buffer (rule `direct`), and the rest is put there.
//! 3. A flush offers what is held to write(2) until all is taken or an error comes.
//! 4. After an error, rules `flush_error`, `reclaims`, `on_error`, `on_full` say what is
//!    held, and rule `count` what the caller is told.
//! 5. A line feed at a write's end: rule `lines`.

use super::{
    Extents, NoSay, Told,
    descriptor::Descriptor,
    policy::Terms,
    rules::{Count, Direct, FlushError, Lines, OnError, OnFull, Overflow, Room, Short, Start, Through},
};
use crate::model::Errno;

/// A shorter buffer has no blocks (glibc, `_IO_new_file_xsputn`).
const SHORTEST_BLOCK: u64 = 128;

/// What the buffer holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    held: Extents,
    /// Bytes in front of those which are gone, and whose room may not be free yet.
    gone: u64,
    /// A write has met a full buffer, or one that wasn't there yet.
    started: bool,
    /// What is held ends with a line feed that a write ended with.
    ends_line: bool,
}

impl Buffer {
    /// Bytes that it holds.
    pub(super) fn held(&self) -> u64 {
        self.held.len()
    }

    /// A write of `data`, which ends with a line feed if `newline`.
    pub(super) fn write(
        &mut self,
        terms: &Terms,
        below: &mut Descriptor<'_>,
        data: Extents,
        newline: bool,
    ) -> Result<Told, NoSay> {
        let capacity = terms.capacity()?;
        if capacity == 0 {
            return self.past(terms, below, data, 0);
        }
        if newline && terms.is(Lines::Flushes)? {
            let told = self.place(terms, below, data, newline)?;
            return self.then_flush(terms, below, told);
        }
        if newline && terms.is(Lines::Through)? {
            if self.held.is_empty() {
                return self.past(terms, below, data, capacity);
            }
            let told = self.place(terms, below, data, newline)?;
            return self.then_flush(terms, below, told);
        }
        if newline && terms.is(Lines::InPlace)? {
            let bytes = data.len();
            let fits = self.started && bytes <= self.room(terms, capacity)?;
            let told = self.place(terms, below, data, newline)?;
            let failed = if told.is_ok() { self.flush(terms, below)? } else { None };
            return match failed {
                Some(errno) if !fits => failure(terms, errno, bytes - 1),
                _ => Ok(told),
            };
        }
        if self.ends_line
            && terms.is(Lines::Through)?
            && let Some(errno) = self.flush(terms, below)?
        {
            return Ok(Told::Failed { errno, bytes: 0 });
        }
        self.place(terms, below, data, newline)
    }

    fn then_flush(&mut self, terms: &Terms, below: &mut Descriptor<'_>, told: Told) -> Result<Told, NoSay> {
        if !told.is_ok() {
            return Ok(told);
        }
        Ok(self.flush(terms, below)?.map_or(told, |errno| Told::Failed { errno, bytes: 0 }))
    }

    /// Rules 1 and 2.
    fn place(
        &mut self,
        terms: &Terms,
        below: &mut Descriptor<'_>,
        mut data: Extents,
        newline: bool,
    ) -> Result<Told, NoSay> {
        let (capacity, bytes) = (terms.capacity()?, data.len());
        let room = self.room(terms, capacity)?;
        if terms.is(Overflow::FillFirst)? {
            return self.fill(terms, below, data, newline, room);
        }
        if bytes <= room && !self.goes_through(terms, bytes, capacity)? {
            self.put(data, newline);
            return Ok(Told::Ok { bytes });
        }
        if let Some(errno) = self.flush(terms, below)? {
            return self.after_error(terms, errno, &mut data, 0);
        }
        if !self.goes_through(terms, bytes, capacity)? {
            self.put(data, newline);
            return Ok(Told::Ok { bytes });
        }
        self.past(terms, below, data, capacity)
    }

    /// The write's first bytes fill the buffer.
    fn fill(
        &mut self,
        terms: &Terms,
        below: &mut Descriptor<'_>,
        mut data: Extents,
        newline: bool,
        room: u64,
    ) -> Result<Told, NoSay> {
        let (capacity, bytes) = (terms.capacity()?, data.len());
        let room = if !self.started && terms.is(Start::NoRoom)? { 0 } else { room };
        let first = bytes.min(room);
        self.put(data.take(first), newline && first == bytes);
        if data.is_empty() {
            return Ok(Told::Ok { bytes });
        }
        self.started = true;
        if let Some(errno) = self.flush(terms, below)? {
            return failure(terms, errno, first);
        }
        let blocks = terms.is(Direct::Blocks)?;
        if blocks || self.goes_through(terms, data.len(), capacity)? {
            return Ok(match self.past(terms, below, data, capacity)? {
                Told::Ok { bytes } => Told::Ok { bytes: first + bytes },
                Told::Failed { errno, bytes } => failure(terms, errno, first + bytes)?,
                done => done,
            });
        }
        self.put(data, newline);
        Ok(Told::Ok { bytes })
    }

    /// What goes past the empty buffer; rule `direct` may leave a rest to put there.
    fn past(
        &mut self,
        terms: &Terms,
        below: &mut Descriptor<'_>,
        mut data: Extents,
        capacity: u64,
    ) -> Result<Told, NoSay> {
        let bytes = data.len();
        let whole = capacity < SHORTEST_BLOCK || bytes.is_multiple_of(capacity) || terms.is(Direct::Whole)?;
        let rest = if whole { 0 } else { bytes % capacity };
        let mut passing = data.take(bytes - rest);
        while !passing.is_empty() {
            match below.write(&mut passing)? {
                Err(errno) => {
                    let done = bytes - rest - passing.len();
                    passing.append(data);
                    return self.after_error(terms, errno, &mut passing, done);
                }
                Ok(_) if passing.is_empty() || terms.is(Short::GoesOn)? => {}
                Ok(taken) if terms.is(Short::SaysSo)? => return Ok(Told::Ok { bytes: taken }),
                Ok(_) if capacity > 0 && !self.goes_through(terms, passing.len() + rest, capacity)? => break,
                Ok(_) => {}
            }
        }
        passing.append(data);
        self.put(passing, false);
        Ok(Told::Ok { bytes })
    }

    /// Rule 4, for a write of which `done` bytes are elsewhere and `data` nowhere.
    fn after_error(
        &mut self,
        terms: &Terms,
        errno: Errno,
        data: &mut Extents,
        done: u64,
    ) -> Result<Told, NoSay> {
        let capacity = terms.capacity()?;
        if capacity == 0 {
            return failure(terms, errno, done);
        }
        let full = errno == Errno::EAGAIN;
        let keeps = if full { terms.is(OnFull::WhatFits)? } else { terms.is(OnError::WhatFits)? };
        if !keeps {
            return failure(terms, errno, done);
        }
        self.gone = 0;
        let kept = data.take(capacity - self.held());
        let bytes = done + kept.len();
        self.put(kept, false);
        if data.is_empty() { Ok(Told::Ok { bytes }) } else { failure(terms, errno, bytes) }
    }

    /// Rule 3. The error, if one came.
    pub(super) fn flush(
        &mut self,
        terms: &Terms,
        below: &mut Descriptor<'_>,
    ) -> Result<Option<Errno>, NoSay> {
        while !self.held.is_empty() {
            match below.write(&mut self.held)? {
                Ok(bytes) => self.gone += bytes,
                Err(errno) => {
                    if terms.is(FlushError::Drops)? {
                        self.clear();
                    }
                    return Ok(Some(errno));
                }
            }
        }
        self.clear();
        Ok(None)
    }

    fn put(&mut self, data: Extents, newline: bool) {
        if !data.is_empty() {
            self.ends_line = newline;
            self.held.append(data);
        }
    }

    fn clear(&mut self) {
        self.held = Extents::default();
        self.gone = 0;
        self.ends_line = false;
    }

    /// Bytes that can still be put there.
    fn room(&self, terms: &Terms, capacity: u64) -> Result<u64, NoSay> {
        let gone = if self.gone > 0 && terms.is(Room::WhenEmpty)? { self.gone } else { 0 };
        Ok(capacity.saturating_sub(self.held() + gone))
    }

    /// So much is too long for an empty buffer.
    fn goes_through(&self, terms: &Terms, bytes: u64, capacity: u64) -> Result<bool, NoSay> {
        Ok(bytes > capacity || bytes == capacity && terms.is(Through::At)?)
    }
}

/// Rule `count`.
fn failure(terms: &Terms, errno: Errno, taken: u64) -> Result<Told, NoSay> {
    let bytes = if taken > 0 && terms.is(Count::Taken)? { taken } else { 0 };
    Ok(Told::Failed { errno, bytes })
}
