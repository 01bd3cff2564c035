//! Signals.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "sigaction",
        "ACTOR sigaction SIGNAL default|ignore|count [restart]",
        "sigaction(2): the default, ignored, or counted by a handler, with `restart` under SA_RESTART",
        &[
            Arg::Signal,
            Arg::OneOf(&["default", "ignore", "count"]),
            Arg::Any { words: &["restart"], handles: false },
        ],
    ),
    call("caught", "ACTOR caught SIGNAL", "how often the handler has seen the signal", &[Arg::Signal]),
];
