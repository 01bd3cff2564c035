//! The UNIX socket of bytes (unix(7), SOCK_STREAM).
//!
//! A send puts its bytes into the peer's queue before it returns, and wakes the peer: it is
//! synchronous. FIONREAD of the receiving side is all that waits there, across the bounds of
//! sends. How much fits is bounded by the sender's buffer (SO_SNDBUF), in which the kernel
//! charges whole blocks of memory and not bytes. The queue is gone with its reader, whatever
//! the sender still holds. A byte sent out of band is counted by FIONREAD also when it was
//! overtaken, and so from the first one on a queue is only known to be empty.

use super::{Counts, Kind, KindInfo, Lives, Settles};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::UnixStream,
    name: "unix stream",
    about: "a UNIX socket of bytes",
    declared: false,
    settles: Settles::Synchronous,
    counts: Counts::Bytes,
    lives: Lives::WithItsReader,
    addressed: false,
    whole: false,
};
