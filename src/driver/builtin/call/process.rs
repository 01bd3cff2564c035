//! Processes: fork(2), limits, ids and capabilities.

use std::os::fd::AsRawFd;

use nix::{
    errno::Errno,
    sys::{
        resource::{Resource, getrlimit, setrlimit as limit},
        socket::{AddressFamily, SockFlag, SockType, socketpair},
    },
};

use super::{Carry, Handles, Result, Said, Words, done};
use crate::{
    setting::{surroundings, user},
    wire::CONTROL_FD,
};

pub(super) const CALLS: &[(&str, Carry)] =
    &[("fork", fork), ("setrlimit", setrlimit), ("setresuid", setresuid), ("capset", capset)];

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

pub(super) fn setrlimit(_: &mut Handles, words: &Words<'_>) -> Result {
    let soft: u64 = words.number(1)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    limit(Resource::RLIMIT_NOFILE, soft, hard.max(soft))?;
    done()
}

pub(super) fn setresuid(_: &mut Handles, words: &Words<'_>) -> Result {
    let id = match words.get(0)? {
        // Limits count by user, and other cases may do the same now.
        "fresh" => user::fresh_id()?,
        _ => words.number(0)?,
    };
    user::set_ids((id, id))?;
    user::set_dumpable(!words.has("undumpable"))?;
    done()
}

pub(super) fn capset(_: &mut Handles, _: &Words<'_>) -> Result {
    user::drop_capabilities()?;
    done()
}
