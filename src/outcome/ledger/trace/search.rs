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

use super::{
    super::source::Source,
    Run,
    anchor::Anchors,
    matching::{common_prefix, common_suffix},
};

/// An explanation of so many bytes behind a break is taken.
pub const HORIZON: usize = 64;
/// How far a run may have gone on by chance into the next one's bytes, and how
/// long a fragment may be that is skipped without an anchor behind it.
const BACK: usize = 24;
/// States looked at for one break, and for one that is explained already.
const PATIENCE: usize = 4000;
const DOUBT: usize = 32;
/// So many explanations are kept side by side, of so many runs since they parted.
const BEAM: usize = 8;
const PARTED: usize = 256;
/// A run at least so long isn't chance.
const SURE: usize = 16;

/// What going over to another writer in the middle of a call may cost: less than
/// an edit, or more.
pub const TEARS: [u32; 2] = [3, 14];
/// Back to the end of what a writer had sent so far, after a copy of old bytes.
const RETURN: u32 = 2;
/// Anywhere else.
const JUMP: u32 = 10;
/// Bytes without explanation: a fixed part, one a byte up to a limit, and from
/// there on one with each doubling.
const GAP: u32 = 10;
const GAP_LIMIT: usize = 32;

#[derive(Clone)]
struct State {
    cost: u32,
    at: usize,
    /// Per source: where its last run ended, and its last byte so far.
    last: Vec<usize>,
    high: Vec<usize>,
    /// Since the break; the last one is still open.
    runs: Vec<Run>,
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

struct Search<'a> {
    sources: &'a [Source],
    data: &'a [u8],
    anchors: Anchors<'a>,
    tear: u32,
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
    fn run(&self, at: usize, from: (usize, usize)) -> Option<Run> {
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

    /// All ways to go on from a state.
    fn ways(&mut self, state: &State) -> Vec<State> {
        let mut ways = Vec::new();
        self.other_writers(state, &mut ways);
        self.fragments(state, &mut ways);
        self.near_by(state, &mut ways);
        self.source_end(state, &mut ways);
        let anchor = self.anchors.next(state.at);
        let go_on = |at: usize, from, cost| self.run(at, from).map(|run| (run, cost));
        self.behind_much(state, anchor.map_or(self.data.len(), |anchor| anchor.at), &mut ways);
        match anchor {
            Some(anchor) if anchor.at == state.at => {
                let way = go_on(state.at, (anchor.source, anchor.position), JUMP);
                ways.extend(way.map(|(run, cost)| self.with(state.clone(), [run], cost)));
            }
            Some(anchor) => {
                let skipped = anchor.at - state.at;
                let expected = [state.last[anchor.source], state.high[anchor.source]];
                let jump = if expected.contains(&anchor.position) { 0 } else { JUMP };
                let way = go_on(anchor.at, (anchor.source, anchor.position), gap(skipped) + jump);
                let fragment = Run { at: state.at, len: skipped, from: None };
                ways.extend(way.map(|(run, cost)| self.with(state.clone(), [fragment, run], cost)));
            }
            None => {
                let len = self.data.len() - state.at;
                let rest = Run { at: state.at, len, from: None };
                ways.push(self.with(state.clone(), [rest], gap(len) + JUMP));
            }
        }
        ways
    }

    fn with<const N: usize>(&self, mut state: State, runs: [Run; N], cost: u32) -> State {
        for run in runs {
            self.take(&mut state, run);
        }
        state.cost += cost;
        state
    }

    /// The state with its open run cut short at `at`.
    fn cut(state: &State, at: usize) -> State {
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

    /// Where a writer left off, also from a little before the break: the open run
    /// may have gone on by chance.
    fn other_writers(&self, state: &State, ways: &mut Vec<State>) {
        let open = state.runs.last().filter(|run| run.from.is_some());
        let first = open.map_or(state.at, |run| (run.at + 1).max(state.at.saturating_sub(BACK)));
        for at in first..=state.at {
            let leave = match open {
                Some(Run { at: begun, from: Some((source, position)), .. })
                    if !self.sources[*source].is_boundary(position + (at - begun)) =>
                {
                    self.tear
                }
                _ => 0,
            };
            for source in 0..self.sources.len() {
                let is_open = open.is_some_and(|run| run.from.is_some_and(|from| from.0 == source));
                let (last, high) = (state.last[source], state.high[source]);
                let ends = [(last, leave), (high, RETURN + leave.min(1))];
                let ends = if is_open || last == high { &ends[is_open as usize..] } else { &ends[..] };
                for &(position, cost) in ends {
                    if is_open && (position == last || at == state.at && last == high) {
                        continue;
                    }
                    if let Some(run) = self.run(at, (source, position)).filter(|run| at + run.len >= state.at)
                    {
                        ways.push(self.with(Self::cut(state, at), [run], cost));
                    }
                }
            }
        }
    }

    /// A fragment, and behind it a writer where it left off, or as far behind
    /// that as the fragment is long.
    fn fragments(&self, state: &State, ways: &mut Vec<State>) {
        for len in 1..=BACK {
            let at = state.at + len;
            let needed = match self.data.len().checked_sub(at) {
                None | Some(0) => break,
                Some(rest) => rest.min(6),
            };
            let fragment = Run { at: state.at, len, from: None };
            for source in 0..self.sources.len() {
                let (last, high) = (state.last[source], state.high[source]);
                let mut ends = vec![(last, 0), (high, RETURN), (last + len, JUMP / 2)];
                ends.dedup_by_key(|end| end.0);
                for (position, cost) in ends {
                    let Some(run) = self.run(at, (source, position)) else { continue };
                    if run.len >= needed || self.sources[source].is_boundary(position + run.len) {
                        ways.push(self.with(state.clone(), [fragment, run], gap(len) + cost));
                    }
                }
            }
        }
    }

    /// A little before or behind where a writer left off, where no word is whole.
    fn near_by(&self, state: &State, ways: &mut Vec<State>) {
        for (index, source) in self.sources.iter().enumerate() {
            let last = state.last[index];
            for position in last.saturating_sub(BACK)..(last + BACK).min(source.bytes.len()) {
                let Some(run) = self.run(state.at, (index, position)).filter(|_| position != last) else {
                    continue;
                };
                let ends = run.at + run.len == self.data.len() || source.is_boundary(position + run.len);
                if run.len >= 3 || ends {
                    ways.push(self.with(state.clone(), [run], JUMP));
                }
            }
        }
    }

    /// Where a writer left off, behind more bytes without explanation than
    /// `fragments` tries, but before the next anchor.
    fn behind_much(&self, state: &State, until: usize, ways: &mut Vec<State>) {
        if until <= state.at + BACK {
            return;
        }
        for (index, source) in self.sources.iter().enumerate() {
            let last = state.last[index];
            let call = source.call(last as u64).map_or(last, |call| call.range.end as usize);
            let next = &source.bytes[last..call.min(last + SURE)];
            let skipped = match memchr::memmem::find(&self.data[state.at + BACK..until], next) {
                Some(found) if !next.is_empty() => found + BACK,
                _ if until < self.data.len() => continue,
                _ => {
                    // Or the data ends with what the writer has left.
                    let rest = &self.data[state.at + BACK..];
                    let tail = common_suffix(&source.bytes[state.last[index]..], rest).min(rest.len());
                    if tail == 0 || source.bytes.len() - tail != state.last[index] {
                        continue;
                    }
                    self.data.len() - tail - state.at
                }
            };
            let fragment = Run { at: state.at, len: skipped, from: None };
            if let Some(run) = self.run(state.at + skipped, (index, state.last[index])) {
                ways.push(self.with(state.clone(), [fragment, run], gap(skipped)));
            }
        }
    }

    /// The data ends as a source does.
    fn source_end(&self, state: &State, ways: &mut Vec<State>) {
        let rest = self.data.len() - state.at;
        if rest > HORIZON {
            return;
        }
        for (index, source) in self.sources.iter().enumerate() {
            let position = source.bytes.len().checked_sub(rest);
            if let Some(run) = position.and_then(|position| self.run(state.at, (index, position)))
                && run.len == rest
            {
                ways.push(self.with(state.clone(), [run], JUMP));
            }
        }
    }
}

fn gap(len: usize) -> u32 {
    GAP + len.min(GAP_LIMIT) as u32 + (len / GAP_LIMIT).checked_ilog2().unwrap_or(0)
}
