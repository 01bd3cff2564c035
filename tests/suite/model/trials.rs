//! Trials played on threads: every step's outcome, everybody it released, everybody
//! who must be blocked, and the bytes queued.
//!
//! 300 seeds each, or as many as the variable PIPELAB_TRIALS says.
//!
//! Nothing here waits for a time. A step has settled when each thread has answered
//! or is asleep in its call, twice seen without having run in between, with no
//! answer unread (DESIGN, "Proving blocked"). A killed actor is a thread that is
//! interrupted in its call and closes its end; the call's own result is dropped.

use std::{
    collections::BTreeMap,
    env, fs,
    ops::Range,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    unistd::{Pid, getpid, gettid},
};
use pipelab::{
    model::{
        Call, Gave, Geometry, Machine, Model, Rule, Rules, Settled, State,
        trial::{Proposal, Shape, Trial},
    },
    outcome::{Access, Action, Amount},
};

use super::kernel::{TempFifo, default_geometry, failed, open_end, queued, read_once, write_once};
use crate::support::no_fork;

/// The rules that only a call which sleeps can break.
const NEED_SLEEP: [Rule; 2] = [Rule::MergeAtEntry, Rule::ShortBeforeEpipe];

/// Against a broken machine or test, never an outcome.
const DEADLINE: Duration = Duration::from_secs(60);

extern "C" fn interrupt(_: libc::c_int) {}

/// Makes SIGUSR1 interrupt a call (no SA_RESTART) and do nothing else.
fn let_sigusr1_interrupt() {
    let action = SigAction::new(SigHandler::Handler(interrupt), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, and no other test uses SIGUSR1.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("sigaction");
}

struct Actor {
    commands: Sender<Call>,
    end: Arc<Mutex<Option<Arc<OwnedFd>>>>,
    killed: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    tid: Pid,
}

impl Actor {
    fn start(index: usize, fifo: &Arc<TempFifo>, answers: Sender<(usize, Gave)>) -> Actor {
        let (commands, inbox) = mpsc::channel();
        let (introduce, introduced) = mpsc::channel();
        let end = Arc::new(Mutex::new(None));
        let killed = Arc::new(AtomicBool::new(false));
        let body = (Arc::clone(fifo), Arc::clone(&end), Arc::clone(&killed));
        let thread = thread::spawn(move || {
            let (fifo, end, killed) = body;
            introduce.send(gettid()).expect("the test waits for this");
            obey(&inbox, &fifo, &end, &killed, |gave| {
                // The test may have failed and gone.
                let _ = answers.send((index, gave));
            });
        });
        let tid = introduced.recv().expect("a thread that starts");
        Actor { commands, end, killed, thread, tid }
    }

    /// Kills the actor, asleep in a call or waiting for a command.
    fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        // Idle: the command wakes it. Blocked: the signal, which is harmless else.
        let _ = self.commands.send(Call::Kill);
        // SAFETY: a system call on numbers; at worst the thread is gone (ESRCH).
        unsafe {
            libc::syscall(libc::SYS_tgkill, getpid().as_raw(), self.tid.as_raw(), libc::SIGUSR1);
        }
    }

    /// Run counts and call, if it is asleep in a call on the FIFO.
    fn asleep(&self) -> Option<String> {
        // A file that isn't there: the thread has been killed, and has answered.
        let read = |file| fs::read_to_string(format!("/proc/self/task/{}/{file}", self.tid)).ok();
        let (runs, call, stat) = (read("schedstat")?, read("syscall")?, read("stat")?);
        let on_fifo = [libc::SYS_read, libc::SYS_write, libc::SYS_openat]
            .iter()
            .any(|number| call.starts_with(&format!("{number} ")));
        let state = stat.rsplit(") ").next()?.chars().next()?;
        (on_fifo && state == 'S').then(|| format!("{runs}{call}"))
    }
}

