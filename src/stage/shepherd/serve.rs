//! The shepherd's loop: orders, ends of processes, words.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl,
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::{Whence, ftruncate, lseek, read, write},
};

use super::{Shepherd, spawn::Spawned};
use crate::{
    driver::builtin::{Orders, failed, say},
    stage::exec::complain,
    wire::{Answer, CONTROL_FD, Order, Reply, Step},
};

/// How an answer to `start` says how the program ended: `exited=3`, `killed=SIGPIPE`.
pub(in crate::stage) const EXITED: &str = "exited=";
pub(in crate::stage) const KILLED: &str = "killed=";

/// Of a program's words (bytes), those are kept at least, and at most.
const WORDS: usize = 16 * 1024;
const MOST_WORDS: u64 = 256 * 1024;

/// What goes on below.
struct Flock<'s> {
    shepherd: &'s Shepherd,
    /// The step that waits for the program's end.
    start: Option<u64>,
    spawned: Option<Spawned>,
    /// It never came to its exec.
    failure: Option<Errno>,
    words: Option<OwnedFd>,
}

pub(super) fn serve(shepherd: &mut Shepherd) -> ! {
    let children = match prepare() {
        Ok(children) => children,
        Err(errno) => complain(&format!("the shepherd: {}", errno.desc())),
    };
    let mut flock = Flock { shepherd, start: None, spawned: None, failure: None, words: None };
    let mut orders = Orders::default();
    loop {
        let [ordered, ended, failed, said] = flock.wait(&children);
        if said {
            flock.listen();
        }
        if failed {
            flock.read_failure();
        }
        if ended {
            let _ = children.read_signal();
            flock.reap();
        }
        if ordered {
            orders.receive().into_iter().for_each(|step| flock.carry_out(step));
        }
    }
}

/// Whatever is started below stays below, and its end makes a descriptor readable.
fn prepare() -> Result<SignalFd, Errno> {
    prctl::set_child_subreaper(true)?;
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGCHLD);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ends), None)?;
    SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

impl Flock<'_> {
    /// Waits for news: an order, an end, a failed start, words.
    fn wait(&self, children: &SignalFd) -> [bool; 4] {
        // SAFETY: the control socket is open as long as this process lives.
        let control = unsafe { BorrowedFd::borrow_raw(CONTROL_FD) };
        // Where there is nothing to wait for, one that waits for the stage.
        let failure = self.spawned.as_ref().map_or(control, |spawned| spawned.failure.as_fd());
        let words = self.words.as_ref().map_or(control, OwnedFd::as_fd);
        let none = PollFlags::empty();
        let when = |wanted: bool| if wanted { PollFlags::POLLIN } else { none };
        let mut polled = [
            PollFd::new(control, PollFlags::POLLIN),
            PollFd::new(children.as_fd(), PollFlags::POLLIN),
            PollFd::new(failure, when(self.spawned.is_some())),
            PollFd::new(words, when(self.words.is_some())),
        ];
        while poll(&mut polled, PollTimeout::NONE) == Err(Errno::EINTR) {}
        let mut seen = polled.map(|polled| polled.any().unwrap_or(true));
        seen[2] &= self.spawned.is_some();
        seen[3] &= self.words.is_some();
        seen
    }

    fn carry_out(&mut self, step: Step) {
        let reply = match step.order {
            Order::Call { call, .. } if call == "start" && self.start.is_none() => {
                match self.shepherd.spawn() {
                    Ok(mut spawned) => {
                        self.shepherd.board.set_program(spawned.pid);
                        self.start = Some(step.id);
                        self.words = spawned.words.take();
                        self.spawned = Some(spawned);
                        return;
                    }
                    Err(errno) => failed(errno, None, 0, vec![]),
                }
            }
            _ => Reply::Unsupported,
        };
        answer(step.id, reply);
    }

    /// Whether the program came to its exec.
    fn read_failure(&mut self) {
        let Some(spawned) = self.spawned.take() else { return };
        let mut errno = [0; 4];
        if read(&spawned.failure, &mut errno) == Ok(errno.len()) {
            self.failure = Some(Errno::from_raw(i32::from_ne_bytes(errno)));
        }
    }

    /// Takes the ends of all that has ended.
    fn reap(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: the kernel writes one int. (By hand, since nix has no name for the
            // end by a real-time signal.)
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            if Some(pid) != self.shepherd.board.program() {
                continue;
            }
            let word = match libc::WIFSIGNALED(status) {
                true => format!("{KILLED}{}", name(libc::WTERMSIG(status))),
                false => format!("{EXITED}{}", libc::WEXITSTATUS(status)),
            };
            self.shepherd.board.set_program(0);
            self.read_failure();
            self.listen();
            let reply = match self.failure.take() {
                Some(errno) => failed(errno, None, 0, vec![]),
                None => Reply::Said { bytes: None, made: vec![], words: vec![word], data: vec![] },
            };
            if let Some(id) = self.start.take() {
                answer(id, reply);
            }
        }
    }

    /// Takes what the program said, and forgets what it said long ago.
    fn listen(&mut self) {
        let Some(words) = &self.words else { return };
        let mut buffer = [0; WORDS];
        loop {
            match read(words, &mut buffer) {
                Ok(0) => {
                    self.words = None;
                    return;
                }
                Ok(count) => remember(&buffer[..count]),
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// As in signal(7).
pub(in crate::stage) fn name(signal: i32) -> String {
    match Signal::try_from(signal) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("SIGRTMIN+{}", signal - libc::SIGRTMIN()),
    }
}

/// Adds to the file of last words.
fn remember(words: &[u8]) {
    // SAFETY: placed there before this process began, and never closed.
    let file = unsafe { BorrowedFd::borrow_raw(2) };
    let length = lseek(file, 0, Whence::SeekEnd).unwrap_or(0);
    if length as u64 > MOST_WORDS {
        let mut last = vec![0; WORDS];
        let from = length - WORDS as i64;
        let count = nix::sys::uio::pread(file, &mut last, from).unwrap_or(0);
        let _ = ftruncate(file, 0);
        let _ = lseek(file, 0, Whence::SeekSet);
        let _ = write(file, &last[..count]);
    }
    let _ = write(file, words);
}

fn answer(id: u64, reply: Reply) {
    say(&Answer { id, reply, queued: None, held: None }.encode());
}
