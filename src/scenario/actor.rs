//! From an actor's spec to the driver, mode and runtime that play it.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Scenario,
    case::{Machine, Skip},
    expr::Expr,
    parts::Actor,
    problem::Problem,
    program::PROGRAM,
    suggest::{nearest, way_out},
    symbols::Scope,
    template::Filled,
    words::MAX_SIZE,
};
use crate::{
    driver::{DRIVERS, DriverInfo, LAYERS, ModeInfo, Runtime, Spec, Version, environment, python},
    stage::Launch,
};

/// An actor whose spec was read, in one case.
#[derive(Clone, Debug)]
pub(super) struct BoundActor {
    pub spec: Spec,
    /// `None` for a driver program of the user's own.
    pub info: Option<&'static DriverInfo>,
    pub mode: Option<&'static ModeInfo>,
    /// Its version is one of those that `@all` stands for, so it makes the case.
    pub every_version: bool,
    filled: Filled,
    /// The `buffer=` expression in `filled`.
    buffer: Option<Range<usize>>,
}

impl BoundActor {
    /// Reads an actor's spec, parameters put in.
    pub fn read(scenario: &Scenario, actor: &Actor, scope: &Scope<'_>) -> Result<BoundActor, Problem> {
        let filled = Filled::fill(&actor.driver, &actor.pieces, Some("buffer="), &|name| scope.text(name));
        let text = filled.text.as_str();
        let spec = Spec::parse(text).map_err(|error| {
            Problem::new("spec", format!("`{text}` isn't a driver: {}", error.message))
                .at_place(&filled.place(error.span), "here")
                .help(
                    "the form is `driver[@version][:mode[,buffer=SIZE][,layers]]`, such as `python:text,buffer=8192`",
                )
        })?;
        let driver = 0..spec.driver.len();
        let info = DriverInfo::named(&spec.driver);
        let custom = scenario.declared.drivers.contains(&spec.driver);
        if spec.driver == PROGRAM && actor.program.is_none() {
            return Err(Problem::new("driver", "a program without its command")
                .at_place(&filled.place(driver), "which program?")
                .help("write `{ command = [\"cat\"], stdin = \"CHANNEL\" }`"));
        }
        if info.is_none() && !custom {
            let own = scenario.drivers.iter().map(|driver| driver.name.value.as_str());
            return Err(Problem::new("driver", format!("no driver is called `{}`", spec.driver))
                .at_place(&filled.place(driver), "unknown driver")
                .help(way_out(&spec.driver, "driver", DRIVERS.iter().map(|info| info.name).chain(own))));
        }
        if spec.version != Version::Newest && !info.is_some_and(|info| info.versioned) {
            let head = text.find(':').unwrap_or(text.len());
            return Err(Problem::new("version", format!("`{}` comes in no versions", spec.driver))
                .at_place(&filled.place(driver.end..head), "no version here")
                .help(format!("write `{}` alone", spec.driver)));
        }
        let mode_at = text.find(':').map_or(text.len(), |colon| colon + 1);
        let mode = match (info, &spec.mode) {
            (None, _) => None,
            (Some(info), None) => info.modes.first(),
            (Some(info), Some(name)) => Some(info.mode(name).ok_or_else(|| {
                Problem::new("mode", format!("`{}` has no mode `{name}`", info.name))
                    .at_place(&filled.place(mode_at..mode_at + name.len()), "unknown mode")
                    .help(way_out(name, "mode", info.modes.iter().map(|mode| mode.name)))
            })?),
        };
        let buffer = buffer_range(text, mode_at);
        if let (Some(info), Some(mode), Some(buffer)) = (info, mode, &buffer)
            && !mode.takes_buffer
        {
            let others: Vec<&str> =
                info.modes.iter().filter(|mode| mode.takes_buffer).map(|mode| mode.name).collect();
            return Err(Problem::new("buffer", format!("`{}:{}` takes no `buffer`", info.name, mode.name))
                .at_place(&filled.place(buffer.start - "buffer=".len()..buffer.end), "not in this mode")
                .help(match nearest(mode.name, others.iter().copied()).or(others.first().copied()) {
                    Some(other) => format!("a mode that takes it: `{other}`"),
                    None => format!("leave it out: no mode of `{}` has a buffer", info.name),
                }));
        }
        if let (true, Some(info), Some(mode)) = (spec.layers, info, mode)
            && mode.layers.is_empty()
        {
            let others: Vec<&str> =
                info.modes.iter().filter(|mode| !mode.layers.is_empty()).map(|mode| mode.name).collect();
            return Err(Problem::new(
                "layers",
                format!("`{}:{}` has no layers to show", info.name, mode.name),
            )
            .at_place(&filled.place(layers_range(text, mode_at)), "not in this mode")
            .help(match nearest(mode.name, others.iter().copied()).or(others.first().copied()) {
                Some(other) => format!("a mode that shows them: `{other}`"),
                None => format!("leave it out: no mode of `{}` holds bytes back", info.name),
            }));
        }
        Ok(BoundActor { spec, info, mode, every_version: false, filled, buffer })
    }

    /// The words of the mode, for the driver: its name, `layers`, the buffer's size.
    pub fn mode_words(&self, scope: &Scope<'_>) -> Result<Vec<String>, Problem> {
        let name = self.mode.map(|mode| mode.name.to_owned()).or_else(|| self.spec.mode.clone());
        let mut words = Vec::from_iter(name);
        words.extend(self.spec.layers.then(|| LAYERS.to_owned()));
        let Some(range) = self.buffer.clone() else { return Ok(words) };
        let start = range.start;
        let place = |part: Range<usize>| self.filled.place(start + part.start..start + part.end).span;
        let expr = Expr::parse(&self.filled.text[range.clone()], &place)?;
        if let Some(value) = expr.value(&|name, span| scope.lookup(name, span))? {
            if !(1..=i128::from(MAX_SIZE)).contains(&value) {
                return Err(Problem::new("size", format!("a buffer of {value} bytes"))
                    .at_place(&self.filled.place(range), "not a buffer's size")
                    .help("a buffer has between 1 byte and 256 MiB"));
            }
            words.push(format!("buffer={value}"));
        }
        Ok(words)
    }

