//! Counts on the channels after each step: queued, accepted by the kernel, taken
//! by readers.
//!
//! Rules:
//!
//! 1. *Queued* is FIONREAD (pipe(7)): on a copy of an actor's descriptor, made while
//!    all is idle; or as the driver's own answer says, if nobody but that driver can
//!    have done anything since the count before. Fresh actors are counted from
//!    outside only, and what their drivers say is held against it.
//! 2. *Taken* grows by what a read made the queue shorter, if nobody else can have
//!    done anything; otherwise by what the read calls of those that sit in a read
//!    have returned (`/proc/PID/io`).
//! 3. The kernel doesn't say how many bytes it *accepted* from all writers; the sum
//!    does: what is queued, what readers took out, and what was dropped when the
//!    last end of a FIFO was closed (fifo(7): its buffer lives as long as an end is
//!    open; kernel `put_pipe_info`).

use super::{
    Fault, Launch, Plan,
    play::{Held, Play},
};
use crate::{
    observe,
    outcome::{Access, ChannelCount, Count, Outcome, StepRecord, Verb},
};

pub(super) struct Counter {
    channels: Vec<Channel>,
    /// Per actor: the read that is counted by what its calls return: its channel,
    /// and the process's count of read bytes when that began.
    reading: Vec<Option<(usize, Option<u64>)>>,
    /// Nobody holds both ends, so that whoever reads doesn't write.
    one_way: bool,
    /// Count everything from outside, and hold the drivers' own counts against it.
    outside: bool,
    /// What the driver said of the last of the steps that were given.
    hint: Option<u64>,
}

#[derive(Clone)]
struct Channel {
    queued: Count,
    accepted: Count,
    /// Bytes that reads took out of the kernel.
    taken: Count,
    /// Bytes dropped with the buffer so far; `None` once that is unknown.
    dropped: Option<u64>,
    /// The ends at the last count.
    ends: Vec<Option<Held>>,
}

impl Counter {
    pub(super) fn new(plan: &Plan, one_way: bool, outside: bool) -> Counter {
        let none = Count::Known(0);
        let channel = Channel {
            queued: none.clone(),
            accepted: none.clone(),
            taken: none,
            dropped: Some(0),
            ends: vec![None; plan.actors.len()],
        };
        Counter {
            channels: vec![channel; plan.channels.len()],
            reading: vec![None; plan.actors.len()],
            one_way,
            outside,
            hint: None,
        }
    }

    /// The counts as they were.
    pub(super) fn unchanged(&self) -> Vec<ChannelCount> {
        self.channels
            .iter()
            .map(|channel| ChannelCount {
                queued: channel.queued.clone(),
                accepted: channel.accepted.clone(),
                taken: channel.taken.clone(),
            })
            .collect()
    }
}

impl Channel {
    /// Takes a new count of what is queued; `read`: nothing but a read has changed it.
    fn change(&mut self, read: bool, queued: Count) {
        if read {
            self.taken = match (&self.taken, &self.queued, &queued) {
                (Count::Known(taken), Count::Known(before), Count::Known(now)) => {
                    Count::Known(taken + before.saturating_sub(*now))
                }
                (Count::Unknown(why), ..) | (_, Count::Unknown(why), _) | (.., Count::Unknown(why)) => {
                    Count::Unknown(why.clone())
                }
            };
        }
        self.queued = queued;
    }

    /// Rule 3.
    fn add_up(&mut self) {
        self.accepted = match (&self.queued, self.dropped, &self.taken) {
            (Count::Known(queued), Some(dropped), Count::Known(taken)) => {
                Count::Known(queued + dropped + taken)
            }
            (Count::Unknown(why), ..) | (.., Count::Unknown(why)) => Count::Unknown(why.clone()),
            (_, None, _) => {
                Count::Unknown("what was flushed by the close that dropped the buffer was never seen".into())
            }
        };
    }
}

/// Why what a reader took isn't known.
const NO_IO: &str = "a reader's io file can't be read";

