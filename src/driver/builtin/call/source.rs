//! Files that are no channels: memfd_create(2), /dev/null.

use std::{
    fs::File,
    io::{Seek, Write},
    os::fd::{AsRawFd, IntoRawFd},
};

use nix::{
    errno::Errno,
    sys::memfd::{MFdFlags, memfd_create},
};

use super::{Carry, Handles, Result, Said, Words, made, transfer::Coded};

pub(super) const CALLS: &[(&str, Carry)] = &[("file", file), ("devnull", devnull)];

pub(super) fn file(_: &mut Handles, words: &Words<'_>) -> Result {
    let coded = Coded::of(words.get(1)?)?;
    let mut file = File::from(memfd_create(c"file", MFdFlags::MFD_CLOEXEC)?);
    coded.with(|bytes| file.write_all(bytes)).and_then(|()| file.rewind())?;
    if words.has("append") {
        // SAFETY: takes a number.
        Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_APPEND) })?;
    }
    Ok(Said { bytes: Some(coded.length as u64), ..made(words, 0, [file.into_raw_fd()])? })
}

pub(super) fn devnull(_: &mut Handles, words: &Words<'_>) -> Result {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    made(words, 0, [null.into_raw_fd()])
}
