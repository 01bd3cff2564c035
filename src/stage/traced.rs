//! What programs that are traced have called in a step: asked of their shepherds once it has
//! settled.

use super::{
    Fault,
    actor::Actor,
    command::Tracing,
    play::Play,
    settle::Settler,
    shepherd::{CALLS, RELEASE, RUN},
};
use crate::{
    outcome::{Action, Outcome, StepRecord, Verb},
    trace::{Calls, Effect, Injection},
    wire::{Order, Reply, Step},
};

/// Number of the step that asks for calls: no record has it, and it isn't that of a reset.
const ASK: u64 = (1 << 53) - 2;

impl Play<'_> {
    /// Has a shepherd that traces let its program go on, as far as the record's step says so.
    pub(super) fn let_go_on(&mut self, record: usize) -> Result<(), Fault> {
        let StepRecord { actor: at, step, .. } = self.records[record];
        let (call, words) = match &self.plan.steps[step].action {
            Action::Run { until } => (RUN, until.map_or_else(Vec::new, |until| until.words())),
            Action::Release => (RELEASE, vec![]),
            _ => return Ok(()),
        };
        let actor = &mut self.actors[at];
        if actor.command.as_ref().is_none_or(|command| command.trace == Tracing::Off) {
            return Ok(());
        }
        self.parts[at].due.push(record);
        actor.control.give(&[Step { id: record as u64, order: Order::Call { call: call.to_owned(), words } }])
    }

    /// Takes down what was called since the last time, as part of this record's step.
    pub(super) fn see_calls(&mut self, record: usize) -> Result<(), Fault> {
        for at in 0..self.actors.len() {
            let started = self.given.clone().any(|record| {
                self.records.get(record).is_some_and(|it| it.actor == at && it.verb == Verb::Start)
            });
            let actor = &mut self.actors[at];
            let Some(command) = &mut actor.command else { continue };
            if started && command.trace == Tracing::Idle {
                command.trace = Tracing::On;
            }
            if command.trace != Tracing::On || actor.ended.is_some() {
                continue;
            }
            // What it called up to its end is told once more.
            let lives = command.lives();
            let tracing = match ask(&mut self.settler, actor)? {
                Told::Calls(mut calls, met) => {
                    if !calls.is_empty() {
                        calls.actor = at;
                        self.records[record].calls.push(calls);
                    }
                    self.parts[at].met.extend(met);
                    if lives { Tracing::On } else { Tracing::Idle }
                }
                Told::Refused(why) => Tracing::Refused(why),
                Told::Nothing => Tracing::Idle,
            };
            self.actors[at].command.as_mut().expect("seen above").trace = tracing;
        }
        Ok(())
    }
}

impl Play<'_> {
    /// The records of steps about a call that never came.
    pub(super) fn unmet(&self) -> Vec<usize> {
        let is_unmet = |record: &StepRecord| {
            let about = match &self.plan.steps[record.step].action {
                Action::Inject(injection) => *injection,
                Action::Run { until: Some(at) } => Injection { at: *at, effect: Effect::Held },
                _ => return false,
            };
            // Refused, or not carried out at all: its outcome says so.
            let refused = matches!(record.outcome, Outcome::Failed(_) | Outcome::Skipped | Outcome::Gone);
            !refused && !self.parts[record.actor].met.contains(&about)
        };
        (0..self.records.len()).filter(|at| is_unmet(&self.records[*at])).collect()
    }
}

enum Told {
    Calls(Calls, Vec<Injection>),
    Refused(String),
    /// Whoever could tell is gone.
    Nothing,
}

fn ask(settler: &mut Settler<'_>, actor: &mut Actor) -> Result<Told, Fault> {
    actor.control.give(&[Step { id: ASK, order: Order::Call { call: CALLS.to_owned(), words: vec![] } }])?;
    settler.begin();
    settler.give_way();
    loop {
        actor.control.send_rest()?;
        actor.control.listen()?;
        if let Some(answer) = actor.answer(ASK)? {
            return Ok(match answer.reply {
                Reply::Said { data, .. } => match postcard::from_bytes(&data) {
                    Ok((calls, met)) => Told::Calls(calls, met),
                    Err(error) => return Err(actor.broken(&format!("its record of calls: {error}"))),
                },
                Reply::Fail { message, .. } => Told::Refused(message),
                _ => return Err(actor.broken("it can't say what was called")),
            });
        }
        if actor.control.hung_up() {
            return Ok(Told::Nothing);
        }
        settler.pace(std::slice::from_ref(actor))?;
    }
}
