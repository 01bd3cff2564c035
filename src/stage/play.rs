//! Plays one case: gives each step, settles, records. It judges nothing.

use std::{fs::File, path::PathBuf};

use super::{
    Condition, Fault, Options, Plan, PlannedStep,
    actor::Actor,
    count::Counter,
    settle::{Guard, Settler},
};
use crate::{
    channel,
    outcome::{
        Access, Action, ChannelCount, End, Offer, Outcome, StepRecord, Transcript, Verb, Wait, offer_bytes,
    },
    wire::{Message, Order, Step},
};

/// Descriptors open at once, for a moment, while a step is settled and counted.
const RESERVE: usize = 4;

/// An end of a channel that an actor holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) fd: i32,
    pub(super) access: Access,
}

/// What the stage knows of one actor beside its process.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Per channel: the end it holds.
    pub(super) ends: Vec<Option<Held>>,
    /// Per channel: bytes of its stream offered so far.
    pub(super) offered: Vec<u64>,
    /// Its last step that was carried out failed.
    pub(super) failed: bool,
    /// Records whose answer is due.
    pub(super) due: Vec<usize>,
    /// It was told to exit or sent a signal, so its end isn't the driver's fault.
    pub(super) may_end: bool,
    /// The record of the read whose bytes are being counted.
    pub(super) reading: Option<usize>,
}

/// A case being played.
pub(super) struct Play<'case> {
    pub(super) plan: &'case Plan,
    pub(super) dir: PathBuf,
    pub(super) actors: Vec<Actor>,
    pub(super) parts: Vec<Part>,
    pub(super) records: Vec<StepRecord>,
    settler: Settler<'case>,
    counter: Counter,
}

/// Plays a case in a directory of its own, which is gone afterwards.
///
/// # Errors
/// A driver that doesn't keep to the wire, or a fault of the harness.
pub(super) fn play(plan: &Plan, dir: PathBuf, options: &Options, guard: &Guard) -> Result<Transcript, Fault> {
    std::fs::create_dir_all(&dir).map_err(|error| Fault::harness("making the case's directory", error))?;
    let result = Play::start(plan, dir.clone(), options, guard).and_then(Play::run);
    // The actors are gone by now.
    std::fs::remove_dir_all(&dir).map_err(|error| Fault::harness("removing the case's directory", error))?;
    result
}

impl<'case> Play<'case> {
    fn start(plan: &'case Plan, dir: PathBuf, options: &Options, guard: &'case Guard) -> Result<Self, Fault> {
        for planned in &plan.channels {
            channel::make(planned.kind, &dir.join(&planned.name))
                .map_err(|error| Fault::harness(&format!("making {}", planned.name), error))?;
        }
        let actors = plan
            .actors
            .iter()
            .map(|planned| Actor::start(planned, &plan.setting, &dir, options))
            .collect::<Result<Vec<_>, _>>()?;
        let none = |count| vec![None; count];
        let part = Part {
            ends: none(plan.channels.len()),
            offered: vec![0; plan.channels.len()],
            failed: false,
            due: Vec::new(),
            may_end: false,
            reading: None,
        };
        let mut play = Play {
            plan,
            dir,
            parts: vec![part; actors.len()],
            actors,
            records: Vec::new(),
            settler: Settler::new(guard, plan.setting.budget_ms),
            counter: Counter::new(plan.actors.len(), plan.channels.len()),
        };
        play.await_greetings()?;
        keep_in_reserve()?;
        Ok(play)
    }

    fn await_greetings(&mut self) -> Result<(), Fault> {
        for at in 0..self.actors.len() {
            loop {
                let actor = &mut self.actors[at];
                actor.listen()?;
                match actor.message()? {
                    Some(Message::Hello(_)) if actor.has_children() => {
                        return Err(self.broken(
                            at,
                            "it greets through a child process, which can't be proved settled: let the \
                             program that is named become the driver with exec, or name the driver itself",
                        ));
                    }
                    Some(Message::Hello(_)) => break,
                    Some(Message::Answer(_)) => return Err(self.broken(at, "it answered before it greeted")),
                    None => {}
                }
                actor.reap()?;
                if let Some(ended) = &actor.ended {
                    let how = format!("it ended before its greeting: {}", describe_end(ended));
                    return Err(self.broken(at, &how));
                }
                self.settler.await_greeting(&mut self.actors[at])?;
            }
        }
        Ok(())
    }

