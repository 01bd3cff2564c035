//! TCP over the loopback interface (tcp(7)).
//!
//! Segments, acknowledgements and windows take their own time, some of it on timers: that
//! nobody runs proves nothing about what is still to come, and after EAGAIN a sender may write
//! again though nobody has read. So it is timed: what a sender could send is a range, and what
//! is queued is known only while all that was sent is taken. What *is* sure: what arrives is a
//! beginning of what was sent, and a close with unread data resets the connection (kernel
//! `tcp_close`).

use super::{Counts, Kind, KindInfo, Settles, stream};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Tcp,
    name: "tcp",
    about: "TCP over the loopback interface",
    settles: Settles::Timed,
    counts: Counts::WhenDrained,
    ..stream::INFO
};
