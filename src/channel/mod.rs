//! The channels, one kind a file: what it is, how it is made, how it settles.

use std::{io, os::fd::OwnedFd, path::Path};

use serde::{Deserialize, Serialize};

use crate::outcome::Called;

pub mod dgram;
pub mod fifo;
pub mod pipe;
pub mod pty;
pub mod seqpacket;
pub mod stream;
pub mod tcp;

pub use pipe::set_capacity;

/// A kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Fifo,
    Pipe,
    UnixStream,
    UnixDatagram,
    UnixSeqpacket,
    Tcp,
    Pty,
    /// A handle that carries nothing: a file, an epoll set.
    Other,
}

/// Who carries the bytes from a write to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settles {
    /// The writing call: a wake-up is visible before it returns.
    Synchronous,
    /// A kernel worker, which polling the reading side hurries along.
    Flushable,
    /// Timers and acknowledgements: no proof that nothing more will come.
    Timed,
}

/// One line of the channel table.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    pub kind: Kind,
    pub name: &'static str,
    pub about: &'static str,
    /// It may stand in `[channels]`; the others only steps make.
    pub declared: bool,
    pub settles: Settles,
    pub counts: Counts,
    pub lives: Lives,
    /// Each send goes to whom it names.
    pub addressed: bool,
    /// A send goes in whole or not at all: one that waits has put nothing in.
    pub whole: bool,
}

/// What is queued, as far as it can be counted from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// All of it (FIONREAD).
    Bytes,
    /// Of messages the first; the others are what calls sent and no call received.
    FirstMessage,
    /// Only that it is nothing, once all that was sent is taken.
    WhenDrained,
    Nothing,
}

/// How long what is queued lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lives {
    WithAnyEnd,
    WithItsReader,
}

/// All kinds of channel.
pub const KINDS: &[KindInfo] = &[
    fifo::INFO,
    pipe::INFO,
    stream::INFO,
    dgram::INFO,
    seqpacket::INFO,
    tcp::INFO,
    pty::INFO,
    // A file's rest counts as queued.
    KindInfo { kind: Kind::Other, name: "other", about: "a descriptor that carries nothing", ..stream::INFO },
];

/// Makes a channel at `path`, for the actors to open. What the stage keeps of it for the
/// length of the case is no end.
///
/// # Errors
/// As the calls that make it.
pub fn make(kind: Kind, path: &Path) -> io::Result<Option<OwnedFd>> {
    match kind {
        Kind::Fifo => fifo::make(path).map(|()| None),
        Kind::Pipe => pipe::make(path).map(Some),
        // The script's own steps make it.
        _ => Ok(None),
    }
}

impl Kind {
    /// What a call makes of its new handles; `of` tells the kinds of earlier ones.
    pub fn made_by(called: &Called, of: impl Fn(&str) -> Option<Kind>) -> Kind {
        let socket = || match () {
            () if called.has("tcp") => Kind::Tcp,
            () if called.has("dgram") => Kind::UnixDatagram,
            () if called.has("seqpacket") => Kind::UnixSeqpacket,
            () => Kind::UnixStream,
        };
        match called.call.name() {
            "pipe" => Kind::Pipe,
            "socketpair" | "socket" => socket(),
            "pty" => Kind::Pty,
            // A copy, or what was accepted, is of the same kind.
            _ => called.handle().and_then(of).unwrap_or(Kind::Other),
        }
    }

    pub fn info(self) -> &'static KindInfo {
        KINDS.iter().find(|info| info.kind == self).expect("every kind has its line in KINDS")
    }

    /// The kind that a scenario declares by this name.
    pub fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|info| info.declared && info.name == name).map(|info| info.kind)
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }
}
