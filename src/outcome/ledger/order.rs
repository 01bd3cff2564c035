//! What came in order, and what came again, out of order or from nobody.

use super::{
    entry::{Duplicate, Foreign, Reorder},
    extent::Extents,
    source::Source,
    trace::Run,
};

/// Up to so many stretches the fewest moved bytes are found exactly; beyond, a
/// stretch counts as moved if it begins before the end of what came earlier.
const EXACT: usize = 2048;

/// Delivered bytes that follow each other in a source (positions) and, apart
/// from other writers' bytes, in the delivered data.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub start: u64,
    pub end: u64,
    /// Where its first and after its last byte stand in the delivered data.
    pub at: u64,
    pub until: u64,
    /// The runs it consists of: where, from which position.
    runs: Vec<(u64, u64)>,
}

impl Stretch {
    /// Where runs meet: the delivered index after the run before, the position at
    /// which the next one goes on, and its delivered index.
    pub fn seams(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.runs.windows(2).map(|pair| {
            let [(at, start), (next_at, next_start)] = [pair[0], pair[1]];
            (at + (next_start - start), next_start, next_at)
        })
    }
}

/// What the runs amount to, per source where it is a `Vec` of the same length.
#[derive(Debug, Default)]
pub struct Order {
    /// All that was delivered at least once.
    pub covered: Vec<Extents>,
    /// Delivered bytes with duplicates.
    pub counts: Vec<u64>,
    /// The stretches that came in order: the most bytes that can be seen so.
    pub in_order: Vec<Vec<Stretch>>,
    pub duplicated: Vec<Duplicate>,
    pub reordered: Vec<Reorder>,
    pub foreign: Vec<Foreign>,
    pub first_wrong: Option<u64>,
}

pub fn sort_out(sources: &[Source], runs: &[Run]) -> Order {
    let mut order = Order::default();
    for run in runs.iter().filter(|run| run.from.is_none()) {
        order.foreign.push(Foreign { at: run.at as u64, len: run.len as u64 });
    }
    for (index, source) in sources.iter().enumerate() {
        let stretches = stretches(index, runs);
        order.counts.push(stretches.iter().map(|stretch| stretch.end - stretch.start).sum());
        let in_order = backbone(&stretches);
        sort_out_one(source, &stretches, &in_order, &mut order);
        let kept = stretches.into_iter().zip(in_order).filter(|(_, kept)| *kept);
        order.in_order.push(kept.map(|(stretch, _)| stretch).collect());
    }
    order.duplicated.sort_by_key(|entry| entry.at);
    order.reordered.sort_by_key(|entry| entry.at);
    order.first_wrong = first_wrong(sources, runs);
    order
}

fn stretches(index: usize, runs: &[Run]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for run in runs {
        let Some((source, start)) = run.from else { continue };
        if source != index {
            continue;
        }
        let (at, start) = (run.at as u64, start as u64);
        let (until, end) = (at + run.len as u64, start + run.len as u64);
        match stretches.last_mut() {
            Some(last) if last.end == start => {
                (last.end, last.until) = (end, until);
                last.runs.push((at, start));
            }
            _ => stretches.push(Stretch { start, end, at, until, runs: vec![(at, start)] }),
        }
    }
    stretches
}

/// Which stretches came in order: the chain with the most bytes, each stretch
/// beginning and ending after the one before. Where everything before a stretch
/// lies before everything from it on, the question falls apart in two, so one
/// disorder in a long stream costs nothing elsewhere.
fn backbone(stretches: &[Stretch]) -> Vec<bool> {
    let mut kept = vec![true; stretches.len()];
    let mut smallest_from = vec![u64::MAX; stretches.len() + 1];
    for (at, stretch) in stretches.iter().enumerate().rev() {
        smallest_from[at] = smallest_from[at + 1].min(stretch.start);
    }
    let (mut first, mut largest) = (0, 0);
    for at in 0..stretches.len() {
        largest = largest.max(stretches[at].end);
        if largest <= smallest_from[at + 1] {
            if at > first {
                chain(&stretches[first..=at], &mut kept[first..=at]);
            }
            first = at + 1;
        }
    }
    kept
}

