//! Bytes from one descriptor to another, without a copy to the process.

use super::{Arg, CallInfo, Of, On, Passing, call};

const SPLICE: Passing = Passing { from_second: false, copies: false };
const TEE: Passing = Passing { from_second: false, copies: true };
const SENDFILE: Passing = Passing { from_second: true, copies: false };

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "splice",
        "ACTOR splice IN OUT SIZE [nonblock] [offset-in] [offset-out]",
        "splice(2); `offset-in`, `offset-out`: with a pointer to an offset of 0",
        &[
            Arg::Handle,
            Arg::Handle,
            Arg::Number,
            Arg::Any { words: &["nonblock", "offset-in", "offset-out"], handles: false },
        ],
    )
    .only_on(On::Pipe, "EINVAL")
    .of(Of::One)
    .passes(SPLICE),
    call(
        "tee",
        "ACTOR tee IN OUT SIZE [nonblock]",
        "tee(2)",
        &[Arg::Handle, Arg::Handle, Arg::Number, Arg::Any { words: &["nonblock"], handles: false }],
    )
    .only_on(On::Pipe, "EINVAL")
    .of(Of::Each)
    .passes(TEE),
    call(
        "sendfile",
        "ACTOR sendfile OUT IN SIZE",
        "sendfile(2) from where the file stands",
        &[Arg::Handle, Arg::Handle, Arg::Number],
    )
    .passes(SENDFILE),
    call(
        "vmsplice",
        "ACTOR vmsplice HANDLE SIZE [nonblock] [bytewise]",
        "vmsplice(2) of pages that are given away; `bytewise`: one iovec a byte",
        &[Arg::Handle, Arg::Payload, Arg::Any { words: &["nonblock", "bytewise"], handles: false }],
    )
    .sends()
    .only_on(On::Pipe, "EBADF"),
];
