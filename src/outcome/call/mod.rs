//! System calls as steps: one table, from which the parser, the driver `raw`, the help
//! and the documents are made.
//!
//! A call works on *handles*: names that a scenario gives to descriptors when they are
//! made (`a pipe r w`). A handle that can be read is a channel of the same name, whose
//! bytes are those that arrive there.

mod descriptor;
mod file;
mod message;
mod namespace;
mod pipe;
mod process;
mod signal;
mod socket;
mod source;
mod splice;
mod terminal;
mod transfer;
mod wait;

use serde::{Deserialize, Serialize};

/// All calls, a family a file.
const FAMILIES: &[&[CallInfo]] = &[
    pipe::CALLS,
    descriptor::CALLS,
    transfer::CALLS,
    splice::CALLS,
    wait::CALLS,
    socket::CALLS,
    terminal::CALLS,
    source::CALLS,
    process::CALLS,
    message::CALLS,
    namespace::CALLS,
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
    /// Any number of these words and, if so, handles, in any order; the last argument.
    Any { words: &'static [&'static str], handles: bool },
    /// Any number of these words and, behind the word `take`, names of handles that the
    /// call makes; the last argument.
    Take { words: &'static [&'static str] },
}

/// Behind it stand the names of handles that a call takes out of a message.
pub const TAKE: &str = "take";

/// What a call takes from its handle, for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Nothing,
    /// It sends into the channel that its first handle leads to.
    Sends,
    /// It takes out of the channel that its first handle is.
    Receives,
    /// It takes out of the channel that one handle is, and sends into the one that the
    /// other leads to, without showing the bytes.
    Passes(Passing),
}

/// How a call hands bytes from one handle to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passing {
    /// The handle that it takes them from stands second, not first.
    pub from_second: bool,
    /// It leaves them there as well.
    pub copies: bool,
}

/// What a handle is good for: what a call needs, and what making it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Of a call: whatever it is. Of a handle: it isn't known.
    Any,
    Pipe,
    Socket,
    /// A socket that listens.
    Listening,
    Epoll,
    Terminal,
    File,
}

impl On {
    /// As a sentence calls it.
    pub fn name(self) -> &'static str {
        match self {
            On::Any => "a handle",
            On::Pipe => "a pipe",
            On::Socket => "a socket",
            On::Listening => "a socket that listens",
            On::Epoll => "an epoll set",
            On::Terminal => "a terminal",
            On::File => "a file",
        }
    }

    /// Whether such a handle may serve a call that needs that one.
    fn serves(self, need: On) -> bool {
        self == need || self == On::Any || need == On::Any || (self == On::Listening && need == On::Socket)
    }
}

