//! Plays one case: processes, stepping, the policy of settling, cleaning up.

mod plan;

pub use plan::{Condition, Launch, Plan, PlannedActor, PlannedChannel, PlannedStep};

/// Turns this process into a stage if the runner started it as one.
pub fn become_stage_if_asked() {}
