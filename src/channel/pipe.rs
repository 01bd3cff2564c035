//! The anonymous pipe (pipe(2)), declared: every actor may open either end, by any
//! runtime's own open.
//!
//! The stage keeps an `O_PATH` descriptor, which is no end (open(2)); what an actor opens
//! through it under /proc is the pipe itself (kernel `fifo_open`), without the wait for the
//! other side that a FIFO's open is.
//!
//! A pipe of packets (O_DIRECT) is no kind of its own: the flag belongs to a write end, and may
//! change while the pipe is in use. It bounds what one read gives, and drops the rest of a packet
//! for which a read has no room; FIONREAD counts all packets together.

use std::{
    fs::OpenOptions,
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::{OpenOptionsExt, symlink},
    },
    path::Path,
};

use nix::errno::Errno;

use super::{Counts, Kind, KindInfo, Lives, Settles};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Pipe,
    name: "pipe",
    about: "an anonymous pipe; opening an end waits for nobody",
    declared: true,
    settles: Settles::Synchronous,
    counts: Counts::Bytes,
    lives: Lives::WithAnyEnd,
    addressed: false,
    whole: false,
};

/// Makes a pipe without any end, and at `path` a link through which ends are opened.
pub(super) fn make(path: &Path) -> io::Result<OwnedFd> {
    let (read, _write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let own = |fd: i32| format!("/proc/{}/fd/{fd}", std::process::id());
    let handle = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(own(read.as_raw_fd()))?;
    symlink(own(handle.as_raw_fd()), path)?;
    Ok(handle.into())
}

/// Sets the capacity of a pipe or FIFO (F_SETPIPE_SZ, fcntl(2)).
///
/// # Errors
/// As fcntl(2): EPERM beyond `/proc/sys/fs/pipe-max-size`, EBUSY for less than it holds.
pub fn set_capacity(end: BorrowedFd<'_>, bytes: u64) -> Result<(), Errno> {
    // SAFETY: takes a number.
    let size = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETPIPE_SZ, bytes as libc::c_long) };
    Errno::result(size).map(drop)
}
