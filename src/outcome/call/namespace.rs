//! Namespaces.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[call(
    "unshare",
    "ACTOR unshare net",
    "unshare(2): the process has a network namespace of its own from here on",
    &[Arg::OneOf(&["net"])],
)
.lasts()];
