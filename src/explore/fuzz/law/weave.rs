//! Whether what readers got can be the writers' bytes woven together, each writer's in order.
//!
//! 1. From any place the row of one writer goes on as long as its bytes are those that came,
//!    and another writer's may follow at any earlier byte: the last [`NEAR`] of them are
//!    tried, the longest way first. (21 bytes in a row are nobody else's; see `payload`.)
//! 2. A write of at most `atomic` bytes isn't left before its end.
//! 3. Where the kernel dropped something or may have cut a message off, or a call never answered, a writer's row may go on
//!    with any later write, or call of a loop, or packet.
//! 4. Reads of several readers that were under way at once have no order that anybody knows,
//!    and what a killed reader took along nobody knows: nothing is said of them.
//! 5. What a call was shown (MSG_PEEK) goes on behind what was delivered before it.

use std::collections::{BTreeMap, HashSet};

use crate::{
    channel::Kind,
    outcome::{Action, Count, Offer, Outcome, StepRecord, Transcript, offer_bytes},
    stage::Plan,
};

/// Bytes that identify themselves, and as many again.
const NEAR: usize = 48;

/// Places that are looked at before nothing is said.
const PATIENCE: usize = 20_000;

/// What came of the look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woven {
    Yes,
    /// There is no way.
    Not,
    /// Rule 4, or too many ways.
    Unknown,
}

/// A channel's writers and what came of their bytes.
#[derive(Debug)]
pub struct Weave {
    rows: Vec<Row>,
    data: Vec<u8>,
    /// Rule 5: how much had been delivered, and what was shown behind it.
    peeks: Vec<(usize, Vec<u8>)>,
    /// Rule 3.
    skips: bool,
    /// Rule 4.
    unordered: bool,
    /// What a read has no room for may be gone.
    pub cuts: bool,
    /// What all calls said that they accepted.
    pub accepted: u64,
    /// What the kernel dropped in all; `None`: a count isn't known.
    pub dropped: Option<u64>,
    /// A call on the channel never answered.
    pub has_outstanding: bool,
}

/// What one writer's calls accepted, in its order.
#[derive(Debug, Default)]
struct Row {
    bytes: Vec<u8>,
    /// Where each write begins, and whether it is one that stays in one piece.
    writes: Vec<(usize, bool)>,
    /// Where each write, call of a loop and packet begins.
    parts: Vec<usize>,
}

impl Row {
    /// What one step's calls took. `sure`: they took all.
    fn add(&mut self, offer: &Offer, writer: usize, atomic: u64, sure: bool) {
        let start = self.bytes.len();
        // Of a loop each call is one write.
        let one = offer.piece >= offer.len;
        self.writes.push((start, sure && one && offer.len <= atomic));
        let part = if one { atomic } else { offer.piece };
        let parts = if part == 0 { 1 } else { offer.len.div_ceil(part) };
        // What was put behind an earlier write's bytes comes before the first whole page: if that
        // sleeps, the rest may be packets. (src/model/pipe.rs, rule 2)
        let merged = if one && part > 0 { offer.len % part } else { 0 };
        let begins = (0..parts).flat_map(|at| [at * part, at * part + merged]);
        let begins = begins.filter(|at| *at < offer.len.max(1)).map(|at| start + at as usize);
        self.parts.extend(begins);
        self.parts.dedup();
        self.bytes.extend(offer_bytes(writer, offer));
    }

    /// Whether this place is inside a write that stays in one piece.
    fn is_inside(&self, place: usize) -> bool {
        let after = self.writes.partition_point(|(start, _)| *start < place);
        let Some((_, whole)) = after.checked_sub(1).map(|at| self.writes[at]) else { return false };
        let ends = self.writes.get(after).map_or(self.bytes.len(), |(start, _)| *start);
        whole && place < ends
    }
}

/// Where the next byte may come from: by row, and the row that was left inside a write.
type Places = (Vec<u32>, Option<usize>);

