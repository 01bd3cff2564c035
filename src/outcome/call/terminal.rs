//! Pseudoterminals.

use super::{Arg, CallInfo, On, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "pty",
        "ACTOR pty M S [raw]",
        "posix_openpt(3) and the other side (TIOCGPTPEER), M the master; canonical, without echo and output processing, or `raw`",
        &[Arg::New, Arg::New, Arg::Any { words: &["raw"], handles: false }],
    )
    .makes(On::Terminal),
    call(
        "press",
        "ACTOR press HANDLE eof",
        "write(2) of the terminal's end-of-file character to the master",
        &[Arg::Handle, Arg::OneOf(&["eof"])],
    ),
];
