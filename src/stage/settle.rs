//! The policy of settling: when every actor that owes an answer has given it or
//! is proved asleep. No clock decides anything here; the waits between two looks
//! only spare the CPU.

mod greeting;

use std::{
    collections::HashMap,
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

use super::{
    Fault,
    actor::Actor,
    command::{Below, Command},
    news::{anything_unread, flush, sinks, sources},
    rest::{Rest, Timer},
};
use crate::{
    observe::{ChannelFile, FileId, Reading, Rule, Sleep, asleep},
    outcome::{Resting, Rests},
};

/// CPU time after which an actor that neither sleeps nor answers counts as
/// spinning, unless the scenario says otherwise.
const BUDGET: Duration = Duration::from_millis(500);

/// A program that has used up so many budgets in one step never rests, though it sleeps
/// now and then: two that hand bytes to each other without end.
const BUDGETS: u32 = 20;

/// Looks at which the processes of an actor had changed, after which they do so without end:
/// at least some twenty seconds of them.
const MOST_CHANGES: u32 = 10_000;

/// Against a broken machine only: hitting it is a fault, never an outcome.
const DEADLINE: Duration = Duration::from_secs(120);

/// Looks without any wait in between, and without one at the CPU time; most steps settle
/// within them.
const EAGER_LOOKS: u32 = 4;

/// Who gives up the CPU for longer than this has let others than actors run: on a
/// crowded machine it is better to sleep, and be woken first.
const CROWDED: Duration = Duration::from_micros(300);

/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// How long one wait for a greeting is; then the actor is looked at.
const GREETING_WAIT: Duration = Duration::from_millis(100);

/// Descriptors that hang up when the stage isn't wanted any more.
pub(super) struct Guard {
    pub(super) watched: Vec<OwnedFd>,
    /// Called when one did: cleans up before the process ends.
    pub(super) abandon: Box<dyn Fn()>,
}

/// What an actor had used when its budget began.
#[derive(Clone, Copy)]
struct Start {
    cpu_ns: u64,
    /// Voluntary sleeps; read only once half the budget is gone.
    sleeps: Option<u64>,
    /// When the step began.
    at_first_ns: u64,
}

pub(super) struct Settler<'case> {
    guard: &'case Guard,
    budget: Duration,
    began: Instant,
    looks: u32,
    starts: HashMap<usize, Start>,
    /// How often an actor's processes weren't those of the look before, in this step.
    changes: HashMap<usize, u32>,
    spinning: Vec<usize>,
    /// Of those, threads of a process with several.
    spinning_threads: Vec<u32>,
    /// Threads can't be observed for want of descriptors.
    no_descriptors: bool,
    /// Others want this CPU too.
    crowded: bool,
    /// A descriptor has news that weren't looked for: somebody may have ended.
    pub(super) news: bool,
    first: Vec<Reading>,
    second: Vec<Reading>,
}

impl<'case> Settler<'case> {
    pub(super) fn new(guard: &'case Guard, budget_ms: u64) -> Self {
        let budget = if budget_ms == 0 { BUDGET } else { Duration::from_millis(budget_ms) };
        Settler {
            guard,
            budget,
            began: Instant::now(),
            looks: 0,
            starts: HashMap::new(),
            changes: HashMap::new(),
            spinning: Vec::new(),
            spinning_threads: Vec::new(),
            no_descriptors: false,
            crowded: false,
            news: false,
            first: Vec::new(),
            second: Vec::new(),
        }
    }

    /// A step has been given.
    pub(super) fn begin(&mut self) {
        self.began = Instant::now();
        self.looks = 0;
        self.starts.clear();
        self.changes.clear();
        self.spinning.clear();
        self.spinning_threads.clear();
        self.news = false;
    }

    /// Lets the actors run that share this CPU.
    pub(super) fn give_way(&mut self) {
        if !self.crowded {
            let start = Instant::now();
            let _ = nix::sched::sched_yield();
            self.crowded = start.elapsed() > CROWDED;
        }
    }

