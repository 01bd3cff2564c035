//! An actor that is a program: `{ command = [...], stdin = "CHANNEL", ... }`, as written
//! and with the parameters put in.

mod nonblock;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    Scenario,
    case::{Machine, Skip},
    document::{Value, Walk},
    expr::Expr,
    parts::{Actor, Channel},
    place::Text,
    problem::Problem,
    setting::Surroundings,
    suggest::way_out,
    symbols::Scope,
    template::{self, Piece},
};
use crate::{
    channel::Kind,
    cli,
    driver::{DriverInfo, Runtime, Spec, environment, python},
    outcome::{Access, Stdio},
    setting::Sigpipe,
    stage::{self, ChildLine, CommandLine, Launch, Std, Stream},
};

/// The name of its line in the table of drivers.
pub(super) const PROGRAM: &str = "program";

/// The keys that such an actor takes.
pub(super) const KEYS: &[&str] =
    &["command", "by", "stdin", "stdout", "stderr", "fds", "nonblock", "env", "files", "trace"];

/// The standard streams, and the side of a channel that each is.
const STREAMS: [(&str, i32, Access); 3] =
    [("stdin", 0, Access::Read), ("stdout", 1, Access::Write), ("stderr", 2, Access::Write)];

/// Other descriptors go up to here.
const LAST_FD: i32 = 99;

/// This binary under its own name, whoever runs it, and the path by which it is found.
const OWN: &str = "pipelab";
const SELF: &str = "/proc/self/exe";

/// A text, and where parameters stand in it.
type Filling = (Text, Vec<Piece>);

/// A program as written.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// The program and its arguments.
    words: Vec<Filling>,
    /// They stand in one text, parted by spaces.
    is_line: bool,
    streams: Vec<ProgramStream>,
    /// Who starts it, if that is another actor, and where its streams then lead.
    by: Option<(Text, [Stdio; 3])>,
    env: Vec<(String, Filling)>,
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
    pub fn texts(&self) -> impl Iterator<Item = &Filling> {
        self.words.iter().chain(self.env.iter().map(|(_, value)| value))
    }
}

impl<'i> Walk<'i> {
    /// Reads the table of an actor that has a `command`.
    pub(super) fn program(
        &mut self,
        name: &Text,
        value: &Value<'i>,
        folder: &Path,
        channels: &[String],
    ) -> Option<Actor> {
        let table = self.table(value, "actors.NAME", KEYS)?;
        let command = &table["command"];
        let (words, is_line): (Vec<&Value<'i>>, bool) = match command.get_ref() {
            DeValue::Array(words) => (words.iter().collect(), false),
            DeValue::String(_) => (vec![command], true),
            _ => {
                self.wrong_type(command, "actors.NAME.command");
                return None;
            }
        };
        let first = words.first().and_then(|word| word.get_ref().as_str());
        if words.is_empty() || first.is_some_and(|word| word.trim().is_empty()) {
            self.problems.push(no_command(&name.value).at(command.span(), "nothing to run"));
            return None;
        }
        let before = self.problems.len();
        let words: Vec<Filling> =
            words.into_iter().filter_map(|word| self.filling(word, "actors.NAME.command")).collect();
        let mut streams = Vec::new();
        let by = table.get("by").map(|by| (self.text(by, "actors.NAME.by"), self.stdio(table)));
        if by.is_none() {
            for (key, fd, access) in STREAMS {
                if let Some(value) = table.get(key) {
                    let channel = self.text(value, &format!("actors.NAME.{key}"));
                    streams.extend(channel.map(|channel| ProgramStream {
                        fd,
                        access,
                        channel,
                        nonblock: false,
                    }));
                }
            }
            self.fds(table, &mut streams);
            self.nonblock(table, &mut streams);
        }
        for stream in &streams {
            if stream.channel.value == Stdio::Pipe.name() && !channels.contains(&stream.channel.value) {
                self.problems.push(
                    Problem::new("channel", "a pipe to whom?")
                        .at(stream.channel.span.clone(), "no channel is called `pipe`")
                        .help("say which actor starts the program: `by = \"ACTOR\"`; or name a channel"),
                );
            } else if !channels.contains(&stream.channel.value) {
                self.problems.push(
                    Problem::new("channel", format!("no channel is called `{}`", stream.channel.value))
                        .at(stream.channel.span.clone(), "unknown channel")
                        .help(way_out(&stream.channel.value, "channel", channels.iter().map(String::as_str))),
                );
            }
        }
        let env = self.env(table);
        let files = self.files(table, folder);
        let span = command.span();
        let driver = Text::whole(PROGRAM.to_owned(), span);
        let trace = table.get("trace").is_some_and(|value| match value.get_ref() {
            DeValue::Boolean(trace) => *trace,
            _ => {
                self.wrong_type(value, "actors.NAME.trace");
                false
            }
        });
        let by = by.and_then(|(by, streams)| Some((by?, streams)));
        let program = Program { words, is_line, streams, by, env, files, folder: folder.to_owned(), trace };
        (self.problems.len() == before).then(|| Actor {
            name: name.clone(),
            pieces: self.pieces(&driver).unwrap_or_default(),
            driver,
            program: Some(program),
        })
    }

