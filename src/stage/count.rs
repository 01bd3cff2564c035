//! Counts on the channels after each step: queued, accepted by the kernel, taken
//! by readers. All that counts is idle then, so a count changes nothing.
//!
//! The kernel doesn't say how many bytes it accepted from all writers; the sum
//! does: what is queued, what readers took out, and what was dropped when the
//! last end of a FIFO was closed (fifo(7): its buffer lives as long as an end is
//! open; kernel `put_pipe_info`).

use super::{
    Launch, Plan, PlannedStep,
    actor::Actor,
    play::{Held, Part},
};
use crate::{
    observe,
    outcome::{Access, Action, ChannelCount, Count, StepRecord, Verb},
};

pub(super) struct Counter {
    channels: Vec<Channel>,
    /// Per actor.
    readers: Vec<Reader>,
}

#[derive(Clone)]
struct Channel {
    queued: Count,
    accepted: Count,
    /// Bytes dropped with the buffer so far; `None` once that is unknown.
    dropped: Option<u64>,
    /// The ends at the last count.
    ends: Vec<Option<Held>>,
}

/// Bytes that one actor's read calls took out of the kernel.
#[derive(Clone)]
struct Reader {
    /// Per channel, by reads that are over.
    taken: Vec<u64>,
    /// The read that is under way: its channel, and the process's count of read
    /// bytes when it began.
    under_way: Option<(usize, Option<u64>)>,
    /// What the read that is under way has taken so far.
    so_far: u64,
    /// The process doesn't tell.
    unknown: bool,
}

impl Counter {
    pub(super) fn new(actors: usize, channels: usize) -> Counter {
        let none = Count::Known(0);
        let channel =
            Channel { queued: none.clone(), accepted: none, dropped: Some(0), ends: vec![None; actors] };
        let reader = Reader { taken: vec![0; channels], under_way: None, so_far: 0, unknown: false };
        Counter { channels: vec![channel; channels], readers: vec![reader; actors] }
    }

    /// A step is about to be given.
    pub(super) fn before(
        &mut self,
        record: usize,
        step: &PlannedStep,
        actor: &mut Actor,
        parts: &mut [Part],
    ) {
        if let Action::Read { channel, .. } = step.action {
            self.readers[step.actor].under_way = Some((channel, actor.process.bytes_read()));
            self.readers[step.actor].so_far = 0;
            parts[step.actor].reading = Some(record);
        }
    }

    /// Everything has settled after record `current`.
    pub(super) fn after(
        &mut self,
        plan: &Plan,
        records: &[StepRecord],
        actors: &mut [Actor],
        parts: &mut [Part],
    ) -> Vec<ChannelCount> {
        for ((reader, actor), part) in self.readers.iter_mut().zip(actors.iter_mut()).zip(parts.iter_mut()) {
            reader.count(actor, part);
        }
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let ends: Vec<Option<Held>> = parts.iter().map(|part| part.ends[index]).collect();
            let taken: Option<u64> = self.readers.iter().map(|reader| reader.taken(index)).sum();
            channel.count(plan, actors, ends, in_open(index, records, parts), taken);
            let offered: u64 = parts.iter().map(|part| part.offered[index]).sum();
            if channel.accepted.known().is_some_and(|accepted| accepted > offered) {
                let why = "more was read than was ever offered: a reader's process reads other files too";
                channel.accepted = Count::Unknown(why.into());
            }
        }
        (0..self.channels.len())
            .map(|index| ChannelCount {
                queued: self.channels[index].queued.clone(),
                accepted: self.channels[index].accepted.clone(),
                taken: match self.readers.iter().map(|reader| reader.taken(index)).sum() {
                    Some(bytes) => Count::Known(bytes),
                    None => Count::Unknown(NO_IO.into()),
                },
            })
            .collect()
    }

    /// Capacity of a channel in bytes, if somebody holds an end.
    pub(super) fn capacity(
        &self,
        channel: usize,
        records: &[StepRecord],
        actors: &[Actor],
        parts: &[Part],
    ) -> Option<u64> {
        let both = both_ends(parts.iter().filter_map(|part| part.ends[channel]));
        let may_open = both && !in_open(channel, records, parts);
        actors.iter().zip(parts).find_map(|(actor, part)| {
            let held = part.ends[channel]?;
            observe::capacity(actor.pid(), actor.pidfd(), held.fd, may_open)
        })
    }
}

