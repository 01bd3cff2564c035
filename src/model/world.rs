//! Several actors and what they hold: what each call gives, who sleeps, who wakes.
//!
//! A call is cut where the kernel lets go of its locks; one such part runs alone, and any
//! call that is awake may be the next to run. Where that gives several results, the kernel
//! may choose. `pipes` and `sockets` have the parts, with their rules.
//!
//! 1. A descriptor leads to an open file description, which has flags, and copies of the
//!    descriptor (dup(2), fork(2)) lead to the same one. It is closed with its last one.
//! 2. A process that ends, by itself or by a signal, closes all that it holds. What its call
//!    had moved stays moved, and nothing else of that call is left. (`exit_files`)
//! 3. SIGPIPE, where it isn't ignored, ends the actor instead of giving it EPIPE. pipe(7)

mod begin;
mod pipes;
mod ready;
mod sockets;
mod turn;

use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    ops::{Deref, DerefMut},
    sync::Arc,
};

use rustc_hash::FxHashSet;

use super::{Call, Errno, Fifo, Flags, Gave, Handle, Machine, Rule, Rules, Settled, Socket, Used};
use crate::outcome::Access;

/// So many states are looked at for one step before the model gives up on it: two loops
/// of calls that feed each other have no end.
const MOST_STATES: usize = 600;

/// What an open file description leads to, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Pipe(usize),
    Socket(usize),
}

/// An open file description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct End {
    thing: Thing,
    access: Access,
    nonblock: bool,
    /// O_DIRECT.
    direct: bool,
    /// Opened before any writer came, so poll(2) doesn't report a hang-up.
    before_writers: bool,
    /// Descriptors that lead here.
    holders: usize,
}

/// A pipe with those who sleep at it, first come first (`rd_wait`, `wr_wait`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Piped {
    fifo: Fifo,
    /// It is no FIFO: opening an end of it never waits.
    anonymous: bool,
    /// A writer has left it.
    left: bool,
    readers: VecDeque<usize>,
    writers: VecDeque<usize>,
}

/// A socket with those who sleep at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Socketed {
    socket: Socket,
    /// In recv(2) or send(2) on it (`sk_sleep`).
    sleepers: VecDeque<(usize, Sleep)>,
    /// In send(2) on another one, since its queue is full (`peer_wait`).
    senders: VecDeque<usize>,
}

/// What an actor is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Doing {
    /// Nobody has made it yet.
    Absent,
    Nothing,
    /// Asleep in open(2), waiting for a partner.
    Opening(Handle, usize),
    Busy(Busy),
    /// It has its answer, which nobody has collected yet.
    Answered(Gave),
    Gone,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Work {
    Read,
    Write,
    Receive,
    Send,
}

/// When calls are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Repeat {
    Once,
    /// A read, until all has come that is wanted.
    Until,
    /// A write, until all pieces of a message are written.
    Pieces,
    Fill,
    Drain,
}

/// A call that moves bytes, or a loop of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Busy {
    end: usize,
    work: Work,
    flags: Flags,
    repeat: Repeat,
    /// Bytes of one call.
    piece: u64,
    /// Bytes still wanted or to be written; of `Until`, by the whole loop.
    left: u64,
    /// Of `Pieces`, bytes behind this one.
    behind: u64,
    /// Bytes that this call has moved.
    moved: u64,
    /// Calls of the loop with this one, and bytes that those before it have moved.
    calls: u64,
    before: u64,
    /// This call has slept already.
    waited: bool,
    /// A message that is made and charged, and waits for room at its receiver.
    message: Option<u64>,
    /// Of a message: the socket that it is for, once that is known.
    to: Option<usize>,
    at: At,
}

/// Where a call stands with respect to the locks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum At {
    /// About to take the lock and do what it can.
    Enters,
    /// A receive that goes on, and nobody else receives meanwhile (`iolock`).
    GoesOn,
    /// It let go of the lock; wake-ups are still due.
    Leaves {
        wake_reader: bool,
        wake_writer: bool,
        then: Then,
    },
    /// About to look whether it has to sleep (it doesn't hold the lock).
    Looks(Sleep),
    Asleep,
}

/// What it sleeps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Sleep {
    /// A pipe to have something, or room.
    Pipe,
    /// Its own charge to go down.
    Room,
    /// Bytes of a stream.
    Stream,
    /// A message; one of several such sleepers is woken by each.
    Message,
    /// The receiver's queue to be read.
    Peer,
}

/// How a part of a call went on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Then {
    Waits(Sleep),
    Again,
    Ends(Finish),
}

/// How one call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Finish {
    Moved(u64),
    Eof,
    Failed(Errno),
    /// Rule 3.
    Signalled,
}

/// Whom an event at a socket wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// Something has arrived: all senders and stream readers, and one who waits for a message.
    Arrival,
    /// There is room to send.
    Room,
    /// A change of its state: everybody.
    All,
}

/// The rules that had a say so far; no part of what tells states apart.
#[derive(Clone, Copy, Debug, Default)]
struct Noted(Used);

