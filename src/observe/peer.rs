//! The other socket of a pair, asked of the kernel: sock_diag(7).

use std::{
    fs,
    os::{
        fd::AsRawFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::Path,
};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::tree::FileId;

/// From linux/sock_diag.h, linux/netlink.h and linux/unix_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const UNIX_DIAG_PEER: u16 = 2;

/// Lengths of `struct nlmsghdr`, `struct unix_diag_req`, `struct unix_diag_msg` and
/// `struct rtattr`.
const HEADER: usize = 16;
const REQUEST: usize = 24;
const MESSAGE: usize = 16;
const ATTRIBUTE: usize = 4;

/// Which socket is connected with the UNIX socket at a path (`/proc/PID/fd/N`). `None`: it is no
/// socket, its peer is closed, it is of another network namespace, or the kernel doesn't tell.
pub(super) fn peer_of(path: &Path) -> Option<FileId> {
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.file_type().is_socket())?;
    let peer = ask(u32::try_from(metadata.ino()).ok()?)?;
    // All sockets are in one file system.
    Some((metadata.dev(), peer.into()))
}

fn ask(inode: u32) -> Option<u32> {
    let kernel =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)
            .ok()?;
    let mut request = Vec::with_capacity(HEADER + REQUEST);
    request.extend(((HEADER + REQUEST) as u32).to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence and port.
    request.extend([0; 8]);
    request.extend([libc::AF_UNIX as u8, 0, 0, 0]);
    // In any state; by its inode, without a cookie.
    for word in [u32::MAX, inode, UDIAG_SHOW_PEER, u32::MAX, u32::MAX] {
        request.extend(word.to_ne_bytes());
    }
    send(kernel.as_raw_fd(), &request, MsgFlags::empty()).ok()?;
    // The kernel has answered when send returns.
    let mut answer = [0; 512];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT).ok()?;
    peer_in(&answer[..length])
}

/// The peer's inode in an answer; an error of netlink's has another type.
fn peer_in(answer: &[u8]) -> Option<u32> {
    let half = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    if half(4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut at = HEADER + MESSAGE;
    loop {
        let (length, kind) = (usize::from(half(at)?), half(at + 2)?);
        if kind == UNIX_DIAG_PEER {
            return word(at + ATTRIBUTE).filter(|inode| *inode != 0);
        }
        at += length.max(ATTRIBUTE).next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use std::os::{fd::AsRawFd, unix::net::UnixStream};

    use super::*;
    use crate::observe::file_id;

    fn path(of: &impl AsRawFd) -> std::path::PathBuf {
        format!("/proc/self/fd/{}", of.as_raw_fd()).into()
    }

    #[test]
    fn each_of_a_pair_is_the_others_peer() {
        let (a, b) = UnixStream::pair().unwrap();
        assert_eq!(peer_of(&path(&a)), Some(file_id(&path(&b)).unwrap()));
        assert_eq!(peer_of(&path(&b)), Some(file_id(&path(&a)).unwrap()));
        drop(b);
        assert_eq!(peer_of(&path(&a)), None);
    }

    #[test]
    fn a_pipe_has_none() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(peer_of(&path(&reader)), None);
    }
}
