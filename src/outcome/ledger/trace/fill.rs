//! Explains fragments: bytes between two runs, too few to identify themselves.

use std::cmp::Reverse;

use super::{
    super::{extent::Extents, order::Order, source::Source},
    Run,
    look::{Look, Place, copy, holes, in_hole, whole},
    matching::common_suffix,
};

/// A run shorter than this doesn't identify itself.
const SHORT: usize = 16;
/// Longer fragments are looked for whole, shorter ones also in so many parts.
const SMALL: usize = 64;
const PARTS: usize = 4;
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

/// How a fragment may be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// By holes of just its size: the bytes were moved.
    Holes,
    /// By the edges of holes.
    Edges,
    /// By copies, or something inside a hole.
    All,
}

/// Explains each fragment by the fewest edits, what is most certain first, since
/// it leaves the others fewer holes; or leaves it, as bytes that nobody sent.
pub fn fill(sources: &[Source], data: &[u8], runs: &mut Vec<Run>) {
    super::join(runs);
    let mut searches = SEARCHES;
    for means in [Means::Holes, Means::Edges, Means::All] {
        while fill_by(sources, data, runs, means, &mut searches) && means != Means::All {}
    }
}

/// Says whether it explained any.
fn fill_by(sources: &[Source], data: &[u8], runs: &mut Vec<Run>, means: Means, searches: &mut usize) -> bool {
    let mut holes = holes(sources, runs);
    let mut filled: Vec<Run> = Vec::with_capacity(runs.len());
    let mut done = false;
    for index in 0..runs.len() {
        let run = runs[index];
        if run.from.is_some() || run.len == 0 || *searches == 0 {
            filled.extend((run.len > 0).then_some(run));
            continue;
        }
        *searches -= 1;
        // What the run behind can have is no fragment.
        let run = match runs.get_mut(index + 1) {
            Some(behind) => {
                let more = draw_left(sources, data, &holes, run, behind);
                if let Some(from) = behind.from {
                    take(&mut holes, from, more);
                }
                Run { len: run.len - more, ..run }
            }
            None => run,
        };
        if run.len == 0 {
            done = true;
            continue;
        }
        let back = slide(sources, data, &holes, &filled, run, runs.get(index + 1), means);
        if back > 0 {
            slide_back(&mut holes, &mut filled, &mut runs[index + 1], back);
        }
        let run = Run { at: run.at - back, ..run };
        let fragment = &data[run.at..run.at + run.len];
        let near = near(&filled);
        let exact = |holes: &[Extents], part: &[u8]| in_hole(sources, holes, part, false);
        let edge = |holes: &[Extents], part: &[u8]| in_hole(sources, holes, part, true);
        let any = |holes: &[Extents], part: &[u8]| {
            in_hole(sources, holes, part, true).or_else(|| copy(sources, part, near))
        };
        let parts = match means {
            Means::Holes => explain(&mut holes, fragment, PARTS, &exact),
            Means::Edges => explain(&mut holes, fragment, 1, &edge),
            Means::All => {
                let whole = |holes: &[Extents], part: &[u8]| whole(sources, holes, part, near);
                explain(&mut holes, fragment, 1, &whole)
                    .or_else(|| explain(&mut holes, fragment, PARTS, &edge))
                    .or_else(|| explain(&mut holes, fragment, 2, &any))
            }
        };
        done |= parts.is_some() || back > 0;
        match parts {
            Some(parts) => {
                let mut at = run.at;
                for (from, len) in parts {
                    filled.push(Run { at, len, from: Some(from) });
                    at += len;
                }
            }
            None => filled.push(run),
        }
    }
    *runs = filled;
    done
}

/// Gives the last bytes of the run before a fragment to the fragment, and the
/// fragment's to the run behind.
fn slide_back(holes: &mut [Extents], filled: &mut Vec<Run>, behind: &mut Run, back: usize) {
    let Some(mut before) = filled.pop() else { return };
    before.len -= back;
    if let Some((source, position)) = before.from {
        let freed = (position + before.len) as u64;
        holes[source] = holes[source].or(&Extents::one(freed..freed + back as u64));
    }
    filled.extend((before.len > 0).then_some(before));
    behind.at -= back;
    behind.len += back;
    if let Some((source, position)) = behind.from {
        behind.from = Some((source, position - back));
        take(holes, (source, position - back), back);
    }
}

