//! Random scripts over one FIFO of which the model knows the one right answer,
//! step by step: the oracle for whoever claims to know who is blocked.
//!
//! 1. As an iterator, a trial never draws a step whose result isn't unique; several
//!    hidden states (say, the order of two sleepers) may be carried on as long as
//!    they look alike. Whoever can look before going on uses [`Trial::propose`] and
//!    [`Trial::saw`] instead, which leave no step out.
//! 2. The same seed, shape and kernel geometry give the same script, for ever: the
//!    generator is its own.
//! 3. Sizes are drawn around those at which something changes: 1, a page, PIPE_BUF,
//!    what is queued, the capacity.

use super::{Allowed, Call, Errno, Gave, Geometry, Machine, Model, Rules, Settled, State};
use crate::outcome::{Access, Action, Amount};

/// How a trial is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The geometry of a FIFO when it is opened (discovered, not assumed).
    pub geometry: Geometry,
    /// Actors, from 0 on; 2 to 4 are sensible.
    pub actors: usize,
    /// Some opens ask for O_NONBLOCK.
    pub nonblock: bool,
    /// Some actors are killed.
    pub kills: bool,
    /// `Rules::linux()`, or broken ones to test who uses the trial.
    pub rules: Rules,
}

/// A step and what must be seen once it has settled.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialStep {
    pub actor: usize,
    /// For the raw driver; its channel is 0.
    pub action: Action,
    /// What the step gave, under its own actor, first; then every outstanding call
    /// of another actor that it brought to its end. A killed actor's outstanding
    /// call isn't among them.
    pub expected: Vec<(usize, Gave)>,
    /// All actors whose call is outstanding afterwards, in order: no more, no fewer.
    pub blocked: Vec<usize>,
    /// Bytes queued afterwards.
    pub queued: u64,
}

/// A step that could be next, and all that may be seen once it has settled.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub actor: usize,
    /// For the raw driver; its channel is 0.
    pub action: Action,
    /// Every result, with the model that goes on from it.
    pub allowed: Vec<Allowed>,
}

/// A script; it ends when no actor can take a step.
#[derive(Clone, Debug)]
pub struct Trial {
    shape: Shape,
    model: Model,
    random: Random,
    queued: u64,
}

impl Trial {
    /// The script of this seed.
    pub fn new(seed: u64, shape: Shape) -> Trial {
        let model = Model::from(State::fifo(Machine::with_pipe(shape.geometry), shape.actors, shape.rules));
        Trial { shape, model, random: Random(seed), queued: 0 }
    }

    /// Draws a step; nothing has changed until [`Trial::saw`] says what came of it.
    pub fn propose(&mut self) -> Option<Proposal> {
        // Most draws fail because the actor is blocked or the end is the wrong one;
        // a thousand in a row fail when everybody is stuck or dead.
        for _ in 0..1000 {
            let actor = self.random.below(self.shape.actors as u64) as usize;
            let action = self.draw();
            let Some(call) = Call::of(&action) else { continue };
            if !self.model.can_call(actor, 0, call) {
                continue;
            }
            let Ok(allowed) = self.model.after(actor, 0, call) else { continue };
            // A wrong end says little, and not every driver lets one ask.
            let wrong_end = |allowed: &Allowed| {
                matches!(allowed.settled.gave, Gave::Failed { errno: Errno::EBADF, .. })
            };
            if !allowed.iter().any(wrong_end) {
                return Some(Proposal { actor, action, allowed });
            }
        }
        None
    }

    /// Goes on from what was seen of the step that was proposed last. False if that
    /// isn't allowed: then the trial stays where it was.
    pub fn saw(&mut self, proposal: Proposal, settled: &Settled) -> bool {
        let mut allowed = proposal.allowed.into_iter();
        let Some(seen) = allowed.find(|allowed| allowed.settled == *settled) else { return false };
        self.model = seen.next;
        self.queued = settled.queued[0].unwrap_or(0);
        true
    }

