//! A recorded transcript, held against the model.

use super::{Gave, Machine, Model, NotModelled, Rules, Settled, Used};
use crate::{
    outcome::{End, Outcome, StepRecord, Transcript},
    stage::Plan,
};

/// What the model says of a transcript.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Steps that the model could judge, from the first on.
    pub steps: usize,
    /// Over these steps, how many results were allowed.
    pub allowed: u64,
    /// The rules that had a say in what was seen.
    pub used: Used,
    pub verdict: ModelVerdict,
}

/// How it ended.
#[derive(Clone, Debug)]
pub enum ModelVerdict {
    /// All steps are as the model allows.
    Agrees,
    /// From this record on the model has nothing to say.
    NotModelled { record: usize, why: NotModelled },
    /// This record is none of what is allowed.
    Differs { record: usize, allowed: Vec<Settled> },
}

/// What comes of a plan's first steps, as long as that is one result each: who makes a plan with
/// the model knows it before anything is played.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The result of each, and the rules that had a say in it.
    pub steps: Vec<(Settled, Used)>,
    /// The model behind them.
    pub next: Model,
}

/// Holds a transcript of this plan against the model, step by step, as far as that goes.
pub fn judge(plan: &Plan, transcript: &Transcript, machine: &Machine, rules: Rules) -> Judgement {
    let foreseen = Foreseen { steps: Vec::new(), next: Model::of(plan, machine, rules) };
    judge_foreseen(plan, transcript, &foreseen).expect("nothing was foreseen")
}

/// The same, of whose first steps is known what comes of them. `None` if something else did:
/// then [`judge`] tells what.
pub fn judge_foreseen(plan: &Plan, transcript: &Transcript, foreseen: &Foreseen) -> Option<Judgement> {
    let mut model = foreseen.next.clone();
    let mut judgement =
        Judgement { steps: 0, allowed: 0, used: Used::default(), verdict: ModelVerdict::Agrees };
    for (at, (settled, used)) in foreseen.steps.iter().enumerate() {
        let played = transcript.steps.get(at).filter(|record| record.step == at)?;
        let is_done = !matches!(played.outcome, Outcome::Skipped | Outcome::Gone);
        if !(is_done && Seen::of(transcript, at).agrees(settled)) {
            return None;
        }
        judgement.steps += 1;
        judgement.allowed += 1;
        judgement.used.join(*used);
    }
    for at in foreseen.steps.len()..transcript.steps.len() {
        match judge_step(plan, transcript, &model, at) {
            Ok(Some((next, used, allowed))) => {
                judgement.steps += 1;
                judgement.allowed += allowed;
                judgement.used.join(used);
                model = next;
            }
            Ok(None) => {}
            Err(Disagrees::NotModelled(why)) => {
                judgement.verdict = ModelVerdict::NotModelled { record: at, why };
                return Some(judgement);
            }
            Err(Disagrees::Differs(allowed)) => {
                judgement.verdict = ModelVerdict::Differs { record: at, allowed };
                return Some(judgement);
            }
        }
    }
    if let End::Stuck { step, .. } = transcript.end
        && model.can(plan.steps[step].actor, &plan.steps[step].action)
    {
        let record = transcript.steps.len();
        judgement.verdict = ModelVerdict::Differs { record, allowed: Vec::new() };
    }
    Some(judgement)
}

enum Disagrees {
    NotModelled(NotModelled),
    Differs(Vec<Settled>),
}

type Went = Option<(Model, Used, u64)>;

/// One record; `None` if nothing was done.
fn judge_step(plan: &Plan, transcript: &Transcript, model: &Model, at: usize) -> Result<Went, Disagrees> {
    let record = &transcript.steps[at];
    let planned = &plan.steps[record.step];
    if matches!(record.outcome, Outcome::Skipped | Outcome::Gone) {
        return Ok(None);
    }
    let allowed = model.allowed(record.actor, &planned.action).map_err(Disagrees::NotModelled)?;
    let count = allowed.len() as u64;
    let seen = Seen::of(transcript, at);
    let mut agreeing = allowed.iter().filter(|allowed| seen.agrees(&allowed.settled));
    let Some(first) = agreeing.next() else {
        return Err(Disagrees::Differs(allowed.into_iter().map(|allowed| allowed.settled).collect()));
    };
    // Where something wasn't counted, several may fit.
    let rest: Vec<Model> = agreeing.map(|allowed| allowed.next.clone()).collect();
    let next = Model::union(std::iter::once(first.next.clone()).chain(rest));
    let too_many = || Disagrees::NotModelled(NotModelled("too much may have happened".to_owned()));
    Ok(Some((next.ok_or_else(too_many)?, first.rules, count)))
}

/// What a transcript tells of the moment after a step.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The step's own record.
    pub record: &'a StepRecord,
    /// The records that this step brought to their end.
    pub released: Vec<&'a StepRecord>,
    /// The actors with an outstanding call.
    pub blocked: Vec<usize>,
}

impl Seen<'_> {
    /// After the record with this index.
    pub fn of(transcript: &Transcript, at: usize) -> Seen<'_> {
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
        let gave = settled.gave.agrees(&self.record.outcome);
        // A killed actor's own call gives nothing.
        let released: Vec<&&StepRecord> =
            self.released.iter().filter(|record| record.actor != self.record.actor).collect();
        let resumed = |actor: usize, gave: Gave| {
            let mut records = released.iter().filter(|record| record.actor == actor);
            records.any(|record| record.resumed.as_ref().is_some_and(|resumed| gave.agrees(&resumed.outcome)))
        };
        let counted = self.record.counts.iter().zip(&settled.queued).all(|(count, queued)| {
            let (Some(count), Some(queued)) = (count.queued.known(), queued) else { return true };
            count == *queued
        });
        gave && counted
            && released.len() == settled.released.len()
            && settled.released.iter().all(|(actor, gave)| resumed(*actor, *gave))
            && self.blocked == settled.blocked
    }
}
