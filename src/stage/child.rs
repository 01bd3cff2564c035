//! A process that the stage has forked: signalled, and reaped.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::{
    errno::Errno,
    sys::{
        signal::{self, Signal},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use super::Fault;
use crate::{observe, outcome::Outcome};

pub(super) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    killed: bool,
    reaped: bool,
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
        // SAFETY: the stage has one thread, so its child may do anything; and nothing
        // asks for what the C library's fork does beyond the call, which is to write on
        // several pages. The kernel writes one descriptor.
        let pid =
            unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_PIDFD | libc::SIGCHLD, 0, &mut pidfd, 0, 0) };
        match Errno::result(pid)? {
            0 => Ok(None),
            pid => {
                // SAFETY: a fresh descriptor that nothing else owns.
                let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
                Ok(Some(Child { pid: Pid::from_raw(pid as i32), pidfd, killed: false, reaped: false }))
            }
        }
    }

    /// One that an actor has made as the stage's child.
    ///
    /// # Errors
    /// As pidfd_open(2).
    pub(super) fn made(pid: u64) -> Result<Child, Errno> {
        let pidfd = observe::pidfd(pid as i32)?;
        Ok(Child { pid: Pid::from_raw(pid as i32), pidfd, killed: false, reaped: false })
    }

    /// No process yet; `nothing` stands for its descriptor.
    pub(super) fn nobody(nothing: OwnedFd) -> Child {
        Child { pid: Pid::from_raw(0), pidfd: nothing, killed: true, reaped: true }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Sends it a signal. One that has ended is spared.
    pub(super) fn signal(&self, signal: i32) -> Result<(), Fault> {
        send(self.pid, signal)
    }

    /// Kills it, without waiting for its end.
    pub(super) fn kill(&mut self) {
        if !self.killed && !self.reaped {
            let _ = signal::kill(self.pid, Signal::SIGKILL);
            self.killed = true;
        }
    }

    /// How it ended, once it has, without waiting. A process that has ended has closed
    /// all its descriptors before it can be reaped (kernel `do_exit`).
    pub(super) fn reap(&mut self) -> Result<Option<Outcome>, Fault> {
        let ended = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => Outcome::Exited { status },
            Ok(WaitStatus::Signaled(_, signal, _)) => Outcome::Killed { signal: signal.as_str().to_owned() },
            Ok(_) | Err(Errno::EINTR) => return Ok(None),
            Err(error) => return Err(Fault::harness("waitpid", error.desc())),
        };
        self.reaped = true;
        Ok(Some(ended))
    }
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
        if !self.reaped {
            self.kill();
            while waitpid(self.pid, None) == Err(Errno::EINTR) {}
        }
    }
}
