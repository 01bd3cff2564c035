//! Who holds which end, and what opening and closing do.
//!
//! 1. A blocking open of one end waits until the other end is opened; it isn't
//!    asked whether that partner is still there, so an open is released by one that
//!    came and went. (`wait_for_partner` counts openings) fifo(7)
//! 2. It doesn't wait if the other end is held, and a waiting opener counts as a
//!    holder of its own end from the start. (`fifo_open`: `readers++`, then wait)
//! 3. O_NONBLOCK: opening to read succeeds at once, opening to write fails with
//!    ENXIO if there is no reader. open(2), fifo(7)
//! 4. O_RDWR never waits. (`fifo_open`) fifo(7)
//! 5. The queue belongs to the holders, of whichever end: it is dropped when the
//!    last of them closes, and the next open begins with an empty pipe of the
//!    default capacity. (`put_pipe_info`)
//! 6. The ends of an anonymous pipe exist from the start. pipe(2)

use super::{Geometry, Pipe, Rule, Rules};
use crate::outcome::Access;

/// What an open finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It succeeds, and releases those who waited for this partner (rule 1).
    Opens,
    /// It waits for a partner; it counts as a holder meanwhile (rule 2).
    Waits,
    /// ENXIO; nothing has changed.
    NoReader,
}

/// A FIFO (or an anonymous pipe): the buffer and the number of its holders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fifo {
    /// What is queued.
    pub pipe: Pipe,
    /// Holders of a read end, those waiting in open included.
    pub readers: usize,
    /// Holders of a write end, those waiting in open included.
    pub writers: usize,
    /// What a pipe is like when it is new (rule 5).
    default: Geometry,
    rules: Rules,
}

impl Fifo {
    /// A FIFO that nobody holds.
    pub fn new(default: Geometry, rules: Rules) -> Fifo {
        Fifo { pipe: Pipe::new(default, rules), readers: 0, writers: 0, default, rules }
    }

    /// Rules 1 to 4.
    pub fn open(&mut self, access: Access, nonblock: bool) -> Opening {
        let to_nobody = access == Access::Write && nonblock && self.readers == 0;
        if to_nobody && self.rules.hold(Rule::OpenToWriteNow) {
            return Opening::NoReader;
        }
        self.hold(access);
        let alone = match access {
            Access::Read => self.writers == 0 && !nonblock,
            Access::Write => self.readers == 0 && !nonblock,
            Access::Both => false,
        };
        if alone { Opening::Waits } else { Opening::Opens }
    }

    /// Counts one more holder, as pipe(2) does without any open (rule 6).
    pub fn hold(&mut self, access: Access) {
        self.readers += usize::from(access.reads());
        self.writers += usize::from(access.writes());
    }

    /// A holder closes, or gives up waiting in open (rule 5). Says whether just one
    /// side is left without holders, which wakes everybody (`pipe_release`).
    pub fn close(&mut self, access: Access) -> bool {
        self.readers -= usize::from(access.reads());
        self.writers -= usize::from(access.writes());
        if self.readers + self.writers == 0 && self.rules.hold(Rule::ForgetAtLastClose) {
            self.pipe = Pipe::new(self.default, self.rules);
        }
        (self.readers == 0) != (self.writers == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fifo() -> Fifo {
        Fifo::new(Geometry { page: 4096, slots: 16 }, Rules::linux())
    }

    #[test]
    fn a_blocking_open_waits_for_its_partner() {
        assert_eq!(fifo().open(Access::Read, false), Opening::Waits);
        assert_eq!(fifo().open(Access::Write, false), Opening::Waits);
    }

    #[test]
    fn a_waiting_opener_is_partner_enough() {
        let mut fifo = fifo();
        fifo.open(Access::Read, false);
        assert_eq!(fifo.open(Access::Write, true), Opening::Opens);
    }

    #[test]
    fn a_nonblocking_open_reads_at_once_and_writes_to_nobody() {
        assert_eq!(fifo().open(Access::Read, true), Opening::Opens);
        let mut fifo = fifo();
        assert_eq!(fifo.open(Access::Write, true), Opening::NoReader);
        assert_eq!(fifo.writers, 0);
    }

    #[test]
    fn opening_both_ends_never_waits() {
        assert_eq!(fifo().open(Access::Both, false), Opening::Opens);
    }

    #[test]
    fn the_queue_lives_as_long_as_anybody_holds_an_end() {
        let mut fifo = fifo();
        fifo.open(Access::Both, false);
        fifo.pipe.fill(10, false);
        fifo.open(Access::Write, false);
        fifo.close(Access::Both);
        assert_eq!(fifo.pipe.queued(), 10, "a writer keeps what nobody can read");
        fifo.close(Access::Write);
        assert_eq!(fifo.pipe.queued(), 0);
    }

    #[test]
    fn a_new_holder_begins_with_the_default_capacity() {
        let mut fifo = fifo();
        fifo.open(Access::Both, false);
        fifo.pipe.resize(1);
        fifo.close(Access::Both);
        assert_eq!(fifo.pipe.geometry().slots, 16);
    }
}
