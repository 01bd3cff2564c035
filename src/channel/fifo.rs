//! The FIFO: a pipe with a name (fifo(7), mkfifo(3)).
//!
//! Its buffer is there from the first open end to the last close, and belongs to the user who
//! opened first. All that it does is done when the call returns (synchronous); FIONREAD is exact
//! from either end.

use std::{io, path::Path};

use nix::{sys::stat::Mode, unistd::mkfifo};

use super::{Counts, Kind, KindInfo, Lives, Settles};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Fifo,
    name: "fifo",
    about: "a named pipe; opening one end waits for the other",
    declared: true,
    settles: Settles::Synchronous,
    counts: Counts::Bytes,
    lives: Lives::WithAnyEnd,
    addressed: false,
    whole: false,
};

/// Makes a FIFO that every actor of the case may open.
pub(super) fn make(path: &Path) -> io::Result<()> {
    Ok(mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?)
}