    /// The same with one of all versions.
    pub fn with_version(&self, version: &str) -> BoundActor {
        let version = if version.starts_with('/') {
            Version::Path(version.to_owned())
        } else {
            Version::Named(version.to_owned())
        };
        BoundActor { spec: Spec { version, ..self.spec.clone() }, every_version: true, ..self.clone() }
    }

    /// The runtime that plays it on this machine, or why there is none.
    pub fn runtime(&self, scenario: &Scenario, machine: &Machine<'_>) -> Result<Runtime, Skip> {
        let mut known = machine.catalog.runtimes.iter().filter(|runtime| runtime.driver == self.spec.driver);
        if let Some(own) = scenario.drivers.iter().find(|driver| driver.name.value == self.spec.driver) {
            return Ok(Runtime {
                driver: own.name.value.clone(),
                version: String::new(),
                full_version: String::new(),
                snapshot_key: Some(format!("custom-{}", own.name.value)),
                launch: Launch::Program { command: own.command.clone(), env: environment(), pinned: false }
                    .into(),
                symbols: known.next().map_or_else(BTreeMap::new, |runtime| runtime.symbols.clone()),
            });
        }
        let runtime = match &self.spec.version {
            Version::Newest | Version::All => known.rfind(|runtime| found_by_search(runtime)),
            Version::Named(version) => known.find(|runtime| runtime.version == *version),
            Version::Path(path) => known.find(|runtime| match &*runtime.launch {
                Launch::Program { command, .. } => runtime.version == *path || command.first() == Some(path),
                Launch::BuiltIn(_) | Launch::Command(_) | Launch::Child(_) => false,
            }),
        };
        runtime.cloned().ok_or_else(|| self.missing(machine))
    }

    fn missing(&self, machine: &Machine<'_>) -> Skip {
        let driver = &self.spec.driver;
        let wanted = match &self.spec.version {
            Version::Newest | Version::All => String::new(),
            Version::Named(version) | Version::Path(version) => version.clone(),
        };
        // PyPy's versions carry its name.
        let named = wanted.starts_with(char::is_alphabetic);
        let what = if named { wanted.clone() } else { format!("{driver} {wanted}").trim_end().to_owned() };
        if driver == python::NAME && python::too_old(&wanted) {
            return Skip {
                reason: format!("{what} is older than what pipelab drives"),
                remedy: "choose CPython 3.6 or later, or PyPy 3".to_owned(),
            };
        }
        let mut known = machine.catalog.missing.iter().filter(|missing| missing.driver == *driver);
        let entry = match wanted.as_str() {
            "" => known.next(),
            wanted => known.clone().find(|missing| names_version(&missing.what, wanted)).or_else(|| {
                // A word about the driver as a whole helps only if nothing of it is here.
                let none = machine.catalog.runtimes.iter().all(|runtime| runtime.driver != *driver);
                known.next().filter(|_| none)
            }),
        };
        match entry {
            Some(entry) => Skip {
                reason: format!("{what} can't be used here: {}", entry.what),
                remedy: entry.remedy.clone(),
            },
            None => Skip {
                reason: format!("{what} isn't on this machine"),
                remedy: match &self.spec.version {
                    Version::Path(_) => "see whether the path is right".to_owned(),
                    _ if driver == python::NAME => format!(
                        "install it with your package manager or `pyenv install {wanted}`, or choose another version"
                    ),
                    _ => format!("install {what}, or choose another version"),
                },
            },
        }
    }
}

/// The last `buffer=` expression of a spec whose mode starts at `start`.
fn buffer_range(text: &str, start: usize) -> Option<Range<usize>> {
    let (mut at, mut found) = (start, None);
    for word in text[start..].split(',') {
        if let Some(size) = word.strip_prefix("buffer=") {
            found = Some(at + word.len() - size.len()..at + word.len());
        }
        at += word.len() + 1;
    }
    found
}

/// The option `layers` of a spec whose mode starts at `start`, and says it.
fn layers_range(text: &str, start: usize) -> Range<usize> {
    let mut at = start;
    for (index, word) in text[start..].split(',').enumerate() {
        if index > 0 && word == LAYERS {
            break;
        }
        at += word.len() + 1;
    }
    at.min(text.len())..(at + LAYERS.len()).min(text.len())
}

/// `3.1` is named by `python 3.1`, and not by `python 3.13`.
fn names_version(what: &str, version: &str) -> bool {
    what.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '/' | '-' | '_'))).any(|word| {
        word == version
            || word
                .strip_suffix(version)
                .is_some_and(|head| head.ends_with(|c: char| !c.is_numeric() && c != '.'))
    })
}

/// Not one that another actor asked for by its path.
fn found_by_search(runtime: &Runtime) -> bool {
    !runtime.version.starts_with('/')
}

/// What `@all` of a driver stands for: the versions found, and after them those
/// that were recorded and aren't here.
pub(super) fn all_versions(driver: &str, machine: &Machine<'_>) -> Vec<String> {
    let found = machine
        .catalog
        .runtimes
        .iter()
        .filter(|runtime| runtime.driver == driver && found_by_search(runtime));
    let mut versions: Vec<String> = found.map(|runtime| runtime.version.clone()).collect();
    for (recorded, version) in machine.recorded {
        if recorded == driver && !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    versions
}
