//! The calls that a trace shows: one table, from which the filter, the tracer, the parser
//! and the documents are made. Arguments as in the manual page of each call.

use serde::{Deserialize, Serialize};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Traced {
    /// Its name, the same however the C library gets there.
    pub name: &'static str,
    /// System calls that it stands for.
    pub numbers: &'static [libc::c_long],
    /// Which channels it works on.
    pub on: On,
    /// How many bytes it asks for.
    pub size: Size,
}

/// Where a call names the channels that it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Its first argument is a descriptor.
    Fd,
    /// So are two of its arguments.
    Fds(usize, usize),
    /// It makes a descriptor of a path: the argument with the folder, that with the path.
    Path(Option<usize>, usize),
    /// An array of `struct pollfd` and its length.
    Poll,
    /// A number of descriptors, and three sets.
    Select,
    /// An epoll set.
    Epoll,
    /// None: it waits for children, and is always shown.
    Children,
}

/// Where a call says how many bytes it wants to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    None,
    /// An argument; it can be cut short.
    Arg(usize),
    /// An array of `struct iovec`, and its length; it can be cut short.
    Vector(usize, usize),
    /// A `struct msghdr`.
    Message(usize),
}

const fn call(name: &'static str, numbers: &'static [libc::c_long], on: On, size: Size) -> Traced {
    Traced { name, numbers, on, size }
}

/// All of them.
pub const TRACED: &[Traced] = &[
    call("read", &[libc::SYS_read], On::Fd, Size::Arg(2)),
    call("write", &[libc::SYS_write], On::Fd, Size::Arg(2)),
    call("pread", &[libc::SYS_pread64], On::Fd, Size::Arg(2)),
    call("pwrite", &[libc::SYS_pwrite64], On::Fd, Size::Arg(2)),
    call("readv", &[libc::SYS_readv], On::Fd, Size::Vector(1, 2)),
    call("writev", &[libc::SYS_writev], On::Fd, Size::Vector(1, 2)),
    call("preadv", &[libc::SYS_preadv, libc::SYS_preadv2], On::Fd, Size::Vector(1, 2)),
    call("pwritev", &[libc::SYS_pwritev, libc::SYS_pwritev2], On::Fd, Size::Vector(1, 2)),
    call("sendto", &[libc::SYS_sendto], On::Fd, Size::Arg(2)),
    call("sendmsg", &[libc::SYS_sendmsg], On::Fd, Size::Message(1)),
    call("sendmmsg", &[libc::SYS_sendmmsg], On::Fd, Size::None),
    call("recvfrom", &[libc::SYS_recvfrom], On::Fd, Size::Arg(2)),
    call("recvmsg", &[libc::SYS_recvmsg], On::Fd, Size::Message(1)),
    call("recvmmsg", &[libc::SYS_recvmmsg], On::Fd, Size::None),
    call("splice", &[libc::SYS_splice], On::Fds(0, 2), Size::Arg(4)),
    call("tee", &[libc::SYS_tee], On::Fds(0, 1), Size::Arg(2)),
    call("vmsplice", &[libc::SYS_vmsplice], On::Fd, Size::Vector(1, 2)),
    call("sendfile", &[libc::SYS_sendfile], On::Fds(0, 1), Size::Arg(3)),
    #[cfg(target_arch = "x86_64")]
    call("open", &[libc::SYS_open, libc::SYS_creat], On::Path(None, 0), Size::None),
    // The same name: which of them the C library takes is its own business.
    call("open", &[libc::SYS_openat, libc::SYS_openat2], On::Path(Some(0), 1), Size::None),
    call("close", &[libc::SYS_close], On::Fd, Size::None),
    call("dup", &[libc::SYS_dup], On::Fd, Size::None),
    #[cfg(target_arch = "x86_64")]
    call("dup2", &[libc::SYS_dup2], On::Fd, Size::None),
    call("dup3", &[libc::SYS_dup3], On::Fd, Size::None),
    // Only those that copy a descriptor ([`Traced::only`]).
    call("fcntl", &[libc::SYS_fcntl], On::Fd, Size::None),
    call("connect", &[libc::SYS_connect], On::Fd, Size::None),
    call("accept", &[libc::SYS_accept], On::Fd, Size::None),
    call("accept4", &[libc::SYS_accept4], On::Fd, Size::None),
    #[cfg(target_arch = "x86_64")]
    call("poll", &[libc::SYS_poll], On::Poll, Size::None),
    call("ppoll", &[libc::SYS_ppoll], On::Poll, Size::None),
    #[cfg(target_arch = "x86_64")]
    call("select", &[libc::SYS_select], On::Select, Size::None),
    call("pselect6", &[libc::SYS_pselect6], On::Select, Size::None),
    #[cfg(target_arch = "x86_64")]
    call("epoll_wait", &[libc::SYS_epoll_wait], On::Epoll, Size::None),
    call("epoll_pwait", &[libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2], On::Epoll, Size::None),
    call("wait4", &[libc::SYS_wait4], On::Children, Size::None),
    call("waitid", &[libc::SYS_waitid], On::Children, Size::None),
];

impl Traced {
    /// Its second argument has to be one of these, if there are any.
    pub fn only(&self) -> &'static [i32] {
        match self.name {
            "fcntl" => &[libc::F_DUPFD, libc::F_DUPFD_CLOEXEC],
            _ => &[],
        }
    }

    /// It can be made to move fewer bytes than it asks for.
    pub fn can_be_cut(&self) -> bool {
        matches!(self.size, Size::Arg(_) | Size::Vector(..))
    }
}

/// A line of the table, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Watched(u8);

impl Watched {
    /// All lines.
    pub fn all() -> impl Iterator<Item = Watched> {
        (0..TRACED.len() as u8).map(Watched)
    }

    /// The first line of this name.
    pub fn named(name: &str) -> Option<Watched> {
        Watched::all().find(|watched| watched.name() == name)
    }

    pub fn info(self) -> &'static Traced {
        &TRACED[usize::from(self.0)]
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// A call that a program's reader makes: where nothing is there, there is no error.
    pub fn reads(self) -> bool {
        self.name().contains("read") || self.name().starts_with("recv")
    }
}
