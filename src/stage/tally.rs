//! What was counted so far, channel by channel. (The rules are those of `count`.)

use std::collections::VecDeque;

use super::{Plan, play::Held};
use crate::{
    channel::Counts,
    observe::OpenEnd,
    outcome::{Access, ChannelCount, Count, Sides},
};

pub(super) struct Counter {
    pub(super) channels: Vec<Channel>,
    /// Per actor: the read that is counted by what its calls return: its channel,
    /// and the process's count of read bytes when that began.
    pub(super) reading: Vec<Option<(usize, Option<u64>)>>,
    /// Nobody holds both ends, so that whoever reads doesn't write.
    pub(super) one_way: bool,
    /// Count everything from outside, and hold the drivers' own counts against it.
    pub(super) outside: bool,
    /// What the driver said of the last of the steps that were given.
    pub(super) hint: Option<u64>,
}

#[derive(Clone)]
pub(super) struct Channel {
    pub(super) queued: Count,
    pub(super) accepted: Count,
    /// Bytes that reads took out of the kernel.
    pub(super) taken: Count,
    /// The same before a step that is reading it to its end (`communicate`).
    pub(super) aside: Option<Count>,
    /// Such a step has seen its end.
    pub(super) read_out: bool,
    /// Bytes dropped with the buffer so far; `None` once that is unknown.
    pub(super) dropped: Option<u64>,
    /// Rule 4: what calls said that they sent.
    pub(super) sent: Option<u64>,
    /// It has the capacity that the plan asks for.
    pub(super) sized: bool,
    /// A byte out of band was sent: FIONREAD may count it when it is gone.
    pub(super) urgent: bool,
    /// A call that sends has ended without an answer, and may have put a part in.
    pub(super) cut_short: bool,
    /// Rule 5: the lengths of the datagrams that were sent and not received.
    pub(super) messages: Option<VecDeque<u64>>,
    /// The sides that programs have had open.
    pub(super) programs: Sides,
    /// The ends at the last count.
    pub(super) ends: Vec<Option<Held>>,
}

impl Counter {
    pub(super) fn new(plan: &Plan, one_way: bool, outside: bool) -> Counter {
        let none = Count::Known(0);
        let channel = Channel {
            queued: none.clone(),
            accepted: none.clone(),
            taken: none,
            aside: None,
            read_out: false,
            dropped: Some(0),
            sent: None,
            sized: false,
            urgent: false,
            cut_short: false,
            messages: None,
            programs: Sides::default(),
            ends: vec![None; plan.actors.len()],
        };
        Counter {
            channels: (plan.channels.iter())
                .map(|planned| Channel {
                    programs: plan.sides_of_programs(&planned.name),
                    sent: (!planned.declared && planned.child.is_none()).then_some(0),
                    messages: (planned.kind.info().counts == Counts::FirstMessage).then(VecDeque::new),
                    ..channel.clone()
                })
                .collect(),
            reading: vec![None; plan.actors.len()],
            one_way,
            outside,
            hint: None,
        }
    }

    /// A call has sent so many bytes into a channel, in messages of `piece`.
    pub(super) fn sent(&mut self, channel: usize, bytes: u64, piece: u64) {
        let channel = &mut self.channels[channel];
        channel.sent = channel.sent.map(|sent| sent + bytes);
        let Some(messages) = &mut channel.messages else { return };
        // A loop of which no call succeeded.
        if bytes == 0 && piece > 0 {
            return;
        }
        let mut rest = bytes;
        while rest > piece {
            messages.push_back(piece);
            rest -= piece;
        }
        messages.push_back(rest);
    }

    /// A call that sends has ended without an answer, of whose bytes so many are there for sure,
    /// if that is known; the rest goes in whole or not at all, or in part.
    pub(super) fn cut_short(&mut self, channel: usize, whole: bool, returned: Option<u64>) {
        let channel = &mut self.channels[channel];
        // Whether the last one went in isn't known, nor, of a loop, how long those before were.
        channel.messages = None;
        match returned {
            Some(returned) if whole => channel.sent = channel.sent.map(|sent| sent + returned),
            None if whole => channel.sent = None,
            _ => channel.cut_short = true,
        }
    }

