//! Takes what actors have said, and how they ended, into the records.

use super::{
    Fault,
    handles::Told,
    play::{Held, Play, describe_end},
    shepherd::{EXITED, KILLED, UNTRACEABLE},
    workshop::await_greeting,
};
use crate::{
    outcome::{Action, Bytes, Called, Failure, Moves, Outcome, Peeked, Resumed, StepRecord, Verb},
    wire::{Message, Reply},
};

/// How a program ended, as its shepherd says.
pub(super) fn end_of_program(words: &[String]) -> Outcome {
    let word = words.first().map_or("", String::as_str);
    match (word.strip_prefix(EXITED), word.strip_prefix(KILLED)) {
        (Some(status), _) => Outcome::Exited { status: status.parse().unwrap_or(-1) },
        (_, Some(signal)) => Outcome::Killed { signal: signal.to_owned() },
        _ => Outcome::Gone,
    }
}

impl<'case> Play<'case> {
    /// Takes all answers and ends that have come. What belongs to an earlier
    /// record was released by those that were given now.
    pub(super) fn collect(&mut self) -> Result<(), Fault> {
        let news = std::mem::take(&mut self.settler.news);
        for at in 0..self.actors.len() {
            let concerned = news || self.parts[at].may_end || !self.parts[at].due.is_empty();
            if concerned && self.actors[at].ended.is_none() {
                self.look_at(at, news)?;
            }
        }
        Ok(())
    }