impl Weave {
    pub fn of(plan: &Plan, transcript: &Transcript, channel: usize) -> Weave {
        let kind = plan.channels[channel].kind;
        let pipe = matches!(kind, Kind::Fifo | Kind::Pipe);
        let atomic = if pipe { libc::PIPE_BUF as u64 } else { 0 };
        let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
        let mut weave = Weave {
            rows: Vec::new(),
            data: Vec::new(),
            peeks: Vec::new(),
            skips: false,
            unordered: false,
            cuts: matches!(kind, Kind::UnixDatagram | Kind::UnixSeqpacket) || pipe && has_packets(plan),
            accepted: 0,
            dropped: dropped(transcript, channel),
            has_outstanding: false,
        };
        weave.skips = weave.cuts || weave.dropped != Some(0);
        let mut reads: Vec<(usize, usize)> = Vec::new();
        let here = |record: &&StepRecord| record.channel == Some(channel);
        for (at, record) in transcript.steps.iter().enumerate().filter(|(_, record)| here(record)) {
            let answered = answered(record);
            weave.has_outstanding |= answered.is_none();
            // What it took along nobody knows.
            weave.unordered |= answered.is_none() && plan.steps[record.step].action.delivers();
            if let Some(offer) = record.offered.filter(|offer| offer.len > 0) {
                let taken = answered.unwrap_or(offer.len).min(offer.len);
                weave.skips |= answered.is_none();
                weave.accepted += answered.map_or(0, |_| taken);
                let row = rows.entry(record.actor).or_default();
                let piece = piece(plan, record).unwrap_or(offer.piece);
                let sure = answered.is_some() && taken == offer.len;
                row.add(&Offer { len: taken, piece, ..offer }, record.actor, atomic, sure);
            }
            if record.data.is_some() {
                let end = record.resumed.as_ref().map_or(at, |resumed| resumed.by);
                weave.unordered |= reads.iter().any(|(from, to)| *from < end && at < *to);
                reads.push((at, end));
            }
        }
        let peeks =
            transcript.steps.iter().enumerate().filter(|(_, record)| here(record) && record.peeked.is_some());
        let mut order: Vec<(usize, usize)> = reads;
        order
            .extend(peeks.map(|(at, record)| (at, record.resumed.as_ref().map_or(at, |resumed| resumed.by))));
        order.sort_unstable_by_key(|(at, end)| (*end, *at));
        for (at, _) in order {
            let record = &transcript.steps[at];
            match &record.peeked {
                Some(peeked) => weave.peeks.push((weave.data.len(), peeked.data.0.clone())),
                None => weave.data.extend(record.data.iter().flat_map(|data| &data.0)),
            }
        }
        weave.rows = rows.into_values().collect();
        weave
    }

    /// Bytes that readers got.
    pub fn delivered(&self) -> u64 {
        self.data.len() as u64
    }

    /// Rules 1 to 4.
    pub fn woven(&self) -> Woven {
        if self.unordered { Woven::Unknown } else { self.weaves(&self.data) }
    }

    /// Rule 5: the bytes that the first call was shown for which there is no way.
    pub fn mispeek(&self) -> Option<u64> {
        if self.unordered {
            return None;
        }
        let wrong = |(before, shown): &&(usize, Vec<u8>)| {
            !shown.is_empty() && self.weaves(&[&self.data[..*before], &shown[..]].concat()) == Woven::Not
        };
        self.peeks.iter().find(wrong).map(|(_, shown)| shown.len() as u64)
    }

    fn weaves(&self, data: &[u8]) -> Woven {
        let mut seen: HashSet<(usize, Places)> = HashSet::new();
        let mut open: Vec<(usize, Places)> = vec![(0, (vec![0; self.rows.len()], None))];
        while let Some((at, places)) = open.pop() {
            if at == data.len() {
                return Woven::Yes;
            }
            if seen.len() >= PATIENCE {
                return Woven::Unknown;
            }
            if seen.insert((at, places.clone())) {
                self.go_on(&data[at..], at, &places, &mut open);
            }
        }
        Woven::Not
    }

    /// All ways to go on, the longest last.
    fn go_on(&self, data: &[u8], at: usize, (places, inside): &Places, open: &mut Vec<(usize, Places)>) {
        let before = open.len();
        for (which, row) in self.rows.iter().enumerate() {
            if inside.is_some_and(|inside| inside != which) && !self.skips {
                continue;
            }
            let place = places[which] as usize;
            let later = row.parts.iter().copied().filter(|start| self.skips && *start > place);
            for start in std::iter::once(place).chain(later) {
                let same = common(&row.bytes[start..], data);
                for len in same.saturating_sub(NEAR).max(1)..=same {
                    let mut places = places.clone();
                    places[which] = (start + len) as u32;
                    let inside = row.is_inside(start + len).then_some(which);
                    open.push((at + len, (places, inside)));
                }
            }
        }
        open[before..].sort_by_key(|(at, _)| *at);
    }
}

/// How many bytes are the same from the beginning.
fn common(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let most = one.len().min(other.len());
    let mut same = 0;
    while same + BLOCK <= most && one[same..same + BLOCK] == other[same..same + BLOCK] {
        same += BLOCK;
    }
    same + one[same..most].iter().zip(&other[same..most]).take_while(|(one, other)| one == other).count()
}

