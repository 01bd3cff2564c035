//! What is run of a program in a case, and where it is on this machine.

use std::{collections::BTreeMap, path::Path};

use super::{PROGRAM, Program, fill, no_command};
use crate::{
    cli,
    driver::{DriverInfo, Runtime, Spec, environment, python},
    scenario::{
        case::{Machine, Skip},
        parts::Channel,
        problem::Problem,
        setting::Surroundings,
        symbols::Scope,
    },
    setting::Sigpipe,
    stage::{self, ChildLine, CommandLine, Launch, Stream},
};

/// This binary under its own name, whoever runs it, and the path by which it is found.
const OWN: &str = "pipelab";
const SELF: &str = "/proc/self/exe";

/// What a program is in a case, on whatever machine.
pub(in crate::scenario) struct Filled {
    /// It and its arguments.
    words: Vec<String>,
    /// What the scenario adds to its environment.
    env: Vec<(String, String)>,
}

impl Program {
    /// What it is in a case; `actor` is whose program.
    ///
    /// # Errors
    /// A mistake in a `{…}`, or parameters that leave nothing to run.
    pub(in crate::scenario) fn filled(&self, actor: &str, scope: &Scope<'_>) -> Result<Filled, Problem> {
        let words = self.words.iter().map(|word| fill::filled(word, scope));
        let mut words = words.collect::<Result<Vec<String>, Problem>>()?;
        if self.is_line {
            words = words.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect();
        }
        if words.first().is_none_or(|word| word.trim().is_empty()) {
            let place = self.words[0].0.span.clone();
            return Err(no_command(actor).at(place, "nothing is left of it to run"));
        }
        let env = self.env.iter().map(|(name, value)| Ok((name.clone(), fill::filled(value, scope)?)));
        Ok(Filled { words, env: env.collect::<Result<_, Problem>>()? })
    }

    /// What is run in a case, or why it can't be, here.
    pub(in crate::scenario) fn runtime(
        &self,
        filled: Filled,
        channels: &[Channel],
        surroundings: &Surroundings,
        machine: &Machine<'_>,
    ) -> Result<Runtime, Skip> {
        let Filled { words: mut args, env } = filled;
        let program = args[0].clone();
        let env = whole_environment(&program, env, surroundings.setting.sigpipe);
        args.iter_mut().for_each(|word| self.complete(word));
        let (path, snapshot_key) = locate(&program, &args[0], &env, machine)?;
        if program.contains('@') {
            // No name of a program: an interpreter finds itself by this word.
            args[0].clone_from(&path);
        }
        let links = self.files.iter().map(|(name, path)| (name.clone(), path.to_string_lossy().into_owned()));
        let files = links.collect();
        let launch = if let Some((_, streams)) = self.by {
            // Its maker is another program than this.
            args[0] = if program == OWN { own_path()? } else { path };
            let env = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            Launch::Child(ChildLine { words: args, env, streams, files })
        } else {
            let streams = self.leading(channels, &surroundings.capacities);
            Launch::Command(CommandLine { path, args, env, streams, files, trace: self.trace })
        };
        Ok(Runtime {
            driver: PROGRAM.to_owned(),
            version: String::new(),
            full_version: String::new(),
            snapshot_key,
            launch: launch.into(),
            symbols: BTreeMap::new(),
        })
    }

    /// Makes a path of a file of the scenario's absolute; any other word stays as it is.
    fn complete(&self, word: &mut String) {
        let path = self.folder.join(&*word);
        if word.contains('/') && !word.starts_with('/') && path.is_file() {
            *word = std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned();
        }
    }

    /// Its streams, and the sizes of the channels that they lead to: of each of `channels` one.
    fn leading(&self, channels: &[Channel], capacities: &[Option<u64>]) -> Vec<Stream> {
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
        streams.collect()
    }
}

/// The environment in a case: that of any actor, and what the scenario adds.
fn whole_environment(program: &str, added: Vec<(String, String)>, sigpipe: Sigpipe) -> Vec<(String, String)> {
    let mut env: BTreeMap<String, String> = environment().into_iter().collect();
    env.extend(added);
    let mut env = Vec::from_iter(env);
    if program == OWN {
        let ignores = if sigpipe == Sigpipe::Ignore { cli::IGNORES } else { "default" };
        env.push((cli::TOOL_VARIABLE.to_owned(), ignores.to_owned()));
    }
    env
}

/// Where this binary lies.
fn own_path() -> Result<String, Skip> {
    let path = std::env::current_exe().map_err(|error| Skip {
        reason: format!("this program isn't where it was: {error}"),
        remedy: "install it again".to_owned(),
    })?;
    Ok(path.to_string_lossy().into_owned())
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
