//! Follows a program and all that it starts from call to call, with ptrace(2) and a filter
//! of seccomp(2) that stops it at the calls of the table alone.
//!
//! 1. A thread that stops at a call which works on no channel goes on at once; any other
//!    stops again at the call's exit, where the result shows.
//! 2. Stops that aren't ours pass through as strace(1) has it: a signal is handed on; a
//!    stop of job control stays one (PTRACE_LISTEN) until SIGCONT.
//! 3. Nobody is ever let go: without its tracer, a call of the filter fails with ENOSYS.
//!    Who is traced dies with its tracer (PTRACE_O_EXITKILL).

mod faults;
mod filter;
mod memory;
mod ptrace;
mod registers;
mod target;

use std::{collections::HashMap, fs, rc::Rc};

use nix::{
    errno::Errno,
    sys::ptrace::{Options, getevent, seize},
    unistd::Pid,
};
use seccompiler::BpfProgram;

use super::Board;
use crate::{
    observe::{FileId, Kept, file_id},
    trace::{Calls, Injection, Nth, On, Seen, TRACED, Traced, Watched},
};
use faults::{Faults, Undo, Waits};
use ptrace::{Resume, resume};
use target::Channels;

/// `PTRACE_EVENT_STOP`: a stop of job control, the end of one, or a new thread's first stop.
const EVENT_STOP: i32 = 128;
/// The mark of a stop at a call's exit (`PTRACE_O_TRACESYSGOOD`).
const AT_CALL: i32 = libc::SIGTRAP | 0x80;

/// What such a call returns that goes on as restart_syscall(2) (kernel `ERESTART_RESTARTBLOCK`).
const GOES_ON: i64 = -516;

/// System calls have numbers below this.
const NUMBERS: usize = 1024;

pub(super) struct Tracer {
    board: Rc<Board>,
    channels: Channels,
    /// Lines of the table by the system call's number.
    watched: Box<[Option<Watched>; NUMBERS]>,
    threads: HashMap<i32, Thread>,
    born: u32,
    calls: Calls,
    faults: Faults,
}

/// What there is to know of a thread.
#[derive(Default)]
struct Thread {
    number: u32,
    /// The call that it is in, if that is one to record.
    call: Option<Entered>,
    /// A call that was interrupted, and goes on as restart_syscall(2) unless a handler has run.
    interrupted: Option<Entered>,
    /// Stopped at a call's entry until a step lets it go on.
    held: Option<Held>,
}

struct Entered {
    call: Watched,
    channels: Vec<usize>,
    asked: Option<u64>,
    injected: Option<Injection>,
    /// What has to be put right at its exit.
    undo: Option<Undo>,
}

/// A call that was stopped before it began.
struct Held {
    waits: Waits,
    entered: Entered,
    info: &'static Traced,
    args: [u64; 6],
    places: Vec<Nth>,
}

/// Makes ready whatever a fork need not do.
///
/// # Errors
/// In words: why nothing can be traced here.
pub(super) fn prepare() -> Result<BpfProgram, String> {
    // SAFETY: takes a number.
    if unsafe { libc::prctl(libc::PR_GET_SECCOMP) } < 0 {
        return Err(format!("this kernel has no seccomp filters ({})", Errno::last().desc()));
    }
    filter::filter()
}

/// Takes the filter, in the program's own process before its exec. Set-uid programs don't
/// get what they are set to any more (PR_SET_NO_NEW_PRIVS): a filter could be used to fool
/// them.
///
/// # Errors
/// As seccomp(2).
pub(super) fn enter(filter: &BpfProgram) -> Result<(), Errno> {
    seccompiler::apply_filter(filter).map_err(|error| match error {
        seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => {
            Errno::from_raw(error.raw_os_error().unwrap_or(libc::EINVAL))
        }
        _ => Errno::EINVAL,
    })
}

