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
use crate::{setting::surroundings, wire::CONTROL_FD};

pub(super) const CALLS: &[(&str, Carry)] =
    &[("fork", fork), ("setrlimit", setrlimit), ("setresuid", setresuid), ("capset", capset)];

/// `_LINUX_CAPABILITY_VERSION_3` of <linux/capability.h>, whose sets are two words each.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Fresh ids are this and the next 2^30 - 1.
const FIRST_FRESH: u32 = 1 << 30;

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
        "fresh" => fresh_id()?,
        _ => words.number(0)?,
    };
    // By syscall(2): the C library would ask other threads, and there are none.
    // SAFETY: numbers.
    unsafe {
        Errno::result(libc::syscall(libc::SYS_setresgid, id, id, id))?;
        Errno::result(libc::syscall(libc::SYS_setresuid, id, id, id))?;
    }
    // The kernel forgets both when ids change (prctl(2)).
    surroundings::die_with_parent();
    // SAFETY: numbers.
    Errno::result(unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(!words.has("undumpable")))
    })?;
    done()
}

/// Above what systems give to users.
fn fresh_id() -> Result<u32> {
    let mut bytes = [0; 4];
    // SAFETY: the kernel writes at most as many bytes as it is told.
    Errno::result(unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) })?;
    Ok(FIRST_FRESH | u32::from_ne_bytes(bytes) >> 2)
}

pub(super) fn capset(_: &mut Handles, _: &Words<'_>) -> Result {
    // Version and process; then three sets of two words each.
    let (head, none) = ([CAPABILITY_VERSION, 0], [0_u32; 6]);
    // SAFETY: both live through the call and are as long as the version says.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, head.as_ptr(), none.as_ptr()) })?;
    done()
}
