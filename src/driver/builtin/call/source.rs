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

use super::{Carry, Handles, Refused, Result, Said, Words, transfer::Coded};

pub(super) const CALLS: &[(&str, Carry)] = &[("file", file), ("devnull", devnull)];

fn refused(error: std::io::Error) -> Refused {
    Refused::Errno(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

pub(super) fn file(_: &mut Handles, words: &Words<'_>) -> Result {
    let coded = Coded::of(words.get(1)?)?;
    let mut file = File::from(memfd_create(c"file", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(&coded.bytes()).and_then(|()| file.rewind()).map_err(refused)?;
    if words.has("append") {
        // SAFETY: takes a number.
        Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_APPEND) })?;
    }
    let made = vec![(words.get(0)?.to_owned(), file.into_raw_fd())];
    Ok(Said { bytes: Some(coded.length as u64), made, ..Said::default() })
}

pub(super) fn devnull(_: &mut Handles, words: &Words<'_>) -> Result {
    let null = File::options().read(true).write(true).open("/dev/null").map_err(refused)?;
    Ok(Said { made: vec![(words.get(0)?.to_owned(), null.into_raw_fd())], ..Said::default() })
}
