//! The model as a fuzz run asks it: over plans and transcripts. For now, of one FIFO alone.

use std::io;

pub use crate::model::Rules;
use crate::{
    channel::Kind,
    model::{self, Call, Gave, Geometry, State},
    outcome::{Action, End, Outcome, StepRecord, Transcript},
    stage::{Measures, Plan},
};

/// So many states are carried on before the model gives up: nobody has looked for so long
/// that it says little.
const MOST_STATES: usize = 64;

/// The machine's sizes (bytes, unless said).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// What a pipe is made of when it is new.
    pub pipe: Geometry,
}

impl Machine {
    /// This machine, as the stage has measured it.
    pub fn here(measures: &Measures) -> io::Result<Machine> {
        let slots = (measures.capacity / measures.page) as usize;
        Ok(Machine { pipe: Geometry { page: measures.page, slots } })
    }
}

/// What may be, given what was seen.
#[derive(Clone, Debug)]
pub struct Model(Option<model::Model>);

/// One thing that may be seen.
#[derive(Clone, Debug)]
pub struct Allowed {
    pub settled: Settled,
    pub rules: Used,
    pub next: Model,
}

/// As [`model::Settled`], by channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub gave: Gave,
    pub released: Vec<(usize, Gave)>,
    pub blocked: Vec<usize>,
    pub queued: Vec<Option<u64>>,
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used(u64);

impl Used {
    pub fn join(&mut self, other: Used) {
        self.0 |= other.0;
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        std::iter::empty()
    }
}

/// Why the model has nothing to say of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotModelled(pub String);

impl Model {
    /// A case of this plan in which nothing was done yet.
    pub fn of(plan: &Plan, machine: &Machine, rules: Rules) -> Model {
        let [channel] = &plan.channels[..] else { return Model(None) };
        if channel.kind != Kind::Fifo || !channel.declared {
            return Model(None);
        }
        let page = machine.pipe.page;
        let slots = channel.capacity.map_or(machine.pipe.slots, |bytes| (bytes / page) as usize);
        let state = State::fifo(Geometry { page, slots }, plan.actors.len(), rules);
        Model(Some(state.into()))
    }

    pub fn union(models: impl IntoIterator<Item = Model>) -> Option<Model> {
        let models = models.into_iter().filter_map(|model| model.0);
        model::Model::union(models, MOST_STATES).map(|model| Model(Some(model)))
    }

    pub fn can(&self, actor: usize, action: &Action) -> bool {
        let Some((model, call)) = self.0.as_ref().zip(Call::of(action)) else { return false };
        model.can(actor, call)
    }

    /// What may be seen once the actor has done this and all has settled.
    pub fn allowed(&self, actor: usize, action: &Action) -> Result<Vec<Allowed>, NotModelled> {
        let Some((model, call)) = self.0.as_ref().zip(Call::of(action)) else {
            return Err(NotModelled(format!("`{}` isn't modelled", action.verb().name())));
        };
        let one = |(settled, next): (model::Settled, model::Model)| Allowed {
            settled: Settled {
                gave: settled.gave,
                released: settled.released,
                blocked: settled.blocked,
                queued: vec![Some(settled.queued)],
            },
            rules: Used::default(),
            next: Model(Some(next)),
        };
        Ok(model.allowed(actor, call).into_iter().map(one).collect())
    }
}

/// What the model says of a transcript.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Steps that the model could judge, from the first on.
    pub steps: usize,
    /// Over these steps, how many results were allowed.
    pub allowed: u64,
    pub used: Used,
    pub verdict: ModelVerdict,
}

#[derive(Clone, Debug)]
pub enum ModelVerdict {
    Agrees,
    NotModelled { record: usize, why: NotModelled },
    Differs { record: usize, allowed: Vec<Settled> },
}

/// Holds a transcript of this plan against the model, step by step, as far as that goes.
pub fn judge(plan: &Plan, transcript: &Transcript, machine: &Machine, rules: Rules) -> Judgement {
    let mut model = Model::of(plan, machine, rules);
    let mut judgement =
        Judgement { steps: 0, allowed: 0, used: Used::default(), verdict: ModelVerdict::Agrees };
    for (record, seen) in transcript.steps.iter().enumerate() {
        if matches!(seen.outcome, Outcome::Skipped | Outcome::Gone) {
            continue;
        }
        let allowed = match model.allowed(seen.actor, &plan.steps[seen.step].action) {
            Ok(allowed) => allowed,
            Err(why) => {
                judgement.verdict = ModelVerdict::NotModelled { record, why };
                return judgement;
            }
        };
        let seen = Seen::of(transcript, record);
        let Some(found) = allowed.iter().find(|allowed| seen.agrees(&allowed.settled)) else {
            let allowed = allowed.into_iter().map(|allowed| allowed.settled).collect();
            judgement.verdict = ModelVerdict::Differs { record, allowed };
            return judgement;
        };
        judgement.steps += 1;
        judgement.allowed += allowed.len() as u64;
        model = found.next.clone();
    }
    if let End::Stuck { step, .. } = transcript.end
        && model.can(plan.steps[step].actor, &plan.steps[step].action)
    {
        let record = transcript.steps.len();
        judgement.verdict = ModelVerdict::Differs { record, allowed: Vec::new() };
    }
    judgement
}

/// What a transcript tells of the moment after a step.
struct Seen<'a> {
    record: &'a StepRecord,
    released: Vec<&'a StepRecord>,
    blocked: Vec<usize>,
}

impl Seen<'_> {
    fn of(transcript: &Transcript, at: usize) -> Seen<'_> {
        let records = &transcript.steps[..=at];
        let by = |record: &StepRecord| record.resumed.as_ref().map(|resumed| resumed.by);
        let released = records.iter().filter(|record| by(record) == Some(at)).collect();
        let outstanding =
            |record: &&StepRecord| record.outcome.is_outstanding() && by(record).is_none_or(|by| by > at);
        let mut blocked: Vec<usize> = records.iter().filter(outstanding).map(|record| record.actor).collect();
        blocked.sort_unstable();
        Seen { record: &transcript.steps[at], released, blocked }
    }

    fn agrees(&self, settled: &Settled) -> bool {
        let mut released = self.released.iter().filter(|record| record.actor != self.record.actor);
        let resumed = |&(actor, gave): &(usize, Gave)| {
            let mut records = self.released.iter().filter(|record| record.actor == actor);
            records.any(|record| record.resumed.as_ref().is_some_and(|resumed| gave.agrees(&resumed.outcome)))
        };
        let counted = self.record.counts.iter().zip(&settled.queued).all(|(count, queued)| {
            let (Some(count), Some(queued)) = (count.queued.known(), queued) else { return true };
            count == *queued
        });
        settled.gave.agrees(&self.record.outcome)
            && counted
            && settled.released.iter().all(resumed)
            && released.by_ref().count() == settled.released.len()
            && self.blocked == settled.blocked
    }
}
