//! A run: which scripts, how many, on how many stages; what came of them in order.
//!
//! 1. Workers take batches of scripts in order, and hand back what came of each.
//! 2. Results are put together in order, so that a budget of scripts or steps ends at the same
//!    script whatever the number of jobs. (One of time ends where it does, behind a script
//!    up to which all were played.)
//! 3. The first finding in order ends the run.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    game::{Covered, Game},
    regression::Regression,
    worker::{BATCH, Batch, Board, work},
};
use crate::{
    runner,
    stage::{Fault, Handle, Options},
};

/// When a run ends, whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pub scripts: Option<u64>,
    /// Steps that the model has judged.
    pub steps: Option<u64>,
    pub time: Option<Duration>,
}

/// A run of scripts.
#[derive(Clone, Debug)]
pub struct Campaign<G> {
    pub seed: u64,
    /// The first script.
    pub first: u64,
    pub budget: Budget,
    /// Stages, each on a CPU of its own as far as there are so many.
    pub jobs: usize,
    /// What is played.
    pub game: G,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    pub tally: T,
    /// The script with which another run goes on.
    pub next: u64,
    pub found: Option<Found>,
}

/// A script that differs.
#[derive(Clone, Debug)]
pub struct Found {
    pub index: u64,
    /// Steps that it had, without those that make its scene.
    pub steps: usize,
    /// And those that are left.
    pub shrunk_to: usize,
    /// It differed again when it was played once more: else it is as it was found.
    pub again: bool,
    /// Scripts that were tried.
    pub tries: usize,
    pub regression: Regression,
}

impl<G: Game> Campaign<G> {
    /// Plays until the budget is used up or something is found, and shrinks that. `tally` is
    /// what was covered before; `saw` gets told of it, and of the next script, now and then.
    ///
    /// # Errors
    /// A stage can't be started, or is of no more use; the error names the script.
    pub fn run(
        &self,
        options: &Options,
        tally: G::Tally,
        saw: impl FnMut(&G::Tally, u64),
    ) -> Result<Outcome<G::Tally>, Fault> {
        // A stage more than there are batches would have nothing to do.
        let batches = self.budget.scripts.map_or(u64::MAX, |scripts| scripts.div_ceil(BATCH)).max(1);
        let jobs = self.jobs.min(usize::try_from(batches).unwrap_or(usize::MAX));
        let options = runner::pinned(options, jobs);
        let mut stages = options.iter().map(Handle::start).collect::<Result<Vec<Handle>, Fault>>()?;
        let table = self.game.table(stages[0].measures())?;
        let (results, inbox) = mpsc::sync_channel(2 * stages.len());
        let board = Board { next: AtomicU64::new(0), over: AtomicBool::new(false) };
        let before = tally.steps();
        let mut merged = Merged { campaign: self, tally, next: self.first, before, found: None, saw };
        thread::scope(|scope| {
            for stage in &mut stages {
                let (table, board, results) = (&table, &board, results.clone());
                scope.spawn(move || work(self, table, stage, board, &results));
            }
            drop(results);
            let merged = merged.all(&inbox);
            board.over.store(true, Ordering::Relaxed);
            // Whoever waits to hand something over needn't any more.
            drop(inbox);
            merged
        })?;
        let Merged { tally, next, found, .. } = merged;
        let found = found.map(|(index, seen)| G::found(self, &table, &mut stages[0], index, *seen));
        Ok(Outcome { tally, next, found: found.transpose()? })
    }

    /// The scripts of a batch.
    pub(super) fn batch(&self, number: u64) -> Range<u64> {
        let start = self.first.saturating_add(number * BATCH);
        let end = self.budget.scripts.map_or(u64::MAX, |scripts| self.first.saturating_add(scripts));
        start.min(end)..start.saturating_add(BATCH).min(end)
    }

    /// The batch that a script is in.
    pub(super) fn number(&self, index: u64) -> u64 {
        (index - self.first) / BATCH
    }

    /// It is the last one of its batch.
    pub(super) fn ends_batch(&self, index: u64) -> bool {
        index + 1 == self.batch(self.number(index)).end
    }

    pub(super) fn in_script(&self, fault: Fault, index: u64) -> Fault {
        match fault {
            Fault::Harness { message } => {
                let turn = self.game.turns().of(index).told();
                let place = format!("in the script {index} of seed {}, {turn}", self.seed);
                Fault::Harness { message: format!("{message} ({place})") }
            }
            fault => fault,
        }
    }
}

/// What came of the scripts so far, in their order.
struct Merged<'c, G: Game, S> {
    campaign: &'c Campaign<G>,
    tally: G::Tally,
    next: u64,
    /// Steps before this run.
    before: u64,
    found: Option<(u64, Box<G::Seen>)>,
    saw: S,
}

impl<G: Game, S: FnMut(&G::Tally, u64)> Merged<'_, G, S> {
    fn all(&mut self, inbox: &mpsc::Receiver<Batch<G>>) -> Result<(), Fault> {
        let Budget { scripts, steps, time } = self.campaign.budget;
        let started = Instant::now();
        let mut early = BTreeMap::new();
        let mut number = 0;
        while let Ok(batch) = inbox.recv() {
            early.insert(batch.number, batch);
            while let Some(batch) = early.remove(&number) {
                number += 1;
                for checked in batch.checked {
                    let index = self.next;
                    self.next += 1;
                    let seen = self.campaign.game.count(&mut self.tally, index, checked);
                    if let Some(seen) = seen {
                        // Nobody is told to go on behind it before it is shrunk.
                        self.found = Some((index, seen));
                        return Ok(());
                    }
                    let played = self.next - self.campaign.first;
                    if scripts.is_some_and(|scripts| played >= scripts)
                        || steps.is_some_and(|steps| self.tally.steps() - self.before >= steps)
                    {
                        (self.saw)(&self.tally, self.next);
                        return Ok(());
                    }
                }
                if let Some(fault) = batch.fault {
                    return Err(fault);
                }
                (self.saw)(&self.tally, self.next);
            }
            if time.is_some_and(|time| started.elapsed() >= time) {
                return Ok(());
            }
        }
        // Only a budget of no scripts comes to this.
        Ok(())
    }
}
