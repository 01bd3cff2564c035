//! One script's transcript, held against a policy.

use crate::{
    model::writer::{NoSay, Policy, Used},
    outcome::Transcript,
    policy::{Check, Observed, Script},
};

/// What came of a script.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Moves that the policy could judge.
    pub(super) steps: u64,
    /// The rules that had a say, if it agrees.
    pub(super) used: Used,
    /// Why it judged no further.
    pub(super) no_say: Option<String>,
    pub(super) differing: Option<Box<Differing>>,
}

/// A move of which the policy says something else than was seen.
#[derive(Clone, Debug)]
pub struct Differing {
    pub(super) at: usize,
    pub(super) predicted: String,
    pub(super) seen: String,
    /// What was seen of the whole script.
    pub(super) observed: Observed,
}

pub(super) fn check(script: &Script, transcript: &Transcript, policy: Policy, page: u64) -> Checked {
    let observed = script.observed(transcript);
    match script.check(policy, page, &observed) {
        Check::Agrees(used) => Checked { steps: script.moves.len() as u64, used, ..Checked::default() },
        Check::Differs { at, predicted, seen } => Checked {
            steps: at as u64 + 1,
            differing: Some(Box::new(Differing { at, predicted, seen, observed })),
            ..Checked::default()
        },
        Check::NoSay { at, why } => {
            Checked { steps: at as u64, no_say: Some(told(why)), ..Checked::default() }
        }
    }
}

fn told(why: NoSay) -> String {
    match why {
        NoSay::Open(rule) => format!("the fit left `{}` open", rule.info().id),
        NoSay::Sleeps => "write(2) would sleep".to_owned(),
        NoSay::Closed => "the stream was closed before".to_owned(),
    }
}
