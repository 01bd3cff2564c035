//! One stage's part of a campaign: batch after batch of scripts, several under way.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::mpsc::SyncSender,
};

use super::{campaign::Campaign, game::Game};
use crate::stage::{Fault, Handle};

/// Scripts of a batch, which a worker takes and hands back at once.
pub(super) const BATCH: u64 = 32;

/// Scripts under way at a stage.
const DEPTH: usize = 16;

/// What came of a batch of scripts, in their order; after a fault, of those before it.
pub(super) struct Batch<G: Game> {
    /// Its number, from 0.
    pub(super) number: u64,
    pub(super) checked: Vec<G::Checked>,
    pub(super) fault: Option<Fault>,
}

/// What the workers of a run have in common.
pub(super) struct Board {
    /// The number of the batch that nobody has taken.
    pub(super) next: AtomicU64,
    /// Nobody wants more.
    pub(super) over: AtomicBool,
}

/// Plays batch after batch of a run until nobody wants more.
pub(super) fn work<G: Game>(
    campaign: &Campaign<G>,
    table: &G::Table,
    stage: &mut Handle,
    board: &Board,
    results: &SyncSender<Batch<G>>,
) {
    let game = &campaign.game;
    let mut under_way: VecDeque<(u64, G::Script)> = VecDeque::new();
    let mut ahead = 0..0;
    let mut batch: Option<Batch<G>> = None;
    loop {
        let mut submitted = Ok(());
        while under_way.len() < DEPTH && submitted.is_ok() {
            if ahead.is_empty() && !board.over.load(Ordering::Relaxed) {
                ahead = campaign.batch(board.next.fetch_add(1, Ordering::Relaxed));
            }
            let Some(index) = ahead.next() else { break };
            let script = game.script(table, campaign.seed, index);
            submitted = stage.submit(&game.plan(&script));
            under_way.push_back((index, script));
        }
        let Some((index, script)) = under_way.pop_front() else { return };
        let played = submitted.and_then(|()| stage.next());
        let number = campaign.number(index);
        let results_of = batch.get_or_insert_with(|| Batch { number, checked: Vec::new(), fault: None });
        match played {
            Ok(transcript) => results_of.checked.push(game.check(table, &script, transcript)),
            Err(fault) => {
                let lost = stage.lost_at();
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
            under_way.iter().for_each(|_| drop(stage.next()));
            return;
        }
    }
}