impl Reader {
    fn count(&mut self, actor: &mut Actor, part: &mut Part) {
        let Some((channel, start)) = self.under_way else { return };
        if actor.ended.is_none() {
            match (start, actor.process.bytes_read()) {
                (Some(start), Some(now)) => self.so_far = now.saturating_sub(start),
                _ => self.unknown = true,
            }
        }
        let over = part.reading.is_none_or(|record| !part.due.contains(&record));
        if over {
            self.taken[channel] += std::mem::take(&mut self.so_far);
            self.under_way = None;
            part.reading = None;
        }
    }

    /// Bytes taken out of a channel, with those of a read under way.
    fn taken(&self, channel: usize) -> Option<u64> {
        let so_far = self.under_way.filter(|(under_way, _)| *under_way == channel).map_or(0, |_| self.so_far);
        (!self.unknown).then_some(self.taken[channel] + so_far)
    }
}

impl Channel {
    fn count(
        &mut self,
        plan: &Plan,
        actors: &[Actor],
        ends: Vec<Option<Held>>,
        in_open: bool,
        taken: Option<u64>,
    ) {
        let holder = ends.iter().position(Option::is_some);
        let may_open = !in_open && both_ends(ends.iter().flatten().copied());
        self.queued = match holder {
            Some(at) => {
                let fd = ends[at].expect("it holds one").fd;
                observe::queued(actors[at].pid(), actors[at].pidfd(), fd, may_open)
            }
            // Nobody but one in open(2) keeps the buffer: it is as it was.
            None if in_open => self.queued.clone(),
            None => Count::Known(0),
        };
        // Nobody keeps the buffer; whoever did last may have sat in open(2).
        if holder.is_none() && !in_open {
            let flushed_unseen = self.ends.iter().enumerate().any(|(at, end)| {
                let unbuffered = plan.actors[at].launch == Launch::BuiltIn("raw".into());
                end.is_some_and(|end| end.access == Access::Both) && !unbuffered
            });
            // Nothing can have been accepted by the close that dropped it all: a
            // writer's flush then found no reader, unless it was its own.
            self.dropped = match (flushed_unseen, self.accepted.known(), taken) {
                (false, Some(accepted), Some(taken)) => Some(accepted.saturating_sub(taken)),
                _ => None,
            };
        }
        self.accepted = match (&self.queued, self.dropped, taken) {
            (Count::Known(queued), Some(dropped), Some(taken)) => Count::Known(queued + dropped + taken),
            (Count::Unknown(why), ..) => Count::Unknown(why.clone()),
            (.., None) => Count::Unknown(NO_IO.into()),
            (_, None, _) => {
                Count::Unknown("what was flushed by the close that dropped the buffer was never seen".into())
            }
        };
        self.ends = ends;
    }
}

/// Why what a reader took isn't known.
const NO_IO: &str = "a reader's io file can't be read";

/// Somebody sits in open(2) of the channel.
fn in_open(channel: usize, records: &[StepRecord], parts: &[Part]) -> bool {
    let opens = |&at: &usize| records[at].verb == Verb::Open && records[at].channel == Some(channel);
    parts.iter().any(|part| part.due.iter().any(opens))
}

fn both_ends(ends: impl Iterator<Item = Held> + Clone) -> bool {
    ends.clone().any(|end| end.access.reads()) && ends.clone().any(|end| end.access.writes())
}
