//! Plays one case: gives the steps, settles, records. It judges nothing.

mod agenda;
mod settling;

use std::{collections::BTreeSet, io::ErrorKind, ops::Range, path::Path, sync::Arc};

use super::{
    Condition, Fault, Options, Plan, PlannedChannel, PlannedStep,
    actor::Actor,
    children::Started,
    fills::Filling,
    handles::Handles,
    peeks::Peeks,
    settle::{Guard, Settler},
    tally::Counter,
    workshop::Workshop,
};
use crate::{
    channel::{self, Settles},
    observe::ChannelFile,
    outcome::{Access, Action, Doer, End, Offer, Outcome, StepRecord, Transcript, Verb},
    trace::Injection,
    wire::Step,
};
use agenda::Agenda;

/// An end of a channel that an actor holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) fd: i32,
    pub(super) access: Access,
    /// The process that holds it, if the actor is a program: one of several.
    pub(super) pid: Option<i32>,
}

/// What the stage knows of one actor beside its process.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Per channel: the end it holds.
    pub(super) ends: Vec<Option<Held>>,
    /// Per channel: bytes of its stream offered so far.
    pub(super) offered: Vec<u64>,
    /// Per channel: bytes that its writes were given, those that were given before too.
    pub(super) given: Vec<u64>,
    /// Per channel: its last message, and how much of it the calls accepted.
    pub(super) message: Vec<Option<(Offer, u64)>>,
    /// Its fill that hasn't answered.
    pub(super) filling: Option<Filling>,
    /// Its last step that was carried out failed.
    pub(super) failed: bool,
    /// Records whose answer is due.
    pub(super) due: Vec<usize>,
    /// Calls of its program that steps were about, and that came.
    pub(super) met: Vec<Injection>,
    /// It was given steps behind the one that it is blocked in, and does them if it comes back.
    pub(super) goes_on: bool,
    /// It was told to exit or sent a signal, so its end isn't the driver's fault.
    pub(super) may_end: bool,
}

/// A case being played.
pub(super) struct Play<'case> {
    pub(super) plan: &'case Plan,
    pub(super) dir: &'case Path,
    pub(super) actors: Vec<Actor>,
    pub(super) parts: Vec<Part>,
    pub(super) agenda: Agenda,
    pub(super) records: Vec<StepRecord>,
    /// The records whose steps were given last and are being settled.
    pub(super) given: Range<usize>,
    /// Nobody else can act while they are: no other call is outstanding.
    pub(super) alone: bool,
    /// Several steps of an actor may travel together, its driver counting for us.
    pub(super) batches: bool,
    /// There is a channel whose bytes a kernel worker carries, and it is waited for.
    flushes: bool,
    pub(super) settler: Settler<'case>,
    pub(super) counter: Counter,
    pub(super) handles: Handles,
    pub(super) peeks: Peeks,
    /// Which file each channel is, if a program may open it.
    pub(super) files: Vec<Option<ChannelFile>>,
    /// Channels that a process of a program sits in open(2) of, since all have settled.
    pub(super) opening: BTreeSet<usize>,
    /// Per actor: the process that an actor has started to play it.
    pub(super) started: Vec<Option<Started>>,
}

