//! Whose bytes a read was given, and in which order.

use super::{
    delivery,
    pass::{self, View},
    source,
    trace::{Run, trace},
};
use crate::outcome::Transcript;

/// Delivered bytes in a row that have one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index among the plan's actors; `None` where it can't be told.
    pub writer: Option<usize>,
    /// Bytes.
    pub len: u64,
}

/// The origins of what one record's read was given.
pub fn origins(transcript: &Transcript, channel: usize, record: usize) -> Vec<Origin> {
    let View { transcript, unjudged, .. } = pass::view(transcript, channel);
    let reads = delivery::reads(&transcript, channel);
    let Some(place) = reads.iter().position(|(index, _)| *index == record) else { return vec![] };
    let start: usize = reads[..place].iter().map(|(_, data)| data.len()).sum();
    let end = start + reads[place].1.len();
    let sources = source::sources(&transcript, channel);
    let data = delivery::delivered(&transcript, channel);
    let (runs, _) = trace(&sources, &data);
    let mut origins: Vec<Origin> = Vec::new();
    for (run, sure) in runs.iter().zip(sure(&sources, &data, &runs)) {
        let len = (run.at + run.len).min(end).saturating_sub(run.at.max(start)) as u64;
        let writer = run.from.filter(|_| sure && !unjudged).map(|(source, _)| sources[source].writer);
        match origins.last_mut() {
            _ if len == 0 => {}
            Some(last) if last.writer == writer => last.len += len,
            _ => origins.push(Origin { writer, len }),
        }
    }
    origins
}

/// Of each run, that it couldn't be another writer's as well: a few bytes may be just those
/// that would have come next from somebody else.
fn sure(sources: &[source::Source], data: &[u8], runs: &[Run]) -> Vec<bool> {
    let mut next = vec![0; sources.len()];
    let is_sure = |run: &Run| {
        let Some((source, position)) = run.from else { return false };
        let bytes = &data[run.at..run.at + run.len];
        let mut others = sources.iter().zip(&next).enumerate().filter(|(other, _)| *other != source);
        let sure = others.all(|(_, (other, next))| !other.bytes[*next..].starts_with(bytes));
        next[source] = next[source].max(position + run.len);
        sure
    };
    runs.iter().map(is_sure).collect()
}
