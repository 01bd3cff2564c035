//! Where handles lead: which channel each reads from and writes to, and who holds it.

use std::collections::HashMap;

use super::{
    Plan,
    connections::{Connections, Peer},
    flights::Flights,
    play::Held,
};
use crate::{
    channel::{Lives, Settles},
    outcome::{Access, Action, Called, Moves},
};

/// What a handle's name stands for: an open file description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// The channel whose bytes it reads.
    pub(super) inbox: Option<usize>,
    /// The channel into which it writes.
    pub(super) target: Option<usize>,
    /// The open file description's own number; its copies have the same.
    pub(super) number: usize,
}

impl Way {
    pub(super) fn leads_to(&self, channel: usize) -> bool {
        self.inbox == Some(channel) || self.target == Some(channel)
    }
}

/// How long calls on a socket wait, in milliseconds; 0: without end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timeouts {
    pub(super) receive: u64,
    pub(super) send: u64,
}

/// What a call that succeeded has to do with sockets' ways.
pub(super) struct Told<'a> {
    pub(super) actor: usize,
    pub(super) called: &'a Called,
    /// Descriptors that it made.
    pub(super) fds: &'a [i32],
    /// The channel that it sent into or received from, and how many bytes had been sent
    /// there, or are gone from there now.
    pub(super) channel: Option<(usize, u64)>,
    /// What further accepts on a listening handle make, by its name.
    pub(super) ahead: &'a [(&'a str, usize)],
    /// It says that descriptors were left out.
    pub(super) cut: bool,
}

/// A process's descriptor.
#[derive(Clone, Debug)]
struct Holding {
    /// The actor whose process has it or, of several threads, the first of them.
    holder: usize,
    name: String,
    fd: i32,
    /// Where it leads, if that is this process's affair: its own open of a declared channel
    /// made it, or something was put in its place.
    opened: Option<Way>,
}

#[derive(Debug, Default)]
pub(super) struct Handles {
    ways: HashMap<String, Way>,
    held: Vec<Holding>,
    /// Names of descriptors that were closed: they stand for numbers, which may be others'
    /// now.
    closed: Vec<Holding>,
    /// Actors that are threads, and the first thread of their process.
    threads: HashMap<usize, usize>,
    connections: Connections,
    flights: Flights,
    timeouts: HashMap<usize, Timeouts>,
    /// Open file descriptions so far, of which each has its number from 1 on.
    made: usize,
}

impl Handles {
    pub(super) fn way(&self, name: &str) -> Way {
        self.ways.get(name).copied().unwrap_or_default()
    }

    /// Whose descriptors an actor has: its own or, of several threads, the first one's.
    fn holder(&self, actor: usize) -> usize {
        self.threads.get(&actor).copied().unwrap_or(actor)
    }

    fn held_by(&self, actor: usize) -> impl Iterator<Item = &Holding> {
        let holder = self.holder(actor);
        self.held.iter().filter(move |holding| holding.holder == holder)
    }

    /// Where an actor's descriptor leads.
    pub(super) fn way_at(&self, actor: usize, name: &str) -> Way {
        let holder = self.holder(actor);
        let named = |holding: &&Holding| holding.holder == holder && holding.name == name;
        let number = |closed: &Holding| self.held_by(actor).find(|holding| holding.fd == closed.fd);
        let held = self.held.iter().find(named);
        let held = held.or_else(|| self.closed.iter().rfind(named).and_then(number));
        held.map_or_else(|| self.way(name), |holding| self.way_held(holding))
    }

    fn way_held(&self, holding: &Holding) -> Way {
        holding.opened.unwrap_or_else(|| self.way(&holding.name))
    }

    /// An actor has opened an end of a declared channel.
    pub(super) fn opened(&mut self, plan: &Plan, actor: usize, channel: usize, held: Held) {
        let (name, way) = (plan.channels[channel].name.clone(), end_of(channel, held.access));
        self.held.push(Holding { holder: self.holder(actor), name, fd: held.fd, opened: Some(way) });
    }

    /// An actor has closed a descriptor.
    pub(super) fn closed(&mut self, actor: usize, name: &str) {
        let holder = self.holder(actor);
        let named = |holding: &mut Holding| holding.holder == holder && holding.name == name;
        let closed: Vec<Holding> = self.held.extract_if(.., named).collect();
        self.closed.extend(closed);
    }