/// Plays a case.
///
/// # Errors
/// A driver that doesn't keep to the wire, or a fault of the harness.
pub(super) fn play(
    plan: &Plan,
    workshop: &mut Workshop,
    options: &Options,
    guard: &Guard,
) -> Result<Transcript, Fault> {
    let dir = workshop.dir().map_err(|error| Fault::harness("making the case's directory", error))?;
    let named = || plan.channels.iter().filter(|planned| planned.declared);
    let mut kept = Vec::new();
    let links = || plan.actors.iter().flat_map(|actor| actor.links());
    let result = (|| {
        for planned in named() {
            let made = channel::make(planned.kind, &dir.join(&planned.name));
            kept.extend(made.map_err(|error| Fault::harness(&format!("making {}", planned.name), error))?);
        }
        let mut linked_already = BTreeSet::new();
        for (name, path) in links().filter(|link| linked_already.insert(*link)) {
            let linked = std::os::unix::fs::symlink(path, dir.join(name));
            linked.map_err(|error| Fault::harness(&format!("linking {name}"), error))?;
        }
        let actors = workshop.actors(plan, &dir, options, guard)?;
        let mut play = Play::new(plan, &dir, actors, options, guard);
        let transcript = play.run()?;
        workshop.keep(play, &transcript, options)?;
        Ok(transcript)
    })();
    workshop.end_strays();
    let removed = named().try_for_each(|planned| match std::fs::remove_file(dir.join(&planned.name)) {
        // A step has removed it.
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Fault::harness(&format!("removing {}", planned.name), error))
        }
        _ => Ok(()),
    });
    links().for_each(|(name, _)| drop(std::fs::remove_file(dir.join(name))));
    workshop.leave(plan, &dir);
    removed.and(result)
}

impl<'case> Play<'case> {
    fn new(
        plan: &'case Plan,
        dir: &'case Path,
        actors: Vec<Actor>,
        options: &Options,
        guard: &'case Guard,
    ) -> Self {
        let part = Part {
            ends: vec![None; plan.channels.len()],
            offered: vec![0; plan.channels.len()],
            given: vec![0; plan.channels.len()],
            message: vec![None; plan.channels.len()],
            filling: None,
            failed: false,
            due: Vec::new(),
            met: Vec::new(),
            goes_on: false,
            may_end: false,
        };
        // Whoever holds both ends may write while it reads: only the stage can tell.
        let both = |step: &Arc<PlannedStep>| {
            matches!(step.action, Action::Open { access: Access::Both, .. } | Action::Call(_))
        };
        let counts_alone = !plan.steps.iter().any(both);
        let carried_by_worker = |channel: &PlannedChannel| channel.kind.info().settles == Settles::Flushable;
        Play {
            plan,
            dir,
            parts: vec![part; actors.len()],
            agenda: Agenda::of(plan),
            records: Vec::with_capacity(plan.steps.len()),
            given: 0..0,
            alone: false,
            batches: !options.fresh && counts_alone,
            flushes: !options.unflushed && plan.channels.iter().any(carried_by_worker),
            settler: Settler::new(guard, plan.setting.budget_ms),
            counter: Counter::new(plan, counts_alone, options.fresh),
            handles: Handles::default(),
            peeks: Peeks::default(),
            files: files(plan, dir),
            opening: BTreeSet::new(),
            started: vec![None; plan.actors.len()],
            actors,
        }
    }

    fn run(&mut self) -> Result<Transcript, Fault> {
        let mut end = End::Played;
        while let Some(&wanted) = self.agenda.left().first() {
            let Some(next) = self.agenda.first(self.plan, |step| self.can_take(step)) else {
                end = End::Stuck { step: wanted, waits: self.waits() };
                break;
            };
            let index = self.agenda.bring(next);
            let step = &self.plan.steps[index];
            self.alone = self.parts.iter().all(|part| part.due.is_empty())
                && !step.action.has_program_act()
                && !self.programs_live();
            // Less than was asked for if one blocked: then its actor is busy.
            let given = match self.batch_from(index) {
                1 => self.attempt(index, self.sequence_from(index))?,
                count => self.give(index, count, 1)?,
            };
            self.agenda.done(given);
        }
        self.look_after()?;
        let holds = (self.parts.iter()).map(|part| part.ends.iter().map(Option::is_some).collect()).collect();
        let words = self.actors.iter().map(Actor::words_of_program).collect();
        let programs = self.counter.channels.iter().map(|channel| channel.programs).collect();
        let untraced = self.actors.iter().map(|actor| actor.untraced().to_owned()).collect();
        let unmet = self.unmet();
        let steps = std::mem::take(&mut self.records);
        Ok(Transcript { steps, end, holds, programs, words, untraced, unmet })
    }

