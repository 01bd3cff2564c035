//! Descriptors and their flags.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call("close", "ACTOR close HANDLE", "close(2)", &[Arg::Handle]),
    call("dup", "ACTOR dup HANDLE NEW", "dup(2)", &[Arg::Handle, Arg::New]),
    call(
        "dup2",
        "ACTOR dup2 HANDLE HANDLE",
        "dup2(2): the second handle's descriptor is a copy of the first's from here on",
        &[Arg::Handle, Arg::Handle],
    ),
    call(
        "getfl",
        "ACTOR getfl HANDLE",
        "fcntl(2) with F_GETFL: the access, and `nonblock`, `direct`, `append`",
        &[Arg::Handle],
    )
    .beside(),
    call(
        "setfl",
        "ACTOR setfl HANDLE [nonblock] [direct] [append]",
        "fcntl(2) with F_SETFL: sets just these flags",
        &[Arg::Handle, Arg::Any { words: &["nonblock", "direct", "append"], handles: false }],
    )
    .beside(),
    call("getfd", "ACTOR getfd HANDLE", "fcntl(2) with F_GETFD: `cloexec`, or nothing", &[Arg::Handle]),
    call(
        "setfd",
        "ACTOR setfd HANDLE [cloexec]",
        "fcntl(2) with F_SETFD: sets or clears the flag",
        &[Arg::Handle, Arg::Any { words: &["cloexec"], handles: false }],
    ),
];
