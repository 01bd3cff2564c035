//! The program's own process, from fork to exec.

use std::{
    ffi::CString,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, open},
    sys::{
        prctl,
        resource::{Resource, getrlimit},
        signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask},
        stat::Mode,
    },
    unistd::{ForkResult, dup2_raw, execve, fork, pipe2, read, setsid, write},
};

use seccompiler::BpfProgram;

use super::{
    Shepherd, Stream,
    tracer::{self, Tracer},
};
use crate::{channel, outcome::Access, setting::surroundings};

/// Descriptors from here on are only there between fork and exec.
pub(super) const ABOVE: RawFd = 100;

/// A program on its way to its exec.
pub(super) struct Spawned {
    pub(super) pid: i32,
    /// End of file once it runs; the error, in four bytes, if it can't.
    pub(super) failure: OwnedFd,
    /// What it says on the standard streams that lead to no channel.
    pub(super) words: Option<OwnedFd>,
}

/// A word from the shepherd to the program's process, which waits for it.
const TRACED: u8 = 1;
const UNTRACED: u8 = 0;

impl Shepherd {
    /// Forks the program. It opens its channels by itself, since a FIFO may have it wait.
    /// Without the right to trace it runs untraced, unless it `must` be; `refusal` says why.
    ///
    /// # Errors
    /// As fork(2) and pipe(2).
    pub(super) fn spawn(
        &self,
        tracer: &mut Option<Tracer>,
        refusal: &mut Option<String>,
        must: bool,
    ) -> Result<Spawned, Errno> {
        let filter = match tracer.as_ref().map(|_| tracer::prepare()) {
            Some(Err(why)) => {
                *refusal = Some(why);
                None
            }
            prepared => prepared.and_then(Result::ok),
        };
        let (told, tells) = pipe2(OFlag::O_CLOEXEC)?;
        let (failure, failed) = pipe2(OFlag::O_CLOEXEC)?;
        let (words, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        // The program's end of it blocks, as a terminal would.
        fcntl(&theirs, FcntlArg::F_SETFL(OFlag::empty()))?;
        // SAFETY: this process has one thread.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                let pid = child.as_raw();
                let seized = match (tracer.as_mut(), &filter) {
                    (Some(tracer), Some(_)) => tracer.seize(pid),
                    _ => Err(Errno::EPERM),
                };
                if let (Some(_), Err(errno)) = (&filter, seized) {
                    *refusal = Some(format!("ptrace(2): {}", errno.desc()));
                }
                if seized.is_err() {
                    *tracer = None;
                    if must {
                        // It is reaped like any other.
                        let _ = kill(child, Signal::SIGKILL);
                        return Err(Errno::EPERM);
                    }
                }
                let _ = write(&tells, &[if seized.is_ok() { TRACED } else { UNTRACED }]);
                Ok(Spawned { pid, failure, words: Some(words) })
            }
            ForkResult::Child => {
                let mut word = [UNTRACED];
                while filter.is_some() && read(&told, &mut word) == Err(Errno::EINTR) {}
                let filter = filter.as_ref().filter(|_| word == [TRACED]);
                let above = self.above();
                // What is below is the program's, and closed by then.
                if let Ok(failed) = out_of_the_way(&failed, above) {
                    let Err(errno) = self.become_program(&failed, &theirs, above, filter);
                    let _ = write(&failed, &(errno as i32).to_ne_bytes());
                }
                // SAFETY: doesn't return, and runs nothing of the stage's copy.
                unsafe { libc::_exit(127) }
            }
        }
    }

    /// From which number on descriptors are out of the program's way, as far as its limit goes.
    fn above(&self) -> RawFd {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        let needed = self.streams.len() as u64 + 3;
        ABOVE.min(RawFd::try_from(limit.saturating_sub(needed)).unwrap_or(ABOVE))
    }

    fn become_program(
        &self,
        failed: &OwnedFd,
        words: &OwnedFd,
        above: RawFd,
        filter: Option<&BpfProgram>,
    ) -> Result<std::convert::Infallible, Errno> {
        setsid()?;
        // Until its exec, which may wait for a FIFO's other side, it is listed by this.
        if let Some(name) = self.args.first() {
            let name = name.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            prctl::set_name(&CString::new(name).unwrap_or_default())?;
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        surroundings::unpin();
        surroundings::by_default(libc::SIGXFSZ);
        let words = out_of_the_way(words, above)?;
        let mut opened: Vec<(&Stream, OwnedFd)> = Vec::new();
        for stream in &self.streams {
            // One open file description where two streams lead to the same end, as in a shell's
            // `2>&1`.
            let same = |(other, _): &&(&Stream, OwnedFd)| {
                other.channel == stream.channel && other.access == stream.access
            };
            let end = match opened.iter().find(same) {
                Some((_, end)) => out_of_the_way(end, above)?,
                None => out_of_the_way(&stream.open()?, above)?,
            };
            if stream.nonblock {
                // Not at its open, which waits as a shell's: a FIFO's would fail without a reader.
                fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            }
            opened.push((stream, end));
        }
        for fd in [1, 2] {
            // SAFETY: standard streams are nobody's objects here.
            unsafe { place(words.as_raw_fd(), fd)? };
        }
        // SAFETY: descriptors of the program's, below all that is open here.
        opened.iter().try_for_each(|(stream, end)| unsafe { place(end.as_raw_fd(), stream.fd) })?;
        let given = self.streams.iter().map(|stream| stream.fd).max().unwrap_or(0).max(2);
        for fd in 3..=given {
            if self.streams.iter().all(|stream| stream.fd != fd) {
                // SAFETY: a number.
                unsafe { libc::close(fd) };
            }
        }
        // All but `failed`, which its exec closes.
        drop((opened, words));
        let keep = failed.as_raw_fd();
        surroundings::close_from_to(given + 1, keep - 1);
        surroundings::close_from(keep + 1);
        // Nothing that was done here is the program's own.
        filter.map_or(Ok(()), tracer::enter)?;
        execve(&self.path, &self.args, &self.env)
    }
}

impl Stream {
    fn open(&self) -> Result<OwnedFd, Errno> {
        let access = match self.access {
            Access::Read => OFlag::O_RDONLY,
            Access::Write => OFlag::O_WRONLY,
            Access::Both => OFlag::O_RDWR,
        };
        let end = open(self.channel.as_c_str(), access | OFlag::O_CLOEXEC, Mode::empty())?;
        self.capacity.map_or(Ok(()), |bytes| channel::set_capacity(end.as_fd(), bytes))?;
        Ok(end)
    }
}

/// A copy above all numbers that a program is given.
fn out_of_the_way(fd: &OwnedFd, above: RawFd) -> Result<OwnedFd, Errno> {
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(above))?;
    // SAFETY: a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// # Safety
/// Nothing owns descriptor `to`.
unsafe fn place(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: as above.
    let placed = unsafe { dup2_raw(std::os::fd::BorrowedFd::borrow_raw(from), to) }?;
    std::mem::forget(placed);
    Ok(())
}