    /// Notices what actors that should be idle did at the end of a case. One that still
    /// owes an answer may give it now (a timer came true), and it is too late.
    pub(super) fn look_after(&mut self) -> Result<(), Fault> {
        for at in 0..self.actors.len() {
            if self.actors[at].ended.is_none() && self.parts[at].due.is_empty() {
                self.look_at(at, false)?;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, at: usize, news: bool) -> Result<(), Fault> {
        self.actors[at].control.send_rest()?;
        if news || self.actors[at].control.hung_up() {
            // The end first: what the actor said before it is then all there.
            self.actors[at].reap()?;
        }
        self.actors[at].control.listen()?;
        while let Some(message) = self.actors[at].message()? {
            let Message::Answer(answer) = message else {
                return Err(self.broken(at, "it greeted twice"));
            };
            let Some(place) = self.parts[at].due.iter().position(|&record| record as u64 == answer.id) else {
                let why = match self.records.get(answer.id as usize) {
                    Some(record) if record.actor == at => "twice",
                    _ => "though it wasn't given it",
                };
                return Err(self.broken(at, &format!("it answered step {} {why}", answer.id)));
            };
            if place > 0
                && self.given.contains(&self.parts[at].due[place])
                && self.given.contains(&self.parts[at].due[place - 1])
            {
                return Err(self.broken(at, "it answered the steps of a batch out of order"));
            }
            let record = self.parts[at].due.remove(place);
            self.records[record].held = answer.held;
            let outcome = self.take_answer(at, record, answer.reply)?;
            self.note(record, outcome);
            if self.given.contains(&record) {
                self.hinted(record, answer.queued)?;
            }
        }
        if let Some(ended) = self.actors[at].ended.clone() {
            if self.actors[at].command.is_some() {
                let how = describe_end(&ended);
                return Err(self.broken(
                    at,
                    &format!("the process that keeps it ended ({how}): did it kill its parent?"),
                ));
            }
            // A signal may end an actor in a call; an idle one has crashed.
            let idle = self.threads(at).all(|thread| self.parts[thread].due.is_empty());
            let exited = matches!(ended, Outcome::Exited { .. }) || idle;
            if exited && !self.parts[at].may_end {
                return Err(self.broken(at, &format!("it ended on its own: {}", describe_end(&ended))));
            }
            self.may_end(at);
            self.handles.ended(at);
            self.parts[at].ends.fill(None);
            // It was in the first of the steps that it was given, and never began the others.
            let mut gone = false;
            for record in std::mem::take(&mut self.parts[at].due) {
                let begun = !gone || !self.given.contains(&record);
                if begun {
                    self.cut_short(record);
                }
                gone |= self.given.contains(&record);
                self.note(record, if begun { ended.clone() } else { Outcome::Gone });
            }
            // And with it all of its process.
            let other = self.threads(at).find(|&thread| self.actors[thread].ended.is_none());
            other.map_or(Ok(()), |thread| self.look_at(thread, true))?;
        }
        Ok(())
    }

    fn note(&mut self, record: usize, outcome: Outcome) {
        self.parts[self.records[record].actor].failed = matches!(outcome, Outcome::Failed(_));
        if self.given.contains(&record) {
            self.records[record].outcome = outcome;
        } else {
            self.records[record].resumed = Some(Resumed { by: self.given.start, outcome });
        }
    }

    /// What an answer changes, and the outcome it tells.
    fn take_answer(&mut self, at: usize, record: usize, reply: Reply) -> Result<Outcome, Fault> {
        let StepRecord { verb, channel, step, .. } = self.records[record];
        if verb == Verb::Close
            && let Some(channel) = channel
        {
            // Closed is closed, whatever the flush on the way said.
            self.handles.closed(at, &self.plan.channels[channel].name);
            self.refresh_end(at, channel);
        }
        let part = &mut self.parts[at];
        if let (Some(channel), Some(offer)) = (channel, self.records[record].offered)
            && let (
                Some((message, accepted)),
                Reply::Ok { bytes: Some(bytes), .. } | Reply::Fail { bytes, .. },
            ) = (&mut part.message[channel], &reply)
        {
            // In a batch, the answer may be to a message before the last.
            if let Some(before) = offer.offset.checked_sub(message.offset) {
                *accepted = (before + bytes).min(message.len);
            }
        }
        let fits = match (&reply, verb) {
            (Reply::Fail { .. } | Reply::Unsupported, _) => true,
            (Reply::Data(_) | Reply::Eof, _) => verb == Verb::Read,
            (Reply::Ok { fd, .. }, Verb::Open) => fd.is_some(),
            (Reply::Ok { bytes, .. }, Verb::Write) => bytes.is_some(),
            (Reply::Ok { .. }, _) => {
                let says = matches!(verb, Verb::Call(_) | Verb::Spawn | Verb::Wait | Verb::Communicate);
                verb != Verb::Read && !says
            }
            (Reply::Said { .. }, _) => {
                matches!(verb, Verb::Call(_) | Verb::Start | Verb::Spawn | Verb::Wait | Verb::Communicate)
            }
        };
        if !fits {
            let what = match verb {
                Verb::Open => "`fd=N`",
                Verb::Write => "`bytes=N`",
                Verb::Read => "`data=N` or `eof`",
                Verb::Call(_) | Verb::Spawn | Verb::Wait | Verb::Communicate => "`said`",
                _ => "a plain `ok`",
            };
            return Err(self.broken(at, &format!("its answer to `{}` isn't {what}", verb.name())));
        }
        Ok(match reply {
            Reply::Ok { fd, bytes } => {
                if let (Action::Open { channel, access, .. }, Some(fd)) = (&self.plan.steps[step].action, fd)
                {
                    self.handles.opened(self.plan, at, *channel, Held { fd, access: *access, pid: None });
                    self.refresh_end(at, *channel);
                }
                Outcome::Ok { bytes }
            }
            Reply::Said { words, .. } if verb == Verb::Start => end_of_program(&words),
            Reply::Said { bytes, made, .. } if verb == Verb::Spawn => {
                self.spawned(at, record, bytes, &made)?
            }
            Reply::Said { words, data, .. } if matches!(verb, Verb::Wait | Verb::Communicate) => {
                self.waited(at, record, words, data)?
            }
            Reply::Said { bytes, made, words, data } => {
                let mut words: Vec<String> = words.into_iter().map(|word| self.whose(word)).collect();
                if self.called(record).is_some_and(|called| called.call.name() == "exec") {
                    words = self.handles.replaced(at, &words);
                    if words.is_empty() {
                        words.push("nothing".into());
                    }
                }
                self.said(at, record, bytes, &made, &words, data)?;
                // Where to find another actor is no result.
                let makes_actor = |called: &Called| called.actor().is_some();
                match self.called(record).is_some_and(makes_actor) {
                    true => Outcome::Said { bytes: None, words: Vec::new() },
                    false => Outcome::Said { bytes, words },
                }
            }
            Reply::Data(data) => {
                let bytes = Some(data.len() as u64);
                self.records[record].data = Some(Bytes(data));
                Outcome::Ok { bytes }
            }
            Reply::Eof => Outcome::Eof,
            Reply::Fail { error: Some(error), message, .. }
                if error == UNTRACEABLE && self.actors[at].command.is_some() =>
            {
                return Err(Fault::Missing {
                    reason: format!(
                        "a step has to stop {}, which can't be traced here",
                        self.actors[at].name
                    ),
                    remedy: message,
                });
            }
            Reply::Fail { errno, error, message, bytes, data } => {
                let bytes = if data.is_empty() { bytes } else { data.len() as u64 };
                if verb == Verb::Read {
                    self.records[record].data = Some(Bytes(data));
                }
                if let Action::Communicate { child, .. } = self.plan.steps[step].action {
                    self.plan
                        .streams(child)
                        .for_each(|(channel, _)| self.counter.has_failed_to_read(channel));
                }
                Outcome::Failed(Failure { errno, error, message, bytes })
            }
            Reply::Unsupported => {
                let form = verb.form();
                return Err(self.broken(at, &format!("it can't carry out `{form}`")));
            }
        })
    }

    /// The call of a record, if it is one.
    fn called(&self, record: usize) -> Option<&'case Called> {
        match &self.plan.steps[self.records[record].step].action {
            Action::Call(called) => Some(called),
            _ => None,
        }
    }

    /// What a call that succeeded changes.
    fn said(
        &mut self,
        at: usize,
        record: usize,
        bytes: Option<u64>,
        made: &[i32],
        words: &[String],
        data: Vec<u8>,
    ) -> Result<(), Fault> {
        let called = self.called(record).expect("its answer was held against its verb");
        let channel = self.records[record].channel;
        let moved = bytes.unwrap_or(0);
        let sent_before = channel.map_or(0, |channel| self.counter.all_sent(channel));
        match (called.call.info().moves, channel) {
            // What is only looked at is not delivered.
            (Moves::Receives, channel) if called.has("peek") => {
                // Urgent data is beside the queue.
                if let Some(channel) = channel.filter(|_| !called.has("oob")) {
                    let offset =
                        self.peeks.peeked(channel, self.counter.all_gone(channel), data.len() as u64);
                    self.records[record].peeked = Some(Peeked { offset, data: Bytes(data) });
                }
            }
            (Moves::Receives, channel) => {
                if let Some(channel) = channel {
                    let rooms = called.size_place().and_then(|place| called.words[place].parse().ok());
                    let many = called.call.name() == "drain";
                    if self.is_filled(channel) {
                        self.counter.lose_sight(channel);
                    }
                    self.counter.received(channel, data.len() as u64, rooms.filter(|_| many));
                }
                // The others are counted while they are at it.
                if let (Some(channel), false) = (channel, self.records[record].verb.reads_counted()) {
                    self.counter.took(channel, data.len() as u64);
                }
                self.records[record].data = Some(Bytes(data));
            }
            (Moves::Sends, Some(channel)) => {
                if called.has("oob") {
                    self.counter.sent_urgent(channel);
                }
                self.withdraw_fill(at, record);
                // How much it would offer showed only while it was at it.
                let whole = self.records[record].offered.is_some();
                let piece = called.size_place().and_then(|place| called.words[place].parse().ok());
                self.counter.sent(channel, moved, piece.filter(|_| !whole).unwrap_or(moved));
                if !whole {
                    self.offer(record, at, channel, moved, piece.unwrap_or(0));
                }
            }
            (Moves::Passes(_), into) => {
                let passed = self.records[record].passed.expect("it was noted as it was given");
                if let (Some(from), false) = (passed.from, passed.copied) {
                    self.counter.took(from, moved);
                }
                if let Some(into) = into {
                    self.counter.sent(into, moved, moved);
                    self.parts[at].given[into] += moved;
                }
            }
            _ if called.call.name() == "setsockopt" => {
                if let Some(channel) = self.handles.way_of(self.plan, at, called).inbox {
                    self.peeks.set(channel, self.counter.all_gone(channel), &called.words);
                }
            }
            _ => {}
        }
        let ahead = if called.call.name() == "connect" { self.accepts_ahead() } else { Vec::new() };
        let gone = channel.map(|channel| match called.call.info().moves {
            Moves::Sends => (channel, sent_before),
            _ => (channel, self.counter.all_gone(channel)),
        });
        let cut = words.iter().any(|word| word == "ctrunc");
        let told = Told { actor: at, called, fds: made, channel: gone, ahead: &ahead, cut };
        self.handles.said(self.plan, &told);
        if let (Some(name), Some(pid)) = (called.actor(), bytes) {
            self.join(at, name, pid, words)?;
        }
        // No other call changes who holds what: a connection leads elsewhere, and isn't held.
        if !made.is_empty() || matches!(called.call.name(), "close" | "dup2" | "exec") {
            self.refresh_ends();
        }
        Ok(())
    }

    /// The accepts that haven't answered, then those of later steps: the listening handle, and
    /// the channel that the new one is.
    fn accepts_ahead(&self) -> Vec<(&'case str, usize)> {
        let due = self.parts.iter().flat_map(|part| &part.due);
        let mut due: Vec<usize> = due.map(|&record| self.records[record].step).collect();
        due.sort_unstable();
        let last = self.records.last().map(|record| record.step);
        let left = self.agenda.left();
        let given = left.iter().position(|step| Some(*step) == last).map_or(0, |at| at + 1);
        let steps = due.into_iter().chain(left[given..].iter().copied());
        let accepts = steps.filter_map(|step| match &self.plan.steps[step].action {
            Action::Call(called) if called.call.name() == "accept" => Some(called),
            _ => None,
        });
        let channel = |called: &'case Called| {
            let name = called.makes().next()?;
            Some((called.handle()?, self.plan.channel(name)?))
        };
        accepts.filter_map(channel).collect()
    }

