//! Where the accepted bytes are that nobody was given: queued, kept by a
//! runtime, or lost, and by whom.
//!
//! A writer's missing bytes are of two kinds. *Gaps* lie before the last of its
//! bytes that was delivered: the queue has passed them, so they are lost. Its
//! *rest* lies behind: there the counts decide. The kernel's share of the rest
//! comes first, in the order of the queue: taken by a reader but not handed
//! out, dropped, still queued.

use super::{
    entry::{Extent, Loss, Place, Shape, Unplaced},
    extent::Extents,
    kernel::{Dropped, Timeline},
    order::{Order, Stretch},
    source::Source,
};
use crate::outcome::Transcript;

/// What became of the accepted bytes that weren't delivered.
#[derive(Debug, Default)]
pub struct Placed {
    pub queued: u64,
    pub read_ahead: u64,
    pub held: u64,
    pub lost: Vec<Loss>,
    pub unplaced: Option<Unplaced>,
}

/// The missing bytes of one writer.
struct Missing {
    gaps: Extents,
    rest: Extents,
    /// Not accepted by the call, behind the last delivered byte: the kernel may
    /// still have taken them.
    other: u64,
    /// The writer held its end when the case ended.
    held: bool,
}

/// The kernel's share of the bytes that were not handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    taken: u64,
    dropped: u64,
    queued: u64,
}

pub fn place(
    sources: &[Source],
    order: &Order,
    timeline: &Timeline,
    transcript: &Transcript,
    channel: usize,
    delivered: u64,
) -> Placed {
    let holds = |actor: usize| {
        transcript.holds.get(actor).and_then(|held| held.get(channel)).copied().unwrap_or(false)
    };
    let reader_holds = transcript
        .steps
        .iter()
        .any(|record| record.verb.reads() && record.channel == Some(channel) && holds(record.actor));
    let missing: Vec<Missing> = sources
        .iter()
        .zip(&order.covered)
        .map(|(source, covered)| {
            let high = covered.ranges().last().map_or(0, |range| range.end);
            let (gaps, rest) = source.accepted.minus(covered).split_at(high);
            let other = source.bytes.len() as u64 - high - source.accepted.split_at(high).1.total();
            Missing { gaps, rest, other, held: holds(source.writer) }
        })
        .collect();

    let mut placed = Placed::default();
    let mut lost: Vec<Vec<(Extents, Place)>> = vec![Vec::new(); sources.len()];
    let kernel = gaps(&missing, order, timeline, delivered, &mut lost);
    match kernel.and_then(|kernel| share_out(kernel, &missing, order, timeline)) {
        Some(shares) => {
            for (((source, missing), share), lost) in sources.iter().zip(&missing).zip(shares).zip(&mut lost)
            {
                rest(source, missing, share, timeline, reader_holds, lost, &mut placed);
            }
        }
        None => undecided(sources, &missing, kernel, reader_holds, &mut placed),
    }
    for (source, lost) in sources.iter().zip(lost) {
        losses(source, lost, &mut placed.lost);
    }
    placed
}