fn chain(stretches: &[Stretch], kept: &mut [bool]) {
    if stretches.len() > EXACT {
        let mut end = 0;
        for (stretch, kept) in stretches.iter().zip(kept) {
            *kept = stretch.start >= end;
            end = end.max(stretch.end);
        }
        return;
    }
    // best[i]: of the best chain that ends with stretch i its bytes, how many
    // entries it saves (each stretch one, if it doesn't repeat the end of the one
    // before), and the one before.
    let mut best: Vec<(u64, usize, Option<usize>)> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let mut most = (stretch.end - stretch.start, 1, None);
        for (at, before) in stretches[..best.len()].iter().enumerate() {
            if before.start < stretch.start && before.end < stretch.end {
                let bytes = best[at].0 + (stretch.end - stretch.start.max(before.end));
                let saved = best[at].1 + usize::from(before.end <= stretch.start);
                if (bytes, saved) > (most.0, most.1) {
                    most = (bytes, saved, Some(at));
                }
            }
        }
        best.push(most);
    }
    kept.fill(false);
    let mut last = (0..best.len()).rev().max_by_key(|&at| (best[at].0, best[at].1));
    while let Some(at) = last {
        kept[at] = true;
        last = best[at].2;
    }
}

/// Names what isn't in order, and the copies.
fn sort_out_one(source: &Source, stretches: &[Stretch], kept: &[bool], order: &mut Order) {
    // A stretch in order that overlaps the one before repeats the overlap.
    let mut end = 0;
    let mut spans = Vec::new();
    for stretch in stretches.iter().zip(kept).filter(|(_, kept)| **kept).map(|(stretch, _)| stretch) {
        if stretch.start < end {
            let again = Extents::one(stretch.start..end);
            each_entry(source, stretch, &again, |writer, start, len, at| {
                order.duplicated.push(Duplicate { writer, start, len, at });
            });
        }
        end = end.max(stretch.end);
        spans.push(stretch.start..stretch.end);
    }
    let mut covered: Extents = spans.into_iter().collect();
    for stretch in stretches.iter().zip(kept).filter(|(_, kept)| !**kept).map(|(stretch, _)| stretch) {
        let span = stretch.start..stretch.end;
        let again = covered.within(&span);
        each_entry(source, stretch, &again, |writer, start, len, at| {
            order.duplicated.push(Duplicate { writer, start, len, at });
        });
        each_entry(source, stretch, &Extents::one(span.clone()).minus(&again), |writer, start, len, at| {
            order.reordered.push(Reorder { writer, start, len, at });
        });
        covered.insert(span);
    }
    order.covered.push(covered);
}

/// Calls back with each range of `extents`, all inside `stretch`, with the place
/// where its first byte was delivered.
fn each_entry(
    source: &Source,
    stretch: &Stretch,
    extents: &Extents,
    mut call: impl FnMut(usize, u64, u64, u64),
) {
    for range in extents.ranges() {
        let run = stretch.runs.partition_point(|&(_, start)| start <= range.start) - 1;
        let (at, start) = stretch.runs[run];
        call(source.writer, source.stream(range.start), range.end - range.start, at + (range.start - start));
    }
}

fn first_wrong(sources: &[Source], runs: &[Run]) -> Option<u64> {
    let mut next = vec![0; sources.len()];
    for run in runs {
        let Some((source, start)) = run.from else { return Some(run.at as u64) };
        let start = start as u64;
        let skipped: Extents = Extents::one(next[source]..start);
        if start < next[source] || start > next[source] && !skipped.and(&sources[source].accepted).is_empty()
        {
            return Some(run.at as u64);
        }
        next[source] = start + run.len as u64;
    }
    None
}