    fn run(mut self) -> Result<Transcript, Fault> {
        let mut end = End::Played;
        for (index, step) in self.plan.steps.iter().enumerate() {
            let is_kill = step.action.verb() == Verb::Kill;
            if !is_kill && self.actors[step.actor].ended.is_none() && self.is_busy(step.actor) {
                end = End::Stuck { step: index, waits: self.waits() };
                break;
            }
            let failed = self.parts[step.actor].failed;
            let holds = match step.condition {
                Condition::Always => true,
                Condition::IfFailed => failed,
                Condition::UnlessFailed => !failed,
            };
            for attempt in 1..=step.attempts.max(1) {
                let outcome = self.give(index, step, attempt, holds)?;
                if !matches!(outcome, Outcome::Failed(_)) {
                    break;
                }
            }
        }
        let holds = (self.parts.iter()).map(|part| part.ends.iter().map(Option::is_some).collect()).collect();
        Ok(Transcript { steps: std::mem::take(&mut self.records), end, holds })
    }

    /// An answer is due that isn't an `await`'s: it can't take a step.
    fn is_busy(&self, actor: usize) -> bool {
        self.parts[actor].due.iter().any(|&record| self.records[record].verb != Verb::Await)
    }

    /// Carries one attempt at a step out if its condition holds, and settles. The
    /// outcome is the record's own.
    fn give(
        &mut self,
        index: usize,
        step: &PlannedStep,
        attempt: u32,
        holds: bool,
    ) -> Result<Outcome, Fault> {
        let current = self.records.len();
        let channel = step.action.channel();
        self.records.push(StepRecord {
            step: index,
            attempt,
            actor: step.actor,
            verb: step.action.verb(),
            channel,
            outcome: Outcome::Ok { bytes: None },
            resumed: None,
            offered: None,
            data: None,
            counts: Vec::new(),
        });
        let at_once = if self.actors[step.actor].ended.is_some() {
            Some(Outcome::Gone)
        } else if !holds {
            Some(Outcome::Skipped)
        } else {
            None
        };
        let outcome = match at_once {
            Some(outcome) => outcome,
            None => {
                let nudged = match step.action {
                    Action::Kill { signal } => {
                        self.parts[step.actor].may_end = true;
                        self.actors[step.actor].signal(signal)?;
                        Some(step.actor)
                    }
                    _ => {
                        let order = self.order(current, step);
                        self.parts[step.actor].due.push(current);
                        self.counter.before(current, step, &mut self.actors[step.actor], &mut self.parts);
                        self.actors[step.actor].give(&[Step { id: current as u64, order }])?;
                        None
                    }
                };
                self.settle(current, nudged)?
            }
        };
        self.records[current].outcome = outcome.clone();
        self.records[current].counts = self.count();
        Ok(outcome)
    }

    /// The wire's form of a step; notes what a write offers.
    fn order(&mut self, record: usize, step: &PlannedStep) -> Order {
        let name = |channel: usize| self.plan.channels[channel].name.clone();
        match step.action {
            Action::Open { channel, access, nonblock } => Order::Open {
                channel: name(channel),
                access,
                nonblock,
                path: self.dir.join(&self.plan.channels[channel].name).to_string_lossy().into_owned(),
            },
            Action::Close { channel } => Order::Close { channel: name(channel) },
            Action::Flush { channel } => Order::Flush { channel: name(channel) },
            Action::Read { channel, amount } => Order::Read { channel: name(channel), amount },
            Action::Await { channel, readiness } => Order::Await { channel: name(channel), readiness },
            Action::Sleep => Order::Sleep,
            Action::Spin => Order::Spin,
            Action::Exit { status } => {
                self.parts[step.actor].may_end = true;
                Order::Exit { status }
            }
            Action::Write { channel, bytes, newline, pieces } => {
                let offered = &mut self.parts[step.actor].offered[channel];
                let offer = Offer { offset: *offered, len: bytes, piece: pieces.unwrap_or(bytes), newline };
                *offered += bytes;
                self.records[record].offered = Some(offer);
                Order::Write {
                    channel: name(channel),
                    piece: offer.piece,
                    payload: offer_bytes(step.actor, &offer),
                }
            }
            Action::Kill { .. } => unreachable!("the stage kills, the driver isn't asked"),
        }
    }

