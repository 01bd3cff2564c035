//! Pipes.

use super::{Arg, CallInfo, On, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "pipe",
        "ACTOR pipe R W [cloexec] [nonblock] [direct] [unknown-flag] [null|bad-pointer]",
        "pipe2(2); without flags pipe(2)",
        &[
            Arg::New,
            Arg::New,
            Arg::Any {
                words: &["cloexec", "nonblock", "direct", "unknown-flag", "null", "bad-pointer"],
                handles: false,
            },
        ],
    )
    .makes(On::Pipe),
    call("getpipe_sz", "ACTOR getpipe_sz HANDLE", "fcntl(2) with F_GETPIPE_SZ: bytes", &[Arg::Handle])
        .only_on(On::Pipe, "EBADF"),
    call(
        "setpipe_sz",
        "ACTOR setpipe_sz HANDLE SIZE",
        "fcntl(2) with F_SETPIPE_SZ: what the kernel made of it",
        &[Arg::Handle, Arg::Number],
    )
    .only_on(On::Pipe, "EBADF"),
    call(
        "pipes",
        "ACTOR pipes SIZE [small]",
        "pipe(2) so many times, the descriptors held to the end: how many. With `small` it stops at the first that holds less than the one before, and gives its bytes",
        &[Arg::Number, Arg::Any { words: &["small"], handles: false }],
    )
    .lasts(),
    call("fionread", "ACTOR fionread HANDLE", "ioctl(2) with FIONREAD: bytes", &[Arg::Handle]),
];
