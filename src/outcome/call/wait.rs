//! Waiting for readiness.

use super::{Arg, CallInfo, On, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "poll",
        "ACTOR poll HANDLE [in] [out] [pri] [rdhup] [nothing] [HANDLE ...] [now]",
        "poll(2), without a timeout or, with `now`, with one of 0: says what is true, behind the handle's name if there are several, and `events-changed` if the kernel touched what was asked",
        &[Arg::Any { words: &["in", "out", "pri", "rdhup", "nothing", "now"], handles: true }],
    ),
    call(
        "select",
        "ACTOR select [read HANDLE ...] [write HANDLE ...] [except HANDLE ...] [now]",
        "select(2), without a timeout or, with `now`, with one of 0: says `HANDLE:read` and the like",
        &[Arg::Any { words: &["read", "write", "except", "now"], handles: true }],
    ),
    call("epoll_create", "ACTOR epoll_create E", "epoll_create1(2)", &[Arg::New]).makes(On::Epoll),
    call(
        "epoll_ctl",
        "ACTOR epoll_ctl E add|mod|del HANDLE [in] [out] [pri] [rdhup] [et] [oneshot] [exclusive]",
        "epoll_ctl(2); the handle's name, of up to 8 letters, travels as `epoll_data`",
        &[
            Arg::Handle,
            Arg::OneOf(&["add", "mod", "del"]),
            Arg::Handle,
            Arg::Any { words: &["in", "out", "pri", "rdhup", "et", "oneshot", "exclusive"], handles: false },
        ],
    )
    .only_on(On::Epoll, "EINVAL|EPERM"),
    call(
        "epoll_wait",
        "ACTOR epoll_wait E [now]",
        "epoll_wait(2), without a timeout or, with `now`, with one of 0: says `HANDLE:in` and the like",
        &[Arg::Handle, Arg::Any { words: &["now"], handles: false }],
    )
    .only_on(On::Epoll, "EINVAL"),
    call(
        "edges",
        "ACTOR edges E",
        "epoll_wait(2) until nothing is ready: how often something was; only with `et` or `oneshot`",
        &[Arg::Handle],
    )
    .only_on(On::Epoll, "EINVAL"),
];