    /// The streams of a program that another actor starts.
    fn stdio(&mut self, table: &DeTable<'i>) -> [Stdio; 3] {
        let mut streams = [Stdio::Inherit; 3];
        for ((key, ..), stream) in STREAMS.iter().zip(&mut streams) {
            let Some(value) = table.get(*key) else { continue };
            let Some(text) = self.text(value, &format!("actors.NAME.{key}")) else { continue };
            match Stdio::named(&text.value) {
                Some(Stdio::Pipe) => *stream = Stdio::Pipe,
                Some(Stdio::Stdout) if *key == "stderr" => *stream = Stdio::Stdout,
                _ => self.problems.push(
                    Problem::new("stream", format!("`{}` of a program that another actor starts", text.value))
                        .at(text.span.clone(), "not a stream of a child")
                        .help(
                            "a stream is `pipe`, which its maker's runtime makes (`stdout` for `stderr`: the same \
                             way as that), or left out, and then inherited; channels are for programs without `by`",
                        ),
                ),
            }
        }
        if let Some((key, _)) = table.get_key_value("fds") {
            self.problems.push(
                Problem::new("fds", "descriptors of a program that another actor starts")
                    .at(key.span(), "not for a child")
                    .help("its maker's runtime gives it standard input, output and error alone"),
            );
        }
        self.no_nonblock(table);
        streams
    }

    fn filling(&mut self, value: &Value<'i>, path: &str) -> Option<Filling> {
        let text = match value.get_ref() {
            DeValue::Integer(number) => Text::whole(number.to_string(), value.span()),
            _ => self.text(value, path)?,
        };
        let pieces = template::pieces_of_words(&text);
        Some((text, pieces))
    }

    /// `fds = { 3 = "ctl read" }`.
    fn fds(&mut self, table: &DeTable<'i>, streams: &mut Vec<ProgramStream>) {
        let Some(value) = table.get("fds") else { return };
        let DeValue::Table(entries) = value.get_ref() else {
            return self.wrong_type(value, "actors.NAME.fds");
        };
        for (key, value) in entries {
            let Some(text) = self.text(value, "actors.NAME.fds") else { continue };
            let fd = key.get_ref().parse().ok().filter(|fd| (0..=LAST_FD).contains(fd));
            let (channel, side) = text.value.split_once(' ').unwrap_or((&text.value, ""));
            let access = [Access::Read, Access::Write, Access::Both]
                .into_iter()
                .find(|access| access.name() == side.trim());
            let (Some(fd), Some(access)) = (fd, access) else {
                self.problems.push(
                    Problem::new("fds", "not a descriptor of a program")
                        .at(key.span(), format!("a number up to {LAST_FD}"))
                        .at(text.span.clone(), "a channel and `read`, `write` or `both`")
                        .help("for example `fds = { 3 = \"ctl read\" }`"),
                );
                continue;
            };
            let channel = Text::literal(channel, self.file, text.span.clone());
            streams.push(ProgramStream { fd, access, channel, nonblock: false });
        }
    }

