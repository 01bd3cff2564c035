//! What became of every byte, channel by channel.
//!
//! The ledger is made from a plan and a transcript alone, without running
//! anything, by these rules:
//!
//! 1. **Writer.** An actor is a writer of a channel by its index among the plan's
//!    actors, which is also the key of its position-coded data.
//! 2. **Offered.** A byte is an offset in the writer's stream, and counts once
//!    even if a later step offers the same offset again (a retry).
//! 3. **The call's answer** decides between `accepted` (the first `bytes` of an
//!    answered write; all of them if it succeeded and gave no number), `refused`
//!    (the others) and `unanswered` (the call never returned, or its actor ended
//!    in it). Among several answers for one offset the best stands.
//! 4. **Delivered** is the data of read steps in the order in which the reads
//!    *completed*: at their own record, at `resumed.by` if they blocked, at the
//!    end of the case if they never returned; at the same moment by record. Two
//!    reads that take turns inside the kernel are put in this order too.
//! 5. **Queued** is what the kernel counted at the last record. Bytes enter the
//!    kernel in the order of the writer's stream, so of what a writer has in the
//!    kernel, and nobody has read, accepted bytes come first.
//! 6. **Held.** Accepted bytes after the last one delivered, not in the kernel,
//!    whose writer still held its end when the case ended. A byte that a later
//!    one has overtaken isn't held but lost: buffers keep their order.
//! 7. **Lost** is the rest of the accepted bytes. Where it is certain how many are
//!    lost but not which, or not even how many, they stand in `unplaced`.
//!
//! 8. **Passed on** by splice(2) and the like is neither delivered nor lost: it left the
//!    channel for another one (`ledger/pass.rs`).
//! 9. **Peeked** (MSG_PEEK) is no delivery, and must be the bytes that come next
//!    (`ledger/peek.rs`).
//!
//! So `accepted = credited + queued_accepted + read_ahead + held + lost +
//! unplaced extents`, where `credited` is the accepted bytes that were delivered
//! or passed on at least once; and `delivered + passed_on = credited + uncredited + duplicated + foreign`.

mod delivery;
mod entry;
mod extent;
mod kernel;
mod order;
mod origin;
mod pass;
mod peek;
mod place;
mod source;
mod text;
mod torn;
mod trace;

use serde::Serialize;

pub use delivery::delivered;
pub use origin::Origin;

pub use entry::{Cut, Duplicate, Extent, Foreign, Loss, Mispeek, Place, Reorder, Shape, Torn, Unplaced};

use super::{Count, Sides, Transcript};
use crate::stage::Plan;

/// Makes the ledgers of a case.
#[derive(Clone, Copy, Debug)]
pub enum Ledger {}

/// What became of one channel's bytes. All numbers are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelLedger {
    /// Index among the plan's channels.
    pub channel: usize,
    /// What write steps offered (rule 2).
    pub offered: u64,
    /// What the write calls said they had accepted (rule 3).
    pub accepted: u64,
    /// What the kernel had accepted from all writers when the case ended: the
    /// last record's count.
    pub kernel: Count,
    /// What was in the kernel, not yet read, when the case ended: likewise.
    pub queued: Count,
    /// What readers were given, duplicates and foreign bytes included (rule 4).
    pub delivered: u64,
    /// What splice(2) and the like took out of the channel and into another (rule 8).
    pub passed_on: u64,
    /// The sides that a program had open, whose bytes nobody can tell apart: no entry below is
    /// made.
    pub programs: Sides,
    /// What programs took out of the kernel; `None`: nobody can tell.
    pub taken_by_programs: Option<u64>,
    /// Bytes came or went by splice(2) and the like, and whose they are can't be told: no
    /// entry below, from `lost` on, is made.
    pub unjudged: bool,
    /// Accepted bytes that were delivered, or passed on, at least once.
    pub credited: u64,
    /// Accepted bytes among those that are queued (an unanswered write can have
    /// others there).
    pub queued_accepted: u64,
    /// Accepted bytes that a reader's runtime took out of the kernel and still
    /// keeps: the reader holds its end and hasn't handed them out.
    pub read_ahead: u64,
    /// Accepted bytes that the writer's runtime may still keep (rule 6).
    pub held: u64,
    /// What write calls said they had not accepted.
    pub refused: u64,
    /// What was offered to calls that never returned.
    pub unanswered: u64,
    /// Delivered, though the call never said that it accepted them.
    pub uncredited: u64,
    /// Of these, bytes that the call had *refused*: whoever sends them again
    /// sends them twice.
    pub uncredited_refused: u64,
    pub lost: Vec<Loss>,
    /// Losses that can't be pinned to extents (rule 7).
    pub unplaced: Option<Unplaced>,
    pub duplicated: Vec<Duplicate>,
    pub reordered: Vec<Reorder>,
    pub torn: Vec<Torn>,
    pub foreign: Vec<Foreign>,
    /// Calls that only looked, and were shown other bytes than came next (rule 9).
    pub mispeeks: Vec<Mispeek>,
    /// Index of the first delivered byte that isn't the next one of its writer's
    /// stream (skipping what calls refused or left unanswered); `None` if what
    /// came is, for each writer, the beginning of what it sent.
    pub first_wrong: Option<u64>,
}

