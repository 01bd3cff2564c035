//! A case as the stage needs it: numbers and command lines, no TOML, no symbols.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Options, shepherd::Trace};
use crate::{
    channel::Kind,
    driver::{FORK, SPAWNS, THREAD},
    outcome::{Access, Action, Sides, Stdio},
    setting::Setting,
};

/// What to play. Plans of neighbouring cases share what they have in common, and a stage isn't
/// sent that again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub channels: Arc<Vec<PlannedChannel>>,
    pub actors: Arc<Vec<PlannedActor>>,
    pub steps: Vec<Arc<PlannedStep>>,
    pub order: Order,
    pub setting: Arc<Setting>,
}

/// The order in which steps are given; as they stand, unless something is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// All indices of the plan's steps; empty: as they stand.
    pub steps: Vec<usize>,
    /// Steps whose order is open: one whose actor is in the middle of a call lets others of its
    /// block go first.
    pub together: Vec<Range<usize>>,
}

impl Order {
    /// The order of this step is open.
    pub(super) fn is_open(&self, step: usize) -> bool {
        self.together.iter().any(|block| block.contains(&step))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedChannel {
    /// The scenario's name for it; one that is declared is opened under this name.
    pub name: String,
    pub kind: Kind,
    /// It stands ready before the first step; the others are handles, which steps make.
    pub declared: bool,
    /// The size that it gets with its first end (F_SETPIPE_SZ, bytes), if not the usual one.
    pub capacity: Option<u64>,
    /// It is a stream of this actor, a child of another one, and that one's runtime makes it.
    pub child: Option<(usize, Std)>,
}

impl Plan {
    /// The sides of a channel that programs have open from their start.
    pub(super) fn sides_of_programs(&self, channel: &str) -> Sides {
        let mut sides = Sides::default();
        if let Some((_, stream)) = self.channel(channel).and_then(|at| self.channels[at].child) {
            sides.reads = stream == Std::In;
            sides.writes = !sides.reads;
        }
        for actor in self.actors.iter() {
            let Launch::Command(command) = &*actor.launch else { continue };
            for stream in command.streams.iter().filter(|stream| stream.channel == channel) {
                sides.reads |= stream.access.reads();
                sides.writes |= stream.access.writes();
            }
        }
        sides
    }

    /// The scenario wants this actor's calls seen.
    pub fn traces(&self, actor: usize) -> bool {
        let Launch::Command(command) = &*self.actors[actor].launch else { return false };
        let needs = |step: &Arc<PlannedStep>| step.actor == actor && step.action.traces();
        command.trace || self.steps.iter().any(needs)
    }

    /// What an actor's trace is about, if it has one.
    pub(super) fn trace(&self, actor: usize, options: &Options) -> Option<Trace> {
        let wanted = self.traces(actor) || (options.trace && self.actors[actor].is_command());
        let channels = self.channels.iter();
        let path = |channel: &PlannedChannel| {
            if channel.declared { channel.name.clone() } else { String::new() }
        };
        wanted.then(|| Trace { channels: channels.map(path).collect(), refused: options.refuse_trace })
    }

    /// The streams of a child that are pipes to its maker, in the order of their numbers.
    pub(super) fn streams(&self, child: usize) -> impl Iterator<Item = (usize, Std)> + '_ {
        let streams = self.channels.iter().enumerate();
        streams.filter_map(move |(at, channel)| {
            channel.child.filter(|known| known.0 == child).map(|it| (at, it.1))
        })
    }

    /// The index of the channel of this name.
    pub fn channel(&self, name: &str) -> Option<usize> {
        self.channels.iter().position(|channel| channel.name == name)
    }
}

impl PlannedChannel {
    /// One that stands ready, of the usual size.
    pub fn declared(name: &str, kind: Kind) -> PlannedChannel {
        PlannedChannel { name: name.to_owned(), kind, declared: true, capacity: None, child: None }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedActor {
    pub name: String,
    pub launch: Arc<Launch>,
    /// The words of its mode, the driver's arguments: `binary`, `buffer=8192`, ...
    pub mode: Vec<String>,
    /// What the runtime itself does to SIGPIPE at its start (Python, Rust:
    /// ignore), for drivers that share the stage's runtime.
    pub ignores_sigpipe: bool,
}

impl PlannedActor {
    /// Files that it finds in the case's folder: name, and path.
    pub(super) fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = match &*self.launch {
            Launch::Command(command) => &command.files[..],
            Launch::Child(child) => &child.files[..],
            _ => &[],
        };
        files.iter().map(|(name, path)| (name.as_str(), path.as_str()))
    }

    /// It is a program that knows nothing of steps.
    pub fn is_command(&self) -> bool {
        matches!(&*self.launch, Launch::Command(_))
    }

    /// It is a program that another actor starts.
    pub fn is_child(&self) -> bool {
        matches!(&*self.launch, Launch::Child(_))
    }

    /// It starts programs of its own.
    pub(super) fn spawns(&self) -> bool {
        self.mode.iter().any(|word| word == SPAWNS)
    }

    /// A step of another actor makes its process.
    pub fn is_made_by_step(&self) -> bool {
        let copied = |word: &String| word == FORK || word == THREAD;
        self.is_child() || matches!(&*self.launch, Launch::BuiltIn(_)) && self.mode.iter().any(copied)
    }
}

/// How the actor's process comes to run its driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Launch {
    /// A driver inside this binary, run in a fork of the stage.
    BuiltIn(String),
    /// A program that speaks the wire protocol on descriptor 3.
    Program {
        command: Vec<String>,
        env: Vec<(String, String)>,
        /// It stays on its stage's CPU: only for a runtime of one thread that doesn't
        /// arrange itself by the number of CPUs (a pinned JVM chooses another collector).
        pinned: bool,
    },
    /// A program that knows nothing of all this.
    Command(CommandLine),
    /// The same, started by another actor with its runtime's own API.
    Child(ChildLine),
}

/// A program that another actor starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildLine {
    /// The program's path, and its arguments.
    pub words: Vec<String>,
    /// All of its environment, `NAME=VALUE`.
    pub env: Vec<String>,
    /// Where its standard streams lead.
    pub streams: [Stdio; 3],
    /// As [`CommandLine::files`].
    pub files: Vec<(String, String)>,
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Std {
    In,
    Out,
    Err,
}

impl Std {
    pub const ALL: [Std; 3] = [Std::In, Std::Out, Std::Err];