    /// One look: whether all of `unsettled` rest, and nothing they said lies unread.
    /// If not: look for answers, then ask again. `sides`: the reading sides to which
    /// kernel workers carry bytes, by actor and descriptor.
    pub(super) fn settled(
        &mut self,
        actors: &mut [Actor],
        unsettled: &[usize],
        sides: &[(usize, i32)],
    ) -> Result<bool, Fault> {
        if unsettled.is_empty() {
            flush(actors, sides)?;
            return Ok(true);
        }
        if self.proved(actors, unsettled, sides)? {
            let resting = || {
                let all = unsettled.iter().filter(|at| !self.spinning.contains(at)).map(|&at| &actors[at]);
                all.filter(|actor| actor.ended.is_none())
            };
            let broken = |actor: &Actor, message: &str| {
                Err(Fault::Driver { actor: actor.name.clone(), message: message.to_owned() })
            };
            if let Some(actor) = resting().find(|actor| actor.control.has_untaken_orders()) {
                return broken(actor, "it sleeps and hasn't taken its step from descriptor 3");
            }
            if !resting().any(|actor| actor.control.has_unsent()) {
                let alive = unsettled.iter().map(|&at| &actors[at]).filter(|actor| actor.ended.is_none());
                return match alive.into_iter().find(|actor| actor.control.hung_up()) {
                    Some(actor) => broken(actor, "it closed descriptor 3 and lives on"),
                    None => Ok(true),
                };
            }
        }
        self.watch_budgets(actors, unsettled);
        self.pace(actors)?;
        Ok(false)
    }

    /// The proof of `observe`: two scans over all, then rule 5 as far as it is about
    /// answers. What lies untaken is the caller's to judge.
    fn proved(
        &mut self,
        actors: &mut [Actor],
        unsettled: &[usize],
        sides: &[(usize, i32)],
    ) -> Result<bool, Fault> {
        if !self.all_asleep(actors, unsettled, sides)? {
            return Ok(false);
        }
        self.news = anything_unread(actors);
        Ok(!self.news)
    }

    /// Rules 1 to 4. Where nobody has run from the first scan to the second, all that a
    /// worker could carry was there before the flush between them, and so whom it woke
    /// shows in the second.
    fn all_asleep(
        &mut self,
        actors: &mut [Actor],
        unsettled: &[usize],
        sides: &[(usize, i32)],
    ) -> Result<bool, Fault> {
        if !self.scan(actors, unsettled, |settler| &mut settler.first)
            // Spares the second scan while something obviously runs.
            || !self.first.iter().all(Reading::rests)
            || !flush(actors, sides)?
            || !self.scan(actors, unsettled, |settler| &mut settler.second)
        {
            return Ok(false);
        }
        Ok(asleep(Rule::FULL, &self.first, &self.second))
    }

    /// Nobody has run since the proof. What was read after it, of a program's memory and of
    /// its threads' names, is about the sleeps that were proved only if this is so: a nap
    /// ends by itself, and what its timer was is overwritten.
    pub(super) fn sleep_on(&mut self, actors: &mut [Actor], unsettled: &[usize]) -> bool {
        self.scan(actors, unsettled, |settler| &mut settler.first)
            && asleep(Rule::FULL, &self.second, &self.first)
    }

    /// One look at all that has to settle, but for those that spin. False if one of them
    /// couldn't be read. `kept`: where the readings go.
    fn scan(
        &mut self,
        actors: &mut [Actor],
        unsettled: &[usize],
        kept: fn(&mut Self) -> &mut Vec<Reading>,
    ) -> bool {
        let mut readings = std::mem::take(kept(self));
        readings.clear();
        let whole = unsettled.iter().filter(|at| !self.spinning.contains(at)).all(|&at| {
            match actors[at].scan_but(&mut readings, &self.spinning_threads) {
                Ok(()) => true,
                Err(error) => {
                    self.no_descriptors |= error.raw_os_error() == Some(libc::EMFILE);
                    false
                }
            }
        });
        *kept(self) = readings;
        whole
    }

