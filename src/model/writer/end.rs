//! The kernel's side of a writer: a FIFO with a reader that comes and goes.

use super::{Accepted, Extents};
use crate::model::{Errno, Geometry, Pipe, Rules, Used};

/// The write end of a FIFO, and what is queued behind it. Somebody holds the write end.
#[derive(Clone, Debug)]
pub struct End {
    pipe: Pipe,
    nonblock: bool,
    /// Somebody has it open to read.
    pub reader: bool,
    queue: Extents,
}

impl End {
    /// An empty pipe that has a reader.
    pub fn new(geometry: Geometry, nonblock: bool) -> End {
        End { pipe: Pipe::new(geometry, Rules::linux()), nonblock, reader: true, queue: Extents::default() }
    }

    /// One write(2) of so many bytes.
    pub fn write(&mut self, bytes: u64) -> Accepted {
        if !self.reader {
            return Accepted::Refused(Errno::EPIPE);
        }
        let merged = self.pipe.merge(bytes, &mut Used::default());
        let moved = merged + self.pipe.fill(bytes - merged, false);
        match moved {
            _ if moved == bytes => Accepted::Took(moved),
            _ if !self.nonblock => Accepted::Sleeps,
            0 => Accepted::Refused(Errno::EAGAIN),
            _ => Accepted::Took(moved),
        }
    }

    /// What it took, by place in the writer's stream.
    pub fn queue(&mut self, took: Extents) {
        self.queue.append(took);
    }

    /// The reader takes up to `bytes`.
    pub fn read(&mut self, bytes: u64) -> Extents {
        self.pipe.drain(bytes, &mut Used::default());
        self.queue.take(bytes)
    }

    /// Bytes in the pipe.
    pub fn queued(&self) -> u64 {
        self.queue.len()
    }
}
