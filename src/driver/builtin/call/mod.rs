//! System calls as steps: what `raw` does for each line of the call table.

mod address;
mod descriptor;
mod epoll;
mod file;
mod handles;
mod memory;
mod message;
mod namespace;
mod pipe;
mod process;
mod select;
pub(super) mod signal;
mod socket;
mod source;
mod splice;
mod terminal;
mod transfer;
mod wait;

use std::{io, os::fd::OwnedFd};

use nix::errno::Errno;

pub(super) use handles::Handles;

use super::{Builtin, Reply, failed, misused, serve};
use crate::wire::CONTROL_FD;

/// What a call gave.
#[derive(Default)]
pub(super) struct Said {
    bytes: Option<u64>,
    /// Handles that it made, in the order of the table's arguments.
    made: Vec<(String, i32)>,
    words: Vec<String>,
    data: Vec<u8>,
    /// A descriptor for the stage, which travels with the answer.
    attached: Option<OwnedFd>,
}

/// Why a call gave nothing.
pub(super) enum Refused {
    Errno(Errno),
    /// The script uses it wrongly.
    Misused(String),
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Refused {
        Refused::Errno(errno)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::Errno(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
    }
}

type Result<T = Said> = std::result::Result<T, Refused>;

/// How a call is made.
type Carry = fn(&mut Handles, &Words<'_>) -> Result;

/// The calls by their names in the call table, a family a file.
const FAMILIES: &[&[(&str, Carry)]] = &[
    pipe::CALLS,
    descriptor::CALLS,
    transfer::CALLS,
    splice::CALLS,
    wait::CALLS,
    select::CALLS,
    epoll::CALLS,
    socket::CALLS,
    terminal::CALLS,
    source::CALLS,
    process::CALLS,
    message::CALLS,
    namespace::CALLS,
    file::CALLS,
    signal::CALLS,
];

impl Handles {
    /// The descriptor behind a name. After a close there is none, and the call is made
    /// with the number that it had.
    fn get(&self, name: &str) -> Result<i32> {
        self.find(name).ok_or_else(|| Refused::Misused(format!("{name} isn't held here")))
    }
}

/// The words of a call, in the order of the call table's arguments.
pub(super) struct Words<'a>(&'a [String]);

impl Words<'_> {
    fn get(&self, at: usize) -> Result<&str> {
        self.0.get(at).map(String::as_str).ok_or_else(|| Refused::Misused("an argument is missing".into()))
    }

    fn number<T: std::str::FromStr>(&self, at: usize) -> Result<T> {
        let word = self.get(at)?;
        word.parse().map_err(|_| Refused::Misused(format!("`{word}` is no number here")))
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|known| known == word)
    }

    /// The words from there on.
    fn from(&self, at: usize) -> &[String] {
        self.0.get(at..).unwrap_or_default()
    }
}

/// Makes a call; what it made is held from now on.
pub(super) fn carry_out(handles: &mut Handles, call: &str, words: &[String]) -> (Reply, Option<OwnedFd>) {
    let Some((_, carry)) = FAMILIES.iter().copied().flatten().find(|(name, _)| *name == call) else {
        return (Reply::Unsupported, None);
    };
    let result = carry(handles, &Words(words));
    answer(handles, result)
}

/// Makes a call beside a driver of another kind, on the descriptors of its open channels. A
/// copy of its process goes on as this driver, with all that it buffers.
pub(super) fn carry_out_beside(
    driver: &mut dyn Builtin,
    call: &str,
    words: &[String],
) -> (Reply, Option<OwnedFd>) {
    let mut handles = Handles::default();
    handles.add(words.iter().filter_map(|name| Some((name.clone(), driver.descriptor(name)?))).collect());
    if call != "fork" {
        return carry_out(&mut handles, call, words);
    }
    match process::copy(&handles).transpose() {
        Some(made) => answer(&handles, made),
        None => {
            let greeting = driver.hello().encode();
            serve::serve(driver, CONTROL_FD, &greeting)
        }
    }
}

fn answer(handles: &Handles, result: Result) -> (Reply, Option<OwnedFd>) {
    match result {
        Ok(Said { bytes, made, words, data, attached }) => {
            let fds = made.iter().map(|(_, fd)| *fd).collect();
            handles.add(made);
            (Reply::Said { bytes, made: fds, words, data }, attached)
        }
        Err(Refused::Errno(errno)) => (failed(errno, None, 0, vec![]), None),
        Err(Refused::Misused(message)) => (misused(message), None),
    }
}

fn done() -> Result {
    Ok(Said::default())
}

/// A success that gave a number.
fn gave(number: impl TryInto<u64>) -> Result {
    Ok(Said { bytes: number.try_into().ok(), ..Said::default() })
}

/// A success that gave descriptors, whose handles are named by the words from `first` on.
fn made<const N: usize>(words: &Words<'_>, first: usize, fds: [i32; N]) -> Result {
    let name = |at| words.get(first + at).map(str::to_owned);
    let made = fds.into_iter().enumerate().map(|(at, fd)| Ok((name(at)?, fd)));
    Ok(Said { made: made.collect::<Result<_>>()?, ..Said::default() })
}

/// What is ready, in words.
fn ready(mut words: Vec<String>) -> Result {
    if words.is_empty() {
        words.push("nothing".into());
    }
    Ok(Said { words, ..Said::default() })
}

/// A success that is told in words.
fn says(words: impl IntoIterator<Item = &'static str>) -> Result {
    Ok(Said { words: words.into_iter().map(str::to_owned).collect(), ..Said::default() })
}

/// The names of the bits that are set.
fn names<'t>(bits: i32, table: &'t [(i32, &'static str)]) -> impl Iterator<Item = &'static str> + 't {
    table.iter().filter(move |(bit, _)| bits & bit == *bit).map(|(_, name)| *name)
}

/// The bits that words stand for.
fn bits(words: &Words<'_>, table: &[(i32, &'static str)]) -> i32 {
    table.iter().filter(|(_, name)| words.has(name)).fold(0, |all, (bit, _)| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Call;

    #[test]
    fn each_line_of_the_call_table_is_carried_out_and_nothing_else() {
        let table: Vec<&str> = Call::all().map(Call::name).collect();
        let here: Vec<&str> = FAMILIES.iter().copied().flatten().map(|(name, _)| *name).collect();
        assert_eq!(here, table);
    }
}
