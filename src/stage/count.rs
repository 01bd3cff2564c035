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
//! 4. Into a handle's channel nothing comes but by system calls of `raw`, whose answers are
//!    the kernel's own: while none is outstanding, their sum is what it accepted, and what
//!    is neither queued nor taken was dropped (a packet's rest, a datagram that was cut). A call
//!    whose actor ends in it never answers: what it had put in is counted once, by rule 3.
//! 5. Of what else FIONREAD doesn't count, the kinds' own files say how it is known
//!    (`channel/{dgram,stream,tcp,pty}.rs`).
//! 6. What lies in a socket that nobody holds, but a message or the queue of a listening socket
//!    does, is what was sent there and isn't taken.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;

use super::{
    Fault, Launch,
    command::Command,
    play::{Held, Play},
};
use crate::{
    channel::{self, Counts},
    observe::{self, Head},
    outcome::{Access, Count, Moves, Outcome, StepRecord, Verb},
};

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
            let read = due.find(|record| record.verb.reads_counted()).and_then(|record| record.channel);
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
        self.find_ends();
        if !by_queue {
            self.count_reads()?;
            // A read takes no descriptors: those in its message are closed.
            for index in 0..self.plan.channels.len() {
                self.handles.gone(index, self.counter.all_gone(index));
            }
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
            if self.counter.channels[index].programs.reads {
                self.take_by_program(index, queued);
                continue;
            }
            self.counter.channels[index].change(local && own && verb == Verb::Read, queued);
            self.drop_count(index);
            self.sent_count(index);
            if self.plan.channels[index].declared {
                self.bound_count(index);
            }
        }
        self.records[record].counts = self.counter.unchanged();
        Ok(())
    }

    /// Only `raw` reads handles, and it reads nothing else; a program may, and then its count
    /// is too large.
    fn bound_count(&mut self, index: usize) {
        if self.counter.channels[index].programs.writes {
            return;
        }
        let given: u64 = self.parts.iter().map(|part| part.given[index]).sum();
        let accepted = &mut self.counter.channels[index].accepted;
        if accepted.known().is_some_and(|accepted| accepted > given) {
            let why = "more was read than was ever offered: a reader's process reads other files too";
            *accepted = Count::Unknown(why.into());
        }
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
                (Count::Unknown(why), ..) => Count::Unknown(why.clone()),
                _ => Count::Unknown(NO_IO.into()),
            };
        }
        Ok(())
    }

    /// What is queued, asked from outside.
    pub(super) fn queued(&mut self, index: usize) -> Result<Count, Fault> {
        if self.counter.channels[index].programs.any() && self.settler.has_spinning() {
            return Ok(Count::Unknown("a program hasn't come to rest".into()));
        }
        let counts = self.plan.channels[index].kind.info().counts;
        if counts == Counts::Nothing {
            return Ok(Count::Unknown("some may be on its way to the reading side".into()));
        }
        let in_open = self.in_open(index);
        // What lies in a socket is its owner's, and each of a pair has its own.
        let is_socket = self.files[index].is_some_and(|file| file.is_socket);
        let can_count = |end: Held| !is_socket || end.access.reads();
        Ok(match self.parts.iter().position(|part| part.ends[index].is_some_and(can_count)) {
            Some(_) if counts == Counts::WhenDrained => self.on_its_way(index),
            Some(at) if counts == Counts::FirstMessage || self.counter.channels[index].urgent => {
                let fd = self.parts[at].ends[index].expect("it holds one").fd;
                match observe::head(self.actors[at].pidfd(), fd) {
                    Ok(head) => self.messages(index, head),
                    Err(Errno::EMFILE) => return Err(Fault::harness("counting", Errno::EMFILE.desc())),
                    Err(errno) => Count::Unknown(errno.desc().to_owned()),
                }
            }
            Some(at) => {
                let may_open = !in_open && self.both_ends(index);
                self.with_end(at, index, |pid, pidfd, fd| observe::queued(pid, pidfd, fd, may_open))
                    .unwrap_or(Ok(Count::Unknown("who held it has ended".into())))
                    .map_err(|error| Fault::harness("counting", error.desc()))?
            }
            // Nobody but one in open(2) keeps the buffer: it is as it was.
            None if in_open => self.counter.channels[index].queued.clone(),
            None if self.handles.keep(index) => self.unseen(index),
            None => Count::Known(0),
        })
    }

    /// Rule 5.
    fn messages(&mut self, index: usize, head: Head) -> Count {
        let is_filled = self.is_filled(index);
        let channel = &mut self.counter.channels[index];
        let Some(messages) = &mut channel.messages else {
            let why = match channel.urgent {
                true => "FIONREAD may count bytes out of band that are gone",
                false => "which datagrams are queued isn't known",
            };
            return if head.readable { Count::Unknown(why.into()) } else { Count::Known(0) };
        };
        if !head.readable {
            // Also what was dropped when the socket took another peer.
            messages.clear();
        }
        match messages.front() {
            // What it has sent isn't among these.
            _ if is_filled && head.readable => {
                Count::Unknown("a fill that hasn't answered has sent some".into())
            }
            None if !head.readable || head.shut => Count::Known(0),
            // One of no bytes looks like none where poll(2) says IN in any case.
            Some(0) if head.shut => Count::Unknown("which datagrams are queued isn't known".into()),
            Some(first) if *first == head.bytes => Count::Known(messages.iter().sum()),
            _ => Count::Unknown("which datagrams are queued isn't known".into()),
        }
    }

    /// Rule 5.
    fn on_its_way(&self, index: usize) -> Count {
        let channel = &self.counter.channels[index];
        match (channel.sent, channel.taken.known()) {
            (Some(sent), Some(taken)) if sent == taken => Count::Known(0),
            _ => Count::Unknown("what TCP has on its way isn't counted".into()),
        }
    }

    /// Rule 6.
    fn unseen(&self, index: usize) -> Count {
        let channel = &self.counter.channels[index];
        match (channel.sent, channel.dropped, channel.taken.known()) {
            (Some(sent), Some(dropped), Some(taken)) => Count::Known(sent.saturating_sub(taken + dropped)),
            _ => channel.queued.clone(),
        }
    }

    /// Notes what was dropped if nobody keeps the buffer any more; whoever did last
    /// may have sat in open(2).
    fn drop_count(&mut self, index: usize) {
        let in_open = self.in_open(index);
        let ends: Vec<Option<Held>> = self.parts.iter().map(|part| part.ends[index]).collect();
        let channel = &mut self.counter.channels[index];
        if ends.iter().all(Option::is_none) && !in_open && !self.handles.keep(index) {
            let flushed_unseen = channel.ends.iter().enumerate().any(|(at, end)| {
                let unbuffered = *self.plan.actors[at].launch == Launch::BuiltIn("raw".into());
                end.is_some_and(|end| end.access == Access::Both) && !unbuffered
            });
            // Nothing can have been accepted by the close that dropped it all: a
            // writer's flush then found no reader, unless it was its own.
            // What a program wrote on its way to its end nobody has counted.
            let flushed_unseen = flushed_unseen || channel.had_writing_program();
            channel.dropped = match (flushed_unseen, channel.accepted.known(), channel.taken.known()) {
                (false, Some(accepted), Some(taken)) => Some(accepted.saturating_sub(taken)),
                _ => None,
            };
        }
        channel.ends = ends;
        channel.add_up();
    }

    /// Rule 4.
    fn sent_count(&mut self, index: usize) {
        if self.counter.channels[index].sent.is_none() {
            return;
        }
        let sends = |&record: &usize| {
            let record = &self.records[record];
            record.channel == Some(index) && !record.verb.reads()
        };
        if self.parts.iter().any(|part| part.due.iter().any(sends)) {
            return;
        }
        let channel = &mut self.counter.channels[index];
        if std::mem::take(&mut channel.cut_short) {
            channel.sent = match (&channel.queued, channel.dropped, &channel.taken) {
                (Count::Known(queued), Some(dropped), Count::Known(taken)) => Some(queued + dropped + taken),
                _ => None,
            };
        }
        let Some(sent) = channel.sent else { return };
        channel.accepted = Count::Known(sent);
        channel.dropped = match (&channel.queued, &channel.taken) {
            (Count::Known(queued), Count::Known(taken)) => sent.checked_sub(queued + taken),
            _ => None,
        };
    }

    /// Gives channels the capacities that the plan asks for, as soon as somebody holds an end;
    /// a pipe that nobody holds forgets it.
    pub(super) fn set_capacities(&mut self) -> Result<(), Fault> {
        for (index, planned) in self.plan.channels.iter().enumerate() {
            let Some(bytes) = planned.capacity else { continue };
            let holder = self.parts.iter().position(|part| part.ends[index].is_some());
            let has_it = std::mem::replace(&mut self.counter.channels[index].sized, holder.is_some());
            let (Some(at), false) = (holder, has_it) else { continue };
            let may_open = self.both_ends(index) && !self.in_open(index);
            let fault = |why: String| Fault::harness(&format!("the capacity of {}", planned.name), why);
            let end =
                self.with_end(at, index, |pid, pidfd, fd| observe::borrow_end(pid, pidfd, fd, may_open));
            // A program sets it by itself.
            let Some(end) = end else { continue };
            let end = end.map_err(|refused| fault(refused.why))?;
            channel::set_capacity(end.as_fd(), bytes).map_err(|errno| fault(errno.desc().to_owned()))?;
        }
        Ok(())
    }

    /// Capacity of a channel in bytes, if somebody holds an end.
    pub(super) fn capacity(&self, index: usize) -> Option<u64> {
        let may_open = self.both_ends(index) && !self.in_open(index);
        (0..self.actors.len()).find_map(|at| {
            self.with_end(at, index, |pid, pidfd, fd| observe::capacity(pid, pidfd, fd, may_open)).flatten()
        })
    }

    /// Does something with the end that an actor holds; `None` if it holds none, or what held
    /// it has just ended.
    fn with_end<T>(
        &self,
        at: usize,
        index: usize,
        work: impl FnOnce(i32, BorrowedFd<'_>, i32) -> T,
    ) -> Option<T> {
        let held = self.parts[at].ends[index]?;
        match held.pid {
            None => Some(work(self.actors[at].pid(), self.actors[at].pidfd(), held.fd)),
            Some(pid) => {
                let pidfd = observe::pidfd(pid).ok()?;
                Some(work(pid, pidfd.as_fd(), held.fd))
            }
        }
    }

    /// Finds out which ends programs hold now.
    fn find_ends(&mut self) {
        self.find_ends_of_children();
        for at in 0..self.actors.len() {
            let Some(tree) = self.actors[at].command.as_ref().and_then(Command::observed) else { continue };
            for (index, file) in self.files.iter().enumerate() {
                let Some(file) = file else { continue };
                let held = self.counter.channels[index].held_by_program(&tree.ends(file.file));
                self.parts[at].ends[index] = held;
            }
        }
    }

    /// What a program has taken shows only where all that was accepted is known: from the
    /// answers of unbuffered writers.
    fn take_by_program(&mut self, index: usize, queued: Count) {
        let ends: Vec<Option<Held>> = self.parts.iter().map(|part| part.ends[index]).collect();
        let accepted = self.accepted_by_answers(index);
        let gone = ends.iter().all(Option::is_none) && !self.in_open(index);
        let channel = &mut self.counter.channels[index];
        let unknown = || Count::Unknown("a program reads it".into());
        channel.accepted = accepted.map_or_else(unknown, Count::Known);
        channel.taken = match (accepted, &queued) {
            // What was left in the end was dropped, and how much that was nobody saw.
            (Some(accepted), Count::Known(queued)) if !gone || channel.taken == Count::Known(accepted) => {
                Count::Known(accepted.saturating_sub(*queued))
            }
            _ => unknown(),
        };
        channel.queued = queued;
        channel.ends = ends;
    }

    /// The sum of what the write calls on a channel said, if they are system calls, all
    /// have returned, and no program writes into it.
    fn accepted_by_answers(&self, index: usize) -> Option<u64> {
        // The objects that a runtime makes for a child's input may hold bytes back.
        if self.counter.channels[index].programs.writes || self.plan.channels[index].child.is_some() {
            return None;
        }
        let writes = |record: &&StepRecord| {
            let puts_in = match record.verb {
                Verb::Write => true,
                Verb::Call(call) => matches!(call.info().moves, Moves::Sends | Moves::Passes(_)),
                _ => false,
            };
            record.channel == Some(index) && puts_in
        };
        let mut sum = 0;
        for record in self.records.iter().filter(writes) {
            let raw = *self.plan.actors[record.actor].launch == Launch::BuiltIn("raw".into());
            sum += match record.last() {
                Outcome::Ok { bytes: Some(bytes) } | Outcome::Said { bytes: Some(bytes), .. } if raw => {
                    *bytes
                }
                Outcome::Failed(failure) if raw => failure.bytes,
                Outcome::Skipped | Outcome::Gone => 0,
                _ => return None,
            };
        }
        Some(sum)
    }

    /// Somebody sits in open(2) of the channel: an actor, or a process of a program.
    fn in_open(&self, index: usize) -> bool {
        if self.opening.contains(&index) {
            return true;
        }
        let opens = |&at: &usize| self.records[at].verb.opens() && self.records[at].channel == Some(index);
        self.parts.iter().any(|part| part.due.iter().any(opens))
    }

    fn both_ends(&self, index: usize) -> bool {
        let ends = || self.parts.iter().filter_map(|part| part.ends[index]);
        ends().any(|end| end.access.reads()) && ends().any(|end| end.access.writes())
    }
}
