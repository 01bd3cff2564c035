//! What surrounds a case: one value, hashable.

use serde::{Deserialize, Serialize};

pub mod limits;
pub mod network;
pub mod privilege;
pub mod surroundings;
pub mod user;

pub use limits::LimitKind;
pub use user::User;

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
    /// Who all actors are; `None`: who the stage is.
    pub user: Option<User>,
    /// Resource limits beside the customary ones, each at most once.
    pub limits: Vec<(LimitKind, u64)>,
    /// Of a network namespace that only the case's actors are in; `None`: they stay in the
    /// stage's.
    pub max_dgram_qlen: Option<u32>,
}
