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
        "readv",
        "ACTOR readv HANDLE SIZE",
        "one readv(2) into three pieces of room, SIZE bytes in all",
        &[Arg::Handle, Arg::Room],
    )
    .receives(),
    call(
        "writev",
        "ACTOR writev HANDLE SIZE",
        "one writev(2) of SIZE bytes in three pieces",
        &[Arg::Handle, Arg::Payload],
    )
    .sends(),
    call(
        "pread",
        "ACTOR pread HANDLE SIZE",
        "one pread(2) into room for SIZE bytes, from offset 0",
        &[Arg::Handle, Arg::Room],
    )
    .receives(),
    call("preadv", "ACTOR preadv HANDLE SIZE", "the same in three pieces", &[Arg::Handle, Arg::Room])
        .receives(),
    call("pwrite", "ACTOR pwrite HANDLE SIZE", "one pwrite(2), to offset 0", &[Arg::Handle, Arg::Payload])
        .sends(),
    call("pwritev", "ACTOR pwritev HANDLE SIZE", "the same in three pieces", &[Arg::Handle, Arg::Payload])
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
    call(
        "tail",
        "ACTOR tail HANDLE SIZE",
        "poll(2) and read(2) into room for SIZE bytes, over and over until bytes come: takes end of file for nothing yet",
        &[Arg::Handle, Arg::Room],
    )
    .receives(),
];
