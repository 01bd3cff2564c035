//! Several actors on one FIFO or pipe: what each call gives, who sleeps, who wakes.
//!
//! A read(2) or write(2) is cut where the kernel lets go of the pipe's lock; one
//! such part runs alone, and any call that is awake may be the next to run.
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
//! 9. A killed writer's bytes stay; a killed sleeper leaves its queue, and its end
//!    closes. (`exit_files`)
//! 10. poll(2) reports a hang-up on a read end only once a writer has come and gone
//!     since its open, while read(2) says end of file from the start. (`fifo_open`,
//!     `pipe_poll`: `w_counter`)
//! 11. Once anybody has polled a pipe, every write wakes a reader when it is through,
//!     also one that found something queued. (`poll_usage`: epoll's edge-triggered
//!     users rely on it)

mod transfer;

use std::{
    collections::{HashSet, VecDeque},
    iter,
};

use super::{Call, Errno, Fifo, Gave, Geometry, Rules, Settled, fifo::Opening};
use crate::outcome::Access;

/// An actor's end of the channel; an actor holds one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Held {
    access: Access,
    nonblock: bool,
    /// Opened before any writer came, so poll(2) doesn't report a hang-up (rule 10).
    before_writers: bool,
}

/// What an actor is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Doing {
    Nothing,
    /// Asleep in open(2), waiting for a partner.
    Opening(Held),
    Transfer(Transfer),
    /// It has its answer, which nobody has collected yet.
    Answered(Gave),
    /// Killed.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Side {
    Read,
    Write,
}

/// A read(2) or write(2), or a loop of read(2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Transfer {
    side: Side,
    /// Read again until nothing is left to be wanted.
    repeat: bool,
    /// Bytes still wanted, or to be written.
    left: u64,
    /// Bytes moved, over the whole loop.
    moved: u64,
    /// This read(2) or write(2) has been through its wait already.
    waited: bool,
    at: At,
}

/// Where a transfer stands with respect to the pipe's lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum At {
    /// About to take the lock and do what it can.
    Enters,
    /// It let go of the lock; wake-ups are still due.
    Leaves {
        wake_reader: bool,
        wake_writer: bool,
        then: Then,
    },
    /// About to look whether it has to sleep (it doesn't hold the lock).
    Looks,
    Asleep,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Then {
    Waits,
    Repeats,
    Ends(Gave),
}

/// One possible state of the channel and its actors, everything settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    fifo: Fifo,
    rules: Rules,
    held: Vec<Option<Held>>,
    doing: Vec<Doing>,
    /// Asleep in read(2), first come first (`rd_wait`).
    sleeping_readers: VecDeque<usize>,
    /// Asleep in write(2), first come first (`wr_wait`).
    sleeping_writers: VecDeque<usize>,
}

impl State {
    /// A FIFO, just made, and actors `0..actors` that don't hold an end yet.
    pub fn fifo(default: Geometry, actors: usize, rules: Rules) -> State {
        State {
            fifo: Fifo::new(default, rules),
            rules,
            held: vec![None; actors],
            doing: vec![Doing::Nothing; actors],
            sleeping_readers: VecDeque::new(),
            sleeping_writers: VecDeque::new(),
        }
    }

    /// An anonymous pipe: actor 0 holds its read end, actor 1 its write end, and
    /// both are blocking unless `nonblock`. It can't be opened again (the model
    /// leaves out `/proc/PID/fd`).
    pub fn pipe(default: Geometry, nonblock: bool, rules: Rules) -> State {
        let mut state = State::fifo(default, 2, rules);
        for (actor, access) in [Access::Read, Access::Write].into_iter().enumerate() {
            state.fifo.hold(access);
            state.held[actor] = Some(Held { access, nonblock, before_writers: false });
        }
        state
    }

    /// Whether the actor is in a position to make this call: alive and not blocked
    /// (except to be killed), with an end to close or use, without one to open.
    /// A read or write of the wrong end counts as possible (EBADF).
    pub fn can(&self, actor: usize, call: Call) -> bool {
        let idle = self.doing[actor] == Doing::Nothing;
        let end = self.held[actor];
        match call {
            Call::Kill => self.doing[actor] != Doing::Gone,
            Call::Open { .. } => idle && end.is_none(),
            Call::ReadAvailable => idle && end.is_some_and(|end| end.access.reads()),
            _ => idle && end.is_some(),
        }
    }

    /// Bytes queued, as FIONREAD gives them.
    pub fn queued(&self) -> u64 {
        self.fifo.pipe.queued()
    }

    /// The actors whose call is outstanding, in order.
    pub fn blocked(&self) -> Vec<usize> {
        (0..self.doing.len())
            .filter(|&actor| matches!(self.doing[actor], Doing::Opening(_) | Doing::Transfer(_)))
            .collect()
    }

