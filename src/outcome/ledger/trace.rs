//! Finds the runs of which delivered data consists: which writer's bytes, from
//! which position on.
//!
//! Data that came as it was sent costs one comparison at the speed of memory.
//! Where a run breaks off, `search` looks for the explanation with the fewest
//! edits of the next bytes; then `seams` moves the places where runs meet to
//! where they disturb least, and `fill` explains the fragments too short to
//! identify themselves by what is missing elsewhere.
//!
//! Exact for any single edit (a loss, a copy, a move, an exchange, bytes of
//! another writer in between) of any length, up to explanations that give the
//! same bytes. What it can't do:
//!
//! * A fragment of fewer than 21 characters holds no whole word. It is explained by
//!   what is missing, else by the nearest equal bytes, so a copy of one byte may
//!   be laid to another equal byte.
//! * Bytes overwritten by line feeds carry nothing. With pieces of one or two
//!   bytes a move or a loss is seen as a wrong length, or not at all.
//! * Of characters of two bytes the first byte has one of two values, so an edit of a
//!   few of them may be named in several pieces.
//! * Equal bytes at the edges of an edit may be laid to either side. Of
//!   36,000 edits made by chance one was named with an edit too many.
//! * Many edits within [`search::HORIZON`] bytes of each other may be read as
//!   fewer, larger ones.

mod anchor;
mod fill;
mod look;
mod matching;
mod seams;
mod search;
mod ways;

use super::{
    extent::Extents,
    order::{Order, sort_out},
    source::Source,
    torn::torn,
};

/// A part of the delivered data that is contiguous in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Index in the delivered data.
    pub at: usize,
    pub len: usize,
    /// Index of the source and position there; `None` for bytes that nobody sent.
    pub from: Option<(usize, usize)>,
}

/// The runs in the order of the data, without gaps, and what they amount to.
///
/// Of several explanations the one is taken that names the fewest things, and of
/// those the one that names the fewest bytes.
pub fn trace(sources: &[Source], data: &[u8]) -> (Vec<Run>, Order) {
    if let Some(runs) = just_what_was_accepted(sources, data).or_else(|| whole_writes(sources, data)) {
        let order = sort_out(sources, &runs);
        return (runs, order);
    }
    let mut best: Option<(Score, Vec<Run>, Order)> = None;
    for tear in search::TEARS {
        for runs in search::search(sources, data, tear) {
            let clean = continuous(sources, &runs);
            let variants = if clean { 1 } else { 2 };
            for variant in 0..variants {
                let mut runs = runs.clone();
                if !clean {
                    if variant == 0 {
                        seams::settle(sources, data, &mut runs);
                        fill::free_doubtful(&mut runs);
                    }
                    join(&mut runs);
                    seams::settle_holes(sources, data, &mut runs);
                    fill::fill(sources, data, &mut runs);
                }
                join(&mut runs);
                let mut order = sort_out(sources, &runs);
                if !clean && fill::moves_for_copies(sources, &mut runs, &order) {
                    order = sort_out(sources, &runs);
                }
                let score = score(sources, &runs, &order);
                if best.as_ref().is_none_or(|(least, ..)| score < *least) {
                    best = Some((score, runs, order));
                }
            }
        }
        // Nothing but ends are missing, or one extent: no explanation is better.
        if let Some((score, runs, _)) = &best
            && (continuous(sources, runs) || *score == (2, 0))
        {
            break;
        }
    }
    let (_, runs, order) = best.expect("a search gives at least one explanation");
    (runs, order)
}

/// The runs if a single writer's data came whole: what its calls accepted, nothing
/// else, in order. (Refused bytes in between are no reason to search.)
fn just_what_was_accepted(sources: &[Source], data: &[u8]) -> Option<Vec<Run>> {
    let [source] = sources else { return None };
    let mut runs = Vec::new();
    let mut at = 0;
    for range in source.accepted.ranges() {
        let (position, len) = (range.start as usize, (range.end - range.start) as usize);
        if data.get(at..at + len)? != &source.bytes[position..position + len] {
            return None;
        }
        runs.push(Run { at, len, from: Some((0, position)) });
        at += len;
    }
    (at == data.len()).then_some(runs)
}

/// The runs if a single writer wrote something again, and its data is what its write
/// steps accepted, one after the other, some of them left out. (A message of a few bytes
/// doesn't identify itself, and several copies of it are too much for a search.)
fn whole_writes(sources: &[Source], data: &[u8]) -> Option<Vec<Run>> {
    let [source] = sources else { return None };
    let writes = source.writes.as_ref()?;
    if writes.iter().map(|range| range.end - range.start).sum::<u64>() <= source.accepted.total() {
        return None;
    }
    let mut runs = Vec::new();
    let mut at = 0;
    for range in writes {
        let (position, len) = (range.start as usize, (range.end - range.start) as usize);
        if len > 0 && data[at..].starts_with(&source.bytes[position..position + len]) {
            runs.push(Run { at, len, from: Some((0, position)) });
            at += len;
        }
    }
    (at == data.len()).then_some(runs)
}

/// Things named, with weights (a tear is what a scheduler does, bytes of nobody
/// explain nothing), and the bytes in them.
type Score = (u64, u64);

fn score(sources: &[Source], runs: &[Run], order: &Order) -> Score {
    let holes = sources
        .iter()
        .zip(&order.covered)
        .map(|(source, covered)| Extents::one(0..source.bytes.len() as u64).minus(covered).ranges().len());
    let torn = torn(sources, runs, order).len();
    let moved = holes.sum::<usize>() + order.duplicated.len() + order.reordered.len();
    let bytes = order.duplicated.iter().map(|entry| entry.len).sum::<u64>()
        + order.reordered.iter().map(|entry| entry.len).sum::<u64>()
        + order.foreign.iter().map(|entry| entry.len).sum::<u64>();
    ((2 * moved + 4 * order.foreign.len() + torn) as u64, bytes)
}

/// Each source's runs follow each other.
fn continuous(sources: &[Source], runs: &[Run]) -> bool {
    let mut next = vec![0; sources.len()];
    runs.iter().all(|run| match run.from {
        Some((source, position)) => std::mem::replace(&mut next[source], position + run.len) == position,
        None => false,
    })
}

/// Makes one of neighbours that belong together.
fn join(runs: &mut Vec<Run>) {
    runs.dedup_by(|next, run| {
        let together = match (run.from, next.from) {
            (None, None) => true,
            (Some((source, position)), Some(from)) => from == (source, position + run.len),
            _ => false,
        };
        if together {
            run.len += next.len;
        }
        together
    });
}