    /// Somebody never came to rest in this step.
    pub(super) fn has_spinning(&self) -> bool {
        !self.spinning.is_empty()
    }

    /// A program among those that were proved settled goes on by itself, and soon.
    pub(super) fn wakes_soon(&self, actors: &mut [Actor], unsettled: &[usize]) -> bool {
        let mut rest = &self.second[..];
        let mut soon = false;
        for &at in unsettled.iter().filter(|at| !self.spinning.contains(at)) {
            let (own, others) = rest.split_at(actors[at].threads().unwrap_or(0));
            rest = others;
            soon |= actors[at].wakes_soon(own);
        }
        soon
    }

    /// The files that processes of programs among `unsettled` sit in open(2) of.
    pub(super) fn opening(&self, actors: &[Actor], unsettled: &[usize]) -> Vec<FileId> {
        let mut rest = &self.second[..];
        let mut files = Vec::new();
        for &at in unsettled.iter().filter(|at| !self.spinning.contains(at)) {
            let (own, others) = rest.split_at(actors[at].threads().unwrap_or(0));
            rest = others;
            files.extend(actors[at].opening(own));
        }
        files
    }

    /// What the scan that proved `unsettled` settled says of one of them. Its first
    /// thread names the call; a timer of any thread means that the actor will wake.
    /// `child`: look at this process that it has started. `channels`: the files that the case's
    /// channels are.
    pub(super) fn rest(
        &self,
        actors: &[Actor],
        unsettled: &[usize],
        actor: usize,
        child: Option<i32>,
        channels: &[Option<ChannelFile>],
    ) -> Rest {
        if self.spinning.contains(&actor) {
            return Rest::Spinning;
        }
        let before: usize = unsettled
            .iter()
            .take_while(|&&at| at != actor)
            .filter(|at| !self.spinning.contains(at))
            .filter_map(|&at| actors[at].threads())
            .sum();
        let threads = actors[actor].threads().expect("it was proved asleep");
        let readings = &self.second[before..before + threads];
        if let Some(tree) = actors[actor].command.as_ref().and_then(Command::observed) {
            return Rest::Program(tree.rests(readings, channels, None));
        }
        let tree = actors[actor].below.as_ref().and_then(Below::observed);
        if let (Some(tree), Some(child)) = (tree, child) {
            return Rest::Program(tree.rests(readings, channels, Some(child)));
        }
        let (process, readings, below) = match tree {
            Some(tree) => {
                let (process, own) = tree.above(readings).expect("it was proved asleep");
                (process, own, tree.rests(readings, channels, None))
            }
            None => (actors[actor].observed().expect("it was proved asleep"), readings, vec![]),
        };
        let calls: Vec<_> =
            process.own(readings).iter().filter_map(|reading| process.call(reading)).collect();
        let Some(first) = calls.first() else {
            let (call, timer) = ("?".into(), Timer::Unknown);
            return Rest::Asleep { call, timer, watches_control: false, with: vec![] };
        };
        let any = |sleep: Sleep| calls.iter().any(|call| call.sleep == sleep);
        let timer = match (any(Sleep::Timed), any(Sleep::Unknown)) {
            (true, _) => Timer::Set,
            (false, true) => Timer::Unknown,
            (false, false) => Timer::None,
        };
        let orders = actors[actor].control.descriptor;
        let watches_control = calls.iter().any(|call| process.watches(call.sleep, orders).unwrap_or(false));
        let mut with = Vec::new();
        if let (Some(tree), false) = (tree, below.is_empty()) {
            let state = match timer {
                Timer::Set => Rests::Waiting,
                _ if watches_control => Rests::Pending,
                _ => Rests::Blocked,
            };
            let own = tree.rest_above(&self.second[before..before + threads], channels);
            with.extend(own.map(|own| Resting { state, call: first.name.clone(), ..own }));
            with.extend(below);
        }
        // It goes on by itself if one of them does.
        let timer = if with.iter().any(|it| it.state == Rests::Waiting) { Timer::Set } else { timer };
        Rest::Asleep { call: first.name.clone(), timer, watches_control, with }
    }

