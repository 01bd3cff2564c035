//! Where handles lead: which channel each reads from and writes to, and who holds it.

use std::collections::HashMap;

use super::{Plan, play::Held};
use crate::{
    channel::{Kind, Settles},
    outcome::{Access, Called},
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

    /// A call succeeded and gave these descriptors.
    pub(super) fn made(&mut self, plan: &Plan, actor: usize, called: &Called, fds: &[i32]) {
        let channel = |name: &str| plan.channels.iter().position(|channel| channel.name == name);
        let names: Vec<&str> = called.makes().collect();
        let ways = match (called.call.name(), &names[..]) {
            ("pipe", [read, _]) => {
                let pipe = channel(read);
                vec![Way { inbox: pipe, target: None }, Way { inbox: None, target: pipe }]
            }
            ("socketpair" | "pty", [one, other]) => {
                let (one, other) = (channel(one), channel(other));
                vec![Way { inbox: one, target: other }, Way { inbox: other, target: one }]
            }
            ("dup", [_]) => vec![called.handle().map_or_else(Way::default, |handle| self.way(handle))],
            (_, names) => names.iter().map(|name| Way { inbox: channel(name), target: None }).collect(),
        };
        for ((name, way), fd) in names.into_iter().zip(ways).zip(fds) {
            self.held.retain(|holding| holding.actor != actor || holding.name != name);
            self.held.push(Holding { actor, name: name.to_owned(), fd: *fd });
            self.ways.insert(name.to_owned(), way);
        }
        if called.call.name() == "close"
            && let Some(handle) = called.handle()
        {
            self.held.retain(|holding| holding.actor != actor || holding.name != handle);
        }
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

    /// A holder of each reading side to which a kernel worker carries bytes: the actor and
    /// its descriptor.
    pub(super) fn flushable(&self, plan: &Plan) -> Vec<(usize, i32)> {
        let mut sides: Vec<(usize, &Holding)> = (self.held.iter())
            .filter_map(|holding| Some((self.way(&holding.name).inbox?, holding)))
            .filter(|(channel, _)| plan.channels[*channel].kind.info().settles == Settles::Flushable)
            .collect();
        sides.sort_by_key(|(channel, _)| *channel);
        sides.dedup_by_key(|(channel, _)| *channel);
        sides.into_iter().map(|(_, holding)| (holding.actor, holding.fd)).collect()
    }

    /// The end of a channel that an actor holds. A socket's queue lives as long as its
    /// reader, a pipe's as long as any end.
    pub(super) fn end(&self, plan: &Plan, actor: usize, channel: usize) -> Option<Held> {
        let held = || self.held.iter().filter(|holding| holding.actor == actor);
        let reads = held().find(|holding| self.way(&holding.name).inbox == Some(channel));
        let writes = held().find(|holding| self.way(&holding.name).target == Some(channel));
        let writes = writes.filter(|_| plan.channels[channel].kind == Kind::Pipe);
        let access = match (reads, writes) {
            (Some(_), Some(_)) => Access::Both,
            (Some(_), None) => Access::Read,
            (None, _) => Access::Write,
        };
        reads.or(writes).map(|holding| Held { fd: holding.fd, access })
    }
}
