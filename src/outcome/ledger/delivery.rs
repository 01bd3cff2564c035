//! The delivered bytes of a channel in one row.

use std::borrow::Cow;

use crate::outcome::{StepRecord, Transcript};

/// The data of the channel's reads, each with its record, in the order in which they
/// completed (rule 4 of the ledger).
pub fn reads(transcript: &Transcript, channel: usize) -> Vec<(usize, &[u8])> {
    let mut reads: Vec<((usize, usize), usize, &[u8])> = transcript
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, record)| {
            let own = record.data.as_ref().filter(|_| record.channel == Some(channel));
            let one = || record.several.iter().find(|(from, _)| *from == channel).map(|(_, data)| data);
            let data = own.or_else(one)?;
            Some((moment(index, record), index, &data.0[..]))
        })
        .collect();
    reads.sort_by_key(|&(moment, ..)| moment);
    reads.into_iter().map(|(_, index, data)| (index, data)).collect()
}

/// When the call of a record completed, to be compared with others.
pub fn moment(index: usize, record: &StepRecord) -> (usize, usize) {
    let moment = match &record.resumed {
        Some(resumed) => resumed.by,
        None if record.outcome.is_outstanding() => usize::MAX,
        None => index,
    };
    (moment, index)
}

/// All of it in one row.
pub fn delivered(transcript: &Transcript, channel: usize) -> Cow<'_, [u8]> {
    match &reads(transcript, channel)[..] {
        [] => Cow::Borrowed(&[]),
        [(_, only)] => Cow::Borrowed(only),
        several => several.iter().flat_map(|(_, data)| data.iter().copied()).collect(),
    }
}
