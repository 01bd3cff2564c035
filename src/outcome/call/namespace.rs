//! Namespaces, and what is set in one's own.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "unshare",
        "ACTOR unshare net",
        "unshare(2): the process has a network namespace of its own from here on",
        &[Arg::OneOf(&["net"])],
    )
    .lasts(),
    call(
        "sysctl",
        "ACTOR sysctl max_dgram_qlen SIZE",
        "writes /proc/sys/net/unix/max_dgram_qlen, in a network namespace of its own only: for the sockets that are made there from here on",
        &[Arg::OneOf(&["max_dgram_qlen"]), Arg::Number],
    )
    .lasts(),
];
