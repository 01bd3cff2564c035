//! What an actor of the model can do, and what it gets.

use crate::outcome::{self, Access, Failure, Outcome};

/// The name of a descriptor: the index of the plan's channel that is called so. It
/// means something only together with an actor.
pub type Handle = u8;

/// A kind of UNIX socket, unix(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    Stream,
    Datagram,
    Seqpacket,
}

/// Flags of one send or receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// MSG_DONTWAIT.
    pub dontwait: bool,
    /// MSG_PEEK.
    pub peek: bool,
    /// MSG_WAITALL.
    pub waitall: bool,
    /// MSG_TRUNC: the count is the message's own length.
    pub trunc: bool,
    /// MSG_NOSIGNAL.
    pub nosignal: bool,
}

/// What poll(2) is asked for, or says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Events {
    pub readable: bool,
    pub writable: bool,
    pub read_hangup: bool,
    pub error: bool,
    pub hangup: bool,
}

/// One call (or loop of calls) of one actor on a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// open(2) of a FIFO or pipe that stands ready; `nonblock` stays a property of the end.
    Open { access: Access, nonblock: bool },
    /// close(2).
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
    /// write(2) of so many bytes until one fails or is short.
    Fill(u64),
    /// read(2) of so many bytes until one fails or gives nothing.
    Drain(u64),
    /// send(2).
    Send { bytes: u64, flags: Flags },
    /// recv(2).
    Receive { room: u64, flags: Flags },
    /// shutdown(2).
    Shutdown { reading: bool, writing: bool },
    /// F_SETPIPE_SZ to so many bytes.
    Resize(u64),
    /// SO_SNDBUF, the number that setsockopt(2) is given.
    SendBuffer(u64),
    /// F_SETFL: sets just these flags.
    Flags { nonblock: bool, direct: bool },
    /// poll(2) with a timeout of 0.
    Poll(Events),
    /// FIONREAD.
    Queued,
    /// pipe2(2): the handle is its read end.
    Pipe { write_end: Handle, nonblock: bool, direct: bool },
    /// socketpair(2).
    SocketPair { other: Handle, kind: SocketKind, nonblock: bool },
    /// socket(2) of datagrams.
    Socket { nonblock: bool },
    /// bind(2) of a datagram socket to the name with this number.
    Bind { name: u8 },
    /// connect(2) of a datagram socket.
    Connect { name: u8 },
    /// dup(2).
    Duplicate { copy: Handle },
    /// fork(2): that actor begins as a copy.
    Fork { child: usize },
    /// _exit(2).
    Exit,
    /// SIGKILL, from outside, blocked or not. The actor's ends close and its
    /// blocked call vanishes; bytes which that call moved stay.
    Kill,
}

/// The errors that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Errno {
    /// The call would block, and mustn't.
    EAGAIN,
    /// The end isn't open for this.
    EBADF,
    /// More slots are taken than F_SETPIPE_SZ would leave.
    EBUSY,
    /// The peer was closed.
    ECONNREFUSED,
    /// The peer was closed with something unread.
    ECONNRESET,
    /// A message doesn't fit into the socket's buffer.
    EMSGSIZE,
    /// There is no peer.
    ENOTCONN,
    /// A non-blocking open to write found no reader.
    ENXIO,
    /// The peer takes datagrams from somebody else only.
    EPERM,
    /// Nobody can read what is written. The kernel may raise SIGPIPE as well.
    EPIPE,
}

impl Errno {
    /// The symbol, as in [`crate::outcome::Failure::errno`].
    pub fn name(self) -> &'static str {
        match self {
            Errno::EAGAIN => "EAGAIN",
            Errno::EBADF => "EBADF",
            Errno::EBUSY => "EBUSY",
            Errno::ECONNREFUSED => "ECONNREFUSED",
            Errno::ECONNRESET => "ECONNRESET",
            Errno::EMSGSIZE => "EMSGSIZE",
            Errno::ENOTCONN => "ENOTCONN",
            Errno::ENXIO => "ENXIO",
            Errno::EPERM => "EPERM",
            Errno::EPIPE => "EPIPE",
        }
    }
}

