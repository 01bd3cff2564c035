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
    unistd::read,
};

use super::{Shepherd, spawn::Spawned, tracer::Tracer};
use crate::{
    driver::builtin::{Orders, failed, misused, say},
    outcome::signal_name,
    setting::surroundings,
    stage::exec::complain,
    trace::{Injection, Nth},
    wire::{Answer, CONTROL_FD, Order, Reply, Step},
};

/// How an answer to `start` says how the program ended: `exited=3`, `killed=SIGPIPE`.
pub(in crate::stage) const EXITED: &str = "exited=";
pub(in crate::stage) const KILLED: &str = "killed=";

/// The order that asks what the program has called since the last time.
pub(in crate::stage) const CALLS: &str = "calls";

/// The order of a fault, of a `run`, of a `release`.
pub(in crate::stage) const FAULT: &str = "fault";
pub(in crate::stage) const RUN: &str = "run";
pub(in crate::stage) const RELEASE: &str = "release";
/// The name of the error that says that nothing can be traced here.
pub(in crate::stage) const UNTRACEABLE: &str = "Untraceable";

/// Stops of traced threads are taken this many at a time, then other news are looked for.
const STOPS: u32 = 256;
/// So often is the CPU given up for the next stop before it is waited for.
const PATIENCE: u32 = 3;

/// So many of a program's last words are kept (bytes).
const WORDS: usize = 16 * 1024;

/// Bytes read at once, and how often in a row when the program has ended.
const GULP: usize = 64 * 1024;
const MOST_ROUNDS: usize = 64;

/// What goes on below.
struct Flock<'s> {
    shepherd: &'s Shepherd,
    /// The step that waits for the program's end.
    start: Option<u64>,
    spawned: Option<Spawned>,
    /// It never came to its exec.
    failure: Option<Errno>,
    words: Option<OwnedFd>,
    /// The last of them.
    last: Vec<u8>,
    buffer: Box<[u8]>,
    tracer: Option<Tracer>,
    /// Why it isn't traced though it should be.
    refusal: Option<String>,
    /// What the next start begins with.
    faults: Vec<Injection>,
}

pub(super) fn serve(shepherd: &mut Shepherd) -> ! {
    let children = match prepare() {
        Ok(children) => children,
        Err(errno) => complain(&format!("the shepherd: {}", errno.desc())),
    };
    let mut flock = Flock {
        shepherd,
        start: None,
        spawned: None,
        failure: None,
        words: None,
        last: vec![],
        buffer: vec![0; GULP].into(),
        tracer: None,
        refusal: None,
        faults: Vec::new(),
    };
    let mut orders = Orders::over(CONTROL_FD);
    loop {
        let timeout = if flock.follow() { PollTimeout::ZERO } else { PollTimeout::NONE };
        let [ordered, ended, failed, said] = flock.wait(&children, timeout);
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
    // Its file of words may be larger than the setting lets a file be.
    surroundings::ignore(libc::SIGXFSZ);
    // Programs signal their parents.
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None)?;
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGCHLD);
    SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

