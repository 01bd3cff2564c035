//! The sizes of the machine that the model speaks about: discovered, not assumed.

use std::{io, os::fd::AsFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, socketpair, sockopt::SndBuf};

use super::Geometry;
use crate::stage::Measures;

/// `sizeof(struct skb_shared_info)` and of `struct sk_buff`, as the kernel aligns them:
/// what a buffer costs beside its bytes (include/linux/skbuff.h).
const SHARED_INFO: u64 = 320;
const SK_BUFF: u64 = 256;
/// What alloc_skb(9) aligns a buffer's bytes to (`SMP_CACHE_BYTES`).
const CACHE_LINE: u64 = 64;
/// Pages behind the head of a buffer (`MAX_SKB_FRAGS`); a longer message has a longer head.
const MOST_PAGES: u64 = 17;
/// A stream's message is cut so that so much of it lies in pages (`UNIX_SKB_FRAGS_SZ`).
const FRAGMENTS: u64 = 32768;
/// A sender's charge may not be less than this many bytes (`SOCK_MIN_SNDBUF`).
const LEAST_BUFFER: u64 = 2 * (2048 + SK_BUFF);

/// The machine's sizes (bytes, unless said).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// What a pipe is made of when it is new.
    pub pipe: Geometry,
    /// The largest pipe that F_SETPIPE_SZ gives.
    pub largest_pipe: u64,
    /// max_dgram_qlen: a queue takes one datagram more (unix(7)).
    pub qlen: u64,
    /// SO_SNDBUF of a new UNIX socket, as getsockopt(2) gives it.
    pub sndbuf: u64,
    /// What setsockopt(2) doubles at most (net.core.wmem_max).
    pub wmem_max: u64,
}

impl Machine {
    /// Pipes like this one, and sockets as they usually are (unix(7), socket(7)).
    pub const fn with_pipe(pipe: Geometry) -> Machine {
        Machine { pipe, largest_pipe: 1 << 20, qlen: 10, sndbuf: 212_992, wmem_max: 212_992 }
    }

    /// This machine, as the stage has measured it.
    ///
    /// # Errors
    /// No socket can be made or asked.
    pub fn here(measures: &Measures) -> io::Result<Machine> {
        let (socket, _peer) =
            socketpair(AddressFamily::Unix, SockType::Datagram, None, SockFlag::SOCK_CLOEXEC)?;
        let sndbuf = getsockopt(&socket.as_fd(), SndBuf)? as u64;
        let wmem_max = std::fs::read_to_string("/proc/sys/net/core/wmem_max")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(sndbuf);
        let pipe = Geometry { page: measures.page, slots: (measures.capacity / measures.page) as usize };
        Ok(Machine { pipe, largest_pipe: measures.largest_pipe, qlen: measures.qlen, sndbuf, wmem_max })
    }

    /// What SO_SNDBUF becomes when setsockopt(2) is given this number (`sock_setsockopt`).
    pub fn send_buffer(&self, asked: u64) -> u64 {
        (2 * asked.min(self.wmem_max)).max(LEAST_BUFFER)
    }

    /// What a message of so many bytes is charged (`alloc_skb_with_frags`): a head of
    /// kmalloc's size, and pages for what is beyond the largest head.
    pub fn message_charge(&self, bytes: u64) -> u64 {
        let largest = 4 * self.pipe.page - SHARED_INFO;
        let paged = bytes.saturating_sub(largest).min(MOST_PAGES * self.pipe.page);
        let paged = paged.next_multiple_of(self.pipe.page);
        self.buffer_charge(bytes.saturating_sub(paged), paged)
    }

    /// The first piece of a stream's send of so many bytes, and what it is charged
    /// (`unix_stream_sendmsg`).
    pub fn stream_piece(&self, bytes: u64, sndbuf: u64) -> (u64, u64) {
        let page = self.pipe.page;
        let piece = bytes.min((sndbuf >> 1) - 64).min(page - SHARED_INFO + FRAGMENTS);
        let paged = piece.saturating_sub(page - SHARED_INFO).next_multiple_of(page).min(piece);
        (piece, self.buffer_charge(piece - paged, paged))
    }

    fn buffer_charge(&self, head: u64, paged: u64) -> u64 {
        let head = head.next_multiple_of(CACHE_LINE) + SHARED_INFO;
        kmalloc_size(head) + SK_BUFF + paged.next_multiple_of(self.pipe.page)
    }
}

/// The size of the object that kmalloc(9) takes for so many bytes (`kmalloc_size_roundup`);
/// those of 96 and 192 bytes are too small for any buffer.
fn kmalloc_size(bytes: u64) -> u64 {
    bytes.next_power_of_two()
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, OwnedFd};

    use nix::sys::socket::{MsgFlags, recv, send};

    use super::*;

    /// SIOCOUTQ, unix(7).
    fn charge(socket: &OwnedFd) -> u64 {
        let mut bytes: libc::c_int = 0;
        // SAFETY: SIOCOUTQ (the number is TIOCOUTQ's) writes one int.
        assert_eq!(unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &mut bytes) }, 0);
        bytes as u64
    }

    fn machine() -> Machine {
        Machine::with_pipe(Geometry { page: 4096, slots: 16 })
    }

    fn sizes() -> impl Iterator<Item = u64> {
        let around = |size: u64| [size - 1, size, size + 1, size + 100];
        let steps = [
            64, 192, 448, 704, 1728, 3776, 4096, 7872, 8192, 11_968, 16_064, 20_160, 24_256, 36_544, 40_960,
            48_832,
        ];
        std::iter::once(1).chain(steps.into_iter().flat_map(around))
    }

    fn charges_agree(kind: SockType, modelled: impl Fn(u64) -> u64) {
        let (one, other) = socketpair(AddressFamily::Unix, kind, None, SockFlag::empty()).expect("a pair");
        for size in sizes() {
            let mut bytes = vec![0; size as usize];
            let sent = send(one.as_raw_fd(), &bytes, MsgFlags::MSG_DONTWAIT).expect("there is room");
            assert_eq!((sent as u64, charge(&one)), (size, modelled(size)), "{kind:?} of {size}");
            assert_eq!(recv(other.as_raw_fd(), &mut bytes, MsgFlags::MSG_DONTWAIT), Ok(sent));
        }
    }

    #[test]
    fn messages_are_charged_as_the_kernel_does() {
        charges_agree(SockType::Datagram, |size| machine().message_charge(size));
        charges_agree(SockType::SeqPacket, |size| machine().message_charge(size));
    }

    #[test]
    fn streams_are_charged_as_the_kernel_does() {
        charges_agree(SockType::Stream, |mut size| {
            let mut charged = 0;
            while size > 0 {
                let (piece, charge) = machine().stream_piece(size, 212_992);
                (size, charged) = (size - piece, charged + charge);
            }
            charged
        });
    }
}