    /// A process is told by its actor's name.
    fn whose(&self, word: String) -> String {
        let Some(pid) = word.strip_prefix("creds=") else { return word };
        let actor = self.actors.iter().find(|actor| actor.pid().to_string() == pid);
        actor.map_or(word.clone(), |actor| format!("creds={}", actor.name))
    }

    /// A copy of an actor, or a thread of its process, takes a part.
    fn join(&mut self, maker: usize, name: &str, pid: u64, words: &[String]) -> Result<(), Fault> {
        let at = self.plan.actors.iter().position(|actor| actor.name == name);
        let at = at.expect("the scenario's checks see to it");
        let Some(control) = self.actors[maker].control.attached.take() else {
            return Err(self.broken(maker, "it has sent no descriptor for the copy that it made"));
        };
        match words.first().and_then(|word| word.parse().ok()) {
            None => {
                self.actors[at] = self.actors[maker].copy(name, pid, control)?;
                self.handles.copy(maker, at);
                // Its maker may end, or close them, before it has done anything.
                for channel in 0..self.plan.channels.len() {
                    self.parts[at].ends[channel] = self.handles.end(self.plan, at, channel);
                }
                // What its maker's runtime buffers, it may hand down once more.
                self.parts[at].given = self.parts[maker].given.clone();
            }
            // The descriptor over which a thread takes its orders.
            Some(orders) => {
                self.actors[at] = self.actors[maker].thread(name, pid, control, orders);
                self.handles.share(maker, at);
            }
        }
        await_greeting(&mut self.actors[at], &mut self.settler)
    }

    /// An actor has opened or closed an end, and with it all threads of its process.
    fn refresh_end(&mut self, actor: usize, channel: usize) {
        for thread in self.threads(actor) {
            self.parts[thread].ends[channel] = self.handles.end(self.plan, thread, channel);
        }
    }

    /// Handles have changed hands.
    fn refresh_ends(&mut self) {
        for channel in 0..self.plan.channels.len() {
            for (actor, part) in self.parts.iter_mut().enumerate() {
                part.ends[channel] = self.handles.end(self.plan, actor, channel);
            }
        }
    }
}
