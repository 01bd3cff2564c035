//! Descriptors and their flags: close(2), dup(2), fcntl(2).

use nix::errno::Errno;

use super::{Carry, Handles, Result, Words, bits, done, made, names, says};

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("close", close),
    ("dup", dup),
    ("dup2", dup2),
    ("getfl", getfl),
    ("setfl", setfl),
    ("getfd", getfd),
    ("setfd", setfd),
];

const ACCESS: &[(i32, &str)] =
    &[(libc::O_RDONLY, "rdonly"), (libc::O_WRONLY, "wronly"), (libc::O_RDWR, "rdwr")];

/// File status flags (fcntl(2), F_SETFL).
const FLAGS: &[(i32, &str)] =
    &[(libc::O_NONBLOCK, "nonblock"), (libc::O_DIRECT, "direct"), (libc::O_APPEND, "append")];

/// The name stays with a closed descriptor: a second close shows EBADF.
pub(super) fn close(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    // SAFETY: a number; whatever it was is forgotten by name only.
    Errno::result(unsafe { libc::close(fd) })?;
    done()
}

pub(super) fn dup(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: numbers.
    let copy = Errno::result(unsafe { libc::dup(handles.get(words.get(0)?)?) })?;
    made(words, 1, [copy])
}

/// The answer tells the number, since the second handle may have been closed.
pub(super) fn dup2(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (from, over) = (handles.get(words.get(0)?)?, handles.get(words.get(1)?)?);
    // SAFETY: numbers.
    let copy = Errno::result(unsafe { libc::dup2(from, over) })?;
    made(words, 1, [copy])
}

pub(super) fn getfl(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: takes no argument.
    let flags = Errno::result(unsafe { libc::fcntl(handles.get(words.get(0)?)?, libc::F_GETFL) })?;
    let access = ACCESS.iter().find(|(bits, _)| flags & libc::O_ACCMODE == *bits).map(|(_, name)| *name);
    says(access.into_iter().chain(names(flags, FLAGS)))
}

pub(super) fn setfl(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    // SAFETY: takes a number.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETFL, bits(words, FLAGS)) })?;
    done()
}

pub(super) fn getfd(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: takes no argument.
    let flags = Errno::result(unsafe { libc::fcntl(handles.get(words.get(0)?)?, libc::F_GETFD) })?;
    says(names(flags, &[(libc::FD_CLOEXEC, "cloexec")]))
}

pub(super) fn setfd(handles: &mut Handles, words: &Words<'_>) -> Result {
    let flag = if words.has("cloexec") { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: takes a number.
    Errno::result(unsafe { libc::fcntl(handles.get(words.get(0)?)?, libc::F_SETFD, flag) })?;
    done()
}
