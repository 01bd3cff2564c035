//! Sockets: socketpair(2).

use std::os::fd::IntoRawFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::{Carry, Handles, Result, Said, Words};

pub(super) const CALLS: &[(&str, Carry)] = &[("socketpair", pair)];

pub(super) fn pair(_: &mut Handles, words: &Words<'_>) -> Result {
    let kind = match words.get(2)? {
        "dgram" => SockType::Datagram,
        "seqpacket" => SockType::SeqPacket,
        _ => SockType::Stream,
    };
    let mut flags = SockFlag::empty();
    flags.set(SockFlag::SOCK_NONBLOCK, words.has("nonblock"));
    flags.set(SockFlag::SOCK_CLOEXEC, words.has("cloexec"));
    let (one, other) = socketpair(AddressFamily::Unix, kind, None, flags)?;
    let made =
        vec![(words.get(0)?.to_owned(), one.into_raw_fd()), (words.get(1)?.to_owned(), other.into_raw_fd())];
    Ok(Said { made, ..Said::default() })
}
