//! The parts of read(2) and write(2) that run alone, and whom they wake.

use super::{At, Doing, Side, State, Then, Transfer};
use crate::model::{Errno, Gave};

impl State {
    /// Wakes the first sleeper of a queue, which then looks again (rules 5 to 7).
    /// False if there is none.
    pub(super) fn wake(&mut self, side: Side) -> bool {
        let queue = match side {
            Side::Read => &mut self.sleeping_readers,
            Side::Write => &mut self.sleeping_writers,
        };
        let Some(actor) = queue.pop_front() else { return false };
        if let Doing::Transfer(transfer) = &mut self.doing[actor] {
            transfer.at = At::Looks;
        }
        true
    }

    /// Lets one call that is awake run up to where another may get in between.
    pub(super) fn turn(&mut self, actor: usize) {
        let Doing::Transfer(mut transfer) = self.doing[actor].clone() else { return };
        match transfer.at.clone() {
            At::Enters => {
                let nonblock = self.held[actor].is_some_and(|held| held.nonblock);
                transfer.at = match transfer.side {
                    Side::Read => self.locked_read(&mut transfer, nonblock),
                    Side::Write => self.locked_write(&mut transfer, nonblock),
                };
            }
            At::Leaves { wake_reader, wake_writer, then } => {
                if wake_reader {
                    self.wake(Side::Read);
                }
                if wake_writer {
                    self.wake(Side::Write);
                }
                match then {
                    Then::Waits => transfer.at = At::Looks,
                    Then::Repeats => (transfer.at, transfer.waited) = (At::Enters, false),
                    Then::Ends(gave) => {
                        self.doing[actor] = Doing::Answered(gave);
                        return;
                    }
                }
            }
            At::Looks => {
                let (ready, queue) = match transfer.side {
                    Side::Read => (self.is_readable(), &mut self.sleeping_readers),
                    Side::Write => (self.is_writable(), &mut self.sleeping_writers),
                };
                if ready {
                    (transfer.at, transfer.waited) = (At::Enters, true);
                } else {
                    queue.push_back(actor);
                    transfer.at = At::Asleep;
                }
            }
            At::Asleep => {}
        }
        self.doing[actor] = Doing::Transfer(transfer);
    }

    /// `pipe_readable`
    pub(super) fn is_readable(&self) -> bool {
        !self.fifo.pipe.is_empty() || self.fifo.writers == 0
    }

    /// `pipe_writable`
    pub(super) fn is_writable(&self) -> bool {
        !self.fifo.pipe.is_full() || self.fifo.readers == 0
    }

    /// The part of `pipe_read` under the lock: rules 2, 5, 6.
    fn locked_read(&mut self, read: &mut Transfer, nonblock: bool) -> At {
        let ended = self.fifo.writers == 0;
        let lost = ended && !self.rules.queue_before_eof;
        let drained = self.fifo.pipe.drain(if lost { 0 } else { read.left });
        read.left -= drained.bytes;
        read.moved += drained.bytes;
        let then = if drained.bytes > 0 {
            if read.repeat && read.left > 0 { Then::Repeats } else { Then::Ends(Gave::Moved(read.moved)) }
        } else if ended {
            Then::Ends(if read.moved > 0 { Gave::Moved(read.moved) } else { Gave::Eof })
        } else if nonblock {
            Then::Ends(Gave::Failed { errno: Errno::EAGAIN, bytes: read.moved })
        } else {
            Then::Waits
        };
        At::Leaves {
            wake_reader: read.waited && then != Then::Waits && !self.fifo.pipe.is_empty(),
            wake_writer: drained.made_room,
            then,
        }
    }

    /// The part of `pipe_write` under the lock: rules 3 to 6.
    fn locked_write(&mut self, write: &mut Transfer, nonblock: bool) -> At {
        let pipe = &mut self.fifo.pipe;
        let was_empty = pipe.is_empty();
        let then = if self.fifo.readers == 0 {
            let short = write.moved > 0 && self.rules.short_before_epipe;
            Then::Ends(if short {
                Gave::Moved(write.moved)
            } else {
                Gave::Failed { errno: Errno::EPIPE, bytes: 0 }
            })
        } else {
            let may_merge = !write.waited || !self.rules.merge_at_entry_only;
            let merged = if may_merge { pipe.merge(write.left) } else { 0 };
            let moved = merged + pipe.fill(write.left - merged);
            write.left -= moved;
            write.moved += moved;
            match (write.left, nonblock, write.moved) {
                (0, ..) => Then::Ends(Gave::Moved(write.moved)),
                (_, true, 0) => Then::Ends(Gave::Failed { errno: Errno::EAGAIN, bytes: 0 }),
                (_, true, moved) => Then::Ends(Gave::Moved(moved)),
                (_, false, _) => Then::Waits,
            }
        };
        At::Leaves {
            // Rule 11; one that is about to sleep wakes nobody for it.
            wake_reader: was_empty || self.fifo.pipe.polled && then != Then::Waits,
            wake_writer: write.waited && then != Then::Waits && !self.fifo.pipe.is_full(),
            then,
        }
    }
}
