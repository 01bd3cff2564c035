//! Pipes: making them, their size, what they hold.

use nix::errno::Errno;

use super::{Carry, Handles, Result, Words, bits, gave, made};

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("pipe", pipe),
    ("getpipe_sz", getpipe_sz),
    ("setpipe_sz", setpipe_sz),
    ("pipes", pipes),
    ("fionread", fionread),
];

/// A bit that no flag of pipe2(2) has.
const UNKNOWN_FLAG: i32 = 1;

const FLAGS: &[(i32, &str)] = &[
    (libc::O_CLOEXEC, "cloexec"),
    (libc::O_NONBLOCK, "nonblock"),
    (libc::O_DIRECT, "direct"),
    (UNKNOWN_FLAG, "unknown-flag"),
];

pub(super) fn pipe(_: &mut Handles, words: &Words<'_>) -> Result {
    let flags = bits(words, FLAGS);
    let mut ends = [-1; 2];
    let place = match () {
        () if words.has("null") => std::ptr::null_mut(),
        // Nothing is ever mapped at the top of the address space.
        () if words.has("bad-pointer") => std::ptr::without_provenance_mut(usize::MAX - 7),
        () => ends.as_mut_ptr(),
    };
    // SAFETY: the kernel writes two numbers there, or says EFAULT.
    Errno::result(unsafe { if flags == 0 { libc::pipe(place) } else { libc::pipe2(place, flags) } })?;
    made(words, 0, ends)
}

/// F_GETPIPE_SZ: bytes.
fn size(fd: i32) -> Result<i32> {
    // SAFETY: takes no argument, returns a size.
    Ok(Errno::result(unsafe { libc::fcntl(fd, libc::F_GETPIPE_SZ) })?)
}

pub(super) fn getpipe_sz(handles: &mut Handles, words: &Words<'_>) -> Result {
    gave(size(handles.get(words.get(0)?)?)?)
}

/// The descriptors stay open, without names, until the process ends.
pub(super) fn pipes(_: &mut Handles, words: &Words<'_>) -> Result {
    let count: u64 = words.number(0)?;
    let mut before = 0;
    for _ in 0..count {
        let mut ends = [-1; 2];
        // SAFETY: the kernel writes two numbers there.
        Errno::result(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
        let size = size(ends[0])?;
        if words.has("small") && size < before {
            return gave(size);
        }
        before = size;
    }
    gave(count)
}

pub(super) fn setpipe_sz(handles: &mut Handles, words: &Words<'_>) -> Result {
    let size: i64 = words.number(1)?;
    // SAFETY: takes a number, returns a size.
    gave(Errno::result(unsafe { libc::fcntl(handles.get(words.get(0)?)?, libc::F_SETPIPE_SZ, size) })?)
}

pub(super) fn fionread(handles: &mut Handles, words: &Words<'_>) -> Result {
    gave(super::super::raw::queued(handles.get(words.get(0)?)?)?)
}
