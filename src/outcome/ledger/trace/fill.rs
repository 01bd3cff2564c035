//! Explains fragments: bytes between two runs, too few to identify themselves.

use std::{cmp::Reverse, ops::Range};

use memchr::memmem;

use super::{
    super::{extent::Extents, source::Source},
    Run,
};

/// A run shorter than this doesn't identify itself.
const SHORT: usize = 16;
/// Longer fragments are looked for whole, not in two parts.
const SMALL: usize = 64;
/// Fragments that are looked for in whole sources, in one trace.
const SEARCHES: usize = 256;

/// Takes back short runs whose bytes were delivered elsewhere too: the search
/// may have taken chance for sense there. `fill` sees more.
pub fn free_doubtful(runs: &mut [Run]) {
    let mut by_position: Vec<usize> = (0..runs.len()).filter(|&index| runs[index].from.is_some()).collect();
    by_position.sort_by_key(|&index| (runs[index].from, Reverse(runs[index].len)));
    let end = |run: &Run| run.from.map_or((0, 0), |(source, position)| (source, position + run.len));
    let mut reach = (0, 0);
    let mut doubtful = Vec::new();
    for (nth, &index) in by_position.iter().enumerate() {
        let overlapped = runs[index].from.is_some_and(|from| from < reach && from.0 == reach.0)
            || by_position.get(nth + 1).is_some_and(|&next| {
                runs[next].from.is_some_and(|from| from.0 == end(&runs[index]).0 && from < end(&runs[index]))
            });
        if overlapped && runs[index].len < SHORT {
            doubtful.push(index);
        }
        reach = reach.max(end(&runs[index]));
    }
    for index in doubtful {
        runs[index].from = None;
    }
}

/// Explains each fragment by the fewest edits: by a hole of just its size (the
/// bytes were moved), the edge of a hole, a copy, something inside a hole, two of
/// these; or leaves it, as bytes that nobody sent.
pub fn fill(sources: &[Source], data: &[u8], runs: &mut Vec<Run>) {
    super::join(runs);
    let mut holes = holes(sources, runs);
    let mut searches = SEARCHES;
    let mut filled = Vec::with_capacity(runs.len());
    for (index, run) in runs.iter().enumerate() {
        let fragment = &data[run.at..run.at + run.len];
        if run.from.is_some() || searches == 0 {
            filled.push(*run);
            continue;
        }
        searches -= 1;
        let near = runs[..index].iter().rev().find_map(|run| Some((run.from?, run.len)));
        let near = near.map_or((0, 0), |((source, position), len)| (source, position + len));
        let parts = whole(sources, &holes, fragment, near)
            .map(|from| vec![(from, run.len)])
            .or_else(|| halves(sources, &holes, fragment, near))
            .unwrap_or_default();
        let mut at = run.at;
        for &((source, position), len) in &parts {
            filled.push(Run { at, len, from: Some((source, position)) });
            at += len;
            let used = Extents::one(position as u64..(position + len) as u64);
            holes[source] = holes[source].minus(&used);
        }
        if parts.is_empty() {
            filled.push(*run);
        }
    }
    *runs = filled;
}

/// What was never delivered.
fn holes(sources: &[Source], runs: &[Run]) -> Vec<Extents> {
    let mut covered: Vec<Vec<Range<u64>>> = vec![Vec::new(); sources.len()];
    for run in runs {
        if let Some((source, position)) = run.from {
            covered[source].push(position as u64..(position + run.len) as u64);
        }
    }
    let whole = |source: &Source| Extents::one(0..source.bytes.len() as u64);
    sources
        .iter()
        .zip(covered)
        .map(|(source, covered)| whole(source).minus(&covered.into_iter().collect()))
        .collect()
}

type Place = (usize, usize);

fn whole(sources: &[Source], holes: &[Extents], fragment: &[u8], near: Place) -> Option<Place> {
    in_hole(sources, holes, fragment, true)
        .or_else(|| copy(sources, fragment, near))
        .or_else(|| inside_hole(sources, holes, fragment))
}

fn halves(
    sources: &[Source],
    holes: &[Extents],
    fragment: &[u8],
    near: Place,
) -> Option<Vec<(Place, usize)>> {
    if fragment.len() > SMALL {
        return None;
    }
    (1..fragment.len()).find_map(|cut| {
        let (first, second) = fragment.split_at(cut);
        let from_first = in_hole(sources, holes, first, false);
        let from_second = in_hole(sources, holes, second, false);
        let (from_first, from_second) = match (from_first, from_second) {
            (Some(first), second_hole) => (first, second_hole.or_else(|| copy(sources, second, near))?),
            (None, Some(second)) => (copy(sources, first, near)?, second),
            (None, None) => return None,
        };
        Some(vec![(from_first, first.len()), (from_second, second.len())])
    })
}

/// A hole of this size, or else (if asked) one that begins or ends so.
fn in_hole(sources: &[Source], holes: &[Extents], fragment: &[u8], edges: bool) -> Option<Place> {
    let mut edge = None;
    for (index, holes) in holes.iter().enumerate() {
        for hole in holes.ranges() {
            let bytes = &sources[index].bytes[hole.start as usize..hole.end as usize];
            if bytes == fragment {
                return Some((index, hole.start as usize));
            }
            if edges && edge.is_none() {
                if bytes.ends_with(fragment) {
                    edge = Some((index, hole.end as usize - fragment.len()));
                } else if bytes.starts_with(fragment) {
                    edge = Some((index, hole.start as usize));
                }
            }
        }
    }
    edge
}

fn inside_hole(sources: &[Source], holes: &[Extents], fragment: &[u8]) -> Option<Place> {
    holes.iter().enumerate().find_map(|(index, holes)| {
        holes.ranges().iter().find_map(|hole| {
            let bytes = &sources[index].bytes[hole.start as usize..hole.end as usize];
            Some((index, hole.start as usize + memmem::find(bytes, fragment)?))
        })
    })
}

/// Equal bytes anywhere: the nearest before `near`, then behind it, then in the
/// other sources.
fn copy(sources: &[Source], fragment: &[u8], near: Place) -> Option<Place> {
    let source = sources.get(near.0)?;
    let (before, behind) = source.bytes.split_at(near.1.min(source.bytes.len()));
    let elsewhere = || {
        let others = sources.iter().enumerate().filter(|(index, _)| *index != near.0);
        others.into_iter().find_map(|(index, other)| Some((index, memmem::find(&other.bytes, fragment)?)))
    };
    memmem::rfind(before, fragment)
        .map(|position| (near.0, position))
        .or_else(|| Some((near.0, before.len() + memmem::find(behind, fragment)?)))
        .or_else(elsewhere)
}
