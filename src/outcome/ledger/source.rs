//! What the writers of a channel offered, and what the calls answered.

use std::{collections::BTreeMap, ops::Range};

use super::extent::Extents;
use crate::outcome::{Offer, Outcome, Transcript, Verb, payload};

/// One writer's stream, with what was never offered left out: positions here are
/// those of the offered bytes in a row, which are stream offsets unless the
/// transcript leaves gaps. `stream` translates.
#[derive(Debug)]
pub struct Source {
    /// Index among the plan's actors.
    pub writer: usize,
    pub bytes: Vec<u8>,
    pub accepted: Extents,
    pub unanswered: Extents,
    /// The positions that each write step accepted, in the order of the records. `None`
    /// if some never answered.
    pub writes: Option<Vec<Range<u64>>>,
    /// Write calls, by position.
    steps: Vec<WriteStep>,
    /// Where each stretch of offered offsets begins: position, offset.
    stretches: Vec<(u64, u64)>,
    /// Line feeds stand so close that a word may have none or few of its letters
    /// left, so that looking for words finds nothing.
    pub dense: bool,
}

/// One write step, at its position.
#[derive(Debug)]
struct WriteStep {
    record: usize,
    step: usize,
    start: u64,
    len: u64,
    piece: u64,
}

/// One write call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub record: usize,
    pub step: usize,
    pub range: Range<u64>,
}

/// All writers that offered something, by actor.
pub fn sources(transcript: &Transcript, channel: usize) -> Vec<Source> {
    let mut offers: BTreeMap<usize, Vec<(usize, Offer)>> = BTreeMap::new();
    for (index, record) in transcript.steps.iter().enumerate() {
        let offer = record.offered.filter(|offer| offer.len > 0);
        let given = !matches!(record.outcome, Outcome::Skipped | Outcome::Gone);
        if let Some(offer) = offer.filter(|_| given && record.channel == Some(channel)) {
            offers.entry(record.actor).or_default().push((index, offer));
        }
    }
    offers.into_iter().map(|(writer, offers)| Source::of(writer, &offers, transcript)).collect()
}

impl Source {
    fn of(writer: usize, offers: &[(usize, Offer)], transcript: &Transcript) -> Source {
        let offered: Extents =
            offers.iter().map(|(_, offer)| offer.offset..offer.offset.saturating_add(offer.len)).collect();
        let mut stretches = Vec::new();
        let mut position = 0;
        for range in offered.ranges() {
            stretches.push((position, range.start));
            position += range.end - range.start;
        }
        let mut bytes = vec![0; position as usize];
        let mut steps = Vec::new();
        let (mut accepted, mut unanswered) = (Vec::new(), Vec::new());
        for &(index, offer) in offers {
            let record = &transcript.steps[index];
            let (before, stretch) =
                *stretches.iter().rev().find(|(_, stretch)| *stretch <= offer.offset).expect("offered");
            let start = before + (offer.offset - stretch);
            let end = start + offer.len;
            payload::fill_offer(writer, &offer, &mut bytes[start as usize..end as usize]);
            let piece = if offer.piece == 0 { offer.len } else { offer.piece };
            steps.push(WriteStep { record: index, step: record.step, start, len: offer.len, piece });
            match record.last() {
                Outcome::Ok { bytes: None } => accepted.push(start..end),
                // Its number is of what it read.
                Outcome::Said { .. } if record.verb == Verb::Communicate => accepted.push(start..end),
                outcome => match outcome.bytes() {
                    Some(count) => accepted.push(start..start + count.min(offer.len)),
                    None => unanswered.push(start..end),
                },
            }
        }
        steps.sort_by_key(|step| step.start);
        let writes = unanswered.is_empty().then(|| accepted.clone());
        let accepted: Extents = accepted.into_iter().collect();
        let unanswered = unanswered.into_iter().collect::<Extents>().minus(&accepted);
        let dense = offers
            .iter()
            .any(|(_, offer)| offer.newline && offer.piece.min(offer.len) < payload::WORD as u64);
        Source { writer, bytes, accepted, unanswered, writes, steps, stretches, dense }
    }

    /// The stream offset of a position.
    pub fn stream(&self, position: u64) -> u64 {
        let after = self.stretches.partition_point(|&(start, _)| start <= position);
        let (start, offset) = self.stretches[after.saturating_sub(1)];
        offset + (position - start)
    }

    /// The position of an offered offset.
    pub fn position(&self, offset: u64) -> Option<usize> {
        let after = self.stretches.partition_point(|&(_, stretch)| stretch <= offset);
        let (start, stretch) = *self.stretches.get(after.checked_sub(1)?)?;
        let position = start + (offset - stretch);
        let end = self.stretches.get(after).map_or(self.bytes.len() as u64, |&(next, _)| next);
        (position < end).then_some(position as usize)
    }

    /// The write call that offered the byte at a position: of several the last
    /// (a retry is told by the same bytes).
    pub fn call(&self, position: u64) -> Option<Call> {
        let after = self.steps.partition_point(|step| step.start <= position);
        let step = self.steps[..after].iter().rev().find(|step| position < step.start + step.len)?;
        let start = position - (position - step.start) % step.piece;
        let end = (start + step.piece).min(step.start + step.len);
        Some(Call { record: step.record, step: step.step, range: start..end })
    }

    /// A write call begins or ends here.
    pub fn is_boundary(&self, position: usize) -> bool {
        let position = position as u64;
        position == 0 || self.call(position).is_none_or(|call| call.range.start == position)
    }
}