/// Of which of its handles a call needs that they are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    First,
    Each,
    /// Of at least one.
    One,
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
    /// The handles that it is made for, and the errno that any other gets; several are
    /// parted by `|`.
    pub on: (On, &'static str),
    /// Which of its handles that is said of.
    pub of: Of,
    /// What the handles are that it makes.
    pub makes: On,
    /// It changes its process or the case's folder in a way that nobody looks for, so that
    /// neither serves another case.
    pub lasts: bool,
    /// Programs of any runtime make it beside that, and so do the other built-in drivers on
    /// their open channels.
    pub beside: bool,
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
        let known = args.zip(&self.words).filter(move |(arg, _)| **arg == kind);
        known.map(|(_, word)| word.as_str())
    }

    /// The handles that it can't do without, in the order of its arguments.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.words_of(Arg::Handle)
    }

    /// All handles that it names.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        let args = self.call.info().args;
        let besides = args.iter().enumerate().find_map(|(at, arg)| match *arg {
            Arg::Any { words, handles: true } => Some((at, words)),
            _ => None,
        });
        let besides = besides.into_iter().flat_map(|(at, known)| {
            let words = self.words.iter().skip(at).map(String::as_str);
            words.filter(|word| !known.contains(word))
        });
        self.needed().chain(besides)
    }

    /// The handle that it works on.
    pub fn handle(&self) -> Option<&str> {
        self.words_of(Arg::Handle).next()
    }

    /// The handle that it takes bytes from and the one that it hands them to.
    pub fn passes(&self) -> Option<(&str, &str, Passing)> {
        let Moves::Passes(passing) = self.call.info().moves else { return None };
        let mut handles = self.words_of(Arg::Handle);
        let (first, second) = (handles.next()?, handles.next()?);
        let (from, into) = if passing.from_second { (second, first) } else { (first, second) };
        Some((from, into, passing))
    }

    /// The handles that it makes.
    pub fn makes(&self) -> impl Iterator<Item = &str> {
        self.words_of(Arg::New).chain(self.call.info().taken(&self.words).map(String::as_str))
    }

    /// The address or path that it names.
    pub fn name(&self) -> Option<&str> {
        self.words_of(Arg::Name).next()
    }

    /// Bytes that it offers.
    pub fn payload(&self) -> Option<u64> {
        self.words_of(Arg::Payload).next()?.parse().ok()
    }

    /// Where the word stands that says how much.
    pub fn size_place(&self) -> Option<usize> {
        let is_size = |arg: &Arg| matches!(arg, Arg::Payload | Arg::Room | Arg::Number);
        self.call.info().args.iter().position(is_size)
    }

    /// The actor that it concerns.
    pub fn actor(&self) -> Option<&str> {
        self.words_of(Arg::Actor).next()
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
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
        of: Of::First,
        makes: On::Any,
        lasts: false,
        beside: false,
    }
}

impl CallInfo {
    /// Those of a call's words that name what it takes out of a message.
    pub fn taken<'w, T: AsRef<str>>(&self, words: &'w [T]) -> impl Iterator<Item = &'w T> {
        let known = match self.args.last() {
            Some(Arg::Take { words }) => Some(*words),
            _ => None,
        };
        let take = words.iter().position(|word| known.is_some() && word.as_ref() == TAKE);
        let behind = take.map_or(&[][..], |take| &words[take + 1..]);
        behind.iter().take_while(move |word| known.is_some_and(|known| !known.contains(&word.as_ref())))
    }

    const fn sends(self) -> CallInfo {
        CallInfo { moves: Moves::Sends, ..self }
    }

    const fn receives(self) -> CallInfo {
        CallInfo { moves: Moves::Receives, ..self }
    }

    const fn passes(self, passing: Passing) -> CallInfo {
        CallInfo { moves: Moves::Passes(passing), ..self }
    }

    /// Any other handle gets this errno.
    const fn only_on(self, on: On, errno: &'static str) -> CallInfo {
        CallInfo { on: (on, errno), ..self }
    }

    /// What is said of its handles is said of the first, of each, or of at least one.
    const fn of(self, of: Of) -> CallInfo {
        CallInfo { of, ..self }
    }

    /// Whether it can only fail on handles of these kinds: which of them is at fault, and
    /// the errno (or several, parted by `|`).
    pub fn refuses(&self, kinds: &[On]) -> Option<(usize, &'static str)> {
        let (need, errno) = self.on;
        let asked = if self.of == Of::First { &kinds[..kinds.len().min(1)] } else { kinds };
        let at_fault = asked.iter().position(|kind| !kind.serves(need))?;
        if self.of == Of::One && asked.iter().any(|kind| kind.serves(need)) {
            return None;
        }
        let no_socket = need == On::Listening && !kinds[at_fault].serves(On::Socket);
        Some((at_fault, if no_socket { "ENOTSOCK" } else { errno }))
    }

    const fn makes(self, makes: On) -> CallInfo {
        CallInfo { makes, ..self }
    }

    const fn beside(self) -> CallInfo {
        CallInfo { beside: true, ..self }
    }

    const fn lasts(self) -> CallInfo {
        CallInfo { lasts: true, ..self }
    }
}

#[cfg(test)]
mod tests;