    /// Where a call's bytes go, and where they come from.
    pub(super) fn way_of(&self, plan: &Plan, actor: usize, called: &Called) -> Way {
        let way = called.handle().map_or_else(Way::default, |handle| self.way_at(actor, handle));
        match called.name() {
            // A connected socket of records takes no notice of it.
            Some(name) if is_addressed(plan, way) => {
                Way { target: self.behind(name).and_then(|other| other.inbox), ..way }
            }
            _ => way,
        }
    }

    /// The socket behind a name as a script writes it.
    fn behind(&self, name: &str) -> Option<Way> {
        match name.strip_prefix('=') {
            Some(handle) => self.ways.get(handle).copied(),
            None => self.connections.behind(name),
        }
    }

    /// An actor's descriptor, whichever actor's that is.
    pub(super) fn descriptor(&self, name: &str) -> Option<(usize, i32)> {
        let holding = self.held.iter().find(|holding| holding.name == name)?;
        Some((holding.holder, holding.fd))
    }

    /// How long calls wait on a descriptor of this actor.
    pub(super) fn timeouts(&self, actor: usize, name: &str) -> Timeouts {
        self.timeouts.get(&self.way_at(actor, name).number).copied().unwrap_or_default()
    }

    /// A channel that nobody holds lives all the same: it is passed in a message, or in the
    /// queue of a listening socket.
    pub(super) fn keep(&self, channel: usize) -> bool {
        let listens = |number| self.held.iter().any(|holding| self.way_held(holding).number == number);
        self.flights.carry(channel) || self.connections.kept_by(channel).is_some_and(listens)
    }

    /// So many of the channel's bytes are gone.
    pub(super) fn gone(&mut self, channel: usize, bytes: u64) {
        if !self.flights.is_empty() {
            self.flights.drop_before(channel, bytes);
            self.drop_flights();
        }
    }

    /// A call succeeded.
    pub(super) fn said(&mut self, plan: &Plan, told: &Told<'_>) {
        let Told { actor, called, channel, .. } = *told;
        self.make(plan, told);
        let way = called.handle().map_or_else(Way::default, |handle| self.way_at(actor, handle));
        match (called.call.name(), called.name()) {
            ("close", _) => called.handle().into_iter().for_each(|handle| self.closed(actor, handle)),
            ("dup2", _) => self.replace(actor, called, way, told.fds),
            ("bind", Some(name)) => self.connections.bind(name, way),
            ("unlink", Some(name)) => self.connections.unlink(name),
            ("connect", Some(name)) => self.connect(plan, way, name, told.ahead),
            ("accept", _) => {
                let new = called.makes().next().map_or_else(Way::default, |name| self.way(name));
                if let Some(peer) = self.connections.accept(new, way.number) {
                    self.lead(new.number, peer.inbox);
                }
            }
            ("setsockopt", _) => self.time_out(way.number, &called.words),
            ("sendmsg", _) if called.has("pass") => {
                let passed = called.words.iter().skip(2).filter(|word| self.ways.contains_key(*word));
                let passed = passed.map(|word| self.way_at(actor, word));
                if let Some((by, at)) = channel {
                    self.flights.start(by, at, passed.collect());
                }
            }
            ("recvmsg", _) if called.has("peek") => {}
            ("recvmsg", _) if told.cut || !told.fds.is_empty() => {
                channel.into_iter().for_each(|(by, _)| self.flights.land(by));
            }
            _ if called.call.info().moves == Moves::Receives => {
                channel.into_iter().for_each(|(by, gone)| self.flights.drop_before(by, gone));
            }
            _ => {}
        }
        self.drop_flights();
    }

