//! The ways to go on from a break, and what they cost.

use memchr::memmem;

use super::{
    Run,
    matching::common_suffix,
    search::{HORIZON, JUMP, SURE, Search, State},
};

/// How far a run may have gone on by chance into the next one's bytes, and how
/// long a fragment may be that is skipped without an anchor behind it.
const BACK: usize = 24;

/// Back to the end of what a writer had sent so far, after a copy of old bytes.
const RETURN: u32 = 2;
/// Bytes without explanation: a fixed part, one a byte up to a limit, and from
/// there on one with each doubling.
const GAP: u32 = 10;
const GAP_LIMIT: usize = 32;

impl Search<'_> {
    /// All ways to go on from a state.
    pub fn ways(&mut self, state: &State) -> Vec<State> {
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
            let skipped = match memmem::find(&self.data[state.at + BACK..until], next) {
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