impl Ledger {
    /// One ledger per channel of the plan, in its order.
    pub fn of(plan: &Plan, transcript: &Transcript) -> Vec<ChannelLedger> {
        (0..plan.channels.len()).map(|channel| ChannelLedger::of(transcript, channel)).collect()
    }

    /// Whose bytes the read of a record was given, in their order.
    pub fn origins(transcript: &Transcript, channel: usize, record: usize) -> Vec<Origin> {
        origin::origins(transcript, channel, record)
    }
}

impl ChannelLedger {
    fn of(transcript: &Transcript, channel: usize) -> ChannelLedger {
        let pass::View { transcript, passed_on, unjudged } = pass::view(transcript, channel);
        let transcript = &*transcript;
        let programs = transcript.programs.get(channel).copied().unwrap_or_default();
        let sources = source::sources(transcript, channel);
        let data = delivered(transcript, channel);
        let (runs, order) = trace::trace(&sources, &data);
        let timeline = kernel::Timeline::of(transcript, channel, &sources);
        let placed = place::place(&sources, &order, &timeline, transcript, channel, data.len() as u64);
        let mispeeks = peek::mispeeks(transcript, channel, &sources, &data, &timeline);

        let total = |pick: fn(&source::Source) -> u64| sources.iter().map(pick).sum::<u64>();
        let mut uncredited_refused = 0;
        let mut uncredited = 0;
        let mut credited = 0;
        for (source, delivered) in sources.iter().zip(&order.covered) {
            credited += delivered.and(&source.accepted).total();
            uncredited += delivered.minus(&source.accepted).total();
            uncredited_refused += delivered.minus(&source.accepted).minus(&source.unanswered).total();
        }
        let offered = total(|source| source.bytes.len() as u64);
        let accepted = total(|source| source.accepted.total());
        let unanswered = total(|source| source.unanswered.total());
        let ledger = ChannelLedger {
            channel,
            offered,
            accepted,
            kernel: timeline.accepted,
            queued: timeline.queued,
            delivered: data.len() as u64 - if unjudged { 0 } else { passed_on },
            passed_on,
            programs,
            taken_by_programs: timeline.taken.map(|taken| taken.saturating_sub(data.len() as u64)),
            unjudged,
            credited,
            queued_accepted: placed.queued,
            read_ahead: placed.read_ahead,
            held: placed.held,
            refused: offered - accepted - unanswered,
            unanswered,
            uncredited,
            uncredited_refused,
            lost: placed.lost,
            unplaced: placed.unplaced,
            torn: torn::torn(&sources, &runs, &order),
            duplicated: order.duplicated,
            reordered: order.reordered,
            foreign: order.foreign,
            mispeeks,
            first_wrong: order.first_wrong,
        };
        match programs.any() {
            true => ChannelLedger { held: 0, read_ahead: 0, ..ledger.without_judgement() },
            false if unjudged => ledger.without_judgement(),
            false => ledger,
        }
    }

    /// The counts alone.
    fn without_judgement(self) -> ChannelLedger {
        ChannelLedger {
            lost: vec![],
            unplaced: None,
            duplicated: vec![],
            reordered: vec![],
            torn: vec![],
            foreign: vec![],
            mispeeks: vec![],
            first_wrong: None,
            ..self
        }
    }

    /// Bytes that were lost for certain, pinned to extents or not.
    pub fn lost_bytes(&self) -> u64 {
        self.lost.iter().map(|loss| loss.len).sum::<u64>()
            + self.unplaced.as_ref().map_or(0, |unplaced| unplaced.least)
    }

    /// Bytes that were delivered again.
    pub fn duplicated_bytes(&self) -> u64 {
        self.duplicated.iter().map(|entry| entry.len).sum()
    }

    /// Bytes that arrived out of their order.
    pub fn reordered_bytes(&self) -> u64 {
        self.reordered.iter().map(|entry| entry.len).sum()
    }

    /// Records (write calls) that another writer's bytes cut apart.
    pub fn torn_records(&self) -> u64 {
        self.torn.len() as u64
    }

    /// Delivered bytes that belong to nobody.
    pub fn foreign_bytes(&self) -> u64 {
        self.foreign.iter().map(|entry| entry.len).sum()
    }

    /// Everything that calls accepted was delivered once and in order, or waits
    /// where it can still be delivered; and nothing else came, except from calls
    /// that never returned.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.unplaced.is_none()
            && self.duplicated.is_empty()
            && self.reordered.is_empty()
            && self.torn.is_empty()
            && self.foreign.is_empty()
            && self.mispeeks.is_empty()
            && self.uncredited_refused == 0
            && self.first_wrong.is_none()
            && !self.unjudged
            && !self.programs.any()
    }
}

#[cfg(test)]
mod tests;