impl Play<'_> {
    /// The `given` steps are about to be carried out.
    pub(super) fn count_before(&mut self) -> Result<(), Fault> {
        self.counter.hint = None;
        if self.alone && self.counter.one_way {
            return Ok(());
        }
        for (at, part) in self.parts.iter().enumerate() {
            let mut due = part.due.iter().map(|&record| &self.records[record]);
            let read = due.find(|record| record.verb == Verb::Read).and_then(|record| record.channel);
            self.counter.reading[at] = match read {
                Some(channel) => Some((channel, self.actors[at].bytes_read()?)),
                None => None,
            };
        }
        Ok(())
    }

    /// A driver's own count, right after one of the `given` steps. All but the last
    /// have no other.
    pub(super) fn hinted(&mut self, record: usize, queued: Option<u64>) -> Result<(), Fault> {
        if record + 1 == self.given.end {
            self.counter.hint = queued;
            return Ok(());
        }
        let StepRecord { actor, verb, channel, ref outcome, .. } = self.records[record];
        match (channel, queued) {
            (Some(channel), Some(queued)) => {
                let counted = &mut self.counter.channels[channel];
                counted.change(verb == Verb::Read, Count::Known(queued));
                counted.add_up();
            }
            // It has no descriptor, so it can't have changed anything.
            _ if matches!(outcome, Outcome::Failed(_)) => {}
            _ => return Err(self.broken(actor, "it greeted with `counts` and didn't say what is queued")),
        }
        self.records[record].counts = self.counter.unchanged();
        Ok(())
    }

    /// Everything has settled after a record.
    ///
    /// # Errors
    /// The driver's own count is wrong.
    pub(super) fn count_after(&mut self, record: usize) -> Result<(), Fault> {
        let StepRecord { actor, verb, channel, ref outcome, .. } = self.records[record];
        let by_queue = self.alone && self.counter.one_way;
        let ended = matches!(outcome, Outcome::Killed { .. } | Outcome::Exited { .. } | Outcome::Gone);
        let local = by_queue && !ended && !matches!(verb, Verb::Exit | Verb::Kill);
        let hint = self.counter.hint.take();
        if !by_queue {
            self.count_reads()?;
        }
        for index in 0..self.plan.channels.len() {
            // Nobody has touched it.
            if local && channel != Some(index) {
                continue;
            }
            let own = channel == Some(index);
            let queued = match hint {
                Some(bytes) if local && own && !self.counter.outside => Count::Known(bytes),
                _ => self.queued(index)?,
            };
            if let (true, true, Some(said), Count::Known(seen)) = (local, own, hint, &queued)
                && said != *seen
            {
                let why = format!("it says that {said} bytes are queued, and there are {seen}");
                return Err(self.broken(actor, &why));
            }
            self.counter.channels[index].change(local && own && verb == Verb::Read, queued);
            self.drop_count(index);
            let given: u64 = self.parts.iter().map(|part| part.given[index]).sum();
            let counted = &mut self.counter.channels[index];
            if counted.accepted.known().is_some_and(|accepted| accepted > given) {
                let why = "more was read than was ever offered: a reader's process reads other files too";
                counted.accepted = Count::Unknown(why.into());
            }
        }
        self.records[record].counts = self.counter.unchanged();
        Ok(())
    }

    /// Rule 2, for reads that others can have fed meanwhile.
    fn count_reads(&mut self) -> Result<(), Fault> {
        for at in 0..self.actors.len() {
            let Some((channel, start)) = self.counter.reading[at].take() else { continue };
            if self.actors[at].ended.is_some() {
                continue;
            }
            let now = self.actors[at].bytes_read()?;
            let taken = &mut self.counter.channels[channel].taken;
            *taken = match (&taken, start, now) {
                (Count::Known(taken), Some(start), Some(now)) => {
                    Count::Known(taken + now.saturating_sub(start))
                }
                _ => Count::Unknown(NO_IO.into()),
            };
        }
        Ok(())
    }

    /// What is queued, asked from outside.
    fn queued(&self, index: usize) -> Result<Count, Fault> {
        let in_open = self.in_open(index);
        Ok(match self.parts.iter().position(|part| part.ends[index].is_some()) {
            Some(at) => {
                let fd = self.parts[at].ends[index].expect("it holds one").fd;
                let may_open = !in_open && self.both_ends(index);
                observe::queued(self.actors[at].pid(), self.actors[at].pidfd(), fd, may_open)
                    .map_err(|error| Fault::harness("counting", error.desc()))?
            }
            // Nobody but one in open(2) keeps the buffer: it is as it was.
            None if in_open => self.counter.channels[index].queued.clone(),
            None => Count::Known(0),
        })
    }

    /// Notes what was dropped if nobody keeps the buffer any more; whoever did last
    /// may have sat in open(2).
    fn drop_count(&mut self, index: usize) {
        let in_open = self.in_open(index);
        let ends: Vec<Option<Held>> = self.parts.iter().map(|part| part.ends[index]).collect();
        let channel = &mut self.counter.channels[index];
        if ends.iter().all(Option::is_none) && !in_open {
            let flushed_unseen = channel.ends.iter().enumerate().any(|(at, end)| {
                let unbuffered = *self.plan.actors[at].launch == Launch::BuiltIn("raw".into());
                end.is_some_and(|end| end.access == Access::Both) && !unbuffered
            });
            // Nothing can have been accepted by the close that dropped it all: a
            // writer's flush then found no reader, unless it was its own.
            channel.dropped = match (flushed_unseen, channel.accepted.known(), channel.taken.known()) {
                (false, Some(accepted), Some(taken)) => Some(accepted.saturating_sub(taken)),
                _ => None,
            };
        }
        channel.ends = ends;
        channel.add_up();
    }

    /// Capacity of a channel in bytes, if somebody holds an end.
    pub(super) fn capacity(&self, index: usize) -> Option<u64> {
        let may_open = self.both_ends(index) && !self.in_open(index);
        self.actors.iter().zip(&self.parts).find_map(|(actor, part)| {
            let held = part.ends[index]?;
            observe::capacity(actor.pid(), actor.pidfd(), held.fd, may_open)
        })
    }

    /// Somebody sits in open(2) of the channel.
    fn in_open(&self, index: usize) -> bool {
        let opens =
            |&at: &usize| self.records[at].verb == Verb::Open && self.records[at].channel == Some(index);
        self.parts.iter().any(|part| part.due.iter().any(opens))
    }

    fn both_ends(&self, index: usize) -> bool {
        let ends = || self.parts.iter().filter_map(|part| part.ends[index]);
        ends().any(|end| end.access.reads()) && ends().any(|end| end.access.writes())
    }
}