    fn draw(&mut self) -> Action {
        match self.random.below(16) {
            0..=3 => {
                let access = match self.random.below(8) {
                    0 => Access::Both,
                    1..=4 => Access::Read,
                    _ => Access::Write,
                };
                let nonblock = self.shape.nonblock && self.random.below(4) == 0;
                Action::Open { channel: 0, access, nonblock }
            }
            4..=8 => {
                Action::Write { channel: 0, bytes: self.size(), wide: false, newline: false, pieces: None }
            }
            9..=11 => Action::Read { channel: 0, amount: Amount::Bytes(self.size()) },
            12 => Action::Read { channel: 0, amount: Amount::Available },
            13 => Action::Read { channel: 0, amount: Amount::ToEof },
            // Rare, since the dead don't come back.
            14 if self.shape.kills && self.random.below(6) == 0 => Action::Kill { signal: libc::SIGKILL },
            _ => Action::Close { channel: 0 },
        }
    }

    /// Rule 3.
    fn size(&mut self) -> u64 {
        const PIPE_BUF: u64 = 4096;
        let Geometry { page, .. } = self.shape.geometry;
        let capacity = self.shape.geometry.capacity();
        let around = match self.random.below(8) {
            0 | 1 => 1,
            2 => page,
            3 => PIPE_BUF,
            4 => capacity,
            5 => self.queued,
            6 => capacity - self.queued.min(capacity),
            _ => page * self.random.below(2 * capacity / page) + self.random.below(page),
        };
        (around + self.random.below(3)).saturating_sub(1)
    }
}

impl Iterator for Trial {
    type Item = TrialStep;

    fn next(&mut self) -> Option<TrialStep> {
        for _ in 0..100 {
            let proposal = self.propose()?;
            let [only] = &proposal.allowed[..] else { continue };
            let settled = only.settled.clone();
            let (actor, action) = (proposal.actor, proposal.action.clone());
            self.saw(proposal, &settled);
            let mut expected = vec![(actor, settled.gave)];
            expected.extend(settled.released);
            let (blocked, queued) = (settled.blocked, settled.queued[0].unwrap_or(0));
            return Some(TrialStep { actor, action, expected, blocked, queued });
        }
        None
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): eight lines that never change under us.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    /// A number in `0..limit`; the bias of the remainder is no matter here.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(actors: usize) -> Shape {
        let geometry = Geometry { page: 4096, slots: 16 };
        Shape { geometry, actors, nonblock: true, kills: true, rules: Rules::linux() }
    }

    #[test]
    fn a_seed_always_gives_the_same_script() {
        let play = || Trial::new(7, shape(3)).take(50).collect::<Vec<_>>();
        assert_eq!(play(), play());
    }

    #[test]
    fn trials_reach_everything_they_are_for() {
        let steps: Vec<TrialStep> =
            (0..300).flat_map(|seed| Trial::new(seed, shape(2 + seed as usize % 3)).take(30)).collect();
        let seen = |wanted: fn(&TrialStep) -> bool| steps.iter().any(wanted);
        assert!(seen(|step| step.blocked.len() > 2), "several blocked");
        assert!(seen(|step| step.expected.len() > 2), "two released by one step");
        assert!(seen(|step| step.expected[0].1 == Gave::Eof), "end of file");
        for errno in [Errno::EAGAIN, Errno::ENXIO, Errno::EPIPE] {
            let failed = |gave: &Gave| matches!(gave, Gave::Failed { errno: got, .. } if *got == errno);
            assert!(steps.iter().any(|step| step.expected.iter().any(|(_, gave)| failed(gave))), "{errno:?}");
        }
        assert!(seen(|step| step.expected[0].1 == Gave::Ended), "kills");
        assert!(
            seen(|step| matches!((&step.action, step.expected[0].1), (Action::Write { .. }, Gave::Blocked))
                && step.queued > 0),
            "a write that moved a part, or found no room"
        );
    }
}