    /// Notes who has burnt its budget of CPU time without one voluntary sleep.
    fn watch_budgets(&mut self, actors: &mut [Actor], unsettled: &[usize]) {
        if self.looks < EAGER_LOOKS {
            return;
        }
        for &at in unsettled {
            if self.spinning.contains(&at) {
                continue;
            }
            self.first.clear();
            if actors[at].scan_but(&mut self.first, &self.spinning_threads).is_err() {
                // Whose processes come and go without end rests as little.
                let changes = self.changes.entry(at).or_insert(0);
                *changes += 1;
                if *changes > MOST_CHANGES {
                    self.spinning.push(at);
                }
                continue;
            }
            let cpu_ns: u64 = actors[at].own(&self.first).iter().map(|reading| reading.cpu_ns).sum();
            let first = Start { cpu_ns, sleeps: None, at_first_ns: cpu_ns };
            let start = *self.starts.entry(at).or_insert(first);
            let in_all = Duration::from_nanos(cpu_ns.saturating_sub(start.at_first_ns));
            if actors[at].command.is_some() && in_all >= self.budget * BUDGETS {
                self.spinning.push(at);
                continue;
            }
            let used = Duration::from_nanos(cpu_ns.saturating_sub(start.cpu_ns));
            if used < self.budget / 2 {
                continue;
            }
            let sleeps = actors[at].sleeps();
            if start.sleeps.is_none() {
                // However much is gone by now: half a budget is used from here on, before anything
                // is said of the sleeps in between.
                let half = (self.budget / 2).as_nanos() as u64;
                self.starts.insert(at, Start { cpu_ns: cpu_ns.saturating_sub(half), sleeps, ..start });
            } else if start.sleeps != sleeps {
                self.starts.insert(at, Start { cpu_ns, sleeps: None, ..start });
            } else if used >= self.budget {
                self.spinning.push(at);
                self.spinning_threads.extend(actors[at].tid());
            }
        }
    }

    /// Waits for news, a little longer each time.
    pub(super) fn pace(&mut self, actors: &[Actor]) -> Result<(), Fault> {
        self.looks += 1;
        if self.no_descriptors {
            return Err(Fault::harness("reading /proc", Errno::EMFILE.desc()));
        }
        if self.looks <= EAGER_LOOKS && !self.crowded {
            self.give_way();
            return Ok(());
        }
        // What spins is told from its CPU time, for which others may wait as well.
        let deadline = DEADLINE + 2 * BUDGETS * self.budget;
        if self.began.elapsed() > deadline {
            return Err(Fault::Harness {
                message: format!(
                    "nothing settled within {} s of wall time: is the machine broken?",
                    deadline.as_secs()
                ),
            });
        }
        let wait =
            Duration::from_micros(10 << self.looks.saturating_sub(EAGER_LOOKS).min(8)).min(LONGEST_WAIT);
        self.news |= self.wait(actors, wait)?;
        Ok(())
    }

    /// True if there is news.
    fn wait(&self, actors: &[Actor], timeout: Duration) -> Result<bool, Fault> {
        let mut polled: Vec<PollFd<'_>> =
            self.guard.watched.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::empty())).collect();
        let guards = polled.len();
        polled.extend(sources(actors).chain(sinks(actors)));
        let news = match ppoll(&mut polled, Some(TimeSpec::from_duration(timeout)), None) {
            Ok(count) => count > 0,
            Err(Errno::EINTR) => true,
            Err(error) => return Err(Fault::harness("ppoll", error.desc())),
        };
        let hung_up = |fd: &PollFd<'_>| fd.revents().is_some_and(|seen| seen.contains(PollFlags::POLLHUP));
        if polled[..guards].iter().any(hung_up) {
            (self.guard.abandon)();
            std::process::exit(1);
        }
        Ok(news)
    }
}
