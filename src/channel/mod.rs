//! The channels, one kind a file: what it is, how it is made, what can be
//! counted on it. On all of them a wake-up is visible before the call that caused it
//! returns, which is what the stage's proof of "blocked" rests on.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

pub mod fifo;

/// A kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Fifo,
}

/// One line of the channel table.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    pub kind: Kind,
    pub name: &'static str,
    pub about: &'static str,
}

/// All kinds of channel.
pub const KINDS: &[KindInfo] = &[fifo::INFO];

/// Makes a channel at `path`, for the actors to open.
///
/// # Errors
/// As the call that makes it.
pub fn make(kind: Kind, path: &Path) -> io::Result<()> {
    match kind {
        Kind::Fifo => fifo::make(path),
    }
}

impl Kind {
    pub fn info(self) -> &'static KindInfo {
        KINDS.iter().find(|info| info.kind == self).expect("every kind has its line in KINDS")
    }

    pub fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|info| info.name == name).map(|info| info.kind)
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }
}