/// An actor's life: takes commands, gives answers, ends when killed.
fn obey(
    inbox: &Receiver<Call>,
    fifo: &TempFifo,
    end: &Mutex<Option<Arc<OwnedFd>>>,
    killed: &AtomicBool,
    answer: impl Fn(Gave),
) {
    while let Ok(call) = inbox.recv() {
        let held = end.lock().expect("no panic under the lock").clone();
        let gave = match call {
            _ if killed.load(Ordering::SeqCst) => Gave::Ended,
            Call::Open { access, nonblock } => match open_end(fifo.path(), access, nonblock) {
                Ok(opened) => {
                    *end.lock().expect("no panic under the lock") = Some(Arc::new(opened));
                    Gave::Done
                }
                Err(nix::errno::Errno::EINTR) => Gave::Ended,
                Err(errno) => failed(errno, 0),
            },
            Call::Close => {
                drop(held);
                end.lock().expect("no panic under the lock").take();
                Gave::Done
            }
            Call::Kill => Gave::Ended,
            transfer => use_end(&held.expect("the model says there is an end"), transfer),
        };
        if killed.load(Ordering::SeqCst) {
            break;
        }
        answer(gave);
    }
    end.lock().expect("no panic under the lock").take();
    answer(Gave::Ended);
}

/// Reads and writes as the raw driver does.
fn use_end(end: &OwnedFd, call: Call) -> Gave {
    let read_until = |wanted: u64| {
        let mut got = 0;
        while got < wanted {
            match read_once(end, (wanted - got).min(1 << 20)) {
                Ok(0) if got == 0 => return Gave::Eof,
                Ok(0) => break,
                Ok(bytes) => got += bytes,
                Err(nix::errno::Errno::EINTR) => return Gave::Ended,
                Err(errno) => return failed(errno, got),
            }
        }
        Gave::Moved(got)
    };
    match call {
        Call::Write(len) => match write_once(end, len) {
            Ok(moved) => Gave::Moved(moved),
            Err(nix::errno::Errno::EINTR) => Gave::Ended,
            Err(errno) => failed(errno, 0),
        },
        Call::ReadExactly(len) => read_until(len),
        Call::ReadToEof => read_until(u64::MAX),
        Call::ReadAvailable => match queued(end) {
            0 => look_for_the_end(end),
            bytes => read_until(bytes),
        },
        other => panic!("no trial has {other:?}"),
    }
}

/// With nothing queued: end of file, or nothing yet? As far as poll(2) tells.
fn look_for_the_end(end: &OwnedFd) -> Gave {
    let mut polled = [PollFd::new(end.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).expect("poll");
    let hung_up = polled[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLHUP));
    if hung_up { Gave::Eof } else { Gave::Moved(0) }
}

/// The actors of one trial.
struct Stage {
    actors: Vec<Actor>,
    answers: Receiver<(usize, Gave)>,
    outstanding: BTreeMap<usize, Call>,
}

impl Stage {
    fn new(actors: usize) -> Stage {
        let fifo = Arc::new(TempFifo::new());
        let (sender, answers) = mpsc::channel();
        let actors = (0..actors).map(|index| Actor::start(index, &fifo, sender.clone())).collect();
        Stage { actors, answers, outstanding: BTreeMap::new() }
    }

