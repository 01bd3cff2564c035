//! Looking for the bytes of a fragment.

use std::ops::Range;

use memchr::memmem;

use super::{
    super::{extent::Extents, source::Source},
    Run,
};

/// What was never delivered.
pub fn holes(sources: &[Source], runs: &[Run]) -> Vec<Extents> {
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

/// Source and position.
pub type Place = (usize, usize);
/// A way to look for a part, given the holes that are left.
pub type Look<'a> = dyn Fn(&[Extents], &[u8]) -> Option<Place> + 'a;

pub fn whole(sources: &[Source], holes: &[Extents], fragment: &[u8], near: Place) -> Option<Place> {
    in_hole(sources, holes, fragment, true)
        .or_else(|| copy(sources, fragment, near))
        .or_else(|| inside_hole(sources, holes, fragment))
}

/// A hole of this size, or else (if asked) one that begins or ends so.
pub fn in_hole(sources: &[Source], holes: &[Extents], fragment: &[u8], edges: bool) -> Option<Place> {
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

pub fn inside_hole(sources: &[Source], holes: &[Extents], fragment: &[u8]) -> Option<Place> {
    holes.iter().enumerate().find_map(|(index, holes)| {
        holes.ranges().iter().find_map(|hole| {
            let bytes = &sources[index].bytes[hole.start as usize..hole.end as usize];
            Some((index, hole.start as usize + memmem::find(bytes, fragment)?))
        })
    })
}

/// Equal bytes anywhere: the nearest before `near`, then behind it, then in the
/// other sources.
pub fn copy(sources: &[Source], fragment: &[u8], near: Place) -> Option<Place> {
    let source = sources.get(near.0)?;
    // Both parts have what lies across.
    let before = &source.bytes[..(near.1 + fragment.len() - 1).min(source.bytes.len())];
    let from = (near.1 + 1).saturating_sub(fragment.len());
    let elsewhere = || {
        let others = sources.iter().enumerate().filter(|(index, _)| *index != near.0);
        others.into_iter().find_map(|(index, other)| Some((index, memmem::find(&other.bytes, fragment)?)))
    };
    memmem::rfind(before, fragment)
        .map(|position| (near.0, position))
        .or_else(|| Some((near.0, from + memmem::find(&source.bytes[from..], fragment)?)))
        .or_else(elsewhere)
}
