//! Which Pythons this machine has.
//!
//! Rules, in order:
//!
//! 1. The folders of `PATH` are searched in their order, for `python3`,
//!    `python3.N`, `pypy3` and `pypy3.N`. Scripts under these names are passed
//!    over: they are wrappers, and what they lead to is found where it lives.
//! 2. pyenv's `shims` folder holds nothing but such scripts, and stands for the
//!    `bin` folders of all versions that pyenv has installed. If it isn't on
//!    `PATH`, they come last.
//! 3. Each program found, whatever the number of its names, is started once and
//!    asked for its version and sizes. CPython and languages older than 3.6 are
//!    left out without a word; what doesn't answer is listed as missing.
//! 4. Of several with the same X.Y the first place wins, since that is the one
//!    the user's own `python3.N` runs; within pyenv the newest patch release.

mod identity;
mod search;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use identity::Identity;
pub use identity::version_of_key;
use search::{Candidate, candidates};

use super::{Missing, Runtime, Started, environment, folder::is_script};
use crate::{stage::Launch, wire::Hello};

/// The driver's name.
pub const NAME: &str = "python";

/// The driver, in Python.
pub const SOURCE: &str = include_str!("python_driver.py");

/// The oldest language version that the driver runs on.
const OLDEST: (u32, u32) = (3, 6);

/// The command that runs the driver, without the words of a mode: isolated from
/// the user's variables and folders (`-I`), without site-packages (`-S`), and
/// leaving no byte code behind (`-B`).
pub fn command(program: &Path) -> Vec<String> {
    let program = program.to_string_lossy().into_owned();
    [&program, "-I", "-S", "-B", "-c", SOURCE].map(str::to_owned).to_vec()
}

/// A version after `@` that names a Python before 3.6.
pub fn too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < OLDEST)
}

/// All Pythons on `PATH` and in pyenv's folder, older ones first and CPython
/// last, so that the last is the newest CPython; and those that don't work.
pub fn discover() -> (Vec<Runtime>, Vec<Missing>) {
    choose(ask_all(candidates(std::env::var_os("PATH").as_deref(), pyenv().as_deref())))
}

/// pyenv's folder.
fn pyenv() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    std::env::var_os("PYENV_ROOT").map(PathBuf::from).or(home.map(|home| home.join(".pyenv")))
}

/// The program of a Python by its name, also of one that no driver runs on (`python2.7`):
/// itself, and no wrapper.
pub fn program_named(name: &str, path: &str) -> Option<PathBuf> {
    let is_python = name.starts_with("python") && !name.contains('/');
    is_python.then(|| search::named(name, path, pyenv().as_deref())).flatten()
}

/// The Pythons given by path (`python@/opt/python/bin/python3`), which keep the
/// path as their version's name.
pub fn given(paths: &[PathBuf]) -> (Vec<Runtime>, Vec<Missing>) {
    let candidates = paths.iter().map(|path| Candidate { path: path.clone(), place: 0 }).collect();
    let (mut runtimes, mut missing) = (Vec::new(), Vec::new());
    for answer in ask_all(candidates) {
        let path = answer.candidate.path.display().to_string();
        let checked = answer.found.and_then(|found| {
            let identity = &found.identity;
            if identity.language < OLDEST {
                return Err(format!("{} is older than Python 3.6", identity.full_version()));
            }
            Ok(found.runtime(path.clone()))
        });
        match checked {
            Ok(runtime) => runtimes.push(runtime),
            Err(reason) => missing.push(broken(&path, &reason)),
        }
    }
    (runtimes, missing)
}

/// What to say where there is no Python at all.
pub fn none() -> Missing {
    Missing {
        driver: NAME.to_owned(),
        what: "no CPython 3.6 or later on PATH or in pyenv's versions folder".to_owned(),
        remedy: "install python3 with your package manager, or `pyenv install 3.13`, \
                 or give one by path: python@/path/to/python3"
            .to_owned(),
    }
}

fn broken(path: &str, reason: &str) -> Missing {
    Missing {
        driver: NAME.to_owned(),
        what: format!("{path} doesn't run the driver: {reason}"),
        remedy: format!("see what `{path} -I -S -c pass` says; repair, reinstall or remove it"),
    }
}

/// What a candidate answered.
struct Answer {
    candidate: Candidate,
    found: Result<Found, String>,
}

struct Found {
    /// The interpreter itself, where the candidate was a wrapper.
    program: PathBuf,
    identity: Identity,
    greeting: Hello,
}

impl Found {
    fn runtime(self, version: String) -> Runtime {
        Runtime {
            driver: NAME.to_owned(),
            version,
            full_version: self.identity.full_version(),
            snapshot_key: Some(self.identity.snapshot_key()),
            launch: Launch::Program { command: command(&self.program), env: environment(), pinned: true }
                .into(),
            symbols: self.greeting.symbols.into_iter().collect(),
        }
    }
}

/// Programs asked at once. Each takes 10 to 50 ms, most of it in the program loader
/// and the interpreter's start-up, and a handful of descriptors here.
const ASKED_AT_ONCE: usize = 4;