    /// What a call's new handles lead to.
    fn make(&mut self, plan: &Plan, told: &Told<'_>) {
        let Told { actor, called, fds, channel: by, .. } = *told;
        let names: Vec<&str> = called.makes().collect();
        let own = |name: &&str| Way { inbox: plan.channel(name), ..Way::default() };
        let mut ways: Vec<Way> = match (called.call.name(), &names[..]) {
            ("pipe", [read, _]) => {
                let pipe = plan.channel(read);
                vec![Way { inbox: pipe, ..Way::default() }, Way { target: pipe, ..Way::default() }]
            }
            ("socketpair" | "pty", [one, other]) => {
                let (one, other) = (plan.channel(one), plan.channel(other));
                let way = |inbox, target| Way { inbox, target, ..Way::default() };
                vec![way(one, other), way(other, one)]
            }
            ("dup", [_]) => {
                vec![called.handle().map_or_else(Way::default, |handle| self.way_at(actor, handle))]
            }
            ("openat", [_]) => vec![self.way_opened(plan, actor, called)],
            ("recvmsg", _) => by.map_or_else(Vec::new, |(by, _)| self.flights.first(by).to_vec()),
            (_, names) => names.iter().map(own).collect(),
        };
        for way in ways.iter_mut().filter(|way| way.number == 0) {
            self.made += 1;
            way.number = self.made;
        }
        for ((name, way), fd) in names.into_iter().zip(ways).zip(fds) {
            self.closed(actor, name);
            let holder = self.holder(actor);
            self.held.push(Holding { holder, name: name.to_owned(), fd: *fd, opened: None });
            self.ways.insert(name.to_owned(), way);
        }
    }

    fn connect(&mut self, plan: &Plan, socket: Way, name: &str, ahead: &[(&str, usize)]) {
        let other = self.behind(name);
        if is_addressed(plan, socket) {
            return self.lead(socket.number, other.and_then(|other| other.inbox));
        }
        let Some(listener) = other else { return };
        let listens = |(handle, _): &&(&str, usize)| self.way(handle).number == listener.number;
        let ahead: Vec<usize> = ahead.iter().filter(listens).map(|(_, channel)| *channel).collect();
        match self.connections.connect(socket, listener.number, &ahead) {
            Some(Peer::Accepted(peer)) => {
                self.lead(socket.number, peer.inbox);
                self.lead(peer.number, socket.inbox);
            }
            Some(Peer::Later(channel)) => self.lead(socket.number, Some(channel)),
            None => {}
        }
    }

    /// All copies of a socket write there from now on.
    fn lead(&mut self, number: usize, target: Option<usize>) {
        // Put in the place of another descriptor, it has its way from there.
        let replaced = self.held.iter_mut().filter_map(|holding| holding.opened.as_mut());
        let copies = self.ways.values_mut().chain(self.flights.ways()).chain(replaced);
        copies.filter(|way| way.number == number).for_each(|way| way.target = target);
    }

    fn time_out(&mut self, number: usize, words: &[String]) {
        let [_, option, millis] = words else { return };
        let timeouts = self.timeouts.entry(number).or_default();
        let millis = millis.parse().unwrap_or(0);
        match option.as_str() {
            "rcvtimeo" => timeouts.receive = millis,
            "sndtimeo" => timeouts.send = millis,
            _ => {}
        }
    }

    fn drop_flights(&mut self) {
        let inboxes = self.held.iter().filter_map(|holding| self.way_held(holding).inbox);
        let read: Vec<usize> = inboxes.collect();
        self.flights.drop_unless(|channel| read.contains(&channel));
    }

    /// What is behind a path: a declared FIFO, or a descriptor that is opened again.
    fn way_opened(&self, plan: &Plan, actor: usize, called: &Called) -> Way {
        let again = called.name().and_then(|path| path.split_once('='));
        let again = again.map(|(_, handle)| self.way_at(actor, handle));
        let channel = again.and_then(|way| way.inbox.or(way.target)).or_else(|| opens(plan, called));
        let access = |word: &str, access| called.has(word).then_some(access);
        let access = access("read", Access::Read)
            .or_else(|| access("write", Access::Write))
            .or_else(|| access("both", Access::Both));
        channel.zip(access).map_or_else(Way::default, |(channel, access)| end_of(channel, access))
    }

    /// One of an actor's descriptors has become a copy of another one.
    fn replace(&mut self, actor: usize, called: &Called, way: Way, fds: &[i32]) {
        let (Some(name), [fd]) = (called.needed().nth(1), fds) else { return };
        let holder = self.holder(actor);
        if self.held_by(actor).all(|holding| holding.fd != *fd) {
            self.held.push(Holding { holder, name: name.to_owned(), fd: *fd, opened: None });
        }
        let there = |holding: &&mut Holding| holding.holder == holder && holding.fd == *fd;
        self.held.iter_mut().filter(there).for_each(|holding| holding.opened = Some(way));
    }

