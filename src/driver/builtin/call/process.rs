//! Processes: fork(2).

use std::os::fd::AsRawFd;

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
};

use super::{Carry, Handles, Result, Said, Words};
use crate::{setting::surroundings, wire::CONTROL_FD};

pub(super) const CALLS: &[(&str, Carry)] = &[("fork", fork)];

/// A copy of this process, with all that it holds, takes orders of its own. It is the
/// stage's child (CLONE_PARENT), as its maker is.
pub(super) fn fork(handles: &mut Handles, _: &Words<'_>) -> Result {
    let (theirs, ours) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: this process has one thread, so its copy may do anything.
    let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    if pid != 0 {
        return Ok(Said { bytes: Some(pid as u64), attached: Some(theirs), ..Said::default() });
    }
    surroundings::die_with_parent();
    drop(theirs);
    // SAFETY: numbers; from here on the copy's own conversation stands at this place.
    unsafe { libc::dup2(ours.as_raw_fd(), CONTROL_FD) };
    drop(ours);
    super::super::raw::go_on(std::mem::take(handles))
}