/// Places the gaps, and gives the kernel's share of all writers' rests; `None`
/// if the counts don't tell.
fn gaps(
    missing: &[Missing],
    order: &Order,
    timeline: &Timeline,
    delivered: u64,
    lost: &mut [Vec<(Extents, Place)>],
) -> Option<Share> {
    let queued = timeline.queued.known();
    let total: u64 = missing.iter().map(|missing| missing.gaps.total()).sum();
    let mut put = |place_of: &dyn Fn(usize, u64) -> Place| {
        for (index, missing) in missing.iter().enumerate() {
            for range in missing.gaps.ranges() {
                let gap = Extents::one(range.clone());
                lost[index].push((gap, place_of(index, range.start)));
            }
        }
    };
    let drops = timeline.drops.as_ref();
    let ahead = timeline.taken.and_then(|taken| taken.checked_sub(delivered));
    let (Some(queued), Some(drops), Some(ahead)) = (queued, drops, ahead) else {
        let nothing_missing = timeline.accepted.known() == Some(delivered);
        put(&|_, _| if nothing_missing { Place::Runtime } else { Place::Unknown });
        // Where only the queue is known, nothing says that the kernel dropped.
        return queued.map(|queued| Share { queued, ..Share::default() });
    };
    let dropped: u64 = drops.iter().map(|dropped| dropped.len).sum();
    let rest_share = Share { taken: ahead, dropped, queued };
    if total == 0 {
        return Some(rest_share);
    }
    if ahead > 0 {
        // Either the gaps are what a reader took and kept, or nothing fits.
        let fits = ahead == total && dropped == 0;
        put(&|_, _| if fits { Place::Reader } else { Place::Unknown });
        return fits.then_some(Share { taken: 0, ..rest_share });
    }
    // A drop lies between two delivered bytes: the gaps of which it can consist
    // are those whose neighbours stand on both sides of it.
    let mut rest_dropped = 0;
    let mut places: Vec<(usize, u64, Place)> = Vec::new();
    let mut doubt = false;
    for drop in drops {
        let mut found = Vec::new();
        let mut bytes = 0;
        for (index, missing) in missing.iter().enumerate() {
            for gap in missing.gaps.ranges() {
                if window(&order.in_order[index], gap.start).contains(&drop.after) {
                    found.push((index, gap.start));
                    bytes += gap.end - gap.start;
                }
            }
        }
        let may_be_rest = missing.iter().zip(&order.in_order).any(|(missing, in_order)| {
            !(missing.rest.is_empty() && missing.other == 0)
                && in_order.last().is_none_or(|last| last.until <= drop.after)
        });
        let place = match (bytes == drop.len, may_be_rest) {
            (_, true) if bytes == 0 => {
                rest_dropped += drop.len;
                continue;
            }
            (true, false) => drop.place(),
            (_, rest) => {
                doubt |= rest;
                Place::Unknown
            }
        };
        places.extend(found.into_iter().map(|(index, start)| (index, start, place)));
    }
    put(&|index, start| {
        let found: Vec<Place> =
            places.iter().filter(|place| (place.0, place.1) == (index, start)).map(|place| place.2).collect();
        match found[..] {
            [] => Place::Runtime,
            [place] => place,
            _ => Place::Unknown,
        }
    });
    (!doubt).then_some(Share { dropped: rest_dropped, ..rest_share })
}

/// The delivered indexes at which a gap can have stood.
fn window(in_order: &[Stretch], gap: u64) -> std::ops::RangeInclusive<u64> {
    let after = in_order.partition_point(|stretch| stretch.start <= gap);
    let first = after.checked_sub(1).map_or(0, |before| in_order[before].until);
    first..=in_order.get(after).map_or(u64::MAX, |next| next.at)
}

/// Divides the kernel's share among the writers; `None` if the counts don't
/// tell whose it is.
fn share_out(kernel: Share, missing: &[Missing], order: &Order, timeline: &Timeline) -> Option<Vec<Share>> {
    let mut shares = vec![Share::default(); missing.len()];
    let open: Vec<usize> =
        (0..missing.len()).filter(|&at| !missing[at].rest.is_empty() || missing[at].other > 0).collect();
    if kernel == Share::default() || open.is_empty() {
        return Some(shares);
    }
    if let &[only] = &open[..] {
        shares[only] = kernel;
        return Some(shares);
    }
    let total = kernel.taken + kernel.dropped + kernel.queued;
    let whole: u64 = open.iter().map(|&at| missing[at].rest.total() + missing[at].other).sum();
    let one_kind = [kernel.taken, kernel.dropped, kernel.queued].contains(&total);
    if !one_kind {
        return None;
    }
    let dropped_elsewhere = timeline.dropped() != Some(kernel.dropped);
    for &at in &open {
        let bytes = if total == whole {
            missing[at].rest.total() + missing[at].other
        } else if dropped_elsewhere {
            return None;
        } else {
            timeline.by_source[at]?.checked_sub(order.counts[at])?
        };
        shares[at] = Share {
            taken: if kernel.taken > 0 { bytes } else { 0 },
            dropped: if kernel.dropped > 0 { bytes } else { 0 },
            queued: if kernel.queued > 0 { bytes } else { 0 },
        };
    }
    let shared: u64 = shares.iter().map(|share| share.taken + share.dropped + share.queued).sum();
    (shared == total).then_some(shares)
}

