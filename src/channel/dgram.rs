//! The UNIX socket of datagrams (unix(7), SOCK_DGRAM).
//!
//! Each send goes to whom it names, or whom the socket was connected to, and is in the
//! receiver's one queue before it returns: it is synchronous. The queue takes so many messages
//! from others (max_dgram_qlen) and, from all, as much as their own buffers charge.
//!
//! FIONREAD is the first message's length alone, so a queue is what calls sent and no call
//! received, message by message, and known as long as the first one's length and poll(2) agree
//! with that.

use super::{Counts, Kind, KindInfo, stream};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::UnixDatagram,
    name: "unix dgram",
    about: "a UNIX socket of datagrams",
    counts: Counts::FirstMessage,
    addressed: true,
    whole: true,
    ..stream::INFO
};
