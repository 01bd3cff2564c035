//! Sockets.

use super::{Arg, CallInfo, On, call};

pub(super) const CALLS: &[CallInfo] = &[call(
    "socketpair",
    "ACTOR socketpair X Y stream|dgram|seqpacket [nonblock] [cloexec]",
    "socketpair(2) of UNIX sockets",
    &[
        Arg::New,
        Arg::New,
        Arg::OneOf(&["stream", "dgram", "seqpacket"]),
        Arg::Any { words: &["nonblock", "cloexec"], handles: false },
    ],
)
.makes(On::Socket)];
