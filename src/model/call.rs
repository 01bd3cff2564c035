//! What an actor of the model can do, and what it gets.

use crate::outcome::{Access, Action, Amount, Outcome};

/// One call (or loop of calls) of one actor on the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// open(2) of the FIFO; `nonblock` stays a property of the end.
    Open { access: Access, nonblock: bool },
    /// close(2) of the actor's end.
    Close,
    /// One write(2) of so many bytes; a short write is reported as such.
    Write(u64),
    /// One read(2) of so many bytes.
    Read(u64),
    /// read(2) until so many bytes have come, or end of file. Each read(2) asks for
    /// all that is still wanted: a driver that asks in smaller pieces behaves alike
    /// as long as a piece is no less than the capacity.
    ReadExactly(u64),
    /// read(2) until end of file; pieces as for `ReadExactly`.
    ReadToEof,
    /// What FIONREAD says is there, and no read(2) if that is nothing: then end of
    /// file is told by the hang-up that poll(2) reports.
    ReadAvailable,
    /// F_SETPIPE_SZ to so many slots.
    Resize(usize),
    /// SIGKILL, from outside, blocked or not. The actor's end closes and its
    /// blocked call vanishes; bytes which that call moved stay.
    Kill,
}

impl Call {
    /// What the raw driver does for this action; `None` for what the model doesn't
    /// cover (pieces, other signals than SIGKILL, waiting, exit).
    pub fn of(action: &Action) -> Option<Call> {
        Some(match *action {
            Action::Open { access, nonblock, .. } => Call::Open { access, nonblock },
            Action::Close { .. } => Call::Close,
            Action::Write { bytes, pieces: None, .. } => Call::Write(bytes),
            Action::Read { amount: Amount::Bytes(bytes), .. } => Call::ReadExactly(bytes),
            Action::Read { amount: Amount::ToEof, .. } => Call::ReadToEof,
            Action::Read { amount: Amount::Available, .. } => Call::ReadAvailable,
            Action::Kill { signal: libc::SIGKILL } => Call::Kill,
            _ => return None,
        })
    }
}

/// The errors that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Errno {
    /// The call would block, and the end is non-blocking.
    EAGAIN,
    /// The end isn't open for this.
    EBADF,
    /// More slots are taken than F_SETPIPE_SZ would leave.
    EBUSY,
    /// A non-blocking open to write found no reader.
    ENXIO,
    /// Nobody can read what is written. The kernel raises SIGPIPE as well.
    EPIPE,
}

impl Errno {
    /// The symbol, as in [`crate::outcome::Failure::errno`].
    pub fn name(self) -> &'static str {
        match self {
            Errno::EAGAIN => "EAGAIN",
            Errno::EBADF => "EBADF",
            Errno::EBUSY => "EBUSY",
            Errno::ENXIO => "ENXIO",
            Errno::EPIPE => "EPIPE",
        }
    }
}

/// What a call gave, once everything had settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gave {
    /// Success of a call without a count.
    Done,
    /// A read or write of so many bytes. A short write that ended because its
    /// reader went gives this too (and raises SIGPIPE nevertheless).
    Moved(u64),
    /// A read found the end of file and no byte before it.
    Eof,
    /// An error, after so many bytes of the same loop of calls.
    Failed { errno: Errno, bytes: u64 },
    /// Nothing yet: it sleeps until another actor acts.
    Blocked,
    /// The actor was killed.
    Ended,
}

impl Gave {
    /// Whether a step's recorded outcome says the same.
    pub fn agrees(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Gave::Done, Outcome::Ok { .. })
            | (Gave::Eof, Outcome::Eof)
            | (Gave::Blocked, Outcome::Blocked { .. })
            | (Gave::Ended, Outcome::Killed { .. } | Outcome::Ok { .. }) => true,
            (Gave::Moved(moved), Outcome::Ok { bytes }) => *bytes == Some(moved),
            (Gave::Failed { errno, bytes }, Outcome::Failed(failure)) => {
                failure.errno == errno.name() && failure.bytes == bytes
            }
            _ => false,
        }
    }
}

/// Everything that can be seen when all has settled after one call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Settled {
    /// What the call itself gave.
    pub gave: Gave,
    /// The outstanding calls of other actors which it brought to their end, by
    /// actor. A killed actor's own call isn't among them: it gives nothing.
    pub released: Vec<(usize, Gave)>,
    /// All actors that are blocked now, in order.
    pub blocked: Vec<usize>,
    /// Bytes queued now, as FIONREAD gives them.
    pub queued: u64,
}
