//! Pseudoterminals: posix_openpt(3), ioctl_tty(2).

use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    pty::{grantpt, posix_openpt, unlockpt},
    sys::termios::{
        LocalFlags, OutputFlags, SetArg, SpecialCharacterIndices, cfmakeraw, tcgetattr, tcsetattr,
    },
};

use super::{Carry, Handles, Result, Words, done, made};

pub(super) const CALLS: &[(&str, Carry)] = &[("pty", pty), ("press", press)];

pub(super) fn pty(_: &mut Handles, words: &Words<'_>) -> Result {
    // Neither side is to become the actor's controlling terminal.
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    // SAFETY: takes flags, returns a descriptor.
    let slave = Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags.bits()) })?;
    // SAFETY: it is fresh, and nobody else's.
    let slave = unsafe { OwnedFd::from_raw_fd(slave) };
    let mut modes = tcgetattr(&slave)?;
    if words.has("raw") {
        cfmakeraw(&mut modes);
    } else {
        modes.local_flags -= LocalFlags::ECHO;
        modes.output_flags -= OutputFlags::OPOST;
    }
    tcsetattr(&slave, SetArg::TCSANOW, &modes)?;
    made(words, 0, [master.into_raw_fd(), slave.into_raw_fd()])
}

pub(super) fn press(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    // SAFETY: the descriptor is this actor's own and stays open meanwhile.
    let master = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    let modes = tcgetattr(master.as_fd())?;
    nix::unistd::write(master, &[modes.control_chars[SpecialCharacterIndices::VEOF as usize]])?;
    done()
}