    /// Lets everything settle after the record `current` was given; the outcome
    /// is that record's.
    fn settle(&mut self, current: usize, nudged: Option<usize>) -> Result<Outcome, Fault> {
        let mut own = None;
        let actor = self.records[current].actor;
        self.settler.begin();
        loop {
            self.collect(current, &mut own)?;
            let unsettled: Vec<usize> = (0..self.actors.len())
                .filter(|&at| {
                    self.actors[at].ended.is_none() && (!self.parts[at].due.is_empty() || nudged == Some(at))
                })
                .collect();
            if self.settler.settled(&mut self.actors, &unsettled)? {
                if self.parts[actor].due.contains(&current) && own.is_none() {
                    let rest = self.settler.rest(&self.actors, &unsettled, actor);
                    let outcome = rest.outcome(self.records[current].verb);
                    own = Some(outcome.map_err(|why| self.broken(actor, &why))?);
                }
                break;
            }
        }
        let outcome = own.unwrap_or_else(|| match &self.actors[actor].ended {
            Some(ended) => ended.clone(),
            None => Outcome::Ok { bytes: None },
        });
        if !outcome.is_outstanding() && self.records[current].verb != Verb::Kill {
            self.parts[actor].failed = matches!(outcome, Outcome::Failed(_));
        }
        Ok(outcome)
    }

    fn count(&mut self) -> Vec<ChannelCount> {
        self.counter.after(self.plan, &self.records, &mut self.actors, &mut self.parts)
    }

    fn waits(&mut self) -> Vec<Wait> {
        let mut waits = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            for &record in &part.due {
                let channel = self.records[record].channel;
                let holding = |wanted: fn(Access) -> bool| -> Vec<usize> {
                    let holds = |part: &Part| {
                        channel
                            .is_some_and(|channel| part.ends[channel].is_some_and(|end| wanted(end.access)))
                    };
                    (0..self.parts.len()).filter(|&other| holds(&self.parts[other])).collect()
                };
                waits.push(Wait {
                    actor: at,
                    record,
                    channel,
                    queued: channel.and_then(|channel| {
                        self.records
                            .last()
                            .and_then(|last| last.counts.get(channel))
                            .map(|count| count.queued.clone())
                    }),
                    capacity: channel.and_then(|channel| {
                        self.counter.capacity(channel, &self.records, &self.actors, &self.parts)
                    }),
                    readers: holding(Access::reads),
                    writers: holding(Access::writes),
                });
            }
        }
        waits
    }

    pub(super) fn broken(&mut self, actor: usize, message: &str) -> Fault {
        let words = self.actors[actor].last_words();
        let message =
            if words.is_empty() { message.to_owned() } else { format!("{message}; it said: {words}") };
        Fault::Driver { actor: self.actors[actor].name.clone(), message }
    }
}

/// Makes sure of the descriptors that counting opens for a moment, so that no
/// count is unknown merely because the limit is low.
fn keep_in_reserve() -> Result<(), Fault> {
    let reserve: Result<Vec<File>, _> = (0..RESERVE).map(|_| File::open("/dev/null")).collect();
    reserve.map(drop).map_err(|error| Fault::harness("counting", error))
}

pub(super) fn describe_end(ended: &Outcome) -> String {
    match ended {
        Outcome::Exited { status } => format!("exit status {status}"),
        Outcome::Killed { signal } => format!("killed by {signal}"),
        other => other.kind().to_owned(),
    }
}
