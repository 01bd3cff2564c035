//! A process that the stage has forked: signalled, and reaped.

use std::{
    cell::{Cell, RefCell},
    os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{self, Signal},
        wait::waitpid,
    },
    unistd::Pid,
};

use super::Fault;
use crate::{observe, outcome::Outcome};

/// Shared by the actors that are its threads.
pub(super) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    killed: Cell<bool>,
    /// How it ended, once it was reaped.
    ended: RefCell<Option<Outcome>>,
}

impl Child {
    /// Forks this process, which has one thread. `None` is the child's side.
    ///
    /// # Errors
    /// As clone(2).
    // Whoever calls it lies in the section of what an actor runs.
    #[inline(always)]
    pub(super) fn fork() -> Result<Option<Child>, Errno> {
        let mut pidfd: RawFd = -1;
        match clone_with(libc::CLONE_PIDFD, &mut pidfd)? {
            0 => Ok(None),
            pid => {
                // SAFETY: a fresh descriptor that nothing else owns.
                let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
                Ok(Some(Child::of(Pid::from_raw(pid), pidfd)))
            }
        }
    }

    /// One that another process has made as the stage's child.
    ///
    /// # Errors
    /// As pidfd_open(2).
    pub(super) fn made(pid: u64) -> Result<Child, Errno> {
        let pidfd = observe::pidfd(pid as i32)?;
        Ok(Child::of(Pid::from_raw(pid as i32), pidfd))
    }

    fn of(pid: Pid, pidfd: OwnedFd) -> Child {
        Child { pid, pidfd, killed: Cell::new(false), ended: RefCell::new(None) }
    }

    /// No process yet; `nothing` stands for its descriptor.
    pub(super) fn nobody(nothing: OwnedFd) -> Child {
        let nobody = Child::of(Pid::from_raw(0), nothing);
        nobody.ended.replace(Some(Outcome::Gone));
        nobody
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Sends a signal to it, or to a thread of it. One that has ended is spared.
    pub(super) fn signal(&self, signal: i32, thread: Option<u32>) -> Result<(), Fault> {
        let sent = match thread {
            // SAFETY: numbers.
            Some(tid) => unsafe { libc::syscall(libc::SYS_tgkill, self.pid.as_raw(), tid, signal) },
            // SAFETY: likewise.
            None => unsafe { libc::kill(self.pid.as_raw(), signal) }.into(),
        };
        match Errno::result(sent).map(drop) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(Fault::harness("kill", error.desc())),
        }
    }

    /// Kills it, without waiting for its end.
    pub(super) fn kill(&self) {
        if self.ended.borrow().is_none() && !self.killed.replace(true) {
            let _ = signal::kill(self.pid, Signal::SIGKILL);
        }
    }

    /// How it ended, once it has, without waiting. A process that has ended has closed
    /// all its descriptors before it can be reaped (kernel `do_exit`).
    pub(super) fn reap(&self) -> Result<Option<Outcome>, Fault> {
        if self.ended.borrow().is_some() {
            return Ok(self.ended.borrow().clone());
        }
        let mut status = 0;
        // SAFETY: the kernel writes one int. (nix has no name for the end by a real-time signal.)
        let waited = unsafe { libc::waitpid(self.pid.as_raw(), &mut status, libc::WNOHANG) };
        let ended = match Errno::result(waited) {
            Ok(0) | Err(Errno::EINTR) => None,
            Ok(_) => Outcome::of_status(status),
            Err(error) => return Err(Fault::harness("waitpid", error.desc())),
        };
        let Some(ended) = ended else { return Ok(None) };
        Ok(self.ended.borrow_mut().insert(ended).clone().into())
    }
}

/// clone(2) with a copy of everything; 0 is the child's side. For a process of one thread.
///
/// # Errors
/// As clone(2).
#[inline(always)]
pub(super) fn clone(flags: libc::c_int) -> Result<i32, Errno> {
    clone_with(flags, &mut -1)
}

#[inline(always)]
fn clone_with(flags: libc::c_int, pidfd: &mut RawFd) -> Result<i32, Errno> {
    // SAFETY: this process has one thread, so its child may do anything; and nothing asks for
    // what the C library's fork does beyond the call, which is to write on several pages. The
    // kernel writes one descriptor at most.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD, 0, pidfd, 0, 0) };
    Errno::result(pid).map(|pid| pid as i32)
}

/// Sends a process a signal. One that has ended is spared.
pub(super) fn send(pid: Pid, signal: i32) -> Result<(), Fault> {
    let signal = Signal::try_from(signal).map_err(|error| Fault::harness("kill", error.desc()))?;
    match signal::kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(Fault::harness("kill", error.desc())),
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Child {
    /// Kills and reaps it. A SIGKILL can't be refused, so the wait is short.
    fn drop(&mut self) {
        if self.ended.borrow().is_none() {
            self.kill();
            while waitpid(self.pid, None) == Err(Errno::EINTR) {}
        }
    }
}
