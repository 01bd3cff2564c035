//! A folder with scenarios, and the `pipelab` command run in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::output;

/// `scenarios/`, and what runs leave beside it.
pub struct Lab {
    dir: TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status; `None`: ended by a signal.
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Lab {
    pub fn new(scenarios: &[(&str, &str)]) -> Lab {
        let lab = Lab { dir: tempfile::tempdir().expect("a directory") };
        fs::create_dir(lab.path("scenarios")).expect("a directory");
        for (name, text) in scenarios {
            fs::write(lab.path(&format!("scenarios/{name}.toml")), text).expect("a scenario");
        }
        lab
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        command(Path::new(env!("CARGO_BIN_EXE_pipelab")), self.dir.path(), words)
    }

    /// The same with a binary that every user may start, in a folder that everybody may
    /// read.
    pub fn for_everybody(&self, words: &[&str]) -> Command {
        let program = self.path("pipelab");
        copy_program(&program);
        fs::set_permissions(self.path(""), fs::Permissions::from_mode(0o755)).expect("chmod");
        command(&program, self.dir.path(), words)
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        ran(&mut self.command(words))
    }

    /// Records what is seen, and accepts it.
    pub fn record(&self, words: &[&str]) {
        let ran = self.run(&[&["run", "--update"], words].concat());
        assert!(ran.status == Some(4) && ran.err.contains("cargo insta review"), "{ran:?}");
        self.accept();
    }

    /// Accepts what waits for review.
    pub fn accept(&self) {
        assert!(accept(&self.path("snapshots")) > 0);
    }
}

/// Puts the `pipelab` binary here, for every user. By another process: a descriptor that
/// this one has open for writing would be in what another test's thread forks meanwhile,
/// and keep the copy from being executed (ETXTBSY, execve(2)).
pub fn copy_program(to: &Path) {
    let mut install = Command::new("install");
    install.args(["-m", "755", env!("CARGO_BIN_EXE_pipelab")]).arg(to);
    assert!(output(&mut install).expect("coreutils").status.success());
}

pub fn command(program: &Path, dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).args(words).stdin(Stdio::null());
    command
}

pub fn ran(command: &mut Command) -> Ran {
    let output = output(command).expect("pipelab starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ran {
    /// The output without what the run cost, which stands at its end.
    pub fn without_cost(&self) -> &str {
        let end = self.out.trim_end();
        let last = end.rfind('\n').map_or(0, |newline| newline + 1);
        end[last..].find("; ").map_or(end, |cost| &end[..last + cost])
    }

    /// The last line, without what the run cost.
    pub fn result(&self) -> &str {
        self.without_cost().lines().last().unwrap_or_default()
    }

    /// The objects of `--format jsonl`.
    pub fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
    }

    /// The cases' statuses.
    pub fn statuses(&self) -> Vec<String> {
        self.objects().iter().map(|case| case["status"].as_str().expect("a status").to_owned()).collect()
    }
}

/// As `cargo insta accept` does; how many there were.
fn accept(folder: &Path) -> usize {
    let mut accepted = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            accepted += accept(&path);
        } else if path.extension().is_some_and(|extension| extension == "new") {
            fs::rename(&path, path.with_extension("")).expect("renamed");
            accepted += 1;
        }
    }
    accepted
}

/// A program in Python, as the words of a command: the interpreter itself, since what is called
/// `python3` may be a script that looks for one, and calls a lot.
pub fn python(code: &str) -> String {
    let own = output(
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).stdin(Stdio::null()),
    );
    let own = own.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let python = own.map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
    let words = [python.as_deref().unwrap_or("python3"), "-c", &format!("import os, sys\n{code}")];
    serde_json::to_string(&words).expect("words")
}

/// Plays one scenario of one case; its object.
pub fn play(text: &str, words: &[&str]) -> Value {
    let (case, ran) = play_with(text, words);
    assert!(matches!(case["status"].as_str(), Some("ok" | "unrecorded")), "{case:#}\n{}", ran.err);
    case
}

pub fn play_with(text: &str, words: &[&str]) -> (Value, Ran) {
    let lab = Lab::new(&[("it", text)]);
    let ran = lab.run(&[&["run", "--format", "jsonl"], words, &["scenarios"]].concat());
    let mut objects = ran.objects();
    assert_eq!(objects.len(), 1, "{ran:?}");
    (objects.remove(0), ran)
}
