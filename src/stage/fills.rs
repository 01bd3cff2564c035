//! What a `fill` offers while it hasn't answered. Each of its calls writes a piece, and those
//! that have returned are counted by the kernel (`wchar`, proc_pid_io(5)): so it has offered
//! one piece more. A call that sleeps counts nothing, whatever it has moved.

use super::play::{Part, Play};
use crate::outcome::{Action, Offer};

/// A fill that was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling {
    record: usize,
    channel: usize,
    piece: u64,
    /// Of its actor's stream on the channel.
    offset: u64,
    /// What the actor's write calls had returned before.
    written: u64,
    /// What it is known to have offered.
    len: u64,
}

impl Play<'_> {
    /// A fill that hasn't answered may have sent something into this channel.
    pub(super) fn is_filled(&self, channel: usize) -> bool {
        let outstanding = |part: &Part| {
            part.filling.is_some_and(|fill| fill.channel == channel && part.due.contains(&fill.record))
        };
        self.parts.iter().any(outstanding)
    }

    /// A fill is about to be given.
    pub(super) fn begin_fill(&mut self, record: usize, actor: usize, channel: usize, piece: u64) {
        let Some(written) = self.actors[actor].bytes_written() else { return };
        let offset = self.parts[actor].offered[channel];
        self.parts[actor].filling = Some(Filling { record, channel, piece, offset, written, len: 0 });
    }

    /// Everything has settled: notes what the fills have offered that haven't answered.
    pub(super) fn look_at_fills(&mut self) {
        for actor in 0..self.parts.len() {
            let Some(filling) = self.parts[actor].filling else { continue };
            if !self.parts[actor].due.contains(&filling.record) {
                continue;
            }
            let Some(written) = self.actors[actor].bytes_written() else { continue };
            self.withdraw_fill(actor, filling.record);
            let len = written.saturating_sub(filling.written) + filling.piece;
            self.offer(filling.record, actor, filling.channel, len, filling.piece);
            self.parts[actor].filling = Some(Filling { len, ..filling });
        }
    }

    /// It has answered, and says itself what it offered.
    pub(super) fn withdraw_fill(&mut self, actor: usize, record: usize) {
        let Some(filling) = self.parts[actor].filling.take_if(|filling| filling.record == record) else {
            return;
        };
        self.parts[actor].offered[filling.channel] = filling.offset;
        self.parts[actor].given[filling.channel] -= filling.len;
        self.records[record].offered = None;
    }

    /// A sender has ended in its call: what of that is in the channel shows there.
    pub(super) fn cut_short(&mut self, record: usize) {
        let step = &self.plan.steps[self.records[record].step];
        let Some(channel) = self.records[record].channel.filter(|_| step.action.offers()) else { return };
        let is_fill = matches!(&step.action, Action::Call(called) if called.call.name() == "fill");
        let returned = match self.records[record].offered {
            Some(Offer { len, piece, .. }) if is_fill => Some(len - piece),
            None if is_fill => None,
            _ => Some(0),
        };
        self.counter.cut_short(channel, self.plan.channels[channel].kind.info().whole, returned);
    }
}
