//! Nodes in the case's folder, by path.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "mksock",
        "ACTOR mksock PATH",
        "mknod(2) with S_IFSOCK: the node of a socket that nobody has bound",
        &[Arg::Name],
    ),
    call("chmod", "ACTOR chmod PATH OCTAL", "chmod(2)", &[Arg::Name, Arg::Name]),
];
