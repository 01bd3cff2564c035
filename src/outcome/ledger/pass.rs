//! Bytes that a call handed on from one channel to another, unseen (splice(2), tee(2),
//! sendfile(2)).
//!
//! A channel is a queue, so where all of its bytes come from one writer, what is taken
//! out next is known: the writer's next extent. In the channel that it goes into, the
//! call then offers this extent as the writer would; in the one that it comes from, it
//! is taken as if read. What comes from several writers, or comes back, isn't told apart:
//! such a channel isn't judged.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use crate::outcome::{Bytes, Offer, StepRecord, Transcript, payload};

/// A transcript as the ledger of one channel reads it.
pub struct View<'t> {
    pub transcript: Cow<'t, Transcript>,
    /// Bytes that calls took out of the channel and handed on.
    pub passed_on: u64,
    /// Some bytes were handed on, and whose they are can't be told.
    pub unjudged: bool,
}

/// An extent of a writer's stream.
#[derive(Clone, Debug)]
struct Piece {
    writer: usize,
    range: Range<u64>,
}

/// What went into a channel and out again.
#[derive(Default)]
struct Queue {
    /// `None` where it can't be told.
    came: Vec<Option<Piece>>,
    taken: u64,
}

impl Queue {
    /// The next so many bytes, if they are one extent of the only writer.
    fn next(&self, bytes: u64) -> Option<Piece> {
        let mut skip = self.taken;
        let mut next: Option<Piece> = None;
        let mut wanted = bytes;
        let writer = self.came.first()?.as_ref()?.writer;
        for piece in &self.came {
            let piece = piece.as_ref().filter(|piece| piece.writer == writer)?;
            let start = piece.range.start + skip.min(piece.range.end - piece.range.start);
            skip -= start - piece.range.start;
            let end = piece.range.end.min(start + wanted);
            wanted -= end - start;
            match &mut next {
                _ if start == end => {}
                None => next = Some(Piece { writer, range: start..end }),
                Some(next) if next.range.end == start => next.range.end = end,
                Some(_) => return None,
            }
        }
        next.filter(|_| wanted == 0)
    }

    /// Nothing that was handed on stands here twice.
    fn is_plain(&self) -> bool {
        let pieces: Option<Vec<&Piece>> = self.came.iter().map(Option::as_ref).collect();
        pieces.is_some_and(|mut pieces| {
            pieces.sort_by_key(|piece| (piece.writer, piece.range.start));
            pieces
                .windows(2)
                .all(|two| two[0].writer != two[1].writer || two[0].range.end <= two[1].range.start)
        })
    }
}

/// So many bytes has the call moved.
fn moved(record: &StepRecord) -> u64 {
    record.last().bytes().unwrap_or(0)
}

/// When a step's bytes left its channel: when its call returned, which is after what
/// released it.
fn moment(index: usize, record: &StepRecord) -> (usize, bool) {
    match &record.resumed {
        Some(resumed) => (resumed.by, true),
        None if record.outcome.is_outstanding() => (usize::MAX, true),
        None => (index, false),
    }
}

/// What each call handed on, by record; and all queues.
fn follow(transcript: &Transcript) -> (HashMap<usize, Option<Piece>>, HashMap<usize, Queue>) {
    let (mut passed, mut queues) = (HashMap::new(), HashMap::<usize, Queue>::new());
    let mut order: Vec<((usize, bool), usize, &StepRecord)> = (transcript.steps.iter().enumerate())
        .map(|(index, record)| match record.offered {
            // Its bytes are the writer's next ones from when it began.
            Some(_) => ((index, false), index, record),
            None => (moment(index, record), index, record),
        })
        .collect();
    order.sort_by_key(|&(moment, index, _)| (moment, index));
    for (_, index, record) in order {
        if let Some(pass) = record.passed {
            let bytes = moved(record);
            if bytes == 0 {
                continue;
            }
            let from = pass.from.map(|from| queues.entry(from).or_default());
            let piece = from.and_then(|from| {
                let piece = from.next(bytes);
                from.taken += if pass.copied { 0 } else { bytes };
                piece
            });
            if let Some(into) = record.channel {
                queues.entry(into).or_default().came.push(piece.clone());
            }
            passed.insert(index, piece);
        } else if let Some(channel) = record.channel {
            let queue = queues.entry(channel).or_default();
            if let Some(offer) = record.offered {
                let len = record.last().bytes().unwrap_or(offer.len);
                let range = offer.offset..offer.offset + len;
                queue.came.push(Some(Piece { writer: record.actor, range }));
            }
            queue.taken += record.data.as_ref().map_or(0, |data| data.0.len() as u64);
        }
    }
    (passed, queues)
}

/// The transcript for the ledger of this channel.
pub fn view(transcript: &Transcript, channel: usize) -> View<'_> {
    let mut view = View { transcript: Cow::Borrowed(transcript), passed_on: 0, unjudged: false };
    let concerns = |record: &StepRecord| {
        let pass = record.passed.filter(|_| moved(record) > 0);
        pass.is_some_and(|pass| pass.from == Some(channel) || record.channel == Some(channel))
    };
    if !transcript.steps.iter().any(concerns) {
        return view;
    }
    let (passed, queues) = follow(transcript);
    view.unjudged = queues.get(&channel).is_some_and(|queue| !queue.is_plain());
    for (index, record) in view.transcript.to_mut().steps.iter_mut().enumerate() {
        let Some(pass) = record.passed.filter(|_| concerns(record)) else { continue };
        let bytes = moved(record);
        let piece = &passed[&index];
        view.unjudged |= piece.is_none();
        let (into, from) = (record.channel == Some(channel), pass.from == Some(channel));
        if let (Some(piece), true) = (piece, into) {
            record.actor = piece.writer;
            let offset = piece.range.start;
            record.offered = Some(Offer { offset, len: bytes, piece: bytes, newline: false, wide: false });
        }
        if from && !pass.copied {
            view.passed_on += bytes;
            record.channel = Some(channel);
            if let Some(piece) = piece {
                let mut data = vec![0; bytes as usize];
                payload::fill(piece.writer, piece.range.start, &mut data);
                record.data = Some(Bytes(data));
            }
        }
    }
    if view.unjudged {
        view.transcript = Cow::Borrowed(transcript);
    }
    view
}
