//! The runs, found from left to right with the fewest edits.
//!
//! At a break every way to go on is a state with a cost; the cheapest is drawn
//! out first, and the first that explains [`HORIZON`] bytes is taken. Those that
//! come to the same place at little more cost are kept beside it, since what
//! comes later may prove them right; the caller decides between what is left at
//! the end. Costs compare explanations: none of them is a measure of anything.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
};

use super::{super::source::Source, Run, anchor::Anchors, matching::common_prefix};

/// An explanation of so many bytes behind a break is taken.
pub const HORIZON: usize = 64;
/// States looked at for one break, and for one that is explained already.
const PATIENCE: usize = 4000;
const DOUBT: usize = 32;
/// So many explanations are kept side by side, of so many runs since they parted.
const BEAM: usize = 8;
const PARTED: usize = 256;
/// A run at least so long isn't chance.
pub const SURE: usize = 16;

/// What going over to another writer in the middle of a call may cost: less than
/// an edit, or more.
pub const TEARS: [u32; 2] = [3, 14];
/// What going on anywhere else costs: an edit.
pub const JUMP: u32 = 10;

/// An explanation of the data up to `at`.
#[derive(Clone)]
pub struct State {
    pub cost: u32,
    /// Index in the delivered data.
    pub at: usize,
    /// Per source: where its last run ended, and its last byte so far.
    pub last: Vec<usize>,
    pub high: Vec<usize>,
    /// Since the break; the last one is still open.
    pub runs: Vec<Run>,
}

impl State {
    /// Bytes since `start` that belong to somebody.
    fn explained(&self, start: usize) -> usize {
        let since = self.runs.iter().rev().take_while(|run| run.at >= start);
        let strange: usize = since.filter(|run| run.from.is_none()).map(|run| run.len).sum();
        self.at - start - strange
    }

    /// Source and position behind the open run.
    fn open_end(&self) -> Option<(usize, usize)> {
        let run = self.runs.last()?;
        let (source, position) = run.from?;
        Some((source, position + run.len))
    }
}

/// What every way to go on has to look at.
pub struct Search<'a> {
    pub sources: &'a [Source],
    pub data: &'a [u8],
    pub anchors: Anchors<'a>,
    pub tear: u32,
}

/// The best explanations, the cheapest first; at least one.
pub fn search(sources: &[Source], data: &[u8], tear: u32) -> Vec<Vec<Run>> {
    let mut search = Search { sources, data, anchors: Anchors::new(sources, data), tear };
    let nothing = vec![0; sources.len()];
    let mut beam = vec![State { cost: 0, at: 0, last: nothing.clone(), high: nothing, runs: Vec::new() }];
    let mut runs = Vec::new();
    while beam[0].at < data.len() {
        if let [state] = &mut beam[..] {
            // What is certain leaves the state, but for the run that is open.
            let closed = state.runs.len().saturating_sub(1);
            runs.extend(state.runs.drain(..closed));
            state.cost = 0;
            if let Some(run) = search.next_in_order(state) {
                if run.at < state.at {
                    *state = Search::cut(state, run.at);
                }
                search.take(state, run);
                continue;
            }
        }
        if beam[0].runs.len() > PARTED {
            beam.truncate(1);
        }
        beam = search.explain(beam);
    }
    let whole = |state: State| [&runs[..], &state.runs].concat();
    beam.into_iter().map(whole).collect()
}

impl Search<'_> {
    /// The common case without a search: the last call is complete, and one
    /// writer's next bytes follow. A call to which the next bytes happened to be
    /// equal ended a little before.
    fn next_in_order(&self, state: &State) -> Option<Run> {
        let mut at = state.at;
        if let Some(Run { len, from, .. }) = state.runs.last() {
            let (source, position) = (*from)?;
            let end = position + len;
            if !self.sources[source].is_boundary(end) {
                let begun = self.sources[source].call(end as u64)?.range.start as usize;
                if begun <= position || end - begun >= SURE {
                    return None;
                }
                at -= end - begun;
            }
        }
        let needed = SURE.min(self.data.len() - at);
        let mut found = None;
        for (source, &position) in state.last.iter().enumerate() {
            let rest = &self.sources[source].bytes[position..];
            if common_prefix(&rest[..needed.min(rest.len())], &self.data[at..]) == needed {
                if found.is_some() {
                    return None;
                }
                found = Some((source, position));
            }
        }
        self.run(at, found?)
    }

    /// The longest run from there; `None` if not a byte fits.
    pub fn run(&self, at: usize, from: (usize, usize)) -> Option<Run> {
        let len = common_prefix(self.sources[from.0].bytes.get(from.1..)?, &self.data[at..]);
        (len > 0).then_some(Run { at, len, from: Some(from) })
    }

    fn take(&self, state: &mut State, run: Run) {
        state.at = run.at + run.len;
        if let Some((source, position)) = run.from {
            state.last[source] = position + run.len;
            state.high[source] = state.high[source].max(position + run.len);
        }
        state.runs.push(run);
    }

    fn explain(&mut self, roots: Vec<State>) -> Vec<State> {
        let (start, end) = (roots[0].at, self.data.len());
        let begun = roots.len();
        let mut states = roots;
        let mut queue: BinaryHeap<_> =
            states.iter().enumerate().map(|(index, state)| (Reverse(state.cost), start, index)).collect();
        let mut seen = HashSet::new();
        let mut furthest = 0;
        let mut found: Vec<usize> = Vec::new();
        let mut patience = PATIENCE;
        while let Some((Reverse(cost), at, index)) = queue.pop() {
            if let Some(&first) = found.first() {
                // Without edits so far only what has none either can be better.
                let slack = if states[first].cost == 0 { 0 } else { JUMP };
                if found.len() == BEAM || cost > states[first].cost + slack {
                    break;
                }
            }
            if patience == 0 {
                break;
            }
            let state = &states[index];
            let open = state.runs.last().map(|run| (run.at, run.from));
            if !seen.insert((at, state.last.clone(), open)) {
                continue;
            }
            if index >= begun && (state.explained(start) >= HORIZON || at == end) {
                // They go on from here in the same way.
                let same = |other: &State| {
                    other.at == at && (at == end || other.open_end() == states[index].open_end())
                };
                if found.is_empty() {
                    patience = DOUBT;
                    found.push(index);
                } else if same(&states[found[0]]) {
                    found.push(index);
                }
                continue;
            }
            if at > states[furthest].at {
                furthest = index;
            }
            patience -= 1;
            for next in self.ways(&states[index]) {
                queue.push((Reverse(next.cost), next.at, states.len()));
                states.push(next);
            }
        }
        if found.is_empty() {
            if furthest < begun {
                furthest = begun;
            }
            found.push(furthest);
        }
        found.into_iter().map(|index| states[index].clone()).collect()
    }

    pub fn with<const N: usize>(&self, mut state: State, runs: [Run; N], cost: u32) -> State {
        for run in runs {
            self.take(&mut state, run);
        }
        state.cost += cost;
        state
    }

    /// The state with its open run cut short at `at`.
    pub fn cut(state: &State, at: usize) -> State {
        let mut cut = state.clone();
        if at < state.at
            && let Some(run) = cut.runs.last_mut()
            && let Some((source, position)) = run.from
        {
            run.len = at - run.at;
            if cut.high[source] == cut.last[source] {
                cut.high[source] = position + run.len;
            }
            cut.last[source] = position + run.len;
            cut.at = at;
        }
        cut
    }
}
