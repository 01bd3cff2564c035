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
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::outcome::Count;

/// Bytes queued on the pipe or FIFO behind descriptor `fd` of a process: FIONREAD,
/// exact from either end (pipe(7), kernel `pipe_ioctl`). `may_open`: both ends
/// exist and nobody sits in open(2).
///
/// # Errors
/// This process has no descriptor left to count with: it could know, and doesn't.
pub fn queued(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Result<Count, Errno> {
    let copy = match borrow_end(pid, pidfd, fd, may_open) {
        Ok(copy) => copy,
        Err(Refused { errno: Errno::EMFILE, .. }) => return Err(Errno::EMFILE),
        Err(Refused { why, .. }) => return Ok(Count::Unknown(why)),
    };
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    Ok(match unsafe { libc::ioctl(copy.as_raw_fd(), libc::FIONREAD, &mut bytes) } {
        0 => Count::Known(bytes as u64),
        _ => Count::Unknown(format!("FIONREAD: {}", Errno::last().desc())),
    })
}

/// Capacity in bytes of the pipe or FIFO behind descriptor `fd` of a process
/// (F_GETPIPE_SZ, fcntl(2)).
pub fn capacity(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Option<u64> {
    let copy = borrow_end(pid, pidfd, fd, may_open).ok()?;
    // SAFETY: takes no argument, returns a size.
    let bytes = unsafe { libc::fcntl(copy.as_raw_fd(), libc::F_GETPIPE_SZ) };
    u64::try_from(bytes).ok()
}

/// Has what is on its way to a reading side arrive there: polls the descriptor `fd` of a
/// process. A pseudoterminal's poll waits for the kernel worker that carries bytes to
/// it, unless some have arrived, and then nobody sleeps for want of them (kernel
/// `n_tty_poll`).
///
/// # Errors
/// The descriptor can't be had, or isn't there any more (EBADF, ESRCH).
pub fn flush(pidfd: BorrowedFd<'_>, fd: i32) -> Result<(), Errno> {
    let copy = copy(pidfd, fd)?;
    poll(&mut [PollFd::new(copy.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).map(drop)
}

/// A descriptor of a process: pidfd_open(2).
///
/// # Errors
/// As pidfd_open(2).
pub fn pidfd(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes numbers; nix has no wrapper for it.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd as i32) })
}

/// A copy of a process's descriptor: pidfd_getfd(2).
pub(super) fn copy(pidfd: BorrowedFd<'_>, fd: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: plain numbers; nix has no wrapper for it.
    let copy = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) })?;
    // SAFETY: a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// A copy of a process's descriptor, to be closed at once; if need be, an open of its own.
///
/// # Errors
/// It can't be had here, or not without disturbing the others.
pub fn borrow_end(pid: i32, pidfd: BorrowedFd<'_>, fd: i32, may_open: bool) -> Result<OwnedFd, Refused> {
    let errno = match copy(pidfd, fd) {
        Ok(copy) => return Ok(copy),
        Err(errno) => errno,
    };
    let refused = format!("pidfd_getfd: {}", errno.desc());
    if !matches!(errno, Errno::EPERM | Errno::ENOSYS) {
        return Err(Refused { errno, why: refused });
    }
    if !may_open {
        return Err(Refused {
            errno,
            why: format!("{refused}, and opening an end would disturb the others"),
        });
    }
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(format!("/proc/{pid}/fd/{fd}"))
        .map(OwnedFd::from)
        .map_err(|error| Refused {
            errno: error.raw_os_error().map_or(errno, Errno::from_raw),
            why: format!("{refused}; open: {error}"),
        })
}

/// Why an end can't be had, and what the last call said.
#[derive(Debug)]
pub struct Refused {
    pub errno: Errno,
    pub why: String,
}