    /// An actor has replaced its program, and these handles are open in the new one: which of
    /// them are its own.
    pub(super) fn replaced(&mut self, actor: usize, open: &[String]) -> Vec<String> {
        let own: Vec<String> = self.held_by(actor).map(|holding| holding.name.clone()).collect();
        let (left, gone) = own.into_iter().partition::<Vec<_>, _>(|name| open.contains(name));
        gone.iter().for_each(|name| self.closed(actor, name));
        self.drop_flights();
        left
    }

    /// A copy of an actor holds what it held.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        let copies: Vec<Holding> =
            self.held_by(from).map(|holding| Holding { holder: to, ..holding.clone() }).collect();
        self.held.extend(copies);
        let holder = self.holder(from);
        let closed: Vec<Holding> = (self.closed.iter())
            .filter(|holding| holding.holder == holder)
            .map(|holding| Holding { holder: to, ..holding.clone() })
            .collect();
        self.closed.extend(closed);
    }

    /// A thread of an actor's process holds the same descriptors.
    pub(super) fn share(&mut self, from: usize, to: usize) {
        self.threads.insert(to, self.holder(from));
    }

    /// An actor has ended, and with it all threads of its process.
    pub(super) fn ended(&mut self, actor: usize) {
        let holder = self.holder(actor);
        self.held.retain(|holding| holding.holder != holder);
        self.drop_flights();
    }

    /// A holder of each reading side to which a kernel worker carries bytes: the actor and
    /// its descriptor.
    pub(super) fn flushable(&self, plan: &Plan) -> Vec<(usize, i32)> {
        let mut sides: Vec<(usize, &Holding)> = (self.held.iter())
            .filter_map(|holding| Some((self.way_held(holding).inbox?, holding)))
            .filter(|(channel, _)| plan.channels[*channel].kind.info().settles == Settles::Flushable)
            .collect();
        sides.sort_by_key(|(channel, _)| *channel);
        sides.dedup_by_key(|(channel, _)| *channel);
        sides.into_iter().map(|(_, holding)| (holding.holder, holding.fd)).collect()
    }

    /// The end of a channel that an actor holds, and by which what is queued lives.
    pub(super) fn end(&self, plan: &Plan, actor: usize, channel: usize) -> Option<Held> {
        let held = || self.held_by(actor);
        let reads = held().find(|holding| self.way_held(holding).inbox == Some(channel));
        let writes = held().find(|holding| self.way_held(holding).target == Some(channel));
        let writes = writes.filter(|_| plan.channels[channel].kind.info().lives == Lives::WithAnyEnd);
        let access = match (reads, writes) {
            (Some(_), Some(_)) => Access::Both,
            (Some(_), None) => Access::Read,
            (None, _) => Access::Write,
        };
        reads.or(writes).map(|holding| Held { fd: holding.fd, access, pid: None })
    }
}

/// The sends of a handle go to whom each names.
fn is_addressed(plan: &Plan, way: Way) -> bool {
    way.inbox.is_some_and(|inbox| plan.channels[inbox].kind.info().addressed)
}

/// An end of a pipe or FIFO.
fn end_of(channel: usize, access: Access) -> Way {
    Way {
        inbox: access.reads().then_some(channel),
        target: access.writes().then_some(channel),
        ..Way::default()
    }
}

/// The declared channel that an openat(2) names, or whose handle it opens again.
pub(super) fn opens(plan: &Plan, called: &Called) -> Option<usize> {
    let path =
        |called: &'_ Called| called.name().filter(|_| called.call.name() == "openat").map(str::to_owned);
    let named = path(called)?;
    let first = named.split_once('=').and_then(|(_, handle)| {
        let calls = plan.steps.iter().filter_map(|step| match &step.action {
            Action::Call(called) => Some(called),
            _ => None,
        });
        calls.filter(|made| made.makes().any(|name| name == handle)).find_map(path)
    });
    let name = first.unwrap_or(named);
    plan.channel(&name).filter(|&channel| plan.channels[channel].declared)
}
