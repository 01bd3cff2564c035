//! A verb with its arguments bound: what a step of a case does, in numbers.

use serde::{Deserialize, Serialize};

use super::{Called, Moves, Verb};
use crate::trace::{Effect, Injection, Nth};

/// Which end of a channel an `open` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Read,
    Write,
    /// O_RDWR: never blocks on a FIFO (Linux, fifo(7)).
    Both,
}

impl Access {
    pub fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Both => "both",
        }
    }

    pub fn reads(self) -> bool {
        self != Access::Write
    }

    pub fn writes(self) -> bool {
        self != Access::Read
    }
}

/// Where a standard stream of a child leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdio {
    /// Where its maker's own leads.
    #[default]
    Inherit,
    /// To its maker, by a pipe that the maker's runtime makes.
    Pipe,
    /// Of standard error: to wherever its standard output leads.
    Stdout,
}

impl Stdio {
    pub fn name(self) -> &'static str {
        match self {
            Stdio::Inherit => "inherit",
            Stdio::Pipe => "pipe",
            Stdio::Stdout => "stdout",
        }
    }

    pub fn named(name: &str) -> Option<Stdio> {
        [Stdio::Inherit, Stdio::Pipe, Stdio::Stdout].into_iter().find(|stdio| stdio.name() == name)
    }
}

/// How much a `read` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// Until so many bytes have come, or end of file.
    Bytes(u64),
    /// What is there now, without blocking.
    Available,
    /// Everything up to end of file.
    ToEof,
}

/// What of a message is written once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// All of it, as who doesn't know how much of it was accepted.
    Whole,
    /// What lies behind the bytes that its calls accepted.
    Rest,
}

/// What an `await` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    Read,
    Write,
}

/// A step's verb with its arguments. Channels are indexes into the case's
/// channels; sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Open {
        channel: usize,
        access: Access,
        nonblock: bool,
    },
    Close {
        channel: usize,
    },
    /// `bytes` and `pieces` are bytes also where each two make a character (`wide`).
    Write {
        channel: usize,
        bytes: u64,
        wide: bool,
        newline: bool,
        pieces: Option<u64>,
    },
    /// Writes the actor's last message on the channel once more.
    Rewrite {
        channel: usize,
        part: Part,
    },
    Flush {
        channel: usize,
    },
    Read {
        channel: usize,
        amount: Amount,
    },
    Await {
        channel: usize,
        readiness: Readiness,
    },
    Sleep,
    Spin,
    Exit {
        status: u8,
    },
    Kill {
        signal: i32,
    },
    Start,
    Run {
        until: Option<Nth>,
    },
    /// A call of a program's comes to something else.
    Inject(Injection),
    Release,
    /// The runtime starts a program; actors are indexes into the plan's.
    Spawn {
        child: usize,
    },
    Wait {
        child: usize,
        nonblock: bool,
    },
    Communicate {
        child: usize,
        /// What it hands over; the channel is the child's input.
        input: Option<(usize, u64)>,
    },
    /// A system call on handles.
    Call(Called),
}

impl Action {
    pub fn verb(&self) -> Verb {
        match self {
            Action::Open { .. } => Verb::Open,
            Action::Close { .. } => Verb::Close,
            Action::Write { .. } | Action::Rewrite { .. } => Verb::Write,
            Action::Flush { .. } => Verb::Flush,
            Action::Read { .. } => Verb::Read,
            Action::Await { .. } => Verb::Await,
            Action::Sleep => Verb::Sleep,
            Action::Spin => Verb::Spin,
            Action::Exit { .. } => Verb::Exit,
            Action::Kill { .. } => Verb::Kill,
            Action::Start => Verb::Start,
            Action::Run { .. } => Verb::Run,
            Action::Inject(Injection { effect: Effect::Fails(_), .. }) => Verb::Fault,
            Action::Inject(Injection { effect: Effect::Cut(_), .. }) => Verb::Cut,
            Action::Inject(Injection { effect: Effect::Held, .. }) => Verb::Hold,
            Action::Release => Verb::Release,
            Action::Spawn { .. } => Verb::Spawn,
            Action::Wait { .. } => Verb::Wait,
            Action::Communicate { .. } => Verb::Communicate,
            Action::Call(called) => Verb::Call(called.call),
        }
    }

    /// A reader is given bytes by it, and they are gone from the channel.
    pub fn delivers(&self) -> bool {
        match self {
            Action::Read { .. } => true,
            Action::Call(called) => called.call.info().moves == Moves::Receives && !called.has("peek"),
            _ => false,
        }
    }

    /// A writer offers bytes by it.
    pub fn offers(&self) -> bool {
        match self {
            Action::Write { .. } | Action::Rewrite { .. } => true,
            Action::Call(called) => called.call.info().moves == Moves::Sends,
            _ => false,
        }
    }

    /// It needs the program's calls to be seen.
    pub fn traces(&self) -> bool {
        matches!(self, Action::Run { until: Some(_) } | Action::Inject(_) | Action::Release)
    }

    /// The declared channel it works on, if it does. (Where a call's handle leads shows
    /// only when it is played.)
    pub fn channel(&self) -> Option<usize> {
        match *self {
            Action::Open { channel, .. }
            | Action::Close { channel }
            | Action::Write { channel, .. }
            | Action::Rewrite { channel, .. }
            | Action::Flush { channel }
            | Action::Read { channel, .. }
            | Action::Await { channel, .. }
            | Action::Communicate { input: Some((channel, _)), .. } => Some(channel),
            Action::Sleep
            | Action::Spin
            | Action::Exit { .. }
            | Action::Kill { .. }
            | Action::Start
            | Action::Run { .. }
            | Action::Inject(_)
            | Action::Release
            | Action::Spawn { .. }
            | Action::Wait { .. }
            | Action::Communicate { input: None, .. }
            | Action::Call(_) => None,
        }
    }

    /// The program that it starts or waits for.
    pub fn child(&self) -> Option<usize> {
        match *self {
            Action::Spawn { child } | Action::Wait { child, .. } | Action::Communicate { child, .. } => {
                Some(child)
            }
            _ => None,
        }
    }

    /// A program may act while it is carried out, and from then on.
    pub fn has_program_act(&self) -> bool {
        self.verb() == Verb::Start || self.child().is_some()
    }
}