impl Tracer {
    /// `channels`: their paths.
    pub(super) fn new(board: Rc<Board>, channels: &[String]) -> Tracer {
        let mut watched = Box::new([None; NUMBERS]);
        for (at, info) in Watched::all().zip(TRACED) {
            for number in info.numbers {
                watched[*number as usize] = Some(at);
            }
        }
        let files: Vec<Option<FileId>> = channels.iter().map(|path| file_id(path.as_ref()).ok()).collect();
        Tracer {
            board,
            channels: Channels(files),
            watched,
            threads: HashMap::new(),
            born: 0,
            calls: Calls::default(),
            faults: Faults::default(),
        }
    }

    /// Begins with a process that waits for that.
    ///
    /// # Errors
    /// As ptrace(2): who may not trace (Yama, a sandbox).
    pub(super) fn seize(&mut self, pid: i32) -> Result<(), Errno> {
        let options = Options::PTRACE_O_EXITKILL
            | Options::PTRACE_O_TRACESECCOMP
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACESYSGOOD;
        seize(Pid::from_raw(pid), options)?;
        self.thread(pid);
        Ok(())
    }

    /// What was called since the last time somebody asked, and which of the calls that steps
    /// are about have come.
    pub(super) fn take_calls(&mut self) -> (Calls, Vec<Injection>) {
        (std::mem::take(&mut self.calls), self.faults.take_met())
    }

    fn thread(&mut self, tid: i32) -> &mut Thread {
        let born = &mut self.born;
        self.threads.entry(tid).or_insert_with(|| {
            *born += 1;
            Thread { number: *born - 1, ..Thread::default() }
        })
    }

