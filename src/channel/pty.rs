//! The pseudoterminal (pty(7)): a channel in each direction between master and terminal.
//!
//! A write returns when its bytes are in the other side's buffer, and a kernel worker carries
//! them through the line discipline to where a read finds them. Whom that wakes may be asleep
//! for a moment after the write: it is flushable, which polling the reading side does. What is
//! on its way there no call counts.

use super::{Counts, Kind, KindInfo, Settles, stream};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Pty,
    name: "pty",
    about: "a pseudoterminal",
    settles: Settles::Flushable,
    counts: Counts::Nothing,
    ..stream::INFO
};
