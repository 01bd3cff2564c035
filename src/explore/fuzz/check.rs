//! One script's transcript, held against the model and the laws.

use super::{
    law::{self, Breach},
    script::Script,
};
use crate::{
    model::{self, Judgement, Machine, ModelVerdict, Rules, Settled, Used},
    outcome::Transcript,
};

/// What isn't as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// This record of the transcript is none of what the model allows; without any, the
    /// script is stuck where the model sees somebody who can go on.
    Model { record: usize, allowed: Vec<Settled> },
    /// The ledger breaks a law.
    Law(Breach),
}

impl Finding {
    /// Whether another one is of the same kind, so that a script that shrinks doesn't slip from
    /// one mistake into another.
    pub(super) fn is_like(&self, other: &Finding) -> bool {
        match (self, other) {
            (Finding::Model { .. }, Finding::Model { .. }) => true,
            (Finding::Law(one), Finding::Law(other)) => one.law == other.law,
            _ => false,
        }
    }

    /// The record behind which nothing matters any more.
    pub(super) fn last_record(&self) -> Option<usize> {
        match self {
            Finding::Model { record, .. } => Some(*record),
            Finding::Law(_) => None,
        }
    }
}

/// What came of a script.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Steps behind the preamble that the model could judge.
    pub(super) steps: u64,
    /// Over these, how many results were allowed.
    pub(super) allowed: u64,
    /// The rules that had a say.
    pub(super) used: Used,
    /// Why the model judged no further.
    pub(super) not_modelled: Option<String>,
    pub(super) seen: Option<Box<Seen>>,
}

/// A finding, and the transcript that shows it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub(super) finding: Finding,
    pub(super) transcript: Transcript,
}

/// The model first, since it can name the step.
pub(super) fn check(script: &Script, transcript: Transcript, machine: &Machine, rules: Rules) -> Checked {
    let plan = &script.plan;
    let judgement = model::judge_foreseen(plan, &transcript, &script.foreseen)
        .unwrap_or_else(|| model::judge(plan, &transcript, machine, rules));
    let Judgement { steps, allowed, used, verdict } = judgement;
    let (finding, not_modelled) = match verdict {
        ModelVerdict::Agrees => (None, None),
        ModelVerdict::NotModelled { why, .. } => (None, Some(why.0)),
        ModelVerdict::Differs { record, allowed } => (Some(Finding::Model { record, allowed }), None),
    };
    let finding = finding.or_else(|| law::breach(plan, &transcript).map(Finding::Law));
    let seen = finding.map(|finding| Box::new(Seen { finding, transcript }));
    let steps = steps.saturating_sub(script.preamble()) as u64;
    Checked { steps, allowed, used, not_modelled, seen }
}