impl PartialEq for Noted {
    fn eq(&self, _: &Noted) -> bool {
        true
    }
}

impl Eq for Noted {}

impl Hash for Noted {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What few calls change: copies of a state have it in common until one of them does. No part of
/// the hash, since states of one step seldom differ in it alone.
#[derive(Clone, Debug, Default)]
struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Shared<T> {
        Shared(value.into())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// One possible state of the channels and their actors, everything settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    machine: Shared<Machine>,
    rules: Rules,
    /// SIGPIPE ends whoever gets it.
    sigpipe_kills: bool,
    pipes: Vec<Piped>,
    sockets: Vec<Socketed>,
    ends: Shared<Vec<End>>,
    /// By actor: handles and the ends that they lead to, in the order of their descriptors.
    held: Shared<Vec<Vec<(Handle, usize)>>>,
    doing: Vec<Doing>,
    /// By handle: what is counted as its queue.
    inboxes: Shared<Vec<Option<Thing>>>,
    /// By number of a name: the socket that is bound to it.
    bound: Shared<Vec<Option<usize>>>,
    noted: Noted,
}

/// More could happen than the model looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl State {
    /// Nothing has been done yet by so many actors, whose descriptors have one of so many
    /// handles; SIGPIPE is ignored.
    pub fn new(machine: Machine, rules: Rules, actors: usize, handles: usize) -> State {
        State {
            machine: machine.into(),
            rules,
            sigpipe_kills: false,
            pipes: Vec::new(),
            sockets: Vec::new(),
            ends: Shared::default(),
            held: vec![Vec::new(); actors].into(),
            doing: vec![Doing::Nothing; actors],
            inboxes: vec![None; handles].into(),
            bound: Shared::default(),
            noted: Noted::default(),
        }
    }

    /// A FIFO, just made, and actors `0..actors` that don't hold an end yet. Its handle is 0.
    pub fn fifo(machine: Machine, actors: usize, rules: Rules) -> State {
        let mut state = State::new(machine, rules, actors, 1);
        state.declare(0, false, machine.pipe);
        state
    }

    /// An anonymous pipe: actor 0 holds its read end, actor 1 its write end, both as handle 0,
    /// and both are blocking unless `nonblock`.
    pub fn pipe(machine: Machine, nonblock: bool, rules: Rules) -> State {
        let mut state = State::new(machine, rules, 2, 1);
        state.declare(0, true, machine.pipe);
        for (actor, access) in [Access::Read, Access::Write].into_iter().enumerate() {
            state.pipes[0].fifo.hold(access);
            state.hold(actor, 0, Thing::Pipe(0), access, nonblock, false);
        }
        state
    }

    /// A channel stands ready under this handle: a FIFO or an anonymous pipe, of this geometry.
    pub fn declare(&mut self, handle: Handle, anonymous: bool, geometry: super::Geometry) {
        self.inboxes[usize::from(handle)] = Some(Thing::Pipe(self.pipes.len()));
        self.pipes.push(self.new_pipe(anonymous, geometry));
    }

    fn new_pipe(&self, anonymous: bool, geometry: super::Geometry) -> Piped {
        let fifo = Fifo::new(geometry, self.rules);
        Piped { fifo, anonymous, left: false, readers: VecDeque::new(), writers: VecDeque::new() }
    }

    /// An actor that isn't there before another one forks it.
    pub fn is_made_later(&mut self, actor: usize) {
        self.doing[actor] = Doing::Absent;
    }

    /// SIGPIPE has its default action.
    pub fn sigpipe_kills(&mut self) {
        self.sigpipe_kills = true;
    }

    /// So many names can be bound.
    pub fn names(&mut self, count: usize) {
        self.bound = vec![None; count].into();
    }

    fn end_of(&self, actor: usize, handle: Handle) -> Option<usize> {
        self.held[actor].iter().find(|(known, _)| *known == handle).map(|(_, end)| *end)
    }

    /// Whether the actor is in a position to make this call: alive and not blocked
    /// (except to be killed), with a handle to use, without one of the names that the call gives.
    /// A read or write of the wrong end counts as possible (EBADF).
    pub fn can(&self, actor: usize, on: Handle, call: Call) -> bool {
        let idle = self.doing[actor] == Doing::Nothing;
        let end = self.end_of(actor, on).map(|end| self.ends[end]);
        let is_free = |handle| self.end_of(actor, handle).is_none();
        let is_socket = end.is_some_and(|end| matches!(end.thing, Thing::Socket(_)));
        let on_pipe = end.is_some_and(|end| matches!(end.thing, Thing::Pipe(_)));
        let is_datagram = || match end.map(|end| end.thing) {
            Some(Thing::Socket(at)) => !self.sockets[at].socket.connected(),
            _ => false,
        };
        match call {
            Call::Kill => !matches!(self.doing[actor], Doing::Gone | Doing::Absent),
            Call::Exit => idle,
            Call::Open { .. } | Call::Socket { .. } => idle && end.is_none(),
            Call::Pipe { write_end: other, .. } | Call::SocketPair { other, .. } => {
                idle && end.is_none() && is_free(other)
            }
            Call::Duplicate { copy } => idle && end.is_some() && is_free(copy),
            Call::Fork { child } => idle && self.doing[child] == Doing::Absent,
            Call::ReadAvailable => idle && on_pipe && end.is_some_and(|end| end.access.reads()),
            Call::Resize(_) => idle && on_pipe,
            Call::Send { .. } | Call::Receive { .. } | Call::Shutdown { .. } | Call::SendBuffer(_) => {
                idle && is_socket
            }
            Call::Bind { .. } | Call::Connect { .. } | Call::SendTo { .. } => idle && is_datagram(),
            Call::Asks => idle,
            _ => idle && end.is_some(),
        }
    }

