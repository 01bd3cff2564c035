//! Which Node.js this machine has.
//!
//! Rules, in order:
//!
//! 1. The folders of `PATH` are searched in their order, for `node` and `nodejs`, and then those of
//!    nvm's versions. Scripts under these names are passed over, as wrappers.
//! 2. Each program found, whatever the number of its names, is started once and asked for its
//!    version. What is older than 18 is left out without a word; what doesn't answer is listed
//!    as missing.
//! 3. Of several with the same first number the first place wins; within nvm the newest release.

use std::path::{Path, PathBuf};

use super::{
    Missing, Runtime, Started, environment,
    folder::{entries, programs_in},
};
use crate::{stage::Launch, wire::Hello};

/// The driver's name.
pub const NAME: &str = "node";

/// The driver, in JavaScript.
const SOURCE: &str = include_str!("node_driver.js");

/// The oldest version that the driver runs on: what its streams say of themselves (`errored`,
/// `closed`) came with it.
const OLDEST: u32 = 18;

/// The command that runs the driver, without the words of a mode.
pub fn command(program: &Path) -> Vec<String> {
    let program = program.to_string_lossy().into_owned();
    [&program, "-e", SOURCE, "--"].map(str::to_owned).to_vec()
}

/// All on `PATH` and in nvm's folder, older ones first; and those that don't work.
pub fn discover() -> (Vec<Runtime>, Vec<Missing>) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let answers = candidates(&folders, nvm().as_deref()).into_iter().map(|(place, path)| {
        let release = ask(&path);
        Answer { place, path, release }
    });
    choose(answers.collect())
}

/// Those given by path (`node@/opt/node/bin/node`), which keep the path as their version's name.
pub fn given(paths: &[PathBuf]) -> (Vec<Runtime>, Vec<Missing>) {
    let (mut runtimes, mut missing) = (Vec::new(), Vec::new());
    for path in paths {
        match ask(path) {
            Ok(release) if release.major() < OLDEST => {
                missing.push(broken(path, &format!("Node.js {} is older than {OLDEST}", release.text)));
            }
            Ok(release) => runtimes.push(release.runtime(path, path.display().to_string())),
            Err(reason) => missing.push(broken(path, &reason)),
        }
    }
    (runtimes, missing)
}

/// What to say where there is none at all.
pub fn none() -> Missing {
    Missing {
        driver: NAME.to_owned(),
        what: format!("no Node.js {OLDEST} or later on PATH or in nvm's folder"),
        remedy: "install nodejs with your package manager, or `nvm install 20`, or give one by path: \
                 node@/path/to/node"
            .to_owned(),
    }
}

fn broken(path: &Path, reason: &str) -> Missing {
    let path = path.display();
    Missing {
        driver: NAME.to_owned(),
        what: format!("{path} doesn't run the driver: {reason}"),
        remedy: format!("see what `{path} --version` says; repair, reinstall or remove it"),
    }
}

/// The reverse of a snapshot key: what stands after `@`.
pub fn version_of_key(key: &str) -> Option<String> {
    let major = key.strip_prefix("node-")?;
    major.parse::<u32>().ok().map(|_| major.to_owned())
}

/// nvm's folder.
fn nvm() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    std::env::var_os("NVM_DIR").map(PathBuf::from).or(home.map(|home| home.join(".nvm")))
}

/// Rule 1: each program once, with its place in the order of search.
fn candidates(folders: &[PathBuf], nvm: Option<&Path>) -> Vec<(usize, PathBuf)> {
    let versions = nvm.map(|root| entries(&root.join("versions/node"))).unwrap_or_default();
    let last = versions.iter().map(|version| (folders.len(), version.join("bin")));
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    for (place, folder) in folders.iter().cloned().enumerate().chain(last) {
        for path in programs_in(&folder, |name| matches!(name, "node" | "nodejs")) {
            if found.iter().all(|(_, known)| *known != path) {
                found.push((place, path));
            }
        }
    }
    found
}

/// What a candidate answered.
struct Answer {
    place: usize,
    path: PathBuf,
    release: Result<Release, String>,
}

struct Release {
    /// `20.11.1`, as text and as numbers.
    text: String,
    numbers: Vec<u32>,
    greeting: Hello,
}

