//! What calls only looked at (MSG_PEEK), held against what comes next.
//!
//! A peek shows the bytes that are next in the queue, from the socket's offset on
//! (SO_PEEK_OFF). Those that reads return later are compared with these, byte by byte. Of the
//! others the position-coded data tells whether they are what the writers sent next; whose of
//! several writers' come first, only a read shows.
//!
//! Where a receive cut a message off, the row of delivered bytes has holes whose places aren't
//! known: a peek there must show bytes in a row that nobody was given before, no more.

use std::borrow::Cow;

use super::{Mispeek, delivery, kernel::Timeline, order::Order, source::Source, trace::trace};
use crate::outcome::{Peeked, StepRecord, Transcript, payload::WORD};

/// So many contiguous bytes hold a whole word, and identify themselves.
const SURE: usize = 2 * WORD - 1;

/// The peeks of a channel that showed other bytes.
pub fn mispeeks(
    transcript: &Transcript,
    channel: usize,
    sources: &[Source],
    data: &[u8],
    timeline: &Timeline,
) -> Vec<Mispeek> {
    let whole = timeline.drops.as_ref().is_some_and(|drops| drops.iter().all(|dropped| !dropped.cut));
    let peeks = transcript.steps.iter().enumerate().filter(|(_, record)| record.channel == Some(channel));
    let mispeek = |(index, record): (usize, &StepRecord)| {
        let peeked = record.peeked.as_ref().filter(|peeked| !peeked.data.0.is_empty())?;
        let moment = delivery::moment(index, record);
        let reads = delivery::reads(transcript, channel);
        let earlier =
            reads.iter().filter(|(read, _)| delivery::moment(*read, &transcript.steps[*read]) < moment);
        let before: usize = earlier.map(|(_, data)| data.len()).sum();
        let at = first_wrong(sources, data, before, peeked, whole)?;
        Some(Mispeek { record: index, step: record.step, reader: record.actor, at })
    };
    peeks.filter_map(mispeek).collect()
}

/// The first byte of a peek that isn't what comes next. `before` bytes of `data`, which is all
/// that was delivered, had been by then.
fn first_wrong(sources: &[Source], data: &[u8], before: usize, peeked: &Peeked, whole: bool) -> Option<u64> {
    let shown = &peeked.data.0;
    let start = before.saturating_add(usize::try_from(peeked.offset).unwrap_or(usize::MAX));
    // Where nothing is missing, what comes next stands in this row, as far as it is known.
    let row = if whole { row(sources, data, start) } else { None };
    let later = row.as_ref().map_or(&[][..], |_| data.get(start..).unwrap_or_default());
    let wrong = later.iter().zip(shown).position(|(later, shown)| later != shown);
    if wrong.is_some() || later.len() >= shown.len() {
        return wrong.map(|at| at as u64);
    }
    // Where what was delivered is itself out of order, nothing is exactly the next.
    let row = row.filter(|row| trace(sources, row).1.first_wrong.is_none());
    let exact = row.is_some();
    if !exact && shown.len() < SURE {
        return None;
    }
    let row = row.unwrap_or(Cow::Borrowed(&data[..before]));
    let (_, order) = trace(sources, &[&row, &shown[..]].concat());
    let len = row.len() as u64;
    if exact {
        // Equal bytes at an edge may have moved the place to before the peek.
        return order.first_wrong.map(|at| at.saturating_sub(len));
    }
    let (_, alone) = trace(sources, &row);
    let places = |order: &Order| {
        let duplicated = order.duplicated.iter().map(|entry| (entry.at, entry.len));
        let reordered = order.reordered.iter().map(|entry| (entry.at, entry.len));
        let foreign = order.foreign.iter().map(|entry| (entry.at, entry.len));
        duplicated.chain(reordered).chain(foreign).collect::<Vec<(u64, u64)>>()
    };
    // What is out of order of both may be laid to what came first.
    let more = places(&order).len() > places(&alone).len();
    let within = places(&order).into_iter().filter(|(at, bytes)| at + bytes > len);
    more.then(|| within.map(|(at, _)| at.saturating_sub(len)).min().unwrap_or(0))
}

/// The first bytes that come out of the channel, up to an index: those that were delivered and,
/// of the only writer, those that it sent behind them. `None` where they can't be told.
fn row<'d>(sources: &[Source], data: &'d [u8], end: usize) -> Option<Cow<'d, [u8]>> {
    if let Some(row) = data.get(..end) {
        return Some(Cow::Borrowed(row));
    }
    let [source] = sources else { return None };
    let sent = source.accepted.ranges().iter();
    let sent = sent.flat_map(|range| &source.bytes[range.start as usize..range.end as usize]);
    let row: Vec<u8> = data.iter().chain(sent.skip(data.len())).take(end).copied().collect();
    (row.len() == end).then_some(Cow::Owned(row))
}