    /// The threads of an actor's process, itself among them.
    pub(super) fn threads(&self, actor: usize) -> impl Iterator<Item = usize> + use<'case> {
        let same = |&other: &usize| self.actors[other].shares_process(&self.actors[actor]);
        (0..self.actors.len()).filter(same).collect::<Vec<_>>().into_iter()
    }

    /// A step may end an actor, and with it all threads of its process.
    pub(super) fn may_end(&mut self, actor: usize) {
        self.threads(actor).for_each(|thread| self.parts[thread].may_end = true);
    }

    /// Nothing keeps the step's actor from taking it now.
    fn can_take(&self, step: &PlannedStep) -> bool {
        let from_outside = step.action.verb().doer() == Doer::Stage;
        from_outside || self.actors[step.actor].ended.is_some() || !self.is_busy(step)
    }

    /// An answer is due that isn't an `await`'s: it can't take a step. (That a program runs
    /// doesn't keep its shepherd from anything but to start it once more.)
    fn is_busy(&self, step: &PlannedStep) -> bool {
        let starts = step.action.verb() == Verb::Start;
        let free = |record: &StepRecord| match record.verb {
            Verb::Await => true,
            Verb::Start => !starts,
            _ => matches!(record.outcome, Outcome::Pending { .. }),
        };
        self.parts[step.actor].due.iter().any(|&record| !free(&self.records[record]))
    }

    /// How many steps belong to the sequence that begins here.
    fn sequence_from(&self, index: usize) -> usize {
        1 + self.plan.steps[index + 1..].iter().take_while(|step| step.joined).count()
    }

    /// Gives a sequence of steps as often as it says, if its condition holds. How many
    /// of them were given in the last attempt: what follows a blocked one isn't.
    fn attempt(&mut self, index: usize, count: usize) -> Result<usize, Fault> {
        let first = &self.plan.steps[index];
        let failed = self.parts[first.actor].failed;
        let holds = match first.condition {
            Condition::Always => true,
            Condition::IfFailed => failed,
            Condition::UnlessFailed => !failed,
        };
        for attempt in 1..=first.attempts.max(1) {
            let mut failed = false;
            for (offset, step) in self.plan.steps[index..index + count].iter().enumerate() {
                let at_once = match (self.is_gone(step.actor), holds && !failed) {
                    (true, _) => Some(Outcome::Gone),
                    (false, false) => Some(Outcome::Skipped),
                    (false, true) => None,
                };
                match at_once {
                    Some(outcome) => {
                        self.record(index + offset, attempt, outcome);
                        let counts = self.counter.unchanged();
                        self.records.last_mut().expect("just recorded").counts = counts;
                    }
                    None if step.action.verb().doer() == Doer::Stage => {
                        self.act_outside(index + offset, attempt)?;
                    }
                    None => drop(self.give(index + offset, 1, attempt)?),
                }
                let outcome = &self.records.last().expect("just recorded").outcome;
                failed |= matches!(outcome, Outcome::Failed(_));
                if outcome.is_outstanding() {
                    return Ok(offset + 1);
                }
            }
            if !failed {
                break;
            }
        }
        Ok(count)
    }

    fn record(&mut self, index: usize, attempt: u32, outcome: Outcome) {
        let step = &self.plan.steps[index];
        self.records.push(StepRecord {
            step: index,
            attempt,
            actor: step.actor,
            verb: step.action.verb(),
            channel: step.action.channel(),
            outcome,
            resumed: None,
            offered: None,
            passed: None,
            data: None,
            peeked: None,
            several: vec![],
            held: None,
            counts: Vec::new(),
            resting: Vec::new(),
            calls: Vec::new(),
        });
    }

    /// A step that the stage carries out without asking the actor: a signal, or nothing but
    /// a look.
    fn act_outside(&mut self, index: usize, attempt: u32) -> Result<(), Fault> {
        let step = &self.plan.steps[index];
        let at = step.actor;
        self.record(index, attempt, Outcome::Ok { bytes: None });
        let last = self.records.len() - 1;
        self.given = last..last + 1;
        self.count_before()?;
        let ran = self.how_it_ended(at).is_none();
        if let Action::Kill { signal } = step.action {
            self.may_end(at);
            match self.plan.actors[at].is_child() {
                true => self.signal_child(at, signal)?,
                false => self.actors[at].signal(signal)?,
            }
        }
        self.let_go_on(last)?;
        let rest = self.settle(Some(at))?;
        self.look_at_fills();
        // The last end of a pipe may have gone with it.
        self.set_capacities()?;
        let looks = matches!(step.action.verb(), Verb::Run | Verb::Release);
        let refused = matches!(self.records[last].outcome, Outcome::Failed(_));
        let outcome = match self.how_it_ended(at) {
            // Its maker's runtime has waited for it in the meantime: the signal was sent, and what
            // came of it the maker's `wait` says.
            Some(Outcome::Gone) if ran && !looks => None,
            Some(ended) if ran || looks => Some(ended),
            Some(_) => Some(Outcome::Gone),
            None if looks => rest,
            None => None,
        };
        if let Some(outcome) = outcome.filter(|_| !refused) {
            self.records[last].outcome = outcome;
        }
        self.count_after(last)?;
        self.see_calls(last)
    }

    /// How an actor's process ended, or the program that it is.
    fn how_it_ended(&self, at: usize) -> Option<Outcome> {
        if self.plan.actors[at].is_child() {
            return self.how_child_ended(at);
        }
        if self.actors[at].command.is_none() {
            return self.actors[at].ended.clone();
        }
        let started =
            self.records.iter().rev().find(|record| record.actor == at && record.verb == Verb::Start);
        started.map(StepRecord::last).filter(|outcome| !outcome.is_outstanding()).cloned()
    }

    /// Gives `count` steps to their actor and settles. How many of them were begun:
    /// what follows a blocked one in a batch was not.
    fn give(&mut self, index: usize, count: usize, attempt: u32) -> Result<usize, Fault> {
        let actor = self.plan.steps[index].actor;
        let first = self.records.len();
        self.given = first..first + count;
        let mut steps = Vec::with_capacity(count);
        for offset in 0..count {
            let record = first + offset;
            self.record(index + offset, attempt, Outcome::Ok { bytes: None });
            let order = self.order(record, &self.plan.steps[index + offset]);
            self.parts[actor].due.push(record);
            steps.push(Step { id: record as u64, order });
        }
        self.count_before()?;
        self.actors[actor].control.give(&steps)?;
        self.settler.give_way();
        let rest = self.settle(None)?;
        self.look_at_fills();
        let begun = match self.parts[actor].due.iter().find(|record| **record >= first) {
            None => count,
            Some(&blocked) => {
                self.records[blocked].outcome = rest.expect("settled without an answer");
                self.parts[actor].goes_on |= blocked + 1 < first + count;
                blocked + 1 - first
            }
        };
        self.set_capacities()?;
        self.records.truncate(first + begun);
        self.parts[actor].due.retain(|record| *record < first + begun);
        for record in first..first + begun {
            if self.records[record].counts.is_empty() {
                self.count_after(record)?;
            }
        }
        self.see_calls(first + begun - 1)?;
        Ok(begun)
    }

    /// A program, or what it has left behind, may act at any time.
    pub(super) fn programs_live(&self) -> bool {
        self.actors.iter().any(Actor::programs_live)
    }

    pub(super) fn broken(&self, actor: usize, message: &str) -> Fault {
        self.actors[actor].broken(message)
    }
}

fn files(plan: &Plan, dir: &Path) -> Vec<Option<ChannelFile>> {
    let has_programs = plan.actors.iter().any(|actor| actor.is_command() || actor.is_child());
    let file = |channel: &PlannedChannel| {
        let named = has_programs && channel.declared;
        named.then(|| ChannelFile::of(&dir.join(&channel.name)).ok()).flatten()
    };
    plan.channels.iter().map(file).collect()
}

pub(super) fn describe_end(ended: &Outcome) -> String {
    match ended {
        Outcome::Exited { status } => format!("exit status {status}"),
        Outcome::Killed { signal } => format!("killed by {signal}"),
        other => other.kind().to_owned(),
    }
}
