//! read(2) and write(2) on a pipe or FIFO: the parts that run alone, and whom they wake.
//!
//! 1. A zero-length read or write returns 0 at once, whoever is there. (`pipe_read`,
//!    `pipe_write`: "Null read succeeds")
//! 2. A read takes what is queued, whether or not a writer is left; with nothing
//!    queued it is end of file without a writer, else EAGAIN on a non-blocking end,
//!    else sleep. A FIFO that never had a writer reads as end of file, too.
//!    (`pipe_read`) pipe(7), read(2)
//! 3. A write fails with EPIPE without a reader. Else it moves what it can; with
//!    bytes left it returns the short count (EAGAIN if that is nothing) on a
//!    non-blocking end, and sleeps on a blocking one. (`pipe_write`) pipe(7)
//! 4. A write that wakes without a reader returns its short count, EPIPE if nothing
//!    was moved. (`pipe_write`; SIGPIPE is raised in both cases)
//! 5. A read that freed a slot of a full pipe wakes one writer, a write that found
//!    the pipe empty wakes one reader, when they are through or before they sleep.
//!    (`wake_writer`, `was_empty`)
//! 6. A call that slept, when it is through, wakes one more of its own kind if it
//!    left something to do. (`wake_next_reader`, `wake_next_writer`)
//! 7. Sleepers are woken first come, first served; one that wakes in vain, or has to
//!    sleep again, goes to the end of the queue.
//!    (`wait_event_interruptible_exclusive`)
//! 8. Closing the last end of one side while the other is held wakes everybody.
//!    (`pipe_release`)
//! 9. Once anybody has polled a pipe, every write wakes a reader when it is through,
//!    also one that found something queued. (`poll_usage`: epoll's edge-triggered
//!    users rely on it)

use super::{At, Busy, Finish, Piped, Sleep, State, Then, Thing, Work};
use crate::{
    model::{Errno, Rule},
    outcome::Access,
};

impl Piped {
    /// `pipe_readable`
    pub(super) fn is_readable(&self) -> bool {
        !self.fifo.pipe.is_empty() || self.fifo.writers == 0
    }

    /// `pipe_writable`
    pub(super) fn is_writable(&self) -> bool {
        !self.fifo.pipe.is_full() || self.fifo.readers == 0
    }
}

impl State {
    /// Wakes the first who sleeps in a read (rules 5 to 7). False if there is none.
    fn wake_reader(&mut self, at: usize) -> bool {
        let Some(actor) = self.pipes[at].readers.pop_front() else { return false };
        self.rouse(actor, Sleep::Pipe);
        true
    }

    /// The same of a write.
    pub(super) fn wake_writer(&mut self, at: usize) -> bool {
        let Some(actor) = self.pipes[at].writers.pop_front() else { return false };
        self.rouse(actor, Sleep::Pipe);
        true
    }

    pub(super) fn wake_after(&mut self, busy: &Busy, wake_reader: bool, wake_writer: bool) {
        let Thing::Pipe(at) = self.ends[busy.end].thing else { return };
        let woken = [wake_reader && self.wake_reader(at), wake_writer && self.wake_writer(at)];
        if woken.contains(&true) {
            let same_kind = (busy.work == Work::Read) == woken[0];
            self.note(if same_kind { Rule::Turns } else { Rule::WakeOnFreedSlot });
        }
    }

    /// Rule 8.
    pub(super) fn release_pipe(&mut self, at: usize, access: Access) {
        let piped = &mut self.pipes[at];
        piped.left |= access.writes();
        let had_queue = !piped.fifo.pipe.is_empty();
        let one_side_left = piped.fifo.close(access);
        if had_queue && piped.fifo.readers + piped.fifo.writers == 0 {
            self.note(Rule::ForgetAtLastClose);
        }
        if one_side_left {
            self.note(Rule::Hangup);
            while self.wake_reader(at) {}
            while self.wake_writer(at) {}
        }
    }