/// Bytes that a call moved; `None`: it never said.
fn answered(record: &StepRecord) -> Option<u64> {
    match record.last() {
        Outcome::Skipped | Outcome::Gone => Some(0),
        outcome => outcome.bytes().or_else(|| matches!(outcome, Outcome::Ok { .. }).then_some(0)),
    }
}

/// The bytes of each call of a loop that writes.
fn piece(plan: &Plan, record: &StepRecord) -> Option<u64> {
    match &plan.steps[record.step].action {
        Action::Call(called) if called.call.name() == "fill" => called.payload(),
        _ => None,
    }
}

/// An end may be in packet mode.
fn has_packets(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(&step.action, Action::Call(called) if called.has("direct")))
}

/// What the kernel accepted and neither gave to readers nor has any more.
fn dropped(transcript: &Transcript, channel: usize) -> Option<u64> {
    let Some(last) = transcript.steps.last() else { return Some(0) };
    let count = last.counts.get(channel)?;
    let known = |count: &Count| count.known();
    known(&count.accepted)?.checked_sub(known(&count.taken)? + known(&count.queued)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(offset: u64, len: u64) -> Offer {
        Offer { offset, len, piece: len, newline: false, wide: false }
    }

    fn bytes(writer: usize, offset: u64, len: u64) -> Vec<u8> {
        offer_bytes(writer, &offer(offset, len))
    }

    /// Each writer's writes, and what was delivered.
    fn weave(writes: &[&[u64]], data: Vec<u8>, skips: bool) -> Weave {
        let row = |(writer, lens): (usize, &&[u64])| {
            let (mut row, mut offset) = (Row::default(), 0);
            for &len in *lens {
                row.add(&offer(offset, len), writer, 4096, true);
                offset += len;
            }
            row
        };
        Weave {
            rows: writes.iter().enumerate().map(row).collect(),
            data,
            peeks: vec![],
            skips,
            unordered: false,
            cuts: false,
            accepted: 0,
            dropped: Some(0),
            has_outstanding: false,
        }
    }

    #[test]
    fn writers_may_take_turns_even_with_single_bytes() {
        let data = [bytes(0, 0, 3), bytes(1, 0, 1), bytes(0, 3, 2), bytes(1, 1, 1)].concat();
        assert_eq!(weave(&[&[3, 2], &[1, 1]], data, false).woven(), Woven::Yes);
    }

    #[test]
    fn long_writes_may_be_cut_and_short_ones_not() {
        let cut = |len: u64| [bytes(0, 0, 100), bytes(1, 0, 50), bytes(0, 100, len - 100)].concat();
        assert_eq!(weave(&[&[5000], &[50]], cut(5000), false).woven(), Woven::Yes);
        assert_eq!(weave(&[&[4096], &[50]], cut(4096), false).woven(), Woven::Not);
    }

    #[test]
    fn nothing_comes_twice_or_out_of_order_or_from_nobody() {
        let [first, second] = [bytes(0, 0, 200), bytes(0, 200, 200)];
        for data in [
            [&first[..], &first[..]].concat(),
            [&second[..], &first[..]].concat(),
            [&first[..], b"from nobody"].concat(),
            [&first[..100], &second[..]].concat(),
        ] {
            assert_eq!(weave(&[&[200, 200]], data, false).woven(), Woven::Not);
        }
    }

    #[test]
    fn what_was_dropped_is_left_out_at_the_beginning_of_a_write() {
        let data = [bytes(0, 0, 100), bytes(0, 200, 200)].concat();
        assert_eq!(weave(&[&[200, 200]], data.clone(), true).woven(), Woven::Yes);
        assert_eq!(weave(&[&[200, 200]], data, false).woven(), Woven::Not);
        let inside = [bytes(0, 0, 100), bytes(0, 250, 100)].concat();
        assert_eq!(weave(&[&[200, 200]], inside, true).woven(), Woven::Not);
    }

    /// One byte went behind what was queued, then a page; what was written later are packets.
    #[test]
    fn packets_of_a_write_that_was_merged_begin_behind_that_byte() {
        let page = 4096;
        let data = |next| [bytes(0, 0, 1 + page + 3), bytes(0, next, 4)].concat();
        assert_eq!(weave(&[&[3 * page + 1]], data(1 + 2 * page), true).woven(), Woven::Yes);
        assert_eq!(weave(&[&[3 * page + 1]], data(2 + 2 * page), true).woven(), Woven::Not);
    }

    #[test]
    fn a_peek_shows_what_comes_next() {
        let peek = |shown| {
            let mut weave = weave(&[&[400]], bytes(0, 0, 100), false);
            weave.peeks.push((100, shown));
            weave.mispeek()
        };
        assert_eq!(peek(bytes(0, 100, 50)), None);
        assert_eq!(peek(bytes(0, 150, 50)), Some(50));
    }
}
