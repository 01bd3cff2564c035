//! Which policies explain what was seen.
//!
//! A policy is followed with its rules open. Where one has a say, the policy parts into one
//! for each answer; one that says anything else than what was seen is given up. What is left
//! behind the last script are all the policies there are that explain all of them, exactly:
//! a rule that is still open never had a say.

use super::script::{Check, Observed, Script};
use crate::model::writer::{NoSay, Policy, rules::Rule};

/// A script with what was seen of it.
pub(super) type Played = (Script, Observed);

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These explain everything.
    All(Vec<Policy>),
    /// None does. The nearest explains all before this script, of which it says this.
    None { nearest: Box<Policy>, script: usize, check: Check },
}

/// `sizes`: the answers to try for the rules that are answered by a size.
pub(super) fn search(played: &[Played], sizes: &[u64], page: u64) -> Found {
    let mut left = vec![Policy::default()];
    for (at, (script, observed)) in played.iter().enumerate() {
        let mut next = Vec::new();
        let mut nearest: Option<(usize, Policy, Check)> = None;
        while let Some(policy) = left.pop() {
            match script.check(policy, page, observed) {
                Check::Agrees(_) => next.push(policy),
                Check::NoSay { why: NoSay::Open(rule), .. } => {
                    left.extend(answers(rule, sizes).map(|answer| policy.with(rule, answer)));
                }
                check => {
                    let came = check.came();
                    if nearest.as_ref().is_none_or(|(best, ..)| came > *best) {
                        nearest = Some((came, policy, check));
                    }
                }
            }
        }
        if let (true, Some((_, nearest, check))) = (next.is_empty(), nearest) {
            return Found::None { nearest: nearest.into(), script: at, check };
        }
        // Popped from the end: back into the order of the answers.
        next.reverse();
        left = next;
    }
    Found::All(left)
}

/// All answers of a rule, the last one first.
fn answers(rule: Rule, sizes: &[u64]) -> impl Iterator<Item = u64> {
    let known = rule.info().answers.len() as u64;
    let all: Vec<u64> = if known > 0 { (0..known).collect() } else { sizes.to_vec() };
    all.into_iter().rev()
}

impl Check {
    /// Moves before the one that differs.
    fn came(&self) -> usize {
        match self {
            Check::Agrees(_) => usize::MAX,
            Check::Differs { at, .. } | Check::NoSay { at, .. } => *at,
        }
    }
}