    fn env(&mut self, table: &DeTable<'i>) -> Vec<(String, Filling)> {
        let Some(value) = table.get("env") else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(value, "actors.NAME.env");
            return Vec::new();
        };
        let entry = |(key, value): (&super::document::Key<'i>, &Value<'i>)| {
            Some((key.get_ref().to_string(), self.filling(value, "actors.NAME.env")?))
        };
        entries.iter().filter_map(entry).collect()
    }

    /// `files = { "log.py" = "path" }`, paths from the scenario's folder.
    fn files(&mut self, table: &DeTable<'i>, folder: &Path) -> Vec<(String, PathBuf)> {
        let Some(value) = table.get("files") else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(value, "actors.NAME.files");
            return Vec::new();
        };
        let mut files = Vec::new();
        for (key, value) in entries {
            let Some(path) = self.text(value, "actors.NAME.files") else { continue };
            let whole = folder.join(&path.value);
            let whole = std::path::absolute(&whole).unwrap_or(whole);
            let name = key.get_ref();
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                self.problems.push(
                    Problem::new("name", format!("`{name}` can't be the name of a file of the case"))
                        .at(key.span(), "not a name")
                        .help("a name without `/`, which the program finds in its folder"),
                );
            } else if !whole.is_file() {
                self.problems.push(
                    Problem::new("file", format!("there is no file `{}`", path.value))
                        .at(path.span.clone(), "no such file")
                        .help(format!("paths are looked for from {}", folder.display())),
                );
            } else {
                files.push((name.to_string(), whole));
            }
        }
        files
    }
}

fn no_command(actor: &str) -> Problem {
    Problem::new("empty", format!("the program `{actor}` has no command"))
        .help("name a program, for example `command = [\"cat\"]`")
}

impl Program {
    /// The program and its arguments in a case.
    fn filled(&self, scope: &Scope<'_>) -> Vec<String> {
        let words = self.words.iter().map(|(text, pieces)| fill_words(text, pieces, scope));
        match self.is_line {
            true => {
                words.flat_map(|line| Vec::from_iter(line.split_whitespace().map(str::to_owned))).collect()
            }
            false => words.collect(),
        }
    }

    /// The mistake if its parameters leave nothing to run.
    pub(super) fn check(&self, actor: &str, scope: &Scope<'_>) -> Result<(), Problem> {
        match self.filled(scope).first().is_some_and(|word| !word.trim().is_empty()) {
            true => Ok(()),
            false => Err(no_command(actor).at(self.words[0].0.span.clone(), "nothing is left of it to run")),
        }
    }

    /// What is run in a case, of which [`Program::check`] has seen that it is something; or why it can't be, here.
    pub fn runtime(
        &self,
        channels: &[Channel],
        surroundings: &Surroundings,
        scope: &Scope<'_>,
        machine: &Machine<'_>,
    ) -> Result<Runtime, Skip> {
        let fill = |(text, pieces): &Filling| fill_words(text, pieces, scope);
        let mut args = self.filled(scope);
        let mut env: BTreeMap<String, String> = environment().into_iter().collect();
        env.extend(self.env.iter().map(|(name, value)| (name.clone(), fill(value))));
        let mut env = Vec::from_iter(env);
        let program = args[0].clone();
        if program == OWN {
            let ignores =
                if surroundings.setting.sigpipe == Sigpipe::Ignore { cli::IGNORES } else { "default" };
            env.push((cli::TOOL_VARIABLE.to_owned(), ignores.to_owned()));
        }
        for word in &mut args {
            // Those of the scenario; any other word stays as it is.
            let path = self.folder.join(&*word);
            if word.contains('/') && !word.starts_with('/') && path.is_file() {
                *word = std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned();
            }
        }
        let (mut path, key) = locate(&program, &args[0], &env, machine)?;
        if program.contains('@') {
            // No name of a program: an interpreter finds itself by this word.
            args[0].clone_from(&path);
        }
        let links = self.files.iter().map(|(name, path)| (name.clone(), path.to_string_lossy().into_owned()));
        let runtime = |launch: Launch| Runtime {
            driver: PROGRAM.to_owned(),
            version: String::new(),
            full_version: String::new(),
            snapshot_key: key,
            launch: launch.into(),
            symbols: BTreeMap::new(),
        };
        if let Some((_, streams)) = self.by {
            if program == OWN {
                // Its maker is another program than this.
                let own = std::env::current_exe().map_err(|error| Skip {
                    reason: format!("this program isn't where it was: {error}"),
                    remedy: "install it again".to_owned(),
                })?;
                path = own.to_string_lossy().into_owned();
            }
            args[0] = path;
            let env = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            return Ok(runtime(Launch::Child(ChildLine {
                words: args,
                env,
                streams,
                files: links.collect(),
            })));
        }
        let capacities = &surroundings.capacities;
        let size = |channel: &str| {
            let at = channels.iter().position(|known| known.name.value == channel)?;
            capacities.get(at).copied().flatten()
        };
        let streams = self.streams.iter().map(|stream| Stream {
            fd: stream.fd,
            channel: stream.channel.value.clone(),
            access: stream.access,
            capacity: size(&stream.channel.value),
            nonblock: stream.nonblock,
        });
        Ok(runtime(Launch::Command(CommandLine {
            path,
            args,
            env,
            streams: streams.collect(),
            files: links.collect(),
            trace: self.trace,
        })))
    }
}

