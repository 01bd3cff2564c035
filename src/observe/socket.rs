//! What a socket of an actor says of itself, asked of a copy of its descriptor.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::{
    errno::Errno,
    sys::socket::{Shutdown, shutdown},
};

use super::queue::copy;

/// The front of a datagram socket's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the first datagram (FIONREAD, unix(7)); 0 also if there is none.
    pub bytes: u64,
    /// A receive wouldn't block: there is a datagram, or there will be none (poll(2)).
    pub readable: bool,
    /// Nothing more will come (POLLRDHUP).
    pub shut: bool,
}

/// The front of the queue of the datagram socket behind descriptor `fd` of a process.
///
/// # Errors
/// As pidfd_getfd(2), ioctl(2) and poll(2).
pub fn head(pidfd: BorrowedFd<'_>, fd: i32) -> Result<Head, Errno> {
    let copy = copy(pidfd, fd)?;
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    Errno::result(unsafe { libc::ioctl(copy.as_raw_fd(), libc::FIONREAD, &mut bytes) })?;
    // Not for writing: that would put the copy on its peer's list of waiters.
    let mut polled =
        libc::pollfd { fd: copy.as_raw_fd(), events: libc::POLLIN | libc::POLLRDHUP, revents: 0 };
    // SAFETY: one descriptor, and no wait.
    Errno::result(unsafe { libc::poll(&mut polled, 1, 0) })?;
    let seen = |event| polled.revents & event != 0;
    Ok(Head { bytes: bytes as u64, readable: seen(libc::POLLIN), shut: seen(libc::POLLRDHUP) })
}

/// Shuts both directions of the socket behind descriptor `fd` of a process, so that nobody sleeps at
/// it any more: shutdown(2).
///
/// # Errors
/// As pidfd_getfd(2) and shutdown(2): it is no socket, or not connected.
pub fn shut_down(pidfd: BorrowedFd<'_>, fd: i32) -> Result<(), Errno> {
    shutdown(copy(pidfd, fd)?.as_raw_fd(), Shutdown::Both)
}

/// The bytes of the address (`struct sockaddr`) to which the socket behind descriptor `fd`
/// of a process is bound: getsockname(2).
///
/// # Errors
/// As pidfd_getfd(2) and getsockname(2).
pub fn address(pidfd: BorrowedFd<'_>, fd: i32) -> Result<Vec<u8>, Errno> {
    let copy = copy(pidfd, fd)?;
    let mut bytes = vec![0; size_of::<libc::sockaddr_storage>()];
    let mut length = bytes.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes there.
    let named = unsafe { libc::getsockname(copy.as_raw_fd(), bytes.as_mut_ptr().cast(), &mut length) };
    Errno::result(named)?;
    bytes.truncate(length as usize);
    Ok(bytes)
}
