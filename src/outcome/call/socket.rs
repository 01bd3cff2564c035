//! Sockets: made, named, connected, shut down, asked.

use super::{Arg, CallInfo, On, call};

const TYPES: Arg = Arg::OneOf(&["stream", "dgram", "seqpacket"]);
const FLAGS: Arg = Arg::Any { words: &["nonblock", "cloexec"], handles: false };
const FAMILY: Arg = Arg::Any { words: &["inet-family"], handles: false };

/// Options of both getsockopt(2) and setsockopt(2).
const OPTIONS: Arg = Arg::OneOf(&[
    "sndbuf",
    "rcvbuf",
    "rcvtimeo",
    "sndtimeo",
    "peek_off",
    "passcred",
    "error",
    "type",
    "acceptconn",
    "linger",
]);

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "socketpair",
        "ACTOR socketpair X Y stream|dgram|seqpacket [nonblock] [cloexec]",
        "socketpair(2) of UNIX sockets",
        &[Arg::New, Arg::New, TYPES, FLAGS],
    )
    .makes(On::Socket),
    call(
        "socket",
        "ACTOR socket NEW unix|tcp stream|dgram|seqpacket [nonblock] [cloexec]",
        "socket(2)",
        &[Arg::New, Arg::OneOf(&["unix", "tcp"]), TYPES, FLAGS],
    )
    .makes(On::Socket),
    call(
        "bind",
        "ACTOR bind HANDLE NAME [inet-family]",
        "bind(2) to a path below the case's folder; `@NAME`: an abstract name of the case, in which `\\0` is a byte; `@`: a name that the kernel chooses or, with TCP, a port on the loopback interface; `=HANDLE`: that handle's name",
        &[Arg::Handle, Arg::Name, FAMILY],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call("listen", "ACTOR listen HANDLE BACKLOG", "listen(2)", &[Arg::Handle, Arg::Number])
        .only_on(On::Socket, "ENOTSOCK"),
    call(
        "connect",
        "ACTOR connect HANDLE NAME [inet-family]",
        "connect(2) to a name as `bind` takes it; `nothing` dissolves a datagram socket's association",
        &[Arg::Handle, Arg::Name, FAMILY],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "accept",
        "ACTOR accept HANDLE NEW [nonblock] [cloexec]",
        "accept4(2): NEW is the connection",
        &[Arg::Handle, Arg::New, FLAGS],
    )
    .only_on(On::Listening, "EINVAL|EOPNOTSUPP")
    .makes(On::Socket),
    call(
        "shutdown",
        "ACTOR shutdown HANDLE read|write|both|unknown",
        "shutdown(2)",
        &[Arg::Handle, Arg::OneOf(&["read", "write", "both", "unknown"])],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "getsockname",
        "ACTOR getsockname HANDLE",
        "getsockname(2): the name as `bind` takes it, `unnamed`, `autobind` for five hexadecimal digits behind a NUL, or `loopback` for TCP's",
        &[Arg::Handle],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call("getpeername", "ACTOR getpeername HANDLE", "getpeername(2), told like `getsockname`", &[Arg::Handle])
        .only_on(On::Socket, "ENOTSOCK"),
    call(
        "getsockopt",
        "ACTOR getsockopt HANDLE OPTION",
        "getsockopt(2) of SOL_SOCKET: a number, milliseconds for `rcvtimeo` and `sndtimeo`; `error` says the errno or `nothing`, `type` a word, `linger` seconds or `off`",
        &[Arg::Handle, OPTIONS],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "setsockopt",
        "ACTOR setsockopt HANDLE OPTION NUMBER",
        "setsockopt(2) of SOL_SOCKET, likewise. A call that times out within a second is waited for; of a longer timeout the case sees nothing but `waiting`",
        &[Arg::Handle, OPTIONS, Arg::Number],
    )
    .only_on(On::Socket, "ENOTSOCK"),
    call(
        "siocoutq",
        "ACTOR siocoutq HANDLE",
        "ioctl(2) with SIOCOUTQ: of a UNIX socket, what the kernel charges for what it sent and nobody has read",
        &[Arg::Handle],
    )
    .only_on(On::Socket, "ENOTTY"),
];