    /// The part of `pipe_read` or `pipe_write` under the lock.
    pub(super) fn locked_transfer(&mut self, busy: &mut Busy) -> At {
        let end = self.ends[busy.end];
        let Thing::Pipe(at) = end.thing else { return At::Asleep };
        match busy.work {
            Work::Read => self.locked_read(busy, at, end.nonblock),
            _ => self.locked_write(busy, at, end.nonblock, end.direct),
        }
    }

    /// Rules 2, 5, 6.
    fn locked_read(&mut self, read: &mut Busy, at: usize, nonblock: bool) -> At {
        let piped = &mut self.pipes[at];
        let used = &mut self.noted.0;
        let no_writer = match self.rules.hold(Rule::EofWhenLastWriterLeft) {
            true => piped.fifo.writers == 0,
            false => piped.fifo.writers == 0 || piped.left,
        };
        let lost = no_writer && !self.rules.hold(Rule::QueueBeforeEof);
        let drained = piped.fifo.pipe.drain(if lost { 0 } else { read.left }, used);
        if read.repeat == super::Repeat::Until {
            read.left = read.left.saturating_sub(drained.bytes);
        }
        let then = if drained.bytes > 0 {
            if no_writer {
                used.add(Rule::QueueBeforeEof);
            }
            Then::Ends(Finish::Moved(drained.bytes))
        } else if no_writer {
            used.add(Rule::EofWhenLastWriterLeft);
            Then::Ends(Finish::Eof)
        } else {
            used.add(Rule::EmptyRead);
            if nonblock { Then::Ends(Finish::Failed(Errno::EAGAIN)) } else { Then::Waits(Sleep::Pipe) }
        };
        At::Leaves {
            wake_reader: read.waited && matches!(then, Then::Ends(_)) && !piped.fifo.pipe.is_empty(),
            wake_writer: drained.made_room,
            then,
        }
    }

    /// Rules 3 to 6.
    fn locked_write(&mut self, write: &mut Busy, at: usize, nonblock: bool, direct: bool) -> At {
        let piped = &mut self.pipes[at];
        let used = &mut self.noted.0;
        let was_empty = piped.fifo.pipe.is_empty();
        let then = if piped.fifo.readers == 0 {
            used.add(Rule::NoReader);
            let short = write.moved > 0 && self.rules.hold(Rule::ShortBeforeEpipe);
            if write.moved > 0 {
                used.add(Rule::ShortBeforeEpipe);
            }
            Then::Ends(match (self.sigpipe_kills, short) {
                (true, _) => Finish::Signalled,
                (false, true) => Finish::Moved(write.moved),
                (false, false) => Finish::Failed(Errno::EPIPE),
            })
        } else {
            let may_merge = !write.waited || !self.rules.hold(Rule::MergeAtEntry);
            if write.waited {
                used.add(Rule::MergeAtEntry);
            }
            let merged = if may_merge { piped.fifo.pipe.merge(write.left, used) } else { 0 };
            let moved = merged + piped.fifo.pipe.fill(write.left - merged, direct);
            write.left -= moved;
            write.moved += moved;
            if write.left > 0 {
                used.add(Rule::Slots);
                used.add(Rule::FullWrite);
            }
            match (write.left, nonblock, write.moved) {
                (0, ..) => Then::Ends(Finish::Moved(write.moved)),
                (_, true, 0) => Then::Ends(Finish::Failed(Errno::EAGAIN)),
                (_, true, moved) => Then::Ends(Finish::Moved(moved)),
                (_, false, _) => Then::Waits(Sleep::Pipe),
            }
        };
        let ends = matches!(then, Then::Ends(_));
        At::Leaves {
            // Rule 9; one that is about to sleep wakes nobody for it.
            wake_reader: was_empty || piped.fifo.pipe.polled && ends,
            wake_writer: write.waited && ends && !piped.fifo.pipe.is_full(),
            then,
        }
    }
}
