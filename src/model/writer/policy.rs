//! A policy: the answers of one runtime to the rules, as far as they are known.

use std::cell::Cell;

use super::rules::{Choice, RULES, Rule};

/// The answers to [`RULES`]. What was never told apart is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy([Option<u64>; RULES.len()]);

/// Why the model can't say what comes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSay {
    /// It hangs on a rule that the policy leaves open.
    Open(Rule),
    /// The kernel would let write(2) sleep.
    Sleeps,
    /// The stream was closed before.
    Closed,
}

impl Policy {
    /// The same with this answer: an index of [`RuleInfo::answers`], or a size in bytes.
    ///
    /// [`RuleInfo::answers`]: super::rules::RuleInfo::answers
    pub fn with(mut self, rule: Rule, answer: u64) -> Policy {
        self.0[rule as usize] = Some(answer);
        self
    }

    /// The same with this answer.
    ///
    /// # Panics
    /// The choice isn't one of its rule's, which only a wrong `Choice` makes possible.
    pub fn choose<C: Choice>(self, choice: C) -> Policy {
        let at = C::ALL.iter().position(|known| *known == choice).expect("one of all");
        self.with(C::RULE, at as u64)
    }

    /// The answer, as [`Policy::with`] takes it.
    pub fn get(&self, rule: Rule) -> Option<u64> {
        self.0[rule as usize]
    }

    /// The same with the next answer to this rule, or a byte more: for whoever wants to see that a
    /// mistake is noticed. `None` if the rule is open.
    pub fn broken(self, rule: Rule) -> Option<Policy> {
        let answer = self.get(rule)?;
        let other = match rule.info().answers.len() as u64 {
            0 => answer + 1,
            answers => (answer + 1) % answers,
        };
        Some(self.with(rule, other))
    }

    /// How many rules it answers.
    pub fn answered(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The answer as a type.
    pub fn choice<C: Choice>(&self) -> Option<C> {
        self.get(C::RULE).and_then(|at| C::ALL.get(at as usize).copied())
    }

    /// The word for the answer: that of the table, or the number of bytes.
    pub fn word(&self, rule: Rule) -> Option<String> {
        let answer = self.get(rule)?;
        let known = rule.info().answers.get(answer as usize);
        Some(known.map_or_else(|| answer.to_string(), |known| known.word.to_owned()))
    }
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Used(u32);

impl Used {
    pub fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u8) != 0
    }

    /// Both sets together.
    pub fn and(self, other: Used) -> Used {
        Used(self.0 | other.0)
    }

    /// The rules, in the order of the table.
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        RULES.iter().map(|info| info.rule).filter(move |rule| self.has(*rule))
    }
}

/// A policy that is being followed, and which of its rules have had a say.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    policy: Policy,
    used: Cell<Used>,
}

impl Terms {
    pub(super) fn new(policy: Policy) -> Terms {
        Terms { policy, used: Cell::default() }
    }

    pub(super) fn used(&self) -> Used {
        self.used.get()
    }

    fn answer(&self, rule: Rule) -> Result<u64, NoSay> {
        self.used.set(Used(self.used.get().0 | 1 << rule as u8));
        self.policy.get(rule).ok_or(NoSay::Open(rule))
    }

    pub(super) fn capacity(&self) -> Result<u64, NoSay> {
        self.answer(Rule::Capacity)
    }

    pub(super) fn chunk(&self) -> Result<u64, NoSay> {
        self.answer(Rule::Chunk)
    }

    pub(super) fn is<C: Choice>(&self, choice: C) -> Result<bool, NoSay> {
        let at = self.answer(C::RULE)?;
        Ok(C::ALL.get(at as usize) == Some(&choice))
    }
}