impl Flock<'_> {
    /// Waits for news: an order, an end, a failed start, words.
    fn wait(&self, children: &SignalFd, timeout: PollTimeout) -> [bool; 4] {
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
        while poll(&mut polled, timeout) == Err(Errno::EINTR) {}
        let mut seen = polled.map(|polled| polled.any().unwrap_or(true));
        seen[2] &= self.spawned.is_some();
        seen[3] &= self.words.is_some();
        seen
    }

    fn carry_out(&mut self, step: Step) {
        let reply = match step.order {
            Order::Call { call, .. } if call == "start" && self.start.is_none() => {
                self.tracer = self.tracer_for_start();
                let must = !self.faults.is_empty();
                match self.shepherd.spawn(&mut self.tracer, &mut self.refusal, must) {
                    Ok(mut spawned) => {
                        self.shepherd.board.set_program(spawned.pid);
                        self.start = Some(step.id);
                        self.words = spawned.words.take();
                        self.spawned = Some(spawned);
                        self.faults.clear();
                        return;
                    }
                    Err(_) if must && self.refusal.is_some() => self.untraceable(),
                    Err(errno) => failed(errno, None, 0, vec![]),
                }
            }
            Order::Call { call, words } if call == FAULT => match Injection::of(&words) {
                Some(injection) => self.inject(injection),
                None => Reply::Unsupported,
            },
            Order::Call { call, words } if call == RUN => {
                let until = Nth::of(&words);
                let comes = self.tracer.as_mut().map(|tracer| tracer.run_until(until));
                match comes {
                    Some(true) => Reply::DONE,
                    Some(false) => misused("it has made more of these calls already".to_owned()),
                    None if until.is_some() => self.untraceable(),
                    None => Reply::DONE,
                }
            }
            Order::Call { call, .. } if call == RELEASE => match self.tracer.as_mut().map(Tracer::release) {
                Some(true) => Reply::DONE,
                Some(false) => misused("nothing of it is held".to_owned()),
                None => self.untraceable(),
            },
            Order::Call { call, .. } if call == CALLS => self.tell_calls(),
            _ => Reply::Unsupported,
        };
        answer(step.id, reply);
    }

    fn tracer_for_start(&mut self) -> Option<Tracer> {
        let trace = self.shepherd.trace.as_ref()?;
        self.refusal = trace.refused.then(|| REFUSED.to_owned());
        if trace.refused {
            return None;
        }
        let mut tracer = Tracer::new(self.shepherd.board.clone(), &trace.channels);
        for fault in &self.faults {
            tracer.inject(*fault);
        }
        Some(tracer)
    }

    /// A fault of the program that runs, or of the next one.
    fn inject(&mut self, injection: Injection) -> Reply {
        match (&mut self.tracer, self.shepherd.board.program()) {
            (Some(tracer), Some(_)) => match tracer.inject(injection) {
                true => Reply::DONE,
                false => misused("it has made more of these calls already".to_owned()),
            },
            (None, Some(_)) => self.untraceable(),
            (_, None) if self.shepherd.trace.as_ref().is_none_or(|trace| trace.refused) => {
                self.refusal = Some(REFUSED.to_owned());
                self.untraceable()
            }
            (_, None) => {
                self.faults.push(injection);
                Reply::DONE
            }
        }
    }

    fn untraceable(&self) -> Reply {
        let message = self.refusal.clone().unwrap_or_else(|| "it isn't traced".to_owned());
        let error = Some(UNTRACEABLE.to_owned());
        Reply::Fail { errno: "-".to_owned(), error, message, bytes: 0, data: vec![] }
    }

    /// What the program has called since this was asked last; or why nobody knows.
    fn tell_calls(&mut self) -> Reply {
        match (&mut self.tracer, &self.refusal) {
            (Some(tracer), _) => {
                let data = postcard::to_stdvec(&tracer.take_calls()).unwrap_or_default();
                Reply::Said { bytes: None, made: vec![], words: vec![], data }
            }
            (None, why) => misused(why.clone().unwrap_or_default()),
        }
    }

    /// Takes stops of traced threads as they come. False if there is none for the moment.
    fn follow(&mut self) -> bool {
        if self.tracer.is_none() {
            return false;
        }
        let (mut taken, mut patience) = (0, PATIENCE);
        while taken < STOPS {
            match self.take_one() {
                true => (taken, patience) = (taken + 1, PATIENCE),
                false if patience == 0 || self.tracer.is_none() => return false,
                false => {
                    patience -= 1;
                    let _ = nix::sched::sched_yield();
                }
            }
        }
        true
    }

    /// Whether the program came to its exec.
    fn read_failure(&mut self) {
        let Some(spawned) = self.spawned.take() else { return };
        let mut errno = [0; 4];
        if read(&spawned.failure, &mut errno) == Ok(errno.len()) {
            self.failure = Some(Errno::from_raw(i32::from_ne_bytes(errno)));
        }
    }

    /// Takes the ends of all that has ended, and what else traced threads have come to.
    fn reap(&mut self) {
        while self.take_one() {}
    }

    /// Takes one end or stop. False if there is none.
    fn take_one(&mut self) -> bool {
        let mut status = 0;
        // SAFETY: the kernel writes one int. (By hand, since nix has no name for the
        // end by a real-time signal.)
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::__WALL) };
        if pid <= 0 {
            return false;
        }
        if let Some(tracer) = &mut self.tracer {
            if libc::WIFSTOPPED(status) {
                tracer.stopped(pid, status);
                return true;
            }
            tracer.ended(pid);
        }
        if Some(pid) == self.shepherd.board.program() {
            self.program_ended(status);
        }
        true
    }

    fn program_ended(&mut self, status: i32) {
        let word = match libc::WIFSIGNALED(status) {
            true => format!("{KILLED}{}", signal_name(libc::WTERMSIG(status))),
            false => format!("{EXITED}{}", libc::WEXITSTATUS(status)),
        };
        self.shepherd.board.set_program(0);
        self.read_failure();
        self.listen_to_all();
        let reply = match self.failure.take() {
            Some(errno) => failed(errno, None, 0, vec![]),
            None => Reply::Said { bytes: None, made: vec![], words: vec![word], data: vec![] },
        };
        if let Some(id) = self.start.take() {
            answer(id, reply);
        }
    }

    /// Takes what the program said, and forgets what it said long ago.
    fn listen(&mut self) {
        let Some(words) = &self.words else { return };
        let is_open = match read(words, &mut self.buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.last.extend_from_slice(&self.buffer[count.saturating_sub(WORDS)..count]);
                self.last.drain(..self.last.len().saturating_sub(WORDS));
                remember(&self.last);
                true
            }
            Err(errno) => matches!(errno, Errno::EINTR | Errno::EAGAIN),
        };
        if !is_open {
            self.words = None;
        }
    }

    /// Takes all that it has said so far.
    fn listen_to_all(&mut self) {
        let waits = |words: &OwnedFd| {
            let mut polled = [PollFd::new(words.as_fd(), PollFlags::POLLIN)];
            poll(&mut polled, PollTimeout::ZERO).is_ok_and(|count| count > 0)
        };
        // At most what a pipe holds, since what it has started may go on.
        let mut rounds = 0;
        while rounds < MOST_ROUNDS && self.words.as_ref().is_some_and(waits) {
            self.listen();
            rounds += 1;
        }
    }
}

/// Puts them into the file of last words.
fn remember(words: &[u8]) {
    // SAFETY: placed there before this process began, and never closed.
    let file = unsafe { BorrowedFd::borrow_raw(2) };
    // A convenience: what fails here is missed in a message only.
    let _ = nix::sys::uio::pwrite(file, words, 0);
}

const REFUSED: &str = "it was refused, as asked";

fn answer(id: u64, reply: Reply) {
    say(CONTROL_FD, &Answer { id, reply, queued: None, held: None }.encode());
}