/// Places the rest of one writer.
fn rest(
    source: &Source,
    missing: &Missing,
    share: Share,
    timeline: &Timeline,
    reader_holds: bool,
    lost: &mut Vec<(Extents, Place)>,
    placed: &mut Placed,
) {
    let (taken, after) = missing.rest.split_first(share.taken);
    let (dropped, after) = after.split_first(share.dropped);
    let (queued, never) = after.split_first(share.queued);
    let ahead = if reader_holds { taken.total() } else { 0 };
    let held = if missing.held { never.total() } else { 0 };
    let safe = queued.total() + ahead + held;
    let gone = missing.rest.total() - safe;
    if gone > 0 && safe > 0 && !never.is_empty() && !missing.held {
        // The runtime lost some of it, and may have lost the first as well as
        // the last; what is queued can't be seen.
        let unplaced = placed.unplaced.get_or_insert_with(|| Unplaced { among: vec![], least: 0, most: 0 });
        unplaced.among.extend(extents(source, &missing.rest));
        unplaced.least += gone;
        unplaced.most += gone;
        return;
    }
    placed.queued += queued.total();
    placed.read_ahead += ahead;
    placed.held += held;
    let mut parts = vec![];
    if !reader_holds {
        parts.push((taken, Place::Reader));
    }
    let last = timeline.drops.as_ref().and_then(|drops| drops.last());
    parts.push((dropped, last.map_or(Place::Kernel, Dropped::place)));
    if !missing.held {
        let certain = timeline.drops.is_some() || timeline.accepted == crate::outcome::Count::Known(0);
        parts.push((never, if certain { Place::Runtime } else { Place::Unknown }));
    }
    parts.retain(|(part, _)| !part.is_empty());
    if parts.len() > 1 && !missing.held && safe == 0 {
        // All of it is lost, by several, and nobody can say which part by whom.
        parts = vec![(missing.rest.clone(), Place::Unknown)];
    }
    lost.extend(parts);
}

/// Several writers, and the counts don't say whose bytes the kernel has.
fn undecided(
    sources: &[Source],
    missing: &[Missing],
    kernel: Option<Share>,
    reader_holds: bool,
    placed: &mut Placed,
) {
    let sum = |held: bool| -> u64 {
        missing.iter().filter(|missing| missing.held == held).map(|missing| missing.rest.total()).sum()
    };
    let (held, left) = (sum(true), sum(false));
    let safe = kernel.map_or(u64::MAX, |kernel| kernel.queued + if reader_holds { kernel.taken } else { 0 });
    let gone = kernel.map_or(u64::MAX, |kernel| kernel.dropped + if reader_holds { 0 } else { kernel.taken });
    let most = left + held.min(gone);
    if most == 0 {
        // Everybody still holds an end, so nothing is lost either way.
        let queued = kernel.map_or(0, |kernel| kernel.queued.min(held));
        placed.queued += queued;
        placed.held += held - queued;
        return;
    }
    let among: Vec<Extent> =
        sources.iter().zip(missing).flat_map(|(source, missing)| extents(source, &missing.rest)).collect();
    if !among.is_empty() {
        placed.unplaced = Some(Unplaced { among, least: left.saturating_sub(safe), most });
    }
}

fn extents(source: &Source, set: &Extents) -> Vec<Extent> {
    let extent = |range: &std::ops::Range<u64>| Extent {
        writer: source.writer,
        start: source.stream(range.start),
        len: range.end - range.start,
    };
    set.ranges().iter().map(extent).collect()
}

/// Gives the lost extents their shapes. Two that follow each other in what was
/// accepted (with refused bytes between, or lost in different places) have one
/// shape.
fn losses(source: &Source, lost: Vec<(Extents, Place)>, out: &mut Vec<Loss>) {
    let all: Extents = lost.iter().flat_map(|(set, _)| set.ranges().iter().cloned()).collect();
    let kept = source.accepted.minus(&all);
    let first_kept = kept.ranges().first().map(|range| range.start);
    let last_kept = kept.ranges().last().map(|range| range.end);
    let shape = |start: u64| match (first_kept, last_kept) {
        (Some(first), _) if start < first => Shape::Prefix,
        (_, Some(last)) if start >= last => Shape::Tail,
        (None, _) => Shape::All,
        _ => Shape::Gap,
    };
    let mut entries: Vec<Loss> = Vec::new();
    for (set, place) in lost {
        for range in set.ranges() {
            let (start, len) = (source.stream(range.start), range.end - range.start);
            entries.push(Loss { writer: source.writer, start, len, shape: shape(range.start), place });
        }
    }
    entries.sort_by_key(|loss| loss.start);
    out.extend(entries);
}