    /// The actors whose call is outstanding, in order.
    pub fn blocked(&self) -> Vec<usize> {
        let outstanding = |doing: &Doing| matches!(doing, Doing::Opening(..) | Doing::Busy(_));
        (0..self.doing.len()).filter(|&actor| outstanding(&self.doing[actor])).collect()
    }

    /// Bytes queued at a handle, as far as they can be counted from outside.
    pub fn queued(&self, handle: Handle) -> Option<u64> {
        match self.inboxes[usize::from(handle)]? {
            Thing::Pipe(at) => {
                let piped = &self.pipes[at];
                let is_held = piped.fifo.readers + piped.fifo.writers > 0;
                (is_held || !piped.anonymous).then(|| piped.fifo.pipe.queued())
            }
            Thing::Socket(at) => {
                let socket = &self.sockets[at].socket;
                (!socket.dead).then(|| socket.queued())
            }
        }
    }

    /// Every way in which the channels can settle after this call, in no particular
    /// order, with the rules that had a say; two ways may look alike and differ in what
    /// comes later.
    ///
    /// # Errors
    /// There are too many to look at.
    ///
    /// # Panics
    /// The actor can't make this call ([`State::can`]).
    pub fn after(
        &self,
        actor: usize,
        on: Handle,
        call: Call,
    ) -> Result<Vec<(Settled, Used, State)>, TooMany> {
        assert!(self.can(actor, on, call), "actor {actor} can't do {call:?} in {self:?}");
        let mut first = self.clone();
        first.noted = Noted::default();
        first.begin(actor, on, call);
        let mut settled = Vec::new();
        let mut awake = first.awake();
        // Mostly nobody else is awake, and then there is one way.
        while let [only] = awake[..] {
            first.turn(only);
            awake = first.awake();
        }
        if awake.is_empty() {
            settled.push(first.settle(actor));
            return Ok(settled);
        }
        let (mut seen, mut open) = (FxHashSet::default(), vec![first]);
        while let Some(state) = open.pop() {
            if seen.contains(&state) {
                continue;
            }
            if seen.len() >= MOST_STATES {
                return Err(TooMany);
            }
            let awake = state.awake();
            for &next in &awake {
                let mut turned = state.clone();
                turned.turn(next);
                open.push(turned);
            }
            if awake.is_empty() {
                settled.push(state.clone().settle(actor));
            }
            seen.insert(state);
        }
        Ok(settled)
    }

    /// The actors that may run.
    fn awake(&self) -> Vec<usize> {
        (0..self.doing.len()).filter(|&actor| self.is_awake(actor)).collect()
    }

    fn is_awake(&self, actor: usize) -> bool {
        let Doing::Busy(busy) = &self.doing[actor] else { return false };
        match busy.at {
            At::Asleep => false,
            At::Enters if busy.work == Work::Receive => !self.doing.iter().any(|doing| {
                let thing = |end: usize| self.ends[end].thing;
                matches!(doing, Doing::Busy(other)
                    if other.at == At::GoesOn && thing(other.end) == thing(busy.end))
            }),
            _ => true,
        }
    }

    /// Takes the answers out of a state in which nobody is awake.
    fn settle(mut self, actor: usize) -> (Settled, Used, State) {
        let mut gave = if self.doing[actor] == Doing::Gone { Gave::Ended } else { Gave::Blocked };
        let mut released = Vec::new();
        for (other, doing) in self.doing.iter_mut().enumerate() {
            if let Doing::Answered(answer) = *doing {
                *doing = if answer == Gave::Ended { Doing::Gone } else { Doing::Nothing };
                if other == actor {
                    gave = answer;
                } else {
                    released.push((other, answer));
                }
            }
        }
        let blocked = self.blocked();
        if !blocked.is_empty() {
            self.note(Rule::Forever);
        }
        let queued = (0..self.inboxes.len()).map(|handle| self.queued(handle as Handle)).collect();
        (Settled { gave, released, blocked, queued }, self.noted.0, self)
    }

    fn note(&mut self, rule: Rule) {
        self.noted.0.add(rule);
    }
}
