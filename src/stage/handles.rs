//! Where handles lead: which channel each reads from and writes to, and who holds it.

use std::collections::HashMap;

use super::{Plan, play::Held};
use crate::{
    channel::Kind,
    outcome::{Access, Action, Called},
};

/// What a handle's name stands for: an open file description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// The channel whose bytes it reads.
    pub(super) inbox: Option<usize>,
    /// The channel into which it writes.
    pub(super) target: Option<usize>,
}

/// An actor's descriptor.
#[derive(Clone, Debug)]
struct Holding {
    actor: usize,
    name: String,
    fd: i32,
    way: Way,
}

#[derive(Debug, Default)]
pub(super) struct Handles {
    ways: HashMap<String, Way>,
    held: Vec<Holding>,
}

impl Handles {
    pub(super) fn way(&self, name: &str) -> Way {
        self.ways.get(name).copied().unwrap_or_default()
    }

    /// Where an actor's descriptor leads: the name of a FIFO stands for another end with each
    /// actor that opens it.
    pub(super) fn way_of(&self, actor: usize, name: &str) -> Way {
        let held = self.held.iter().find(|holding| holding.actor == actor && holding.name == name);
        held.map_or_else(|| self.way(name), |holding| holding.way)
    }

    /// An actor has opened an end of a declared channel.
    pub(super) fn opened(&mut self, plan: &Plan, actor: usize, channel: usize, held: Held) {
        let way = end_of(channel, held.access);
        self.held.push(Holding { actor, name: plan.channels[channel].name.clone(), fd: held.fd, way });
    }

    /// An actor has closed a descriptor.
    pub(super) fn closed(&mut self, actor: usize, name: &str) {
        self.held.retain(|holding| holding.actor != actor || holding.name != name);
    }

    /// A call succeeded and gave these descriptors.
    pub(super) fn made(&mut self, plan: &Plan, actor: usize, called: &Called, fds: &[i32]) {
        let channel = |name: &str| plan.channels.iter().position(|channel| channel.name == name);
        let names: Vec<&str> = called.makes().collect();
        let ways = match (called.call.name(), &names[..]) {
            ("pipe", [read, _]) => {
                let pipe = channel(read);
                vec![Way { inbox: pipe, target: None }, Way { inbox: None, target: pipe }]
            }
            ("socketpair", [one, other]) => {
                let (one, other) = (channel(one), channel(other));
                vec![Way { inbox: one, target: other }, Way { inbox: other, target: one }]
            }
            ("dup", [_]) => {
                vec![called.handle().map_or_else(Way::default, |handle| self.way_of(actor, handle))]
            }
            ("openat", [_]) => vec![self.way_opened(plan, actor, called)],
            (_, names) => names.iter().map(|name| Way { inbox: channel(name), target: None }).collect(),
        };
        for ((name, way), fd) in names.into_iter().zip(ways).zip(fds) {
            self.held.retain(|holding| holding.actor != actor || holding.name != name);
            self.held.push(Holding { actor, name: name.to_owned(), fd: *fd, way });
            self.ways.insert(name.to_owned(), way);
        }
        if called.call.name() == "close"
            && let Some(handle) = called.handle()
        {
            self.closed(actor, handle);
        }
    }

    /// What is behind a path: a declared FIFO, or a descriptor that is opened again.
    fn way_opened(&self, plan: &Plan, actor: usize, called: &Called) -> Way {
        let again = called.path().and_then(|path| path.split_once('='));
        let again = again.map(|(_, handle)| self.way_of(actor, handle));
        let channel = again.and_then(|way| way.inbox.or(way.target)).or_else(|| opens(plan, called));
        let access = |word: &str, access| called.has(word).then_some(access);
        let access = access("read", Access::Read)
            .or_else(|| access("write", Access::Write))
            .or_else(|| access("both", Access::Both));
        channel.zip(access).map_or_else(Way::default, |(channel, access)| end_of(channel, access))
    }

    /// A copy of an actor holds what it held.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        let copies: Vec<Holding> = (self.held.iter())
            .filter(|holding| holding.actor == from)
            .map(|holding| Holding { actor: to, ..holding.clone() })
            .collect();
        self.held.extend(copies);
    }

    /// An actor has ended.
    pub(super) fn ended(&mut self, actor: usize) {
        self.held.retain(|holding| holding.actor != actor);
    }

    /// The end of a channel that an actor holds. A socket's queue lives as long as its
    /// reader, a pipe's as long as any end.
    pub(super) fn end(&self, plan: &Plan, actor: usize, channel: usize) -> Option<Held> {
        let held = || self.held.iter().filter(|holding| holding.actor == actor);
        let reads = held().find(|holding| holding.way.inbox == Some(channel));
        let writes = held().find(|holding| holding.way.target == Some(channel));
        let writes = writes.filter(|_| matches!(plan.channels[channel].kind, Kind::Pipe | Kind::Fifo));
        let access = match (reads, writes) {
            (Some(_), Some(_)) => Access::Both,
            (Some(_), None) => Access::Read,
            (None, _) => Access::Write,
        };
        reads.or(writes).map(|holding| Held { fd: holding.fd, access })
    }
}

/// An end of a pipe or FIFO.
fn end_of(channel: usize, access: Access) -> Way {
    Way { inbox: access.reads().then_some(channel), target: access.writes().then_some(channel) }
}

/// The declared channel that an openat(2) names, or whose handle it opens again.
pub(super) fn opens(plan: &Plan, called: &Called) -> Option<usize> {
    let path =
        |called: &'_ Called| called.path().filter(|_| called.call.name() == "openat").map(str::to_owned);
    let named = path(called)?;
    let first = named.split_once('=').and_then(|(_, handle)| {
        let calls = plan.steps.iter().filter_map(|step| match &step.action {
            Action::Call(called) => Some(called),
            _ => None,
        });
        calls.filter(|made| made.makes().any(|name| name == handle)).find_map(path)
    });
    let name = first.unwrap_or(named);
    plan.channels.iter().position(|channel| channel.kind.info().declared && channel.name == name)
}