fn ask_all(candidates: Vec<Candidate>) -> Vec<Answer> {
    let queue = Mutex::new(candidates.into_iter());
    let next = || queue.lock().expect("asking doesn't panic").next();
    let work = || -> Vec<Answer> {
        std::iter::from_fn(next).map(|candidate| Answer { found: ask(&candidate.path), candidate }).collect()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..ASKED_AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("asking doesn't panic")).collect()
    })
}

fn ask(path: &Path) -> Result<Found, String> {
    let started = Started::new(&command(path), &[])?;
    let identity = Identity::of(&started.greeting)
        .ok_or_else(|| format!("no version in its greeting: {:?}", started.greeting))?;
    // A wrapper would cost its own start each time, and might not give way to
    // the interpreter but wait for it, so that the stage watches the wrong process.
    let program =
        if is_script(path) { started.program().map_err(|error| error.to_string())? } else { path.to_owned() };
    Ok(Found { program, identity, greeting: started.greeting.clone() })
}

/// Rules 3 and 4.
fn choose(answers: Vec<Answer>) -> (Vec<Runtime>, Vec<Missing>) {
    let (mut good, mut missing) = (Vec::new(), Vec::new());
    for Answer { candidate, found } in answers {
        match found {
            Ok(found) if found.identity.language < OLDEST => {}
            Ok(found) => good.push((candidate.place, found)),
            Err(reason) => missing.push(broken(&candidate.path.display().to_string(), &reason)),
        }
    }
    good.sort_by(|(place, found), (other_place, other)| {
        let version =
            |identity: &Identity| (identity.is_cpython, identity.implementation.clone(), identity.language);
        version(&found.identity)
            .cmp(&version(&other.identity))
            .then(place.cmp(other_place))
            .then(other.identity.release.cmp(&found.identity.release))
    });
    good.dedup_by_key(|(_, found)| found.identity.version());
    let runtimes = good
        .into_iter()
        .map(|(_, found)| {
            let version = found.identity.version();
            found.runtime(version)
        })
        .collect();
    (runtimes, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program at this place would have answered.
    fn answer(place: usize, path: &str, greeting: &str) -> Answer {
        let candidate = Candidate { path: path.into(), place };
        let found = Hello::decode(greeting).map_err(|error| error.to_string()).map(|greeting| Found {
            program: path.into(),
            identity: Identity::of(&greeting).unwrap(),
            greeting,
        });
        Answer { candidate, found }
    }

    fn programs(runtimes: &[Runtime]) -> Vec<(&str, &str)> {
        let program = |runtime: &'_ Runtime| match &*runtime.launch {
            Launch::Program { command, .. } => command[0].clone(),
            Launch::BuiltIn(name) => name.clone(),
            Launch::Command(command) => command.path.clone(),
            Launch::Child(child) => child.words[0].clone(),
        };
        runtimes.iter().map(|runtime| (runtime.version.as_str(), &*program(runtime).leak())).collect()
    }

    #[test]
    fn the_first_place_wins_and_in_one_place_the_newest_patch() {
        let (runtimes, missing) = choose(vec![
            answer(0, "/usr/bin/python3.11", "hello 1 cpython 3.11.2"),
            answer(1, "/pyenv/3.11.7", "hello 1 cpython 3.11.7"),
            answer(1, "/pyenv/3.6.9", "hello 1 cpython 3.6.9"),
            answer(1, "/pyenv/3.6.15", "hello 1 cpython 3.6.15"),
        ]);
        assert_eq!(programs(&runtimes), [("3.6", "/pyenv/3.6.15"), ("3.11", "/usr/bin/python3.11")]);
        assert_eq!(missing, []);
    }

    #[test]
    fn the_last_is_the_newest_cpython() {
        let (runtimes, _) = choose(vec![
            answer(0, "/a", "hello 1 cpython 3.13.0"),
            answer(0, "/b", "hello 1 pypy3.10 7.3.12"),
            answer(0, "/c", "hello 1 cpython 3.9.18"),
        ]);
        assert_eq!(programs(&runtimes), [("pypy3.10", "/b"), ("3.9", "/c"), ("3.13", "/a")]);
    }

    #[test]
    fn old_languages_are_left_out_and_broken_programs_named() {
        let (runtimes, missing) = choose(vec![
            answer(0, "/usr/bin/python3", "hello 1 cpython 3.5.3"),
            answer(0, "/opt/python3.9", "Hello, world"),
        ]);
        assert_eq!(runtimes, []);
        assert_eq!(missing.len(), 1);
        assert!(
            missing[0].what.starts_with("/opt/python3.9 doesn't run the driver: "),
            "{}",
            missing[0].what
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_is_missing_with_the_reason() {
        let (runtimes, missing) = given(&["/nonexistent/python3".into()]);
        assert_eq!(runtimes, []);
        assert!(missing[0].what.contains("/nonexistent/python3"), "{}", missing[0].what);
        assert!(missing[0].what.contains("No such file"), "{}", missing[0].what);
    }

    #[test]
    fn a_program_that_isnt_a_driver_is_missing_with_its_last_words() {
        let (_, missing) = given(&["/bin/sh".into()]);
        assert_eq!(missing.len(), 1);
        // Every shell has its own words for the option -I that it doesn't know.
        assert!(missing[0].what.contains("/bin/sh"), "{}", missing[0].what);
        assert!(!missing[0].what.contains("no greeting"), "{}", missing[0].what);
    }
}