    /// Which messages are queued in a channel can't be followed any more.
    pub(super) fn lose_sight(&mut self, channel: usize) {
        self.channels[channel].messages = None;
    }

    /// A call has sent a byte out of band into a channel.
    pub(super) fn sent_urgent(&mut self, channel: usize) {
        self.channels[channel].urgent = true;
    }

    /// A call has received so many bytes, of one message or, in rooms of that size, several.
    pub(super) fn received(&mut self, channel: usize, bytes: u64, rooms: Option<u64>) {
        let Some(messages) = &mut self.channels[channel].messages else { return };
        let Some(room) = rooms else {
            messages.pop_front();
            return;
        };
        let mut rest = bytes;
        while let (Some(first), true) = (messages.front(), rest > 0) {
            rest = rest.saturating_sub(room.min(*first));
            messages.pop_front();
        }
    }

    /// What calls have sent into a channel.
    pub(super) fn all_sent(&self, channel: usize) -> u64 {
        self.channels[channel].sent.unwrap_or(0)
    }

    /// Bytes of a channel that were taken or dropped.
    pub(super) fn all_gone(&self, channel: usize) -> u64 {
        let channel = &self.channels[channel];
        channel.taken.known().unwrap_or(0) + channel.dropped.unwrap_or(0)
    }

    /// Whoever reads a channel does so when nobody asks it to.
    pub(super) fn read_ahead(&mut self, channel: usize) {
        self.channels[channel].taken = Count::Unknown("its reader's runtime reads ahead".into());
    }

    /// A call has taken so many bytes out of a channel.
    pub(super) fn took(&mut self, channel: usize, bytes: u64) {
        if let Count::Known(taken) = &mut self.channels[channel].taken {
            *taken += bytes;
        }
    }

    /// A step reads all of a channel, and says how much that was when it is done.
    pub(super) fn reads_all(&mut self, channel: usize) {
        let why = "it is being read to its end".to_owned();
        let taken = std::mem::replace(&mut self.channels[channel].taken, Count::Unknown(why));
        self.channels[channel].aside = Some(taken);
    }

    /// It is done, and got so many bytes, after `before` that readers had been given. Any
    /// others that they had taken may be among these.
    pub(super) fn has_read_all(&mut self, channel: usize, bytes: u64, before: u64) {
        let channel = &mut self.channels[channel];
        let aside = channel.aside.take();
        channel.taken = match aside {
            // Nothing was left in the kernel: what there is to hand back, a runtime has kept.
            Some(taken) if channel.read_out => taken,
            Some(Count::Known(taken)) if taken == before => {
                channel.read_out = true;
                // Its end was seen: nobody writes any more, and nothing is left.
                channel.ends.fill(None);
                channel.dropped = Some(0);
                channel.queued = Count::Known(0);
                channel.accepted = Count::Known(taken + bytes);
                Count::Known(taken + bytes)
            }
            Some(Count::Unknown(why)) => Count::Unknown(why),
            _ => Count::Unknown("how much of it a reader's buffer had before isn't known".into()),
        };
    }

    /// It has failed. Of a channel whose end was seen before, it has taken nothing.
    pub(super) fn has_failed_to_read(&mut self, channel: usize) {
        let channel = &mut self.channels[channel];
        if let Some(taken) = channel.aside.take_if(|_| channel.read_out) {
            channel.taken = taken;
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
    /// What a program holds of it by these ends, one for all of them; its sides are noted.
    pub(super) fn held_by_program(&mut self, ends: &[OpenEnd]) -> Option<Held> {
        let reads = ends.iter().any(|end| end.access.reads());
        let writes = ends.iter().any(|end| end.access.writes());
        self.programs.reads |= reads;
        self.programs.writes |= writes;
        let first = ends.first()?;
        let access = if reads && writes { Access::Both } else { first.access };
        Some(Held { fd: first.fd, access, pid: Some(first.pid) })
    }

    /// At the last count, a program had an end to write to.
    pub(super) fn had_writing_program(&self) -> bool {
        self.ends.iter().flatten().any(|end| end.pid.is_some() && end.access.writes())
    }

    /// Takes a new count of what is queued; `read`: nothing but a read has changed it.
    pub(super) fn change(&mut self, read: bool, queued: Count) {
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
    pub(super) fn add_up(&mut self) {
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
