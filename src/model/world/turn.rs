//! How a call goes on: the part that runs next, the next call of a loop, sleep and wake-up.

use super::{At, Busy, Doing, Finish, Repeat, Sleep, State, Then, Thing, Work};
use crate::model::{Ending, Gave};

const SIGNALLED: Then = Then::Ends(Finish::Signalled);

impl State {
    /// Lets one call that is awake run up to where another may get in between.
    pub(super) fn turn(&mut self, actor: usize) {
        let Doing::Busy(mut busy) = std::mem::replace(&mut self.doing[actor], Doing::Nothing) else { return };
        let then = match std::mem::replace(&mut busy.at, At::Asleep) {
            At::Enters | At::GoesOn => match busy.work {
                Work::Read | Work::Write => match self.locked_transfer(&mut busy) {
                    // To leave is nobody's affair then.
                    At::Leaves { wake_reader: false, wake_writer: false, then } if then != SIGNALLED => then,
                    at => {
                        busy.at = at;
                        self.doing[actor] = Doing::Busy(busy);
                        return;
                    }
                },
                Work::Send => self.send(&mut busy),
                Work::Receive => self.receive(&mut busy),
            },
            At::Leaves { wake_reader, wake_writer, then } => {
                self.wake_after(&busy, wake_reader, wake_writer);
                then
            }
            At::Looks(sleep) => {
                if self.need_not_sleep(&busy, sleep) {
                    (busy.at, busy.waited) = (At::Enters, true);
                } else {
                    self.fall_asleep(actor, &busy, sleep);
                }
                self.doing[actor] = Doing::Busy(busy);
                return;
            }
            At::Asleep => Then::Again,
        };
        match then {
            Then::Waits(sleep) => busy.at = At::Looks(sleep),
            Then::Again => busy.at = if busy.work == Work::Receive { At::GoesOn } else { At::Enters },
            Then::Ends(finish) => {
                self.finish(actor, busy, finish);
                return;
            }
        }
        self.doing[actor] = Doing::Busy(busy);
    }

    /// One call has ended: the next one of its loop, or the answer.
    fn finish(&mut self, actor: usize, mut busy: Busy, finish: Finish) {
        let bytes = busy.before + if let Finish::Moved(moved) = finish { moved } else { 0 };
        let looped = |ending| Gave::Looped { bytes, calls: busy.calls, ending };
        let answer = match (busy.repeat, finish) {
            (_, Finish::Signalled) => {
                self.end_of_process(actor);
                self.doing[actor] = Doing::Answered(Gave::Ended);
                return;
            }
            (Repeat::Fill, Finish::Moved(moved)) if moved == busy.piece && moved > 0 => None,
            (Repeat::Fill, Finish::Moved(_) | Finish::Eof) => Some(looped(Ending::Short)),
            (Repeat::Pieces, Finish::Moved(moved)) if moved == busy.piece && busy.behind > 0 => None,
            (Repeat::Drain, Finish::Moved(moved)) if moved > 0 => None,
            (Repeat::Drain, Finish::Moved(_) | Finish::Eof) => Some(looped(Ending::Eof)),
            (Repeat::Fill | Repeat::Drain, Finish::Failed(errno)) => Some(looped(Ending::Errno(errno))),
            (Repeat::Until, Finish::Moved(_)) if busy.left > 0 => None,
            (Repeat::Until, Finish::Eof) if bytes > 0 => Some(Gave::Moved(bytes)),
            (_, Finish::Moved(_)) => Some(Gave::Moved(bytes)),
            (_, Finish::Eof) => Some(Gave::Eof),
            (_, Finish::Failed(errno)) => Some(Gave::Failed { errno, bytes }),
        };
        if let Some(answer) = answer {
            self.doing[actor] = Doing::Answered(answer);
            return;
        }
        if busy.repeat == Repeat::Pieces {
            busy.piece = busy.piece.min(busy.behind);
            busy.behind -= busy.piece;
        }
        if busy.repeat != Repeat::Until {
            busy.left = busy.piece;
        }
        (busy.before, busy.moved, busy.calls) = (bytes, 0, busy.calls + 1);
        (busy.at, busy.waited) = (At::Enters, false);
        self.doing[actor] = Doing::Busy(busy);
    }

    /// A woken sleeper looks again whether it has to sleep.
    pub(super) fn rouse(&mut self, actor: usize, sleep: Sleep) {
        if let Doing::Busy(busy) = &mut self.doing[actor] {
            busy.at = At::Looks(sleep);
        }
    }

    fn need_not_sleep(&self, busy: &Busy, sleep: Sleep) -> bool {
        match self.ends[busy.end].thing {
            Thing::Pipe(at) => match busy.work {
                Work::Read => self.pipes[at].is_readable(),
                _ => self.pipes[at].is_writable(),
            },
            Thing::Socket(at) => self.socket_is_ready(at, busy.to, sleep),
        }
    }

    fn fall_asleep(&mut self, actor: usize, busy: &Busy, sleep: Sleep) {
        match (self.ends[busy.end].thing, busy.work) {
            (Thing::Pipe(at), Work::Read) => self.pipes[at].readers.push_back(actor),
            (Thing::Pipe(at), _) => self.pipes[at].writers.push_back(actor),
            (Thing::Socket(at), _) => self.sleep_at_socket(busy.to.unwrap_or(at), at, actor, sleep),
        }
    }
}