/// What ended a loop of calls that fills or drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    Errno(Errno),
    /// A write moved less than it was asked to.
    Short,
    Eof,
}

/// What a call gave, once everything had settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gave {
    /// Success of a call without a count.
    Done,
    /// A read or write of so many bytes. A short write that ended because its
    /// reader went gives this too (and raises SIGPIPE nevertheless).
    Moved(u64),
    /// A read found the end of file (or a message of no bytes) and no byte before it.
    Eof,
    /// An error, after so many bytes of the same loop of calls.
    Failed { errno: Errno, bytes: u64 },
    /// A loop that fills or drains.
    Looped { bytes: u64, calls: u64, ending: Ending },
    /// What poll(2) says.
    Ready(Events),
    /// Nothing yet: it sleeps until another actor acts.
    Blocked,
    /// The actor was killed, or has ended itself.
    Ended,
}

impl Gave {
    /// An error before any byte.
    pub(super) fn failed(errno: Errno) -> Gave {
        Gave::Failed { errno, bytes: 0 }
    }

    /// As a step's outcome: that of a verb on a declared channel.
    pub fn outcome(self) -> Outcome {
        let said = |bytes, words: Vec<String>| Outcome::Said { bytes, words };
        match self {
            Gave::Done => Outcome::Ok { bytes: None },
            Gave::Moved(bytes) => Outcome::Ok { bytes: Some(bytes) },
            Gave::Eof => Outcome::Eof,
            Gave::Failed { errno, bytes } => Outcome::Failed(Failure {
                errno: errno.name().to_owned(),
                error: None,
                message: String::new(),
                bytes,
            }),
            Gave::Looped { bytes, calls, ending } => {
                let ending = match ending {
                    Ending::Errno(errno) => errno.name(),
                    Ending::Short => "short",
                    Ending::Eof => "eof",
                };
                said(Some(bytes), vec![format!("calls={calls}"), ending.to_owned()])
            }
            Gave::Ready(events) => {
                let words: Vec<String> = events.words().map(str::to_owned).collect();
                said(None, if words.is_empty() { vec!["nothing".to_owned()] } else { words })
            }
            Gave::Blocked => Outcome::Blocked { call: String::new() },
            Gave::Ended => Outcome::Killed { signal: String::new() },
        }
    }

    /// Whether a step's recorded outcome says the same.
    pub fn agrees(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Gave::Done, Outcome::Ok { .. } | Outcome::Said { .. })
            | (Gave::Eof, Outcome::Eof | Outcome::Said { bytes: Some(0), .. })
            | (Gave::Moved(0), Outcome::Eof)
            | (Gave::Blocked, Outcome::Blocked { .. })
            | (Gave::Ended, Outcome::Killed { .. } | Outcome::Exited { .. } | Outcome::Ok { .. }) => true,
            (Gave::Moved(moved), Outcome::Ok { bytes } | Outcome::Said { bytes, .. }) => {
                *bytes == Some(moved)
            }
            (Gave::Failed { errno, bytes }, Outcome::Failed(failure)) => {
                failure.errno == errno.name() && failure.bytes == bytes
            }
            (Gave::Looped { .. } | Gave::Ready(_), outcome) => self.outcome() == *outcome,
            _ => false,
        }
    }

    /// In a few words: `ok 100`, `EPIPE`, `blocked`.
    pub fn words(self) -> String {
        match self {
            Gave::Blocked => "blocked".to_owned(),
            Gave::Ended => "ended".to_owned(),
            gave => outcome::words(&gave.outcome()),
        }
    }
}

impl Events {
    /// In the words of a `poll` step.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let told = [
            (self.readable, "in"),
            (self.writable, "out"),
            (self.read_hangup, "rdhup"),
            (self.error, "err"),
            (self.hangup, "hup"),
        ];
        told.into_iter().filter(|(is, _)| *is).map(|(_, word)| word)
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
    /// Bytes queued now, by handle, of those that are read through it; `None`: the
    /// model has no say.
    pub queued: Vec<Option<u64>>,
}
