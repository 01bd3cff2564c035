//! The FIFO: a pipe with a name (fifo(7), mkfifo(3)).

use super::{Kind, KindInfo, Settling};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Fifo,
    name: "fifo",
    about: "a named pipe; opening one end waits for the other",
    settling: Settling::Synchronous,
};