    /// A thread has stopped: `status` as waitpid(2) has it.
    pub(super) fn stopped(&mut self, tid: i32, status: i32) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let (how, signal) = match (signal, event) {
            (AT_CALL, 0) => {
                self.exit(tid);
                (Resume::On, 0)
            }
            (_, libc::PTRACE_EVENT_SECCOMP) => match self.entry(tid) {
                Some(how) => (how, 0),
                None => return,
            },
            (_, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE) => {
                if let Ok(new) = getevent(Pid::from_raw(tid)) {
                    self.thread(new as i32);
                }
                (Resume::On, 0)
            }
            (_, libc::PTRACE_EVENT_EXEC) => {
                self.has_execed(tid);
                (Resume::On, 0)
            }
            (libc::SIGTRAP, EVENT_STOP) => {
                self.thread(tid);
                self.board.go_on(tid);
                (Resume::On, 0)
            }
            (_, EVENT_STOP) => {
                self.board.keep(tid, Kept::Stopped);
                (Resume::Listening, 0)
            }
            // On its way to the thread.
            (signal, 0) => (Resume::On, signal),
            _ => (Resume::On, 0),
        };
        resume(tid, how, signal);
    }

    /// A thread has ended.
    pub(super) fn ended(&mut self, tid: i32) {
        self.board.go_on(tid);
        self.threads.remove(&tid);
    }

    /// The thread that calls exec(2) goes on as the first of its process; the others are gone.
    fn has_execed(&mut self, tid: i32) {
        let former = getevent(Pid::from_raw(tid)).map_or(tid, |former| former as i32);
        // Of the first thread's own end nobody tells.
        self.board.go_on(tid);
        if former != tid
            && let Some(thread) = self.threads.remove(&former)
        {
            self.threads.insert(tid, thread);
        }
        // Under its new name it is somebody else.
        self.born += 1;
        let number = self.born - 1;
        let thread = self.thread(tid);
        (thread.number, thread.call, thread.interrupted) = (number, None, None);
    }

    /// A call begins. How its thread goes on; `None`: it doesn't.
    fn entry(&mut self, tid: i32) -> Option<Resume> {
        let Ok((number, args)) = ptrace::entry(tid) else { return Some(Resume::On) };
        let interrupted = self.thread(tid).interrupted.take();
        if number as libc::c_long == libc::SYS_restart_syscall {
            let goes_on = interrupted.is_some();
            self.thread(tid).call = interrupted;
            return Some(if goes_on { Resume::ToExit } else { Resume::On });
        }
        if let Some(entered) = interrupted {
            self.returned(tid, entered, -i64::from(libc::EINTR));
        }
        let Some(call) = self.watched.get(number as usize).copied().flatten() else {
            return Some(Resume::On);
        };
        let info = call.info();
        let channels = self.channels.of(tid, info, &args);
        if channels.is_empty() && info.on != On::Children {
            return Some(Resume::On);
        }
        let asked = target::size(tid, info, &args);
        // Several lines of the table may have one name.
        let call = Watched::named(info.name).unwrap_or(call);
        let places = self.faults.count(call, &channels);
        let entered = Entered { call, channels, asked, injected: None, undo: None };
        if let Some(waits) = self.faults.holds(&places) {
            self.board.keep(tid, Kept::AtCall);
            self.thread(tid).held = Some(Held { waits, entered, info, args, places });
            return None;
        }
        Some(self.begin(tid, entered, info, &args, &places))
    }

    fn begin(
        &mut self,
        tid: i32,
        mut entered: Entered,
        info: &Traced,
        args: &[u64; 6],
        places: &[Nth],
    ) -> Resume {
        if let Some(injection) = self.faults.take(places) {
            entered.undo = faults::inject(tid, injection.effect, info, args);
            entered.injected = entered.undo.is_some().then_some(injection);
        }
        self.thread(tid).call = Some(entered);
        Resume::ToExit
    }

    /// Lets held calls go on. False if there is none.
    fn go_on(&mut self, waits: Waits) -> bool {
        let is_held = |thread: &Thread| thread.held.as_ref().is_some_and(|held| held.waits == waits);
        let threads = self.threads.iter().filter(|(_, thread)| is_held(thread));
        let mut tids: Vec<i32> = threads.map(|(tid, _)| *tid).collect();
        tids.sort_unstable();
        for tid in &tids {
            let Some(held) = self.thread(*tid).held.take() else { continue };
            // First here: once it runs it isn't held.
            self.board.go_on(*tid);
            let how = self.begin(*tid, held.entered, held.info, &held.args, &held.places);
            resume(*tid, how, 0);
        }
        !tids.is_empty()
    }

    /// A step's fault. False if the program has made so many calls already.
    pub(super) fn inject(&mut self, injection: Injection) -> bool {
        self.faults.add(injection)
    }

    /// A step's `run`: what the last one has stopped goes on, up to a call if it says so.
    /// False if the program has made so many already.
    pub(super) fn run_until(&mut self, until: Option<Nth>) -> bool {
        let stays = |held: &&mut Held| until.is_some_and(|until| held.places.contains(&until));
        // It has come that far already.
        if let Some(held) = self.threads.values_mut().filter_map(|thread| thread.held.as_mut()).find(stays) {
            held.waits = Waits::Run;
            return true;
        }
        let comes = self.faults.run_until(until);
        self.go_on(Waits::Run);
        comes
    }

    /// A step's `release`. False if nothing is held.
    pub(super) fn release(&mut self) -> bool {
        self.go_on(Waits::Release)
    }

    /// A call has ended.
    fn exit(&mut self, tid: i32) {
        let Some(entered) = self.thread(tid).call.take() else { return };
        let Ok(result) = ptrace::result(tid) else { return };
        match result == GOES_ON {
            true => self.thread(tid).interrupted = Some(entered),
            false => self.returned(tid, entered, result),
        }
    }

    fn returned(&mut self, tid: i32, entered: Entered, mut result: i64) {
        let by = self.thread(tid).number;
        let Entered { call, channels, asked, injected, undo } = entered;
        result = undo.and_then(|undo| undo.at_exit(tid)).unwrap_or(result);
        if call.info().on == On::Children && result > 0 {
            // Its number means nothing to anybody later.
            result = 1;
        }
        let seen = Seen { by, call, channels, asked, result, injected: injected.is_some() };
        if seen.restarts() {
            self.faults.uncount(call, &seen.channels, injected);
        }
        self.calls.add(seen, || process_name(tid));
    }
}

/// proc_pid_comm(5), of the process.
fn process_name(tid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{tid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}