impl Release {
    fn of(greeting: Hello) -> Option<Release> {
        let text = greeting.version.clone();
        let numbers: Vec<u32> = text.split('.').map_while(|part| part.parse().ok()).collect();
        (greeting.runtime == NAME && !numbers.is_empty()).then_some(Release { text, numbers, greeting })
    }

    fn major(&self) -> u32 {
        self.numbers[0]
    }

    fn runtime(self, path: &Path, version: String) -> Runtime {
        Runtime {
            driver: NAME.to_owned(),
            version,
            full_version: format!("Node.js {}", self.text),
            snapshot_key: Some(format!("node-{}", self.major())),
            launch: Launch::Program { command: command(path), env: environment(), pinned: true }.into(),
            symbols: self.greeting.symbols.into_iter().collect(),
        }
    }
}

fn ask(path: &Path) -> Result<Release, String> {
    let started = Started::new(&command(path), &[])?;
    let greeting = started.greeting.clone();
    Release::of(greeting).ok_or_else(|| format!("it greets as another runtime: {:?}", started.greeting))
}

/// Rules 2 and 3.
fn choose(answers: Vec<Answer>) -> (Vec<Runtime>, Vec<Missing>) {
    let (mut good, mut missing) = (Vec::new(), Vec::new());
    for Answer { place, path, release } in answers {
        match release {
            Ok(release) if release.major() < OLDEST => {}
            Ok(release) => good.push((place, path, release)),
            Err(reason) => missing.push(broken(&path, &reason)),
        }
    }
    good.sort_by(|(place, _, release), (other_place, _, other)| {
        let version = release.major().cmp(&other.major());
        version.then(place.cmp(other_place)).then(other.numbers.cmp(&release.numbers))
    });
    good.dedup_by_key(|(_, _, release)| release.major());
    let runtimes = good.into_iter().map(|(_, path, release)| {
        let version = release.major().to_string();
        release.runtime(&path, version)
    });
    (runtimes.collect(), missing)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn answer(place: usize, path: &str, version: &str) -> Answer {
        let greeting = Hello::decode(&format!("hello 1 node {version}")).unwrap();
        Answer { place, path: path.into(), release: Ok(Release::of(greeting).unwrap()) }
    }

    #[test]
    fn the_first_place_wins_and_within_it_the_newest_release() {
        let (runtimes, missing) = choose(vec![
            answer(0, "/usr/bin/node", "20.1.0"),
            answer(1, "/nvm/20.11/node", "20.11.0"),
            answer(1, "/nvm/22.2/node", "22.2.0"),
            answer(1, "/nvm/22.11/node", "22.11.0"),
            answer(1, "/nvm/16/node", "16.20.2"),
        ]);
        let told: Vec<_> =
            runtimes.iter().map(|found| (found.version.as_str(), found.full_version.as_str())).collect();
        assert_eq!(told, [("20", "Node.js 20.1.0"), ("22", "Node.js 22.11.0")]);
        assert_eq!(missing, []);
    }

    #[test]
    fn a_program_of_two_names_is_one_candidate_and_a_wrapper_none() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().canonicalize().unwrap().join("bin");
        fs::create_dir(&bin).unwrap();
        for (name, text) in [("node", "\x7fELF"), ("wrapped", "#!/bin/sh")] {
            fs::write(bin.join(name), text).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::symlink("node", bin.join("nodejs")).unwrap();
        let other = bin.parent().unwrap().join("other");
        fs::create_dir(&other).unwrap();
        fs::rename(bin.join("wrapped"), other.join("node")).unwrap();
        assert_eq!(candidates(&[other, bin.clone()], None), [(1, bin.join("node"))]);
    }

    #[test]
    fn a_program_that_isnt_node_is_missing_with_the_reason() {
        let (runtimes, missing) = given(&["/nonexistent/node".into()]);
        assert_eq!(runtimes, []);
        assert!(missing[0].what.contains("No such file"), "{}", missing[0].what);
    }

    #[test]
    fn keys_are_told_from_those_of_others() {
        assert_eq!(version_of_key("node-20").as_deref(), Some("20"));
        assert_eq!(version_of_key("node"), None);
        assert_eq!(version_of_key("python-3.6"), None);
    }
}
