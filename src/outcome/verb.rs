//! The verbs of a script: one table, from which the parser, the help and the
//! documents are made.

use serde::{Deserialize, Serialize};

use super::{Call, Moves};

/// What a step asks of its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Open,
    Close,
    Write,
    Flush,
    Read,
    Await,
    Sleep,
    Spin,
    Exit,
    Kill,
    Start,
    Run,
    Fault,
    Cut,
    Hold,
    Release,
    Spawn,
    Wait,
    Communicate,
    /// A system call on handles.
    Call(Call),
}

/// Who carries a verb out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doer {
    /// The actor's driver, with its runtime's own I/O.
    Driver,
    /// The stage, from outside (the actor isn't asked).
    Stage,
}

/// One line of the verb table.
#[derive(Clone, Copy, Debug)]
pub struct VerbInfo {
    pub verb: Verb,
    /// The word as it stands in a script.
    pub name: &'static str,
    /// The whole form, for help and error messages.
    pub form: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The word after the verb names a channel.
    pub on_channel: bool,
    pub doer: Doer,
}

/// All verbs, in the order in which they are documented.
pub const VERBS: &[VerbInfo] = &[
    VerbInfo {
        verb: Verb::Open,
        name: "open",
        form: "ACTOR open CHANNEL read|write|both [nonblock]",
        about: "open(2) an end of the channel; a FIFO's open waits for the other side",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Close,
        name: "close",
        form: "ACTOR close CHANNEL",
        about: "close the actor's end, with whatever its runtime flushes on close",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Write,
        name: "write",
        form: "ACTOR write CHANNEL SIZE|again|rest [wide] [newline] [pieces SIZE]",
        about: "write a message of SIZE position-coded bytes, in one call or in pieces; `wide`: SIZE characters of two bytes each (UTF-8); `newline` makes the last byte of each call a line feed; `again` writes the actor's last message on the channel once more, `rest` what its calls didn't accept of it",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Flush,
        name: "flush",
        form: "ACTOR flush CHANNEL",
        about: "flush the runtime's buffer to the kernel (nothing to do for an unbuffered driver)",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Read,
        name: "read",
        form: "ACTOR read CHANNEL SIZE|available|to-eof",
        about: "read until SIZE bytes or end of file; what is there now, without blocking; or everything up to end of file",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Await,
        name: "await",
        form: "ACTOR await CHANNEL read|write",
        about: "wait in an event loop until the channel is readable or writable; the actor takes further steps meanwhile",
        on_channel: true,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Sleep,
        name: "sleep",
        form: "ACTOR sleep",
        about: "sleep on a timer that outlasts any case",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Spin,
        name: "spin",
        form: "ACTOR spin",
        about: "burn CPU without end",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Exit,
        name: "exit",
        form: "ACTOR exit [STATUS]",
        about: "end the process as the runtime's own exit does (0 unless told)",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Kill,
        name: "kill",
        form: "ACTOR kill [SIGNAL]",
        about: "send the actor a signal (SIGKILL unless told)",
        on_channel: false,
        doer: Doer::Stage,
    },
    VerbInfo {
        verb: Verb::Start,
        name: "start",
        form: "PROGRAM start",
        about: "start a program (`command`), and let it run until it rests or has ended; what it comes to later is told as of a call that blocks",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Run,
        name: "run",
        form: "PROGRAM run [until NTH CALL CHANNEL]",
        about: "let a program run until it, with all that it has started, rests or has ended, or up to the entry of its NTH call on the channel; in what it then rests",
        on_channel: false,
        doer: Doer::Stage,
    },
    VerbInfo {
        verb: Verb::Fault,
        name: "fault",
        form: "PROGRAM fault NTH CALL CHANNEL ERRNO",
        about: "have the program's NTH call on the channel, counted from its start, fail with an error",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Cut,
        name: "cut",
        form: "PROGRAM cut NTH CALL CHANNEL SIZE",
        about: "have that call move SIZE bytes at most",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Hold,
        name: "hold",
        form: "PROGRAM hold NTH CALL CHANNEL",
        about: "have the program stop at the entry of that call until it is released",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Release,
        name: "release",
        form: "PROGRAM release",
        about: "let held calls go on, and the program run as `run` does",
        on_channel: false,
        doer: Doer::Stage,
    },
    VerbInfo {
        verb: Verb::Spawn,
        name: "spawn",
        form: "ACTOR spawn CHILD",
        about: "start a program that is declared `by` this actor, with the runtime's own API and pipes of its making: `CHILD.stdin`, `CHILD.stdout`, `CHILD.stderr`",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Wait,
        name: "wait",
        form: "ACTOR wait CHILD [nonblock]",
        about: "wait for the child's end as the runtime does, or ask without waiting; how it ended, and how the runtime says so",
        on_channel: false,
        doer: Doer::Driver,
    },
    VerbInfo {
        verb: Verb::Communicate,
        name: "communicate",
        form: "ACTOR communicate CHILD [SIZE]",
        about: "hand the child SIZE bytes, read all of its streams to their ends and wait for it, as the runtime's one call for that does",
        on_channel: false,
        doer: Doer::Driver,
    },
];

impl Verb {
    /// This verb's line of the table. (A call has one of its own table.)
    fn info(self) -> Option<&'static VerbInfo> {
        VERBS.iter().find(|info| info.verb == self)
    }

    /// The verb of this name.
    pub fn named(name: &str) -> Option<Verb> {
        VERBS.iter().find(|info| info.name == name).map(|info| info.verb)
    }

    /// The word as it stands in a script.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Call(call) => call.name(),
            _ => self.info().map_or("", |info| info.name),
        }
    }

    /// The whole form, for help and error messages.
    pub fn form(self) -> &'static str {
        match self {
            Verb::Call(call) => call.info().form,
            _ => self.info().map_or("", |info| info.form),
        }
    }

    /// The word after it names a declared channel.
    pub fn on_channel(self) -> bool {
        self.info().is_some_and(|info| info.on_channel)
    }

    /// Only programs that know nothing of steps have it.
    pub fn of_programs(self) -> bool {
        matches!(self, Verb::Start | Verb::Run | Verb::Fault | Verb::Cut | Verb::Hold | Verb::Release)
    }

    pub fn doer(self) -> Doer {
        self.info().map_or(Doer::Driver, |info| info.doer)
    }

    /// Opens an end of a declared channel.
    pub fn opens(self) -> bool {
        self == Verb::Open || self.name() == "openat"
    }

    /// Takes bytes out of a channel.
    pub fn reads(self) -> bool {
        match self {
            Verb::Call(call) => call.info().moves == Moves::Receives,
            verb => verb == Verb::Read,
        }
    }

    /// Takes them with calls that `/proc/PID/io` counts as reads: recv(2) isn't one.
    pub fn reads_counted(self) -> bool {
        self.reads() && !self.name().starts_with("recv")
    }
}
