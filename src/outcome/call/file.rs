//! Files: by path, and what fstat(2) and the like say of a descriptor. A path is relative to
//! the case's folder.

use super::{Arg, CallInfo, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "openat",
        "ACTOR openat NEW PATH read|write|both|path [nonblock]",
        "openat(2); `path` is O_PATH. A declared FIFO is named as it is, an open descriptor `/proc/self/fd/=HANDLE`",
        &[
            Arg::New,
            Arg::Name,
            Arg::OneOf(&["read", "write", "both", "path"]),
            Arg::Any { words: &["nonblock"], handles: false },
        ],
    ),
    call("mkfifo", "ACTOR mkfifo PATH", "mkfifo(3), for everybody", &[Arg::Name]).lasts(),
    call("mknod", "ACTOR mknod PATH", "mknod(2) with S_IFIFO, for everybody", &[Arg::Name]).lasts(),
    call(
        "mksock",
        "ACTOR mksock PATH",
        "mknod(2) with S_IFSOCK: the node of a socket that nobody has bound",
        &[Arg::Name],
    ),
    call("unlink", "ACTOR unlink PATH", "unlink(2)", &[Arg::Name]),
    call(
        "stat",
        "ACTOR stat PATH",
        "stat(2): the type, `mode=OCTAL`, and `owner=UID:GID` unless it is the process itself",
        &[Arg::Name],
    ),
    call(
        "lstat",
        "ACTOR lstat PATH",
        "lstat(2): the type, also of `/proc/self/fd/=HANDLE` itself",
        &[Arg::Name],
    ),
    call("fstat", "ACTOR fstat HANDLE", "fstat(2): as `stat`", &[Arg::Handle]),
    call("chmod", "ACTOR chmod PATH OCTAL", "chmod(2)", &[Arg::Name, Arg::Name]),
    call("fchmod", "ACTOR fchmod HANDLE OCTAL", "fchmod(2)", &[Arg::Handle, Arg::Name]),
    call(
        "fchown",
        "ACTOR fchown HANDLE ID",
        "fchown(2): the same number for user and group",
        &[Arg::Handle, Arg::Number],
    ),
    call(
        "samefile",
        "ACTOR samefile HANDLE HANDLE",
        "whether fstat(2) gives both the same device and inode: `same` or `different`",
        &[Arg::Handle, Arg::Handle],
    ),
    call(
        "fstatfs",
        "ACTOR fstatfs HANDLE",
        "fstatfs(2): the block size in bytes; says `pipefs` or `otherfs`, and `namelen=N`",
        &[Arg::Handle],
    ),
    call("fsync", "ACTOR fsync HANDLE", "fsync(2)", &[Arg::Handle]),
    call("lseek", "ACTOR lseek HANDLE SIZE", "lseek(2) with SEEK_SET", &[Arg::Handle, Arg::Number]),
];
