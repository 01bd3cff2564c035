//! Runtimes' buffered writers, each held against the policy that was fitted to it.
//!
//! 1. Scripts are those with which policies are fitted ([`Shape::random`]), but longer, and
//!    drawn with another seed: a fit hasn't seen them.
//! 2. A policy says what comes of each move, to the byte that a reader is given: the laws of
//!    bytes have nothing to add.
//! 3. What differs is shrunk with the runtime itself (`shrink`), and written as a scenario that
//!    expects what the policy says (`regression`).

mod check;
mod regression;
mod shrink;
mod tally;

use std::borrow::Cow;

use self::{
    check::{Checked, Differing},
    shrink::shrink,
};
use super::{
    campaign::{Campaign, Found},
    game::{Game, Turns, turn},
};
use crate::{
    model::writer::{Policy, rules::Rule},
    outcome::Transcript,
    policy::{Fitted, Script, Shape, Subject, Words},
    scenario::Skip,
    stage::{Fault, Handle, Measures, Plan},
};

pub use tally::{DriverTally, DriversTally};

/// Moves of a script, but for those at its end: twice those of a fit.
const MOVES: usize = 24;

/// A writer, and what it is held against.
#[derive(Clone, Debug)]
pub struct Writer {
    pub subject: Subject,
    pub policy: Policy,
    /// Rules of which other answers explain what the fit has seen too: what differs may set these
    /// apart.
    pub undecided: Vec<Rule>,
    /// The policy in short.
    pub words: Words,
    shape: Shape,
}

/// Who plays.
#[derive(Clone, Debug)]
pub struct Writers {
    /// Scripts take turns with these.
    pub all: Vec<Writer>,
    /// Why others that were asked for don't play.
    pub skipped: Vec<Skip>,
}

/// A script, and who plays it.
#[derive(Debug)]
pub struct Turn {
    writer: usize,
    script: Script,
}

impl Writer {
    /// The writer with its fitted policy.
    ///
    /// # Errors
    /// No policy explains what the fit has seen: why it is left out, and how to see more.
    pub fn new(subject: Subject, fitted: Fitted) -> Result<Writer, Skip> {
        if fitted.unexplained.is_some() {
            let (name, all, explained) = (&subject.name, fitted.scripts, fitted.explained);
            return Err(Skip {
                reason: format!(
                    "no policy explains all of {all} scripts with {name}; the nearest explains {explained}"
                ),
                remedy: format!("`pipelab policy {name}` shows the first one that it doesn't"),
            });
        }
        let words = Words::of(&fitted.policy);
        let Fitted { example: policy, undecided, shape, .. } = fitted;
        Ok(Writer { subject, policy, undecided, words, shape })
    }

    /// The same with a policy that is a little wrong; `None` if it leaves the rule open.
    pub fn broken(self, rule: Rule) -> Option<Writer> {
        Some(Writer { policy: self.policy.broken(rule)?, ..self })
    }
}

impl Writers {
    fn writer(&self, index: u64) -> &Writer {
        &self.all[turn(self.all.len(), index)]
    }
}

impl Game for Writers {
    /// Bytes in a page.
    type Table = u64;
    type Script = Turn;
    type Checked = Checked;
    type Seen = Differing;
    type Tally = DriversTally;

    fn turns(&self) -> Turns {
        Turns::Drivers(self.all.iter().map(|writer| writer.subject.name.clone()).collect())
    }

    fn editions(&self) -> Vec<String> {
        let edition = |writer: &Writer| {
            let Writer { subject, words, .. } = writer;
            format!("{} {} ({})", subject.name, subject.version, words.name)
        };
        self.all.iter().map(edition).collect()
    }

    fn table(&self, measures: &Measures) -> Result<u64, Fault> {
        Ok(measures.page)
    }

    fn script(&self, _: &u64, seed: u64, index: u64) -> Turn {
        let writer = turn(self.all.len(), index);
        Turn { writer, script: self.all[writer].shape.random(seed, index, MOVES) }
    }

    fn plan<'s>(&self, turn: &'s Turn) -> Cow<'s, Plan> {
        Cow::Owned(turn.script.plan(&self.all[turn.writer].subject.writer))
    }

    fn check(&self, page: &u64, turn: &Turn, transcript: Transcript) -> Checked {
        check::check(&turn.script, &transcript, self.all[turn.writer].policy, *page)
    }

    fn count(&self, tally: &mut DriversTally, index: u64, checked: Checked) -> Option<Box<Differing>> {
        let writer = self.writer(index);
        tally.add(&writer.subject.name, &writer.policy, &checked);
        checked.differing
    }

    fn found(
        campaign: &Campaign<Writers>,
        page: &u64,
        stage: &mut Handle,
        index: u64,
        seen: Differing,
    ) -> Result<Found, Fault> {
        let writer = campaign.game.writer(index);
        let Turn { script, .. } = campaign.game.script(page, campaign.seed, index);
        let steps = script.moves.len();
        let shrunk = shrink(stage, writer, *page, script, seen)?;
        let regression = regression::regression(writer, *page, (campaign.seed, index), &shrunk);
        let (shrunk_to, again, tries) = (shrunk.script.moves.len(), shrunk.again, shrunk.tries);
        Ok(Found { index, steps, shrunk_to, again, tries, regression })
    }
}
