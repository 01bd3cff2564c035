//! A UNIX socket: what is queued at it, what it is charged for, who its peer is.
//!
//! Everything here happens under the socket's locks, in one go; who sleeps and wakes is
//! the business of `world`. `net/unix/af_unix.c` and `net/core/sock.c` are those of Linux 6.18.
//!
//! 1. What is sent is queued at the receiver and charged to the sender until it has been
//!    read: not its bytes, but the memory that it takes. (`skb_set_owner_w`, `sock_wfree`)
//! 2. A stream's send is cut into pieces, each charged and queued by itself; a receive goes
//!    on over the pieces while it has room. (`unix_stream_sendmsg`, `unix_stream_read_generic`)
//! 3. A message is queued whole or not at all, and received by one call; what that has no room
//!    for is gone. (`unix_dgram_sendmsg`, `unix_dgram_recvmsg`)
//! 4. A stream's or record socket's close or shutdown is its peer's as well, and whoever closes
//!    with something unread leaves ECONNRESET there. (`unix_shutdown`, `unix_release_sock`)
//! 5. A datagram socket's close tells nobody: the next send to it finds out, once.
//!    (`unix_dgram_sendmsg`)
//! 6. A pending error is reported by the first call that looks for it. (`sock_error`)

use std::collections::VecDeque;

use super::{Errno, Rule, Rules, SocketKind, Used};

/// Something queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Bytes not yet read.
    pub bytes: u64,
    /// What its sender is charged for it.
    pub charge: u64,
    /// The sender, by the number of its socket.
    pub from: usize,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    pub kind: SocketKind,
    /// Where it sends to.
    pub peer: Option<usize>,
    /// Nobody holds it any more.
    pub dead: bool,
    pub shut_receive: bool,
    pub shut_send: bool,
    /// SO_ERROR.
    error: Option<Errno>,
    pub queue: VecDeque<Message>,
    /// What it is charged for (bytes of memory).
    pub charged: u64,
    /// SO_SNDBUF.
    pub sndbuf: u64,
    rules: Rules,
}

impl Socket {
    /// A socket without a peer.
    pub fn new(kind: SocketKind, sndbuf: u64, rules: Rules) -> Socket {
        Socket {
            kind,
            peer: None,
            dead: false,
            shut_receive: false,
            shut_send: false,
            error: None,
            queue: VecDeque::new(),
            charged: 0,
            sndbuf,
            rules,
        }
    }

    /// Both sides know each other, and one's end is the other's affair.
    pub fn connected(&self) -> bool {
        self.kind != SocketKind::Datagram
    }

    /// Bytes queued here.
    pub fn queued(&self) -> u64 {
        self.queue.iter().map(|message| message.bytes).sum()
    }

    /// Leaves an error for the next call (rule 4).
    pub fn leave(&mut self, errno: Errno) {
        self.error = Some(errno);
    }

    /// There is one.
    pub fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// Rule 6.
    pub fn take_error(&mut self, used: &mut Used) -> Option<Errno> {
        let error = self.error?;
        used.add(Rule::ErrorOnce);
        if self.rules.hold(Rule::ErrorOnce) {
            self.error = None;
        }
        Some(error)
    }

    /// There is room for a send that takes so much (`sock_alloc_send_pskb`).
    pub fn has_room(&self, charge: u64, used: &mut Used) -> bool {
        used.add(Rule::Charge);
        if self.rules.hold(Rule::Charge) {
            self.charged < self.sndbuf
        } else {
            self.charged == 0 || self.charged + charge <= self.sndbuf
        }
    }

    /// Few enough for poll(2) to say OUT, and for a sleeper to be woken (`unix_writable`,
    /// which counts one byte that is nobody's).
    pub fn is_writable(&self) -> bool {
        (self.charged + 1) * 4 <= self.sndbuf
    }

    /// More datagrams wait here than a socket that isn't the peer's may add to
    /// (`unix_recvq_full`).
    pub fn is_full(&self, qlen: u64) -> bool {
        let queued = self.queue.len() as u64;
        if self.rules.hold(Rule::QueueLimit) { queued > qlen } else { queued >= qlen }
    }

    /// Takes up to `room` bytes out of the first thing queued, and says how many, how long it was
    /// and, if it is used up, which message it was (rules 2 and 3).
    pub fn take(&mut self, room: u64, used: &mut Used) -> Option<(u64, u64, Option<Message>)> {
        let keeps_rest = self.kind == SocketKind::Stream || !self.rules.hold(Rule::MessageRest);
        let first = self.queue.front_mut()?;
        let (length, taken) = (first.bytes, room.min(first.bytes));
        first.bytes -= taken;
        if first.bytes > 0 && self.kind != SocketKind::Stream {
            used.add(Rule::MessageRest);
        }
        let gone = first.bytes == 0 || !keeps_rest;
        Some((taken, length, if gone { self.queue.pop_front() } else { None }))
    }
}
