//! What the counts say about the way through the kernel.

use super::{entry::Place, source::Source};
use crate::outcome::{ChannelCount, Count, StepRecord, Transcript};

/// The counts of one channel over the case.
#[derive(Debug)]
pub struct Timeline {
    /// The last record's.
    pub accepted: Count,
    pub queued: Count,
    pub taken: Option<u64>,
    /// Bytes that the kernel had accepted and dropped; `None` if some count of
    /// the case is unknown.
    pub drops: Option<Vec<Dropped>>,
    /// How much of `accepted` came from each source; `None` where two could have
    /// moved bytes at the same record.
    pub by_source: Vec<Option<u64>>,
}

/// Bytes that the kernel dropped at one record.
#[derive(Clone, Copy, Debug)]
pub struct Dropped {
    /// So many bytes had readers taken out before.
    pub after: u64,
    pub len: u64,
    /// A receive dropped it, with the rest of a message.
    pub cut: bool,
}

impl Dropped {
    pub fn place(&self) -> Place {
        if self.cut { Place::Cut } else { Place::Kernel }
    }
}

impl Timeline {
    pub fn of(transcript: &Transcript, channel: usize, sources: &[Source]) -> Timeline {
        let counts: Vec<Option<&ChannelCount>> =
            transcript.steps.iter().map(|record| record.counts.get(channel)).collect();
        let last = |pick: fn(&ChannelCount) -> &Count| match counts.last() {
            None => Count::Known(0),
            Some(None) => Count::Unknown("the last step recorded no count".to_owned()),
            Some(Some(count)) => pick(count).clone(),
        };
        Timeline {
            accepted: last(|count| &count.accepted),
            queued: last(|count| &count.queued),
            taken: last(|count| &count.taken).known(),
            drops: drops(transcript, channel, &counts),
            by_source: by_source(transcript, &counts, sources),
        }
    }

    /// All that the kernel dropped.
    pub fn dropped(&self) -> Option<u64> {
        Some(self.drops.as_ref()?.iter().map(|dropped| dropped.len).sum())
    }
}

/// What was accepted, and neither taken nor queued, is dropped. A queue is
/// dropped whole, so it follows what had been taken by then.
fn drops(transcript: &Transcript, channel: usize, counts: &[Option<&ChannelCount>]) -> Option<Vec<Dropped>> {
    let mut drops = Vec::new();
    let mut before = 0;
    let receives = |record: &StepRecord| record.verb.reads() && record.channel == Some(channel);
    for (index, count) in counts.iter().enumerate() {
        let count = (*count)?;
        let (accepted, taken) = (count.accepted.known()?, count.taken.known()?);
        let total = accepted.checked_sub(taken.checked_add(count.queued.known()?)?)?;
        match total.checked_sub(before)? {
            0 => {}
            len => {
                let resumed = |record: &&StepRecord| record.resumed.as_ref().is_some_and(|r| r.by == index);
                let mut ended =
                    transcript.steps.iter().filter(resumed).chain(&transcript.steps[index..=index]);
                drops.push(Dropped { after: taken, len, cut: ended.any(receives) });
            }
        }
        before = total;
    }
    Some(drops)
}

/// Between two records only the record's own actor can have moved bytes into the
/// kernel, and those whose call was outstanding.
fn by_source(
    transcript: &Transcript,
    counts: &[Option<&ChannelCount>],
    sources: &[Source],
) -> Vec<Option<u64>> {
    let mut totals = vec![Some(0); sources.len()];
    let mut before = 0;
    let mut outstanding: Vec<(usize, &StepRecord)> = Vec::new();
    for (index, (record, count)) in transcript.steps.iter().zip(counts).enumerate() {
        outstanding.retain(|(_, call)| call.resumed.as_ref().is_none_or(|resumed| resumed.by >= index));
        let could_move = |source: &Source| {
            record.actor == source.writer || outstanding.iter().any(|(actor, _)| *actor == source.writer)
        };
        let movers: Vec<usize> = (0..sources.len()).filter(|&at| could_move(&sources[at])).collect();
        let now = count.and_then(|count| count.accepted.known());
        let moved = now.and_then(|now| now.checked_sub(before));
        match (moved, &movers[..]) {
            (Some(0), _) => {}
            (Some(moved), &[only]) => totals[only] = totals[only].map(|total| total + moved),
            (Some(_), [_, ..]) => movers.iter().for_each(|&at| totals[at] = None),
            (Some(_), []) | (None, _) => return vec![None; sources.len()],
        }
        before = now.unwrap_or(before);
        if record.outcome.is_outstanding() {
            outstanding.push((record.actor, record));
        }
    }
    totals
}
