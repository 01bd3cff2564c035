//! A runtime's buffered writer over a file descriptor, as an executable model.
//!
//! It is two layers of which either may be missing: one that collects up to a chunk and
//! hands it down (CPython's TextIOWrapper), and a buffer above write(2). What they do where
//! runtimes differ is in [`rules`]; a [`Policy`] answers those. Which runtime has which
//! policy isn't known here: [`crate::policy`] finds it out from runs.
//!
//! Read it in this order: [`rules`], `buffer`, `text`, this file, [`End`] (the kernel's
//! side, for whoever has no kernel).
//!
//! Not modelled: a write(2) that sleeps, and what its wake-up brings; two streams on one
//! descriptor; writes of no bytes; a stream's position.

mod buffer;
mod descriptor;
mod end;
mod extents;
mod policy;
pub mod rules;
#[cfg(test)]
mod tests;
mod text;

pub use descriptor::Accepted;
pub use end::End;
pub use extents::Extents;
pub use policy::{NoSay, Policy, Used};

use self::{buffer::Buffer, descriptor::Descriptor, policy::Terms, text::Collector};
use super::Errno;

/// What a program does with its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// One write of the stream's next `bytes` (at least one), whatever came of those before; its last
    /// byte is a line feed if `newline`.
    Write {
        bytes: u64,
        newline: bool,
    },
    Flush,
    Close,
}

/// What the program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// Success of a write, with so many bytes.
    Ok { bytes: u64 },
    /// Success of a flush or a close.
    Done,
    /// An error; of a write, after so many bytes.
    Failed { errno: Errno, bytes: u64 },
}

impl Told {
    pub fn is_ok(self) -> bool {
        self.errno().is_none()
    }

    /// The error, if it is one.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Told::Failed { errno, .. } => Some(errno),
            Told::Ok { .. } | Told::Done => None,
        }
    }
}

/// A stream that follows a policy.
#[derive(Clone, Debug)]
pub struct Writer {
    terms: Terms,
    collector: Collector,
    buffer: Buffer,
    offset: u64,
    took: Extents,
    closed: bool,
}

impl Writer {
    /// A stream that was just opened.
    pub fn new(policy: Policy) -> Writer {
        Writer {
            terms: Terms::new(policy),
            collector: Collector::default(),
            buffer: Buffer::default(),
            offset: 0,
            took: Extents::default(),
            closed: false,
        }
    }

    /// What the program is told of this step, if each write(2) of so many bytes comes to
    /// what `kernel` says.
    ///
    /// # Errors
    /// The model has no say; the stream is then of no more use.
    pub fn step(&mut self, step: Step, mut kernel: impl FnMut(u64) -> Accepted) -> Result<Told, NoSay> {
        if self.closed {
            return Err(NoSay::Closed);
        }
        let (terms, buffer) = (&self.terms, &mut self.buffer);
        let mut below = Descriptor::new(&mut kernel);
        let told = match step {
            Step::Write { bytes, newline } => {
                let data = Extents::of(self.offset, bytes);
                self.offset += bytes;
                self.collector.write(terms, buffer, &mut below, data, newline)
            }
            Step::Flush => self.collector.flush(terms, buffer, &mut below),
            Step::Close => {
                self.closed = true;
                self.collector.close(terms, buffer, &mut below)
            }
        };
        self.took = below.took;
        told
    }

    /// What the kernel took in the last step, by place in the stream.
    pub fn took(&self) -> &Extents {
        &self.took
    }

    /// Bytes that the layers hold back, the outermost first.
    pub fn held(&self) -> [u64; 2] {
        [self.collector.held(), self.buffer.held()]
    }

    /// The rules that have had a say so far.
    pub fn used(&self) -> Used {
        self.terms.used()
    }
}
