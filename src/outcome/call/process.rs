//! Processes.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "fork",
        "ACTOR fork ACTOR",
        "a copy of the process takes the part of the actor that is declared as a `fork`, with all handles",
        &[Arg::Actor],
    )
    .beside(),
    call(
        "thread",
        "ACTOR thread ACTOR",
        "pthread_create(3): a thread of the process takes the part of the actor that is declared as a `thread`, and shares all handles",
        &[Arg::Actor],
    )
    .lasts(),
    call(
        "exec",
        "ACTOR exec",
        "execve(2) of pipelab's own program, which goes on as the same actor: says which handles are left, or `nothing`",
        &[],
    )
    .lasts(),
    call(
        "setrlimit",
        "ACTOR setrlimit nofile SIZE",
        "setrlimit(2): the soft limit, and the hard one if it is lower",
        &[Arg::OneOf(&["nofile"]), Arg::Number],
    )
    .lasts(),
    call(
        "setresuid",
        "ACTOR setresuid ID|fresh [undumpable]",
        "setresgid(2) and setresuid(2) of this thread, all to this number, or to a random one that nobody else has; it stays dumpable (prctl(2)) unless told",
        &[Arg::Name, Arg::Any { words: &["undumpable"], handles: false }],
    )
    .lasts(),
    call("capset", "ACTOR capset", "capset(2): no capability is left", &[]).lasts(),
];
