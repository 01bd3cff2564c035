//! System calls as steps: one table, from which the parser, the driver `raw`, the help
//! and the documents are made.
//!
//! A call works on *handles*: names that a scenario gives to descriptors when they are
//! made (`a pipe r w`). A handle that can be read is a channel of the same name, whose
//! bytes are those that arrive there.

mod descriptor;
mod file;
mod pipe;
mod process;
mod signal;
mod transfer;
mod wait;

use serde::{Deserialize, Serialize};

/// All calls, a family a file.
const FAMILIES: &[&[CallInfo]] = &[
    pipe::CALLS,
    descriptor::CALLS,
    transfer::CALLS,
    wait::CALLS,
    process::CALLS,
    file::CALLS,
    signal::CALLS,
];

/// One argument of a call, as a script writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// The name of a handle that the call makes.
    New,
    /// A handle, or a channel that was opened.
    Handle,
    /// So many position-coded bytes to send: an expression.
    Payload,
    /// Room for so many bytes: an expression.
    Room,
    /// A number: an expression.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An address or a path: one word as it is.
    Name,
    /// A signal by its name.
    Signal,
    /// Another actor.
    Actor,
    /// May be left out; nothing but `Any` follows.
    Optional(&'static Arg),
    /// Any number of these words and, if so, handles, in any order; the last argument.
    Any { words: &'static [&'static str], handles: bool },
}

/// What a call takes from its handle, for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Nothing,
    /// It sends into the channel that its first handle leads to.
    Sends,
    /// It takes out of the channel that its first handle is.
    Receives,
}

/// What a handle is good for: what a call needs, and what making it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    Any,
    Pipe,
    Socket,
    Epoll,
    Terminal,
    File,
}

/// One line of the call table.
#[derive(Clone, Copy, Debug)]
pub struct CallInfo {
    /// The word as it stands in a script: that of the system call.
    pub name: &'static str,
    pub form: &'static str,
    pub about: &'static str,
    pub args: &'static [Arg],
    pub moves: Moves,
    /// The handles that it is made for, and the errno that any other gets.
    pub on: (On, &'static str),
    /// What the handles are that it makes.
    pub makes: On,
    /// It changes its process or the case's folder in a way that nobody looks for, so that
    /// neither serves another case.
    pub lasts: bool,
}

/// A call of the table: its family, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call(u8, u8);

impl Call {
    pub fn named(name: &str) -> Option<Call> {
        Call::all().find(|call| call.name() == name)
    }

    /// All calls, in the order of the table.
    pub fn all() -> impl Iterator<Item = Call> {
        let families = FAMILIES.iter().enumerate();
        families.flat_map(|(family, calls)| (0..calls.len()).map(move |at| Call(family as u8, at as u8)))
    }

    /// This call's line of the table.
    pub fn info(self) -> &'static CallInfo {
        &FAMILIES[usize::from(self.0)][usize::from(self.1)]
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }
}

/// A call with its arguments bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Called {
    pub call: Call,
    /// In the order of the script, expressions as numbers.
    pub words: Vec<String>,
}

impl Called {
    /// The words that stand for arguments of this kind.
    fn words_of(&self, kind: Arg) -> impl Iterator<Item = &str> {
        let args = self.call.info().args.iter();
        let known = args.zip(&self.words).filter(move |(arg, _)| arg.kind() == kind);
        known.map(|(_, word)| word.as_str())
    }

    /// The handle that it works on.
    pub fn handle(&self) -> Option<&str> {
        self.words_of(Arg::Handle).next()
    }

    /// The handles that it makes.
    pub fn makes(&self) -> impl Iterator<Item = &str> {
        self.words_of(Arg::New)
    }

    /// Bytes that it offers.
    pub fn payload(&self) -> Option<u64> {
        self.words_of(Arg::Payload).next()?.parse().ok()
    }

    /// Where the word stands that says how much.
    pub fn size_place(&self) -> Option<usize> {
        let is_size = |arg: &Arg| matches!(arg.kind(), Arg::Payload | Arg::Room | Arg::Number);
        self.call.info().args.iter().position(is_size)
    }

    /// The path that it names.
    pub fn path(&self) -> Option<&str> {
        self.words_of(Arg::Name).next()
    }

    /// The actor that it concerns.
    pub fn actor(&self) -> Option<&str> {
        self.words_of(Arg::Actor).next()
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }
}

impl Arg {
    /// Itself, or what may be left out.
    pub fn kind(self) -> Arg {
        match self {
            Arg::Optional(arg) => *arg,
            arg => arg,
        }
    }
}

const fn call(name: &'static str, form: &'static str, about: &'static str, args: &'static [Arg]) -> CallInfo {
    CallInfo {
        name,
        form,
        about,
        args,
        moves: Moves::Nothing,
        on: (On::Any, ""),
        makes: On::Any,
        lasts: false,
    }
}

impl CallInfo {
    const fn sends(self) -> CallInfo {
        CallInfo { moves: Moves::Sends, ..self }
    }

    const fn receives(self) -> CallInfo {
        CallInfo { moves: Moves::Receives, ..self }
    }

    /// Any other handle gets this errno.
    const fn only_on(self, on: On, errno: &'static str) -> CallInfo {
        CallInfo { on: (on, errno), ..self }
    }

    const fn makes(self, makes: On) -> CallInfo {
        CallInfo { makes, ..self }
    }

    const fn lasts(self) -> CallInfo {
        CallInfo { lasts: true, ..self }
    }
}