    /// Gives the step and lets everything settle; returns all answers, by actor.
    fn play(&mut self, actor: usize, action: &Action) -> BTreeMap<usize, Gave> {
        let call = Call::of(action).expect("trials consist of what the model knows");
        self.outstanding.insert(actor, call);
        match call {
            Call::Kill => self.actors[actor].kill(),
            _ => self.actors[actor].commands.send(call).expect("an actor that lives"),
        }
        let mut answers = BTreeMap::new();
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < DEADLINE, "nothing settles: {:?}", self.outstanding);
            let (first, second) = (self.scan(), self.scan());
            let settled = first.is_some() && first == second;
            // An answer may be there already. If not, and it isn't settled, this only
            // makes room for those who run; how long, has no say.
            let patience = if settled { Duration::ZERO } else { Duration::from_micros(50) };
            match self.answers.recv_timeout(patience) {
                Ok((actor, gave)) => {
                    self.outstanding.remove(&actor);
                    answers.insert(actor, gave);
                }
                Err(_) if settled => return answers,
                Err(_) => {}
            }
        }
    }

    /// All outstanding actors' states, if all of them are asleep.
    fn scan(&self) -> Option<Vec<String>> {
        self.outstanding.keys().map(|&actor| self.actors[actor].asleep()).collect()
    }

    /// What FIONREAD says, if anybody holds an end.
    fn queued(&self) -> Option<u64> {
        let held = |actor: &Actor| actor.end.lock().expect("no panic under the lock").clone();
        self.actors.iter().find_map(held).map(|end| queued(&end))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for actor in self.actors.drain(..) {
            actor.kill();
            while !actor.thread.is_finished() {
                // The signal came just before the thread fell asleep.
                if actor.asleep().is_some() {
                    actor.kill();
                }
                thread::yield_now();
            }
            let _ = actor.thread.join();
        }
    }
}

fn shape(seed: u64, rules: Rules) -> Shape {
    let actors = 2 + seed as usize % 3;
    Shape { geometry: default_geometry(), actors, nonblock: true, kills: true, rules }
}

/// Plays some steps of a trial; the first difference is the error.
fn compare(seed: u64, rules: Rules) -> Result<(), String> {
    let _unforked = no_fork();
    let shape = shape(seed, rules);
    let mut stage = Stage::new(shape.actors);
    for (index, step) in Trial::new(seed, shape).take(30).enumerate() {
        let answers = stage.play(step.actor, &step.action);
        let expected: BTreeMap<usize, Gave> =
            step.expected.iter().copied().filter(|&(_, gave)| gave != Gave::Blocked).collect();
        let blocked: Vec<usize> = stage.outstanding.keys().copied().collect();
        let queued = stage.queued().unwrap_or(step.queued);
        if (&answers, &blocked, queued) != (&expected, &step.blocked, step.queued) {
            return Err(format!(
                "seed {seed}, step {index}: {step:?}, but the kernel gave {answers:?}, \
                 blocked {blocked:?}, queued {queued}"
            ));
        }
    }
    Ok(())
}

/// Plays one step, unique result or not; one that isn't allowed is the error.
fn follow(stage: &mut Stage, proposal: &Proposal) -> Result<Settled, String> {
    let mut answers = stage.play(proposal.actor, &proposal.action);
    let gave = answers.remove(&proposal.actor).unwrap_or(Gave::Blocked);
    let released = answers.into_iter().collect();
    let blocked = stage.outstanding.keys().copied().collect();
    // Without an end to ask, nobody can read the bytes either: any count will do.
    let any = || proposal.allowed.first().and_then(|allowed| allowed.settled.queued[0]);
    let queued = vec![stage.queued().or_else(any)];
    let settled = Settled { gave, released, blocked, queued };
    let allowed = proposal.allowed.iter().any(|allowed| allowed.settled == settled);
    if allowed { Ok(settled) } else { Err(format!("{settled:?} isn't allowed by {proposal:#?}")) }
}

/// Plays some steps of a trial and goes on from what was seen. Returns how often the
/// kernel had a choice.
fn follow_trial(seed: u64) -> Result<usize, String> {
    let _unforked = no_fork();
    let shape = shape(seed, Rules::linux());
    let mut stage = Stage::new(shape.actors);
    let mut trial = Trial::new(seed, shape);
    let mut choices = 0;
    for _ in 0..30 {
        let Some(proposal) = trial.propose() else { break };
        choices += usize::from(proposal.allowed.len() > 1);
        let settled = follow(&mut stage, &proposal).map_err(|error| format!("seed {seed}: {error}"))?;
        trial.saw(proposal, &settled);
    }
    Ok(choices)
}

