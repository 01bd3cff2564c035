//! Scripts one after the other on one stage, several under way.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::mpsc::SyncSender,
};

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};

use super::{
    campaign::Campaign,
    check::{Checked, check},
    draw::{self, Draws},
    ground::Ground,
    script::Script,
};
use crate::{
    model::{Machine, Rules},
    stage::{Fault, Handle},
};

/// Scripts of a batch, which a worker takes and hands back at once.
pub(super) const BATCH: u64 = 32;

/// Scripts under way at a stage.
const DEPTH: usize = 16;

/// What came of a batch of scripts, in their order; after a fault, of those before it.
pub(super) struct Batch {
    /// Its number, from 0.
    pub(super) number: u64,
    pub(super) checked: Vec<Checked>,
    pub(super) fault: Option<Fault>,
}

/// What the workers of a run have in common.
pub(super) struct Board {
    /// The number of the batch that nobody has taken.
    pub(super) next: AtomicU64,
    /// Nobody wants more.
    pub(super) over: AtomicBool,
}

/// A stage, and what makes scripts for it.
pub(super) struct Player<'h> {
    stage: &'h mut Handle,
    machine: Machine,
    strategy: BoxedStrategy<Draws>,
}

impl<'h> Player<'h> {
    pub(super) fn new(stage: &'h mut Handle, machine: Machine) -> Player<'h> {
        Player { stage, machine, strategy: draw::strategy() }
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Where the script with this index comes from.
    pub(super) fn tree(&self, seed: u64, index: u64) -> impl ValueTree<Value = Draws> + use<> {
        self.strategy.new_tree(&mut draw::runner(seed, index)).expect("nothing is filtered")
    }

    pub(super) fn script(&self, campaign: &Campaign, index: u64) -> Script {
        let draws = self.tree(campaign.seed, index).current();
        Script::drawn(campaign.ground(index), &draws, &self.machine, campaign.rules)
    }

    /// Plays one script and judges it.
    pub(super) fn check(&mut self, script: &Script, rules: Rules) -> Result<Checked, Fault> {
        let transcript = self.stage.play(&script.plan)?;
        Ok(check(script, transcript, &self.machine, rules))
    }

    /// Plays batch after batch of a run until nobody wants more.
    pub(super) fn work(self, campaign: &Campaign, board: &Board, results: &SyncSender<Batch>) {
        let mut under_way: VecDeque<(u64, Script)> = VecDeque::new();
        let mut ahead = 0..0;
        let mut batch: Option<Batch> = None;
        loop {
            let mut submitted = Ok(());
            while under_way.len() < DEPTH && submitted.is_ok() {
                if ahead.is_empty() && !board.over.load(Ordering::Relaxed) {
                    ahead = campaign.batch(board.next.fetch_add(1, Ordering::Relaxed));
                }
                let Some(index) = ahead.next() else { break };
                let script = self.script(campaign, index);
                submitted = self.stage.submit(&script.plan);
                under_way.push_back((index, script));
            }
            let Some((index, script)) = under_way.pop_front() else { return };
            let played = submitted.and_then(|()| self.stage.next());
            let number = campaign.number(index);
            let results_of = batch.get_or_insert_with(|| Batch { number, checked: Vec::new(), fault: None });
            match played {
                Ok(transcript) => {
                    results_of.checked.push(check(&script, transcript, &self.machine, campaign.rules));
                }
                Err(fault) => {
                    let lost = self.stage.lost_at();
                    let lost = std::iter::once(index).chain(under_way.iter().map(|(at, _)| *at)).nth(lost);
                    results_of.fault = Some(campaign.in_script(fault, lost.unwrap_or(index)));
                }
            }
            let failed = results_of.fault.is_some();
            if !failed && !campaign.ends_batch(index) {
                continue;
            }
            let wanted = results.send(batch.take().expect("just filled")).is_ok();
            if failed {
                return;
            }
            if !wanted {
                // Whoever plays here next is to get its own answers.
                under_way.iter().for_each(|_| drop(self.stage.next()));
                return;
            }
        }
    }
}

impl Campaign {
    /// The kind of channel of a script.
    pub fn ground(&self, index: u64) -> &'static Ground {
        self.grounds[(index % self.grounds.len() as u64) as usize]
    }
}
