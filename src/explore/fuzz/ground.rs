//! The kinds of channel that can be fuzzed, one a file: how a scene of it comes to be, and
//! what may be done in it.

mod dgram;
mod fifo;
mod oneway;
mod packet;
mod pipe;
mod pipes;
mod seqpacket;
mod sockets;
mod stream;

use std::sync::Arc;

use super::{draw::Draw, size::Size};
use crate::{
    channel::Kind,
    model::Machine,
    outcome::{Action, Call, Called},
    setting::Setting,
    stage::{Launch, PlannedActor, PlannedChannel},
};

/// All of them.
pub static GROUNDS: &[&Ground] = &[
    &fifo::GROUND,
    &pipe::GROUND,
    &packet::GROUND,
    &dgram::GROUND,
    &oneway::GROUND,
    &stream::GROUND,
    &seqpacket::GROUND,
];

/// One kind of channel: a line of the table.
#[derive(Debug)]
pub struct Ground {
    /// As `--channel` has it.
    pub name: &'static str,
    pub about: &'static str,
    /// Channels, actors and first steps, from the scene's draws.
    pub(super) scene: fn(&Machine, [u8; 4]) -> Scene,
    /// What may be done, the simplest first.
    pub(super) menu: &'static [Entry],
    /// Steps of an actor that is awake, of which one leads towards an end in which nobody
    /// sleeps: who ends asleep costs a new process.
    pub(super) coda: fn(&Scene, usize) -> Vec<Line>,
}

impl Ground {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Ground> {
        GROUNDS.iter().find(|ground| ground.name == name).copied()
    }
}

/// What a draw may come to: so many of the menu's parts, and the step, if this actor may
/// take it now.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) parts: u32,
    pub(super) line: fn(&Moment<'_>, usize, &Draw) -> Option<Line>,
}

/// What a script is played on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) channels: Arc<Vec<PlannedChannel>>,
    pub(super) actors: Arc<Vec<PlannedActor>>,
    pub(super) setting: Arc<Setting>,
    /// Steps that make it; none of them counts.
    pub(super) preamble: Vec<Line>,
    /// What the channels hold (bytes), and how a scenario writes that.
    pub(super) capacity: u64,
    pub(super) capacity_text: String,
    /// The longest write that is kept in one piece, or goes at all (bytes).
    pub(super) longest: u64,
    /// Per actor: the handles that it may work on.
    pub(super) handles: Vec<Vec<&'static str>>,
    /// Single system calls too, which cost more than verbs.
    pub(super) calls: bool,
}

/// The moment before a step.
pub(super) struct Moment<'a> {
    pub(super) scene: &'a Scene,
    pub(super) machine: &'a Machine,
    /// By channel: what may be queued.
    pub(super) queued: &'a [Option<u64>],
}

/// A step as the scenario has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) actor: usize,
    pub(super) action: Action,
    pub(super) size: Option<Size>,
}

impl Line {
    fn new(actor: usize, action: Action) -> Line {
        Line { actor, action, size: None }
    }

    /// A system call, with its size in its place.
    fn call(actor: usize, call: &str, words: &[&str], size: Option<Size>) -> Line {
        let call = Call::named(call).expect("a call of the table");
        let words = words.iter().map(|&word| word.to_owned());
        let mut called = Called { call, words: words.collect() };
        if let (Some(place), Some(size)) = (called.size_place(), size) {
            called.words.insert(place.min(called.words.len()), size.bytes.to_string());
        }
        Line { actor, action: Action::Call(called), size }
    }

    /// Makes one write of this and of an earlier one, if both are.
    pub(super) fn join(&mut self, earlier: &Line) -> bool {
        match (&mut self.action, &earlier.action) {
            (Action::Write { channel, bytes, .. }, Action::Write { channel: same, bytes: before, .. })
                if channel == same =>
            {
                *bytes += before;
                self.size = Some(Size::of(*bytes));
                true
            }
            _ => false,
        }
    }

    /// A `fill` with pieces twice as long, if it is one.
    pub(super) fn doubled(&self) -> Option<Line> {
        let (Action::Call(called), Some(size)) = (&self.action, self.size) else { return None };
        let place = called.size_place().filter(|_| called.call.name() == "fill")?;
        let size = Size::of(2 * size.bytes.max(1));
        let mut called = called.clone();
        *called.words.get_mut(place)? = size.bytes.to_string();
        Some(Line { actor: self.actor, action: Action::Call(called), size: Some(size) })
    }

    fn sized(actor: usize, size: Size, action: impl FnOnce(u64) -> Action) -> Line {
        Line { actor, action: action(size.bytes), size: Some(size) }
    }
}

/// Handles as channels.
fn handles(names: &[&str], kind: Kind) -> Vec<PlannedChannel> {
    let one = |name: &&str| PlannedChannel { declared: false, ..PlannedChannel::declared(name, kind) };
    names.iter().map(one).collect()
}

/// One of several, as a draw says.
fn one_of<'a, T: ?Sized>(all: &[&'a T], draw: u8) -> Option<&'a T> {
    let at = usize::from(draw) % all.len().max(1);
    all.get(at).copied()
}

/// `raw` actors, called a, b, c and so on.
fn raw_actors(count: usize) -> Vec<PlannedActor> {
    ('a'..).take(count).map(|name| raw_actor(&name.to_string(), &[])).collect()
}

fn raw_actor(name: &str, mode: &[&str]) -> PlannedActor {
    PlannedActor {
        name: name.to_owned(),
        launch: Launch::BuiltIn("raw".to_owned()).into(),
        mode: mode.iter().map(|&word| word.to_owned()).collect(),
        ignores_sigpipe: false,
    }
}
