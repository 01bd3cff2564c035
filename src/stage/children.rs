//! Programs that actors start with their runtimes' own API: which process each is, which
//! descriptors lead to it, and how it ended.

use std::path::PathBuf;

use nix::unistd::Pid;

use super::{
    Fault, Std, child,
    collect::end_of_program,
    command::Below,
    play::{Held, Play},
};
use crate::{
    observe::{self, ChannelFile},
    outcome::{Bytes, Outcome, Rests, Verb},
};

/// A program that an actor has started.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// The actor that did.
    pub(super) maker: usize,
    pub(super) pid: i32,
    /// How it ended, as its maker says that has waited for it.
    pub(super) end: Option<Outcome>,
}

impl Play<'_> {
    /// An actor says that it has started a program: its process id, and the descriptors of
    /// the pipes to it, in the order of its streams.
    pub(super) fn spawned(
        &mut self,
        at: usize,
        record: usize,
        pid: Option<u64>,
        made: &[i32],
    ) -> Result<Outcome, Fault> {
        let step = &self.plan.steps[self.records[record].step];
        let child = step.action.child().expect("its answer was held against its verb");
        let streams: Vec<(usize, Std)> = self.plan.streams(child).collect();
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        let (Some(pid), true) = (pid, made.len() == streams.len()) else {
            let why = format!("it doesn't say the process id and {} descriptors of its child", streams.len());
            return Err(self.broken(at, &why));
        };
        for ((channel, stream), &fd) in streams.into_iter().zip(made) {
            let access = stream.makers_side();
            self.handles.opened(self.plan, at, channel, Held { fd, access, pid: None });
            self.parts[at].ends[channel] = self.handles.end(self.plan, at, channel);
            self.files[channel] = ChannelFile::of(&self.link(at, fd)).ok();
            if self.actors[at].abilities.ahead && stream != Std::In {
                self.counter.read_ahead(channel);
            }
        }
        self.started[child] = Some(Started { maker: at, pid, end: None });
        if let Some(below) = &mut self.actors[at].below {
            below.call(pid, &self.plan.actors[child].name);
        }
        Ok(Outcome::Ok { bytes: None })
    }

    /// Where the file is that an actor has as this descriptor.
    fn link(&self, at: usize, fd: i32) -> PathBuf {
        format!("/proc/{}/fd/{fd}", self.actors[at].pid()).into()
    }

    /// An actor has waited for a child, and perhaps read from it.
    pub(super) fn waited(
        &mut self,
        at: usize,
        record: usize,
        words: Vec<String>,
        data: Vec<u8>,
    ) -> Result<Outcome, Fault> {
        let verb = self.records[record].verb;
        let step = &self.plan.steps[self.records[record].step];
        let child = step.action.child().expect("its answer was held against its verb");
        let (end, told) = match &words[..] {
            [running] if running == RUNNING && verb == Verb::Wait => {
                return Ok(Outcome::Said { bytes: None, words });
            }
            [_, told, ..] => (end_of_program(&words), told.clone()),
            _ => return Err(self.broken(at, "it doesn't say how its child ended")),
        };
        if let Some(started) = &mut self.started[child] {
            started.end = Some(end.clone());
        }
        if verb == Verb::Communicate {
            self.communicated(at, record, child, &words[2..], data)?;
            let all = self.records[record].several.iter().map(|(_, data)| data.0.len() as u64).sum();
            return Ok(Outcome::Said { bytes: Some(all), words: vec![told] });
        }
        Ok(match end {
            Outcome::Killed { signal } => Outcome::Reaped { status: None, signal: Some(signal), told },
            Outcome::Exited { status } => Outcome::Reaped { status: Some(status), signal: None, told },
            _ => return Err(self.broken(at, "it doesn't say how its child ended")),
        })
    }

    /// What came from each stream: `stdout=100`, `stderr=0`, and all their bytes in a row.
    fn communicated(
        &mut self,
        at: usize,
        record: usize,
        child: usize,
        counts: &[String],
        mut data: Vec<u8>,
    ) -> Result<(), Fault> {
        for (channel, stream) in self.plan.streams(child) {
            let of = |word: &String| word.strip_prefix(stream.name())?.strip_prefix('=')?.parse().ok();
            let count: Option<usize> = counts.iter().find_map(of);
            let Some(count) = count.filter(|count| *count <= data.len()) else {
                if stream == Std::In {
                    continue;
                }
                let why = format!("it doesn't say what it read of its child's {}", stream.name());
                return Err(self.broken(at, &why));
            };
            let rest = data.split_off(count);
            let read = std::mem::replace(&mut data, rest);
            let before = self.delivered(channel);
            self.counter.has_read_all(channel, count as u64, before);
            self.records[record].several.push((channel, Bytes(read)));
        }
        Ok(())
    }

    /// What readers of a channel were given so far.
    fn delivered(&self, channel: usize) -> u64 {
        let own = self.records.iter().filter(|record| record.channel == Some(channel));
        let own = own.filter_map(|record| record.data.as_ref());
        let several = self.records.iter().flat_map(|record| &record.several);
        let several = several.filter(|(from, _)| *from == channel).map(|(_, data)| data);
        own.chain(several).map(|data| data.0.len() as u64).sum()
    }

    /// The process that plays this part, if an actor started it and hasn't waited for it.
    pub(super) fn child_pid(&self, at: usize) -> Option<i32> {
        let Started { maker, pid, .. } = self.started[at].as_ref()?;
        let tree = self.actors[*maker].below.as_ref().and_then(Below::observed)?;
        tree.has(*pid).then_some(*pid)
    }

    /// There is no process any more, or not yet, that could take a step.
    pub(super) fn is_gone(&self, at: usize) -> bool {
        match self.plan.actors[at].is_child() {
            true => self.child_pid(at).is_none(),
            false => self.actors[at].ended.is_some(),
        }
    }

    /// How a child ended, if it has: by its own state, or by the word of who has waited for it.
    pub(super) fn how_child_ended(&self, at: usize) -> Option<Outcome> {
        let Some(pid) = self.child_pid(at) else {
            let told = self.started[at].as_ref().and_then(|started| started.end.clone());
            return Some(told.unwrap_or(Outcome::Gone));
        };
        Outcome::of_status(observe::status_of(pid)?)
    }

    /// Sends a child a signal, unless it was waited for.
    pub(super) fn signal_child(&self, at: usize, signal: i32) -> Result<(), Fault> {
        self.child_pid(at).map_or(Ok(()), |pid| child::send(Pid::from_raw(pid), signal))
    }

    /// Finds out which ends children hold now, and which their makers' runtimes have closed.
    pub(super) fn find_ends_of_children(&mut self) {
        for child in 0..self.started.len() {
            let Some(&Started { maker, pid, .. }) = self.started[child].as_ref() else { continue };
            for (channel, _) in Vec::from_iter(self.plan.streams(child)) {
                let held = self.parts[maker].ends[channel];
                let known = self.files[channel].map(|known| known.file);
                let is_closed = |held: Held| match observe::file_id(&self.link(maker, held.fd)) {
                    Ok(file) => known != Some(file),
                    Err(_) => true,
                };
                if self.actors[maker].ended.is_none() && held.is_some_and(is_closed) {
                    self.handles.closed(maker, &self.plan.channels[channel].name);
                    self.parts[maker].ends[channel] = None;
                }
            }
            let Some(tree) = self.actors[maker].below.as_ref().and_then(Below::observed) else { continue };
            let others: Vec<i32> = self.started.iter().flatten().map(|started| started.pid).collect();
            for (channel, file) in self.files.iter().enumerate() {
                let Some(file) = file else { continue };
                let own = self.plan.channels[channel].child.is_some_and(|(of, _)| of == child);
                let mut ends = tree.ends(file.others());
                // What belongs to no other child: one whose parent has ended.
                ends.retain(|end| end.top == pid || (own && !others.contains(&end.top)));
                if let (true, Some((_, stream))) = (file.is_socket, self.plan.channels[channel].child) {
                    // It is open both ways, and used in one.
                    ends.iter_mut().for_each(|end| end.access = stream.childs_side());
                }
                let held = self.counter.channels[channel].held_by_program(&ends);
                self.parts[child].ends[channel] = held;
            }
        }
    }

    /// Notes how full the pipes are in which actors and their children rest.
    pub(super) fn fill_in(&mut self, record: usize) -> Result<(), Fault> {
        self.find_ends_of_children();
        for at in 0..self.records[record].resting.len() {
            let resting = &self.records[record].resting[at];
            let moves = resting.state == Rests::Blocked;
            let Some(channel) = resting.channel.filter(|_| moves) else { continue };
            if self.plan.channels[channel].child.is_none() {
                continue;
            }
            let queued = self.queued(channel)?.known();
            let filled = queued.zip(self.capacity(channel));
            self.records[record].resting[at].filled = filled;
        }
        Ok(())
    }
}

/// What a driver says of a child that hasn't ended.
const RUNNING: &str = "running";
