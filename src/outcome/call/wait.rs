//! Waiting for readiness.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "poll",
        "ACTOR poll HANDLE [in] [out] [pri] [rdhup] [nothing] [HANDLE ...] [now]",
        "poll(2), without a timeout or, with `now`, with one of 0: says what is true, behind the handle's name if there are several",
        &[Arg::Any { words: &["in", "out", "pri", "rdhup", "nothing", "now"], handles: true }],
    ),
    call(
        "select",
        "ACTOR select HANDLE [in] [out] [now]",
        "select(2) for reading and writing, without a timeout or, with `now`, with one of 0: says `in`, `out`, or `nothing`",
        &[Arg::Handle, Arg::Any { words: &["in", "out", "now"], handles: false }],
    ),
];
