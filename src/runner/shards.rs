//! Cases spread over several stages, and their results in the cases' order.
//!
//! 1. Cases are handed out in batches, in order: a batch that is waited for is
//!    always one that a shard has taken.
//! 2. A shard keeps a few cases under way at its stage and judges what comes back.
//! 3. Nobody runs far ahead: not more batches, nor more bytes, than a bound.
//! 4. After a fault no batch is handed out any more. Everything before it in order
//!    is still shown, nothing behind it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Loaded;
use crate::{
    outcome::Judged,
    scenario::{Case, Maker},
    stage::{Fault, Handle},
};

/// Cases of a batch: at most, and so that each shard gets several.
const LARGEST: usize = 32;
const SHARE: usize = 4;

/// Cases under way at a stage.
const DEPTH: usize = 16;

/// Results that a shard keeps before it hands them over: so many, so many bytes, so
/// long. Each time may wake a thread.
const RESULTS: usize = 16;
const BYTES: usize = 1 << 20;
const SOON: Duration = Duration::from_millis(20);

/// Bytes of results that may lie before the ones that are waited for.
const AHEAD: usize = 8 << 20;

/// Consecutive plays of one scenario: cases, each as often as it has orders.
#[derive(Clone, Copy, Debug)]
struct Batch {
    number: usize,
    scenario: usize,
    start: usize,
    end: usize,
}

/// How a batch ended.
type End = Result<(), Fault>;

/// What came of a batch so far.
struct Results<R> {
    /// Who plays it.
    shard: usize,
    kept: Vec<R>,
    bytes: usize,
    end: Option<End>,
}

impl<R> Results<R> {
    fn of(shard: usize) -> Results<R> {
        Results { shard, kept: Vec::new(), bytes: 0, end: None }
    }
}

struct State<R> {
    /// Where the next batch begins.
    scenario: usize,
    case: usize,
    /// Its number.
    next: usize,
    /// The batch whose results are shown now.
    shown: usize,
    results: BTreeMap<usize, Results<R>>,
    /// Per shard: results of it that were shown, for it to free.
    spent: Vec<Vec<R>>,
    /// No batch is handed out any more.
    over: bool,
    /// Nobody wants results any more.
    abandoned: bool,
    /// A stage couldn't be started.
    fault: Option<Fault>,
}

/// What is kept of a result, and roughly how many bytes that is. A shard does it, with the index of
/// the scenario.
pub(super) type Keep<'a, R> = dyn Fn(usize, Judged) -> (R, usize) + Sync + 'a;

/// What shards and the one who shows have in common.
pub(super) struct Board<'a, R> {
    loaded: &'a [Loaded],
    keep: &'a Keep<'a, R>,
    batch: usize,
    /// Batches that may be under way.
    window: usize,
    state: Mutex<State<R>>,
    changed: Condvar,
}

