//! Processes.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[call(
    "fork",
    "ACTOR fork ACTOR",
    "a copy of the process takes the part of the actor that is declared as a `fork`, with all handles",
    &[Arg::Actor],
)];
