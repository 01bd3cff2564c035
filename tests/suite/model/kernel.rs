//! Real pipes and FIFOs, in the model's words.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl, open},
    sys::stat::Mode,
    unistd::{SysconfVar, mkfifo, read, sysconf, write},
};
use pipelab::{
    model::{Errno, Gave, Geometry},
    outcome::Access,
};

/// A FIFO in a directory of its own, which goes with it.
pub struct TempFifo {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl TempFifo {
    pub fn new() -> TempFifo {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("fifo");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("mkfifo");
        TempFifo { path, _directory: directory }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What a FIFO is made of when it is opened here (pipe-user-pages-soft may make it
/// small, so it is asked each time).
pub fn default_geometry() -> Geometry {
    let fifo = TempFifo::new();
    let end = open_end(fifo.path(), Access::Both, true).expect("O_RDWR never blocks");
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().expect("a page size") as u64;
    let capacity = fcntl(&end, FcntlArg::F_GETPIPE_SZ).expect("F_GETPIPE_SZ") as u64;
    Geometry { page, slots: (capacity / page) as usize }
}

pub fn open_end(path: &Path, access: Access, nonblock: bool) -> nix::Result<OwnedFd> {
    let flag = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_WRONLY,
        Access::Both => OFlag::O_RDWR,
    };
    let nonblock = if nonblock { OFlag::O_NONBLOCK } else { OFlag::empty() };
    open(path, flag | nonblock | OFlag::O_CLOEXEC, Mode::empty())
}

/// FIONREAD.
pub fn queued(end: &impl AsFd) -> u64 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, and `bytes` is one.
    let status = unsafe { libc::ioctl(end.as_fd().as_raw_fd(), libc::FIONREAD, &mut bytes) };
    assert_eq!(status, 0, "FIONREAD: {}", io::Error::last_os_error());
    bytes as u64
}

/// One write(2).
pub fn write_once(end: &impl AsFd, len: u64) -> nix::Result<u64> {
    write(end, &vec![b'x'; len as usize]).map(|moved| moved as u64)
}

/// One read(2).
pub fn read_once(end: &impl AsFd, len: u64) -> nix::Result<u64> {
    read(end, &mut vec![0; len as usize]).map(|moved| moved as u64)
}

/// F_SETPIPE_SZ.
pub fn resize(end: &impl AsFd, bytes: u64) -> nix::Result<u64> {
    fcntl(end, FcntlArg::F_SETPIPE_SZ(bytes as i32)).map(|size| size as u64)
}

/// An error in the model's words, after `bytes` of the same loop.
pub fn failed(errno: nix::errno::Errno, bytes: u64) -> Gave {
    let errno = match errno {
        nix::errno::Errno::EAGAIN => Errno::EAGAIN,
        nix::errno::Errno::EBADF => Errno::EBADF,
        nix::errno::Errno::EBUSY => Errno::EBUSY,
        nix::errno::Errno::ENXIO => Errno::ENXIO,
        nix::errno::Errno::EPIPE => Errno::EPIPE,
        other => panic!("the model doesn't know {other}"),
    };
    Gave::Failed { errno, bytes }
}
