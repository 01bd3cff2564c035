//! Bytes, descriptors and credentials over sockets.

use super::{Arg, CallInfo, On, call};

/// Flags of a send, and where its bytes lie.
const SEND: Arg =
    Arg::Any { words: &["dontwait", "nosignal", "oob", "eor", "null", "torn", "beyond-eof"], handles: false };

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "send",
        "ACTOR send HANDLE SIZE [dontwait] [nosignal] [oob] [eor] [null|torn|beyond-eof]",
        "send(2); `torn`: what lies behind the first page isn't mapped; `beyond-eof`: the bytes lie in a mapped file, behind its end",
        &[Arg::Handle, Arg::Payload, SEND],
    )
    .sends()
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "sendto",
        "ACTOR sendto HANDLE NAME SIZE [dontwait] [nosignal] [oob] [eor] [null|torn|beyond-eof]",
        "sendto(2) a name as `bind` takes it",
        &[Arg::Handle, Arg::Name, Arg::Payload, SEND],
    )
    .sends()
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "sendmsg",
        "ACTOR sendmsg HANDLE SIZE [pass HANDLE ...] [creds] [dontwait] [nosignal] [oob] [eor]",
        "sendmsg(2), with descriptors (SCM_RIGHTS) or the process's own credentials (SCM_CREDENTIALS)",
        &[
            Arg::Handle,
            Arg::Payload,
            Arg::Any { words: &["pass", "creds", "dontwait", "nosignal", "oob", "eor"], handles: true },
        ],
    )
    .sends()
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "recv",
        "ACTOR recv HANDLE SIZE [peek] [trunc] [dontwait] [waitall] [oob] [null|torn]",
        "recv(2) into room for SIZE bytes; with `trunc` (MSG_TRUNC) it gives a datagram's own length",
        &[
            Arg::Handle,
            Arg::Room,
            Arg::Any {
                words: &["peek", "trunc", "dontwait", "waitall", "oob", "null", "torn"],
                handles: false,
            },
        ],
    )
    .receives()
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "recvmsg",
        "ACTOR recvmsg HANDLE SIZE [take NEW ...] [creds] [peek] [trunc] [dontwait] [waitall] [oob]",
        "recvmsg(2), with room for so many descriptors as are named and, with `creds`, for credentials; says `fds=N`, `creds=ACTOR`, and `trunc`, `ctrunc`, `eor`, `oob` as the kernel flags them",
        &[
            Arg::Handle,
            Arg::Room,
            Arg::Take { words: &["creds", "peek", "trunc", "dontwait", "waitall", "oob"] },
        ],
    )
    .receives()
    .only_on(On::Socket, "ENOTSOCK"),
];
