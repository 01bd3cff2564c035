//! An actor that is a program: `{ command = [...], stdin = "CHANNEL", ... }`, as written
//! and with the parameters put in.

mod fill;
mod nonblock;
mod read;
mod runtime;
mod streams;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(super) use fill::fill;

use super::{
    Scenario,
    parts::{Actor, Channel, Template},
    place::Text,
    problem::Problem,
};
use crate::{
    channel::Kind,
    outcome::{Access, Stdio},
    stage::Std,
};

/// The name of its line in the table of drivers.
pub(super) const PROGRAM: &str = "program";

/// The keys that such an actor takes.
pub(super) const KEYS: &[&str] =
    &["command", "by", "stdin", "stdout", "stderr", "fds", "nonblock", "env", "files", "trace"];

/// The standard streams, and the side of a channel that each is.
const STREAMS: [(&str, i32, Access); 3] =
    [("stdin", 0, Access::Read), ("stdout", 1, Access::Write), ("stderr", 2, Access::Write)];

/// A program as written.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// The program and its arguments.
    words: Vec<Template>,
    /// They stand in one text, parted by spaces.
    is_line: bool,
    streams: Vec<ProgramStream>,
    /// Who starts it, if that is another actor, and where its streams then lead.
    by: Option<(Text, [Stdio; 3])>,
    env: Vec<(String, Template)>,
    /// Names in the case's folder, and the files that they are.
    files: Vec<(String, PathBuf)>,
    /// The folder of the scenario.
    folder: PathBuf,
    trace: bool,
}

#[derive(Clone, Debug)]
struct ProgramStream {
    fd: i32,
    access: Access,
    channel: Text,
    nonblock: bool,
}

impl Actor {
    /// The actor that starts it.
    pub(super) fn by(&self) -> Option<&Text> {
        self.program.as_ref()?.by.as_ref().map(|(by, _)| by)
    }

    /// The pipes to the actor that starts it.
    pub(super) fn pipes(&self) -> Vec<Channel> {
        let by = self.program.as_ref().and_then(|program| program.by.as_ref());
        let streams = by.map_or([Stdio::Inherit; 3], |(_, streams)| *streams);
        let pipes = Std::ALL.into_iter().zip(streams).filter(|(_, stdio)| *stdio == Stdio::Pipe);
        pipes
            .map(|(stream, _)| Channel {
                name: Text::whole(format!("{}.{}", self.name.value, stream.name()), self.name.span.clone()),
                kind: Kind::Pipe,
                capacity: None,
                child: Some((self.name.value.clone(), stream)),
            })
            .collect()
    }
}

impl Program {
    /// The program itself, parameters still as `{name}`.
    pub fn name(&self) -> &str {
        &self.words[0].0.value
    }

    /// All texts that parameters may stand in.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        self.words.iter().chain(self.env.iter().map(|(_, value)| value))
    }
}

fn no_command(actor: &str) -> Problem {
    Problem::new("empty", format!("the program `{actor}` has no command"))
        .help("name a program, for example `command = [\"cat\"]`")
}

/// Two programs may not bring different files of one name.
pub(super) fn check_files(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<&str, &Path> = BTreeMap::new();
    for actor in &scenario.actors {
        for (name, path) in actor.program.iter().flat_map(|program| &program.files) {
            let is_channel = scenario.declared.channels.contains(name);
            let other = known.insert(name, path).is_some_and(|other| other != path);
            if is_channel || other {
                problems.push(
                    Problem::new("file", format!("`{name}` is two things in the case's folder"))
                        .at(actor.name.span.clone(), "this program brings a file of that name")
                        .help("rename the file or the channel"),
                );
            }
        }
    }
}