/// Where a program is, and what stands for it in a snapshot's name. `python@3.12` is the
/// interpreter of the driver of that name.
fn locate(
    program: &str,
    found: &str,
    env: &[(String, String)],
    machine: &Machine<'_>,
) -> Result<(String, Option<String>), Skip> {
    // What is part of this binary is the same everywhere.
    if program == OWN {
        return Ok((SELF.to_owned(), None));
    }
    let versioned = |spec: &Spec| DriverInfo::named(&spec.driver).is_some_and(|info| info.versioned);
    if let Some(spec) = Spec::parse(program).ok().filter(|spec| program.contains('@') && versioned(spec)) {
        return match machine.catalog.find(&spec.driver, &spec.version).last() {
            Some(Runtime { launch, snapshot_key, .. }) => match &**launch {
                Launch::Program { command, .. } => Ok((command[0].clone(), snapshot_key.clone())),
                _ => unreachable!("what comes in versions is no part of this binary"),
            },
            None => Err(Skip {
                reason: format!("{program} isn't on this machine"),
                remedy: "see what `pipelab drivers` finds, or choose another version".to_owned(),
            }),
        };
    }
    let name = Path::new(program).file_name().map(|name| name.to_string_lossy().into_owned());
    if found.starts_with("./") {
        // In the case's folder, where a step may have put it.
        return Ok((found.to_owned(), name));
    }
    let path = env.iter().find(|(name, _)| name == "PATH").map_or("/usr/bin:/bin", |(_, path)| path);
    let path = match python::program_named(found, path) {
        Some(path) => Ok(path.to_string_lossy().into_owned()),
        None => stage::find(found, env),
    };
    let path = path
        .map_err(|reason| Skip { reason, remedy: format!("install `{program}`, or name another program") })?;
    Ok((path, name))
}

/// The same for a text that hasn't been parted.
pub(super) fn fill(text: &Text, scope: &Scope<'_>) -> String {
    fill_words(text, &template::pieces_of_words(text), scope)
}

/// A word with its parameters put in: a parameter's text as it is, an expression's number.
fn fill_words(text: &Text, pieces: &[Piece], scope: &Scope<'_>) -> String {
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(range) => filled.push_str(&text.value[range.clone()]),
            Piece::Hole { whole, inner } => {
                let name = &text.value[inner.clone()];
                let place = |part: std::ops::Range<usize>| {
                    text.place(inner.start + part.start..inner.start + part.end)
                };
                let number = || {
                    let expr = Expr::parse(name, &place).ok()?;
                    expr.value(&|name, span| scope.lookup(name, span)).ok().flatten()
                };
                match (scope.text(name), number()) {
                    (Some(value), None) => filled.push_str(&value.value),
                    (_, Some(number)) => filled.push_str(&number.to_string()),
                    (None, None) => filled.push_str(&text.value[whole.clone()]),
                }
            }
        }
    }
    filled
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
