//! Bytes in and out.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "read",
        "ACTOR read HANDLE SIZE [null|torn]",
        "one read(2) into room for SIZE bytes; `torn`: the room's second page isn't mapped",
        &[Arg::Handle, Arg::Room, Arg::Any { words: &["null", "torn"], handles: false }],
    )
    .receives(),
    call(
        "write",
        "ACTOR write HANDLE SIZE [null|torn]",
        "one write(2) of SIZE bytes; `torn`: what lies behind the first page isn't mapped",
        &[Arg::Handle, Arg::Payload, Arg::Any { words: &["null", "torn"], handles: false }],
    )
    .sends(),
    call(
        "fill",
        "ACTOR fill HANDLE SIZE",
        "write(2) in pieces of SIZE bytes until one fails or is short; says `calls=N`, and `EAGAIN` or what else ended it",
        &[Arg::Handle, Arg::Number],
    )
    .sends(),
    call(
        "drain",
        "ACTOR drain HANDLE SIZE",
        "read(2) into room for SIZE bytes until one fails or gives nothing; says `calls=N`, and `EAGAIN`, `eof` or what else ended it",
        &[Arg::Handle, Arg::Room],
    )
    .receives(),
];
