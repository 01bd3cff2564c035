//! The delivered bytes of a channel in one row.

use std::borrow::Cow;

use crate::outcome::Transcript;

/// The data of the channel's reads, in the order in which they completed (rule 4
/// of the ledger).
pub fn delivered(transcript: &Transcript, channel: usize) -> Cow<'_, [u8]> {
    let mut reads: Vec<(usize, usize, &[u8])> = transcript
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, record)| {
            let own = record.data.as_ref().filter(|_| record.channel == Some(channel));
            let one = || record.several.iter().find(|(from, _)| *from == channel).map(|(_, data)| data);
            let data = own.or_else(one)?;
            let moment = match &record.resumed {
                Some(resumed) => resumed.by,
                None if record.outcome.is_outstanding() => usize::MAX,
                None => index,
            };
            Some((moment, index, &data.0[..]))
        })
        .collect();
    reads.sort_by_key(|&(moment, index, _)| (moment, index));
    match &reads[..] {
        [] => Cow::Borrowed(&[]),
        [(_, _, only)] => Cow::Borrowed(only),
        several => several.iter().flat_map(|(_, _, data)| data.iter().copied()).collect(),
    }
}
