//! The FIFO: a pipe with a name (fifo(7), mkfifo(3)).

use std::{io, path::Path};

use nix::{sys::stat::Mode, unistd::mkfifo};

use super::{Kind, KindInfo, Settles};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::Fifo,
    name: "fifo",
    about: "a named pipe; opening one end waits for the other",
    declared: true,
    settles: Settles::Synchronous,
};

/// Makes a FIFO that every actor of the case may open.
pub(super) fn make(path: &Path) -> io::Result<()> {
    Ok(mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?)
}
