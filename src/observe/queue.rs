//! How many bytes a channel holds, counted without a lasting hold on it.
//!
//! `pidfd_getfd(2)` copies an actor's descriptor for the length of one ioctl;
//! while everything has settled, that changes nothing for anybody. Where it is
//! refused, `/proc/PID/fd/N` can be opened instead, but that is an open(2) of the
//! FIFO: it would release a blocked opener and could stand in for a missing end,
//! so the caller must know that both ends exist and that nobody sits in open.

use std::{
    fs::OpenOptions,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

use nix::errno::Errno;

use crate::outcome::Count;

/// Bytes queued on the pipe or FIFO behind descriptor `fd` of a process: FIONREAD,
/// exact from either end (pipe(7), kernel `pipe_ioctl`). `may_open`: both ends
/// exist and nobody sits in open(2).
pub fn queued(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Count {
    let copy = match borrow_end(pid, pidfd, fd, may_open) {
        Ok(copy) => copy,
        Err(reason) => return Count::Unknown(reason),
    };
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    match unsafe { libc::ioctl(copy.as_raw_fd(), libc::FIONREAD, &mut bytes) } {
        0 => Count::Known(bytes as u64),
        _ => Count::Unknown(format!("FIONREAD: {}", Errno::last().desc())),
    }
}

/// Capacity in bytes of the pipe or FIFO behind descriptor `fd` of a process
/// (F_GETPIPE_SZ, fcntl(2)).
pub fn capacity(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Option<u64> {
    let copy = borrow_end(pid, pidfd, fd, may_open).ok()?;
    // SAFETY: takes no argument, returns a size.
    let bytes = unsafe { libc::fcntl(copy.as_raw_fd(), libc::F_GETPIPE_SZ) };
    u64::try_from(bytes).ok()
}

fn borrow_end(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Result<OwnedFd, String> {
    // SAFETY: plain numbers; nix has no wrapper for it.
    let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) };
    if copy >= 0 {
        // SAFETY: a fresh descriptor that nothing else owns.
        return Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) });
    }
    let refused = Errno::last();
    if !matches!(refused, Errno::EPERM | Errno::ENOSYS) {
        return Err(format!("pidfd_getfd: {}", refused.desc()));
    }
    if !may_open {
        return Err(format!("pidfd_getfd: {}, and opening an end would disturb the others", refused.desc()));
    }
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(format!("/proc/{pid}/fd/{fd}"))
        .map(OwnedFd::from)
        .map_err(|error| format!("pidfd_getfd: {}; open: {error}", refused.desc()))
}