    /// `stdin`, `stdout`, `stderr`.
    pub fn name(self) -> &'static str {
        match self {
            Std::In => "stdin",
            Std::Out => "stdout",
            Std::Err => "stderr",
        }
    }

    /// The side that the child has.
    pub(super) fn childs_side(self) -> Access {
        if self == Std::In { Access::Read } else { Access::Write }
    }

    /// The side that the child's maker has.
    pub(super) fn makers_side(self) -> Access {
        if self == Std::In { Access::Write } else { Access::Read }
    }
}

/// A program as an actor: what is run, and where its descriptors lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    pub path: String,
    /// With argument 0, the program's name.
    pub args: Vec<String>,
    /// All of its environment.
    pub env: Vec<(String, String)>,
    /// What isn't here of its standard streams: an empty input, and an output that is kept
    /// as its last words.
    pub streams: Vec<Stream>,
    /// Files that it finds in the case's folder: name, and the path that it links to.
    pub files: Vec<(String, String)>,
    /// Its calls on the case's channels are seen.
    pub trace: bool,
}

/// A descriptor of a program that is an end of a channel from its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub fd: i32,
    /// The channel's name.
    pub channel: String,
    pub access: Access,
    /// The channel's size, if it isn't the usual one: set before the program runs.
    pub capacity: Option<u64>,
    /// O_NONBLOCK is set before the program runs, once the end is open.
    pub nonblock: bool,
}

/// When a step is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    #[default]
    Always,
    /// The actor's last step that was carried out failed.
    IfFailed,
    UnlessFailed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub actor: usize,
    pub action: Action,
    pub condition: Condition,
    /// `repeat N until ok`: at most so many attempts (1: no repeat).
    pub attempts: u32,
    /// It belongs to a sequence with the step before it: one attempt is all of them up
    /// to the first that fails. Condition and attempts are those of the first one.
    pub joined: bool,
}

impl PlannedStep {
    /// It leaves something behind that nobody looks for.
    pub(super) fn lasts(&self) -> bool {
        matches!(&self.action, Action::Call(called) if called.call.info().lasts)
    }
}