impl<'a, R> Board<'a, R> {
    pub(super) fn new(loaded: &'a [Loaded], keep: &'a Keep<'a, R>, shards: usize) -> Board<'a, R> {
        let cases: usize = loaded.iter().map(|loaded| loaded.cases.plays()).sum();
        Board {
            loaded,
            keep,
            batch: (cases / (shards * SHARE)).clamp(1, LARGEST),
            window: shards * SHARE,
            state: Mutex::new(State {
                scenario: 0,
                case: 0,
                next: 0,
                shown: 0,
                results: BTreeMap::new(),
                spent: (0..shards).map(|_| Vec::new()).collect(),
                over: false,
                abandoned: false,
                fault: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<R>>) -> MutexGuard<'g, State<R>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; `None` if there is none, or none yet and the caller can't wait.
    fn take(&self, shard: usize, can_wait: bool) -> Option<Batch> {
        let mut state = self.state();
        loop {
            while self.loaded.get(state.scenario).is_some_and(|loaded| loaded.cases.plays() == state.case) {
                state.scenario += 1;
                state.case = 0;
            }
            if state.over || state.scenario == self.loaded.len() {
                return None;
            }
            if state.next < state.shown + self.window {
                let State { scenario, case: start, next: number, .. } = *state;
                let end = (start + self.batch).min(self.loaded[scenario].cases.plays());
                state.case = end;
                state.next += 1;
                state.results.insert(number, Results::of(shard));
                return Some(Batch { number, scenario, start, end });
            }
            if !can_wait {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Hands results of a batch over, and takes back those that were shown. `None` if nobody wants
    /// any more.
    fn put(
        &self,
        shard: usize,
        batch: Batch,
        kept: &mut Vec<R>,
        bytes: usize,
        end: Option<End>,
    ) -> Option<Vec<R>> {
        let mut state = self.state();
        while state.shown != batch.number
            && !state.abandoned
            && state.results.values().map(|results| results.bytes).sum::<usize>() > AHEAD
        {
            state = self.wait(state);
        }
        state.over |= matches!(end, Some(Err(_)));
        let results = state.results.entry(batch.number).or_insert_with(|| Results::of(shard));
        results.kept.append(kept);
        results.bytes += bytes;
        results.end = end;
        if state.shown == batch.number || state.over {
            self.changed.notify_all();
        }
        let spent = std::mem::take(&mut state.spent[shard]);
        (!state.abandoned).then_some(spent)
    }

    /// A shard has no stage.
    pub(super) fn give_up(&self, fault: Fault) {
        let mut state = self.state();
        state.over = true;
        state.fault.get_or_insert(fault);
        self.changed.notify_all();
    }

    /// Nobody wants results any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.over = true;
        state.abandoned = true;
        self.changed.notify_all();
    }

    /// Shows all results in order.
    ///
    /// # Errors
    /// The fault that comes first in order, or what `show` says.
    pub(super) fn show<E: From<Fault>>(
        &self,
        mut show: impl FnMut(usize, R) -> Result<Option<R>, E>,
    ) -> Result<(), E> {
        let mut spent = (0, Vec::new());
        let (mut scenario, mut left) = (0, self.loaded.first().map_or(0, |loaded| loaded.cases.plays()));
        loop {
            while left == 0 {
                scenario += 1;
                match self.loaded.get(scenario) {
                    Some(loaded) => left = loaded.cases.plays(),
                    None => return Ok(()),
                }
            }
            let (shard, kept, end) = self.shown(&mut spent)?;
            spent.0 = shard;
            for kept in kept {
                spent.1.extend(show(scenario, kept)?);
                left -= 1;
            }
            if let Some(end) = end {
                end?;
            }
        }
    }

    /// What has come of the batch that is shown now, and of whom. `spent`: what was shown last, for
    /// its shard.
    fn shown(&self, spent: &mut (usize, Vec<R>)) -> Result<(usize, Vec<R>, Option<End>), Fault> {
        let mut state = self.state();
        state.spent[spent.0].append(&mut spent.1);
        loop {
            let shown = state.shown;
            if let Some(results) = state.results.get_mut(&shown)
                && (!results.kept.is_empty() || results.end.is_some())
            {
                let (kept, end) = (std::mem::take(&mut results.kept), results.end.take());
                let shard = results.shard;
                results.bytes = 0;
                if end.is_some() {
                    state.results.remove(&shown);
                    state.shown += 1;
                }
                self.changed.notify_all();
                return Ok((shard, kept, end));
            }
            if shown == state.next
                && let Some(fault) = state.fault.take()
            {
                return Err(fault);
            }
            state = self.wait(state);
        }
    }
}

/// One stage's share of the work.
pub(super) struct Shard<'a, R> {
    board: &'a Board<'a, R>,
    number: usize,
    stage: &'a mut Handle,
    /// What is left of the batch, and what makes its cases.
    batch: Option<Batch>,
    maker: Option<(usize, Maker<'a>)>,
    /// In order, with their batch. The last of a batch says so.
    under_way: VecDeque<(Arc<Case>, Batch, bool)>,
    kept: Vec<R>,
    bytes: usize,
    handed_over: Instant,
}

impl<'a, R> Shard<'a, R> {
    pub(super) fn new(board: &'a Board<'a, R>, number: usize, stage: &'a mut Handle) -> Shard<'a, R> {
        Shard {
            board,
            number,
            stage,
            batch: None,
            maker: None,
            under_way: VecDeque::new(),
            kept: Vec::new(),
            bytes: 0,
            handed_over: Instant::now(),
        }
    }

    /// Plays batch after batch until there are no more.
    pub(super) fn work(mut self) {
        loop {
            let submitted = self.submit();
            let Some((case, batch, last)) = self.under_way.pop_front() else { return };
            let judged = submitted.and_then(|()| self.judge(&case, batch));
            let end = match judged {
                Ok(judged) => {
                    let (kept, bytes) = (self.board.keep)(batch.scenario, judged);
                    self.bytes += bytes;
                    self.kept.push(kept);
                    last.then_some(Ok(()))
                }
                Err(fault) => Some(Err(fault)),
            };
            let failed = matches!(end, Some(Err(_)));
            let enough = self.kept.len() >= RESULTS
                || self.bytes >= BYTES
                || end.is_some()
                || self.handed_over.elapsed() > SOON;
            if enough {
                let bytes = std::mem::take(&mut self.bytes);
                let spent = self.board.put(self.number, batch, &mut self.kept, bytes, end);
                self.handed_over = Instant::now();
                if failed || spent.is_none() {
                    return;
                }
            }
        }
    }

    /// Keeps the stage busy.
    fn submit(&mut self) -> Result<(), Fault> {
        while self.under_way.len() < DEPTH {
            if self.batch.is_none() {
                // What is under way has to be handed over first.
                self.batch = self.board.take(self.number, self.under_way.is_empty());
            }
            let Some(batch) = self.batch else { return Ok(()) };
            if self.maker.as_ref().is_none_or(|(scenario, _)| *scenario != batch.scenario) {
                self.maker = Some((batch.scenario, self.board.loaded[batch.scenario].cases.maker()));
            }
            let (_, maker) = self.maker.as_mut().expect("just made");
            let case = Arc::new(maker.play(batch.start));
            let last = batch.start + 1 == batch.end;
            self.batch = (!last).then_some(Batch { start: batch.start + 1, ..batch });
            let plays = case.skip.is_none();
            self.under_way.push_back((case.clone(), batch, last));
            if plays {
                self.stage.submit(&case.plan).map_err(|fault| super::in_case(fault, &case))?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, case: &Arc<Case>, batch: Batch) -> Result<Judged, Fault> {
        if let Some(skipped) = Judged::skipped(case) {
            return Ok(skipped);
        }
        match self.stage.next() {
            Ok(transcript) => {
                let recorded = self.board.loaded[batch.scenario].snapshot_of(case);
                Ok(Judged::of(case, transcript, recorded))
            }
            Err(fault) => {
                if let Some(judged) = Judged::failed(case, &fault) {
                    return Ok(judged);
                }
                // The stage may have died in a later one than the first without an answer.
                let later = self.under_way.iter().map(|(case, ..)| case).filter(|case| case.skip.is_none());
                let lost = std::iter::once(case).chain(later).nth(self.stage.lost_at());
                Err(super::in_case(fault, lost.unwrap_or(case)))
            }
        }
    }
}

/// Bytes of a result, roughly.
pub(super) fn weight(judged: &Judged) -> usize {
    let steps = judged.played.iter().flat_map(|played| &played.transcript.steps);
    steps.map(|step| 256 + step.data.as_ref().map_or(0, |data| data.0.len())).sum()
}
