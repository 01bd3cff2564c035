//! Nodes in the case's folder, by path.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call("unlink", "ACTOR unlink PATH", "unlink(2)", &[Arg::Name]),
    call(
        "mksock",
        "ACTOR mksock PATH",
        "mknod(2) with S_IFSOCK: the node of a socket that nobody has bound",
        &[Arg::Name],
    ),
    call("chmod", "ACTOR chmod PATH OCTAL", "chmod(2)", &[Arg::Name, Arg::Name]),
    call("lstat", "ACTOR lstat PATH", "lstat(2): the type of the node", &[Arg::Name]),
];