/// Plays a script of which the model knows the one right answer.
fn follow_script(actors: usize, script: &[(usize, Action)]) {
    let _unforked = no_fork();
    let mut stage = Stage::new(actors);
    let mut model = Model::from(State::fifo(Machine::with_pipe(default_geometry()), actors, Rules::linux()));
    for &(actor, ref action) in script {
        let call = Call::of(action).expect("a call that the model knows");
        let allowed = model.after(actor, 0, call).expect("a few");
        assert_eq!(allowed.len(), 1, "{call:?} of {actor} has several results");
        let proposal = Proposal { actor, action: action.clone(), allowed };
        let settled = follow(&mut stage, &proposal).unwrap_or_else(|error| panic!("{error}"));
        let seen = proposal.allowed.into_iter().find(|allowed| allowed.settled == settled);
        model = seen.expect("it is allowed").next;
    }
}

fn open(access: Access) -> Action {
    Action::Open { channel: 0, access, nonblock: false }
}

fn write(bytes: u64) -> Action {
    Action::Write { channel: 0, bytes, wide: false, newline: false, pieces: None }
}

fn read(bytes: u64) -> Action {
    Action::Read { channel: 0, amount: Amount::Bytes(bytes) }
}

/// Actors 0 and 1 are about to write three capacities each, in this order.
fn two_sleeping_writers() -> Vec<(usize, Action)> {
    let much = 3 * default_geometry().capacity();
    let opens = [(0, open(Access::Write)), (1, open(Access::Write)), (2, open(Access::Read))];
    opens.into_iter().chain([(0, write(much)), (1, write(much))]).collect()
}

#[test]
fn writers_that_sleep_take_turns() {
    let_sigusr1_interrupt();
    let capacity = default_geometry().capacity();
    let mut script = two_sleeping_writers();
    script.extend(vec![(2, read(capacity)); 6]);
    follow_script(3, &script);
}

#[test]
fn a_read_that_frees_no_slot_leaves_the_turns_as_they_are() {
    let_sigusr1_interrupt();
    let Geometry { page, slots } = default_geometry();
    let mut script = two_sleeping_writers();
    // A byte, then the rest of its page; whoever got the slot in the end shows in who
    // is done first.
    for _ in 0..5 * slots {
        script.extend([(2, read(1)), (2, read(page - 1))]);
    }
    follow_script(3, &script);
}

#[test]
fn readers_that_sleep_are_served_in_turn() {
    let_sigusr1_interrupt();
    let mut script = vec![(0, open(Access::Read)), (1, open(Access::Read)), (2, open(Access::Write))];
    script.extend([(1, read(10)), (0, read(10))]);
    script.extend(vec![(2, write(4)); 6]);
    follow_script(3, &script);
}

fn seeds() -> Range<u64> {
    0..env::var("PIPELAB_TRIALS").map_or(300, |trials| trials.parse().expect("a number"))
}

#[test]
fn the_model_says_who_is_blocked() {
    let_sigusr1_interrupt();
    for seed in seeds() {
        assert_eq!(compare(seed, Rules::linux()), Ok(()));
    }
}

#[test]
fn whatever_the_kernel_chooses_the_model_allows_it() {
    let_sigusr1_interrupt();
    let choices: usize =
        seeds().map(|seed| follow_trial(seed).unwrap_or_else(|error| panic!("{error}"))).sum();
    assert!(choices > 0, "no trial gave the kernel a choice");
}

#[test]
fn a_broken_rule_about_sleep_is_noticed() {
    let_sigusr1_interrupt();
    for rule in NEED_SLEEP {
        let rules = Rules::without(rule);
        assert!(seeds().any(|seed| compare(seed, rules).is_err()), "{rule:?} went unnoticed");
    }
}
