//! What surrounds a case: one value, hashable.

use serde::{Deserialize, Serialize};

pub mod privilege;
pub mod surroundings;

/// The disposition of SIGPIPE in which actors start (signal(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sigpipe {
    /// What the actor's runtime makes of the system's default: C leaves it, so a
    /// write without a reader kills; Python and Rust ignore it at start.
    #[default]
    Runtime,
    /// SIG_DFL, also where the runtime would have ignored it.
    Default,
    /// SIG_IGN: a write without a reader fails with EPIPE.
    Ignore,
}

/// What surrounds a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Setting {
    pub sigpipe: Sigpipe,
    /// CPU time in milliseconds that an actor may burn, without sleeping or
    /// answering, before it counts as spinning; 0 means the stage's default.
    pub budget_ms: u64,
}