/// Draws a run out to the left over what is missing, into the fragment before it,
/// and says by how much.
fn draw_left(sources: &[Source], data: &[u8], holes: &[Extents], fragment: Run, run: &mut Run) -> usize {
    let Some((source, position)) = run.from else { return 0 };
    let hole = holes[source].ranges().iter().find(|hole| hole.end == position as u64);
    let missing = hole.map_or(position, |hole| hole.start as usize);
    let more = common_suffix(&data[fragment.at..run.at], &sources[source].bytes[missing..position]);
    *run = Run { at: run.at - more, len: run.len + more, from: Some((source, position - more)) };
    more
}

/// Behind the last run that belongs to somebody.
fn near(runs: &[Run]) -> Place {
    let last = runs.iter().rev().find_map(|run| Some((run.from?, run.len)));
    last.map_or((0, 0), |((source, position), len)| (source, position + len))
}

/// How far a fragment is better seen to the left: the run before may have gone on
/// by chance into the fragment, whose end is then the run's rest.
fn slide(
    sources: &[Source],
    data: &[u8],
    holes: &[Extents],
    before: &[Run],
    fragment: Run,
    behind: Option<&Run>,
    means: Means,
) -> usize {
    let (Some(before), Some(behind)) = (before.last(), behind) else { return 0 };
    let (Some(_), Some((source, position))) = (before.from, behind.from) else { return 0 };
    let end = fragment.at + fragment.len;
    let most = common_suffix(&data[before.at..end], &sources[source].bytes[..position]).min(before.len);
    if most == 0 || fragment.len > SMALL {
        return 0;
    }
    let fits = |back: usize| {
        let bytes = &data[fragment.at - back..end - back];
        match means {
            Means::Holes | Means::Edges => in_hole(sources, holes, bytes, means == Means::Edges).is_some(),
            Means::All => copy(sources, bytes, (source, position)).is_some(),
        }
    };
    (0..=most.min(SMALL)).find(|&back| fits(back)).unwrap_or(0)
}

/// The fragment as so many parts at most, taken out of the holes.
fn explain(
    holes: &mut Vec<Extents>,
    fragment: &[u8],
    parts: usize,
    place: &Look<'_>,
) -> Option<Vec<(Place, usize)>> {
    if let Some(place) = place(holes, fragment) {
        take(holes, place, fragment.len());
        return Some(vec![(place, fragment.len())]);
    }
    if fragment.len() > SMALL || parts == 1 {
        return None;
    }
    // The longest first part first, since that leaves the fewest.
    (1..fragment.len()).rev().find_map(|cut| {
        let (first, second) = fragment.split_at(cut);
        let mut left = holes.clone();
        let from = place(&left, first)?;
        take(&mut left, from, cut);
        let mut explained = vec![(from, cut)];
        explained.extend(explain(&mut left, second, parts - 1, place)?);
        *holes = left;
        Some(explained)
    })
}

fn take(holes: &mut [Extents], (source, position): Place, len: usize) {
    let taken = Extents::one(position as u64..(position + len) as u64);
    holes[source] = holes[source].minus(&taken);
}

/// Takes a copy for a move where a hole has just its bytes: a run that goes on by
/// chance makes of the moved bytes a copy of its own. Says whether it did.
pub fn moves_for_copies(sources: &[Source], runs: &mut Vec<Run>, order: &Order) -> bool {
    let mut holes = holes(sources, runs);
    let mut done = false;
    for copy in order.duplicated.iter().filter(|copy| copy.len <= SMALL as u64) {
        let (at, len) = (copy.at as usize, copy.len as usize);
        let index = runs.partition_point(|run| run.at <= at) - 1;
        let run = runs[index];
        let Some((source, position)) = run.from.filter(|_| at + len <= run.at + run.len) else { continue };
        let before = at - run.at;
        let bytes = &sources[source].bytes[position + before..position + before + len];
        let Some(from) = in_hole(sources, &holes, bytes, false) else { continue };
        take(&mut holes, from, len);
        let behind = before + len;
        let parts = [
            Run { at: run.at, len: before, from: run.from },
            Run { at, len, from: Some(from) },
            Run { at: at + len, len: run.len - behind, from: Some((source, position + behind)) },
        ];
        runs.splice(index..=index, parts.into_iter().filter(|part| part.len > 0));
        done = true;
    }
    done
}