    /// Every way in which the channel can settle after this call, in no particular
    /// order; two ways may look alike and differ in what comes later.
    ///
    /// Panics if the actor can't make this call ([`State::can`]).
    pub fn after(&self, actor: usize, call: Call) -> Vec<(Settled, State)> {
        assert!(self.can(actor, call), "actor {actor} can't do {call:?} in {self:?}");
        let mut first = self.clone();
        first.begin(actor, call);
        let (mut settled, mut seen, mut open) = (Vec::new(), HashSet::new(), vec![first]);
        while let Some(mut state) = open.pop() {
            if !seen.insert(state.clone()) {
                continue;
            }
            let awake: Vec<usize> = (0..state.doing.len()).filter(|&actor| state.is_awake(actor)).collect();
            for &next in &awake {
                let mut turned = state.clone();
                turned.turn(next);
                open.push(turned);
            }
            if awake.is_empty() {
                settled.push((state.collect(actor), state));
            }
        }
        settled
    }

    fn is_awake(&self, actor: usize) -> bool {
        matches!(&self.doing[actor], Doing::Transfer(transfer) if transfer.at != At::Asleep)
    }

    /// Takes the answers out of a state in which nobody is awake.
    fn collect(&mut self, actor: usize) -> Settled {
        let mut gave = if self.doing[actor] == Doing::Gone { Gave::Ended } else { Gave::Blocked };
        let mut released = Vec::new();
        for (other, doing) in self.doing.iter_mut().enumerate() {
            if let Doing::Answered(answer) = *doing {
                *doing = Doing::Nothing;
                if other == actor {
                    gave = answer;
                } else {
                    released.push((other, answer));
                }
            }
        }
        Settled { gave, released, blocked: self.blocked(), queued: self.queued() }
    }

    /// Starts a call. Everybody else is settled, so what needs no waiting is done
    /// here in one go.
    fn begin(&mut self, actor: usize, call: Call) {
        self.doing[actor] = match call {
            Call::Open { access, nonblock } => {
                let before_writers = access == Access::Read && self.fifo.writers == 0;
                self.open(actor, Held { access, nonblock, before_writers })
            }
            Call::Close => {
                self.close(actor);
                Doing::Answered(Gave::Done)
            }
            Call::Kill => {
                self.sleeping_readers.retain(|&sleeper| sleeper != actor);
                self.sleeping_writers.retain(|&sleeper| sleeper != actor);
                if let Doing::Opening(held) = self.doing[actor] {
                    self.held[actor] = Some(held);
                }
                self.close(actor);
                Doing::Gone
            }
            Call::Resize(slots) => {
                if self.fifo.pipe.resize(slots) {
                    self.wake(Side::Write);
                    Doing::Answered(Gave::Done)
                } else {
                    Doing::Answered(Gave::Failed { errno: Errno::EBUSY, bytes: 0 })
                }
            }
            Call::Write(len) => self.transfer(actor, Side::Write, len, false),
            Call::Read(len) => self.transfer(actor, Side::Read, len, false),
            Call::ReadExactly(len) => self.transfer(actor, Side::Read, len, true),
            Call::ReadToEof => self.transfer(actor, Side::Read, u64::MAX, true),
            Call::ReadAvailable => match self.queued() {
                0 if self.fifo.writers == 0 => {
                    self.fifo.pipe.polled = true;
                    let unheard = self.held[actor].is_some_and(|held| held.before_writers);
                    Doing::Answered(if unheard { Gave::Moved(0) } else { Gave::Eof })
                }
                0 => {
                    self.fifo.pipe.polled = true;
                    Doing::Answered(Gave::Moved(0))
                }
                queued => self.transfer(actor, Side::Read, queued, false),
            },
        }
    }

    fn open(&mut self, actor: usize, held: Held) -> Doing {
        let opening = self.fifo.open(held.access, held.nonblock);
        if held.access.writes() && opening != Opening::NoReader {
            self.held.iter_mut().flatten().for_each(|end| end.before_writers = false);
        }
        match opening {
            Opening::NoReader => Doing::Answered(Gave::Failed { errno: Errno::ENXIO, bytes: 0 }),
            Opening::Waits => Doing::Opening(held),
            Opening::Opens => {
                self.held[actor] = Some(held);
                self.release_openers(held.access);
                Doing::Answered(Gave::Done)
            }
        }
    }

    /// fifo.rs, rule 1: those who wait in open for a partner such as this.
    fn release_openers(&mut self, partner: Access) {
        for (doing, held) in iter::zip(&mut self.doing, &mut self.held) {
            if let Doing::Opening(end) = *doing
                && ((end.access == Access::Read && partner.writes())
                    || (end.access == Access::Write && partner.reads()))
            {
                *held = Some(Held { before_writers: false, ..end });
                *doing = Doing::Answered(Gave::Done);
            }
        }
    }

    /// Rules 8 and 9.
    fn close(&mut self, actor: usize) {
        let Some(held) = self.held[actor].take() else { return };
        if self.fifo.close(held.access) {
            while self.wake(Side::Read) {}
            while self.wake(Side::Write) {}
        }
    }

    /// A read or write before it takes the lock: EBADF, then rule 1.
    fn transfer(&self, actor: usize, side: Side, left: u64, repeat: bool) -> Doing {
        let allowed = self.held[actor].is_some_and(|held| match side {
            Side::Read => held.access.reads(),
            Side::Write => held.access.writes(),
        });
        if !allowed {
            Doing::Answered(Gave::Failed { errno: Errno::EBADF, bytes: 0 })
        } else if left == 0 {
            Doing::Answered(Gave::Moved(0))
        } else {
            Doing::Transfer(Transfer { side, repeat, left, moved: 0, waited: false, at: At::Enters })
        }
    }
}
