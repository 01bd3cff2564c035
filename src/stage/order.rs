//! The wire's form of a step, and what it offers.

use super::{Launch, PlannedStep, Std, handles::opens, play::Play, shepherd::FAULT};
use crate::{
    observe,
    outcome::{Action, Called, Moves, Offer, Part as MessagePart, Passed, offer_bytes},
    wire::Order,
};

impl Play<'_> {
    /// The wire's form of a step; notes what a write offers.
    pub(super) fn order(&mut self, record: usize, step: &PlannedStep) -> Order {
        let name = |channel: usize| self.plan.channels[channel].name.clone();
        match step.action {
            Action::Call(ref called) => self.call(record, step.actor, called),
            Action::Open { channel, access, nonblock } => Order::Open {
                channel: name(channel),
                access,
                nonblock,
                path: self.dir.join(&self.plan.channels[channel].name).to_string_lossy().into_owned(),
            },
            Action::Close { channel } => Order::Close { channel: name(channel) },
            Action::Flush { channel } => Order::Flush { channel: name(channel) },
            Action::Read { channel, amount } => Order::Read { channel: name(channel), amount },
            Action::Await { channel, readiness } => Order::Await { channel: name(channel), readiness },
            Action::Sleep => Order::Sleep,
            Action::Spin => Order::Spin,
            Action::Exit { status } => {
                self.may_end(step.actor);
                Order::Exit { status }
            }
            Action::Write { channel, bytes, wide, newline, pieces } => {
                let part = &mut self.parts[step.actor];
                let offered = &mut part.offered[channel];
                if wide {
                    *offered = offered.next_multiple_of(2);
                }
                let piece = pieces.unwrap_or(bytes);
                let offer = Offer { offset: *offered, len: bytes, piece, newline, wide };
                *offered += bytes;
                part.message[channel] = Some((offer, 0));
                self.write(record, step.actor, channel, offer)
            }
            Action::Rewrite { channel, part } => {
                let (message, accepted) =
                    self.parts[step.actor].message[channel].expect("the scenario's checks see to it");
                let before = if part == MessagePart::Rest { accepted } else { 0 };
                let offer = Offer { offset: message.offset + before, len: message.len - before, ..message };
                self.write(record, step.actor, channel, offer)
            }
            Action::Spawn { child } => {
                let Launch::Child(line) = &*self.plan.actors[child].launch else {
                    unreachable!("the scenario's checks see to it")
                };
                self.actors[step.actor].spawns();
                Order::Spawn {
                    child: self.plan.actors[child].name.clone(),
                    streams: line.streams,
                    words: line.words.clone(),
                    env: line.env.clone(),
                }
            }
            Action::Wait { child, nonblock } => {
                Order::Wait { child: self.plan.actors[child].name.clone(), nonblock }
            }
            Action::Communicate { child, input } => {
                for (channel, _) in self.plan.streams(child).filter(|(_, stream)| *stream != Std::In) {
                    self.counter.reads_all(channel);
                }
                let payload = input.map(|(channel, bytes)| {
                    self.offer(record, step.actor, channel, bytes, bytes);
                    offer_bytes(step.actor, &self.records[record].offered.expect("just offered"))
                });
                Order::Communicate { child: self.plan.actors[child].name.clone(), payload }
            }
            Action::Start => {
                self.actors[step.actor].command.iter_mut().for_each(|command| command.fresh = true);
                Order::Call { call: "start".to_owned(), words: vec![] }
            }
            Action::Inject(injection) => Order::Call { call: FAULT.to_owned(), words: injection.words() },
            Action::Kill { .. } | Action::Run { .. } | Action::Release => {
                unreachable!("the stage does it, the driver isn't asked")
            }
        }
    }

    /// The wire's form of a call: a payload goes as the place of its bytes in the actor's
    /// stream into the channel that the handle leads to.
    fn call(&mut self, record: usize, actor: usize, called: &Called) -> Order {
        let info = called.call.info();
        let way = self.handles.way_of(self.plan, actor, called);
        // What makes a handle with bytes in it sends them there.
        let made = || self.plan.channel(called.makes().next()?);
        let channel = match info.moves {
            Moves::Nothing => opens(self.plan, called),
            Moves::Sends if called.handle().is_none() => made(),
            Moves::Sends => way.target,
            Moves::Receives => way.inbox,
            Moves::Passes(_) => {
                called.passes().and_then(|(_, into, _)| self.handles.way_at(actor, into).target)
            }
        };
        self.records[record].channel = channel;
        self.records[record].passed = called.passes().map(|(from, _, passing)| Passed {
            from: self.handles.way_at(actor, from).inbox,
            copied: passing.copies,
        });
        let mut words = called.words.clone();
        if let Some(name) = words.iter_mut().find(|word| word.starts_with('=')) {
            *name = self.address(&name[1..]);
        }
        if let (Moves::Sends, Some(place)) = (info.moves, called.size_place()) {
            let offset = channel.map_or(0, |channel| self.parts[actor].offered[channel]);
            if let (Some(channel), Some(len)) = (channel, called.payload()) {
                self.offer(record, actor, channel, len, len);
            }
            if let ("fill", Some(channel), Ok(piece)) = (called.call.name(), channel, words[place].parse()) {
                self.begin_fill(record, actor, channel, piece);
            }
            words[place] = format!("{}@{actor}:{offset}", words[place]);
        }
        if called.call.name() == "exec" {
            // Not who is asked answers, but what it becomes.
            words.push(record.to_string());
        }
        Order::Call { call: called.call.name().to_owned(), words }
    }

    /// The address of a socket, as the wire has it. Without one it is what a socket without
    /// a name says.
    fn address(&self, handle: &str) -> String {
        let holder = self.handles.descriptor(handle);
        let address = holder.map_or_else(Vec::new, |(actor, fd)| {
            observe::address(self.actors[actor].pidfd(), fd).unwrap_or_default()
        });
        let digits = address.iter().map(|byte| format!("{byte:02x}"));
        format!("={}", digits.collect::<String>())
    }

    /// Notes that a call offers the next `len` bytes of its actor's stream.
    pub(super) fn offer(&mut self, record: usize, actor: usize, channel: usize, len: u64, piece: u64) {
        let part = &mut self.parts[actor];
        let offset = part.offered[channel];
        self.records[record].offered = Some(Offer { offset, len, piece, newline: false, wide: false });
        part.offered[channel] += len;
        part.given[channel] += len;
    }

    fn write(&mut self, record: usize, actor: usize, channel: usize, offer: Offer) -> Order {
        self.records[record].offered = Some(offer);
        self.parts[actor].given[channel] += offer.len;
        let name = self.plan.channels[channel].name.clone();
        match self.actors[actor].abilities.codes {
            true => Order::WriteCoded { channel: name, writer: actor, offer },
            false => {
                let payload = offer_bytes(actor, &offer);
                Order::Write { channel: name, piece: offer.piece, payload }
            }
        }
    }
}
