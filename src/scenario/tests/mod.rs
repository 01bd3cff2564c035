//! The scenario language, from outside.

mod cases;
mod children;
mod docs;
mod expectations;
mod expressions;
mod faults;
mod handles;
mod kept;
mod mistakes;
mod no_panics;
mod nonblock;
mod programs;
mod rendering;
mod setting;
mod starts;
mod threads;
mod together;
mod wanted;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use proptest::prelude::ProptestConfig;

use super::{Case, Overrides, Problem, Problems, Scenario, Symbols};
use crate::{
    driver::{Catalog, Missing, Runtime},
    stage::Launch,
};

/// The sketch of the design, word for word.
pub(super) const SKETCH: &str = r#"about  = "The reader leaves, the writer writes on, a reader comes back"
source = "Python 3 BrokenPipeError woes, 2018"

[params]
n      = [1, "blksize", "blksize+1", "2*blksize", "2*blksize+1"]
writer = ["python:text", "python:binary"]      # a driver and its mode

[channels]
log = "fifo"                                   # or { kind = "pipe", capacity = "8 KiB" }

[actors]
reader = "raw"
writer = "{writer}"

script = '''
reader  open log read
writer  open log write
reader  close log
writer  write log {n}
writer  flush log            unless failed
reader  open log read
writer  close log
reader  read log to-eof
'''

[expect]
lost = 0                                       # or an expression over n and the symbols
"#;

pub(super) const SYMBOLS: Symbols =
    Symbols { page: 4096, pipe_buf: 4096, blksize: 4096, capacity: 65536, largest_pipe: 1 << 20, qlen: 10 };

fn runtime(driver: &str, version: &str, key: Option<&str>, symbols: &[(&str, u64)]) -> Runtime {
    Runtime {
        driver: driver.to_owned(),
        version: version.to_owned(),
        full_version: format!("{driver} {version}"),
        snapshot_key: key.map(str::to_owned),
        launch: match version {
            "" => Launch::BuiltIn(driver.to_owned()),
            _ => Launch::Program {
                command: vec![format!("/usr/bin/{driver}{version}")],
                env: Vec::new(),
                pinned: false,
            },
        }
        .into(),
        symbols: symbols.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect::<BTreeMap<_, _>>(),
    }
}

/// A machine with all built-in drivers, Python 3.8 and 3.13, and no 3.6.
pub(super) fn catalog() -> Catalog {
    Catalog {
        runtimes: vec![
            runtime("raw", "", None, &[]),
            runtime("stdio", "", Some("stdio-glibc"), &[("bufsiz", 4096)]),
            runtime("rust", "", Some("rust"), &[("buffer", 8192)]),
            runtime("python", "3.8", Some("python-3.8"), &[("buffer", 8192), ("chunk", 8192)]),
            runtime("python", "3.13", Some("python-3.13"), &[("buffer", 131_072), ("chunk", 8192)]),
        ],
        missing: vec![Missing {
            driver: "python".to_owned(),
            what: "/usr/bin/python3.6 doesn't run the driver".to_owned(),
            remedy: "reinstall it".to_owned(),
        }],
    }
}

pub(super) fn parse(text: &str) -> Result<Scenario, Problems> {
    Scenario::parse("test", Path::new("dir/test.toml"), text)
}

/// All cases of a scenario on a machine.
pub(super) fn bind(
    scenario: &Scenario,
    catalog: &Catalog,
    overrides: &Overrides,
) -> Result<Vec<Case>, Problems> {
    let cases = Arc::new(scenario.clone()).cases(&SYMBOLS, &Arc::new(catalog.clone()), overrides)?;
    Ok(cases.iter().collect())
}

/// All cases of a scenario without mistakes.
pub(super) fn cases_of(text: &str) -> Vec<Case> {
    cases_with(text, &Overrides::default())
}

pub(super) fn cases_with(text: &str, overrides: &Overrides) -> Vec<Case> {
    let scenario = parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    bind(&scenario, &catalog(), overrides).unwrap_or_else(|problems| panic!("{problems}"))
}

/// All mistakes of a scenario, from reading it or else from binding it.
pub(super) fn mistakes_of(text: &str) -> Problems {
    match parse(text) {
        Err(problems) => problems,
        Ok(scenario) => match bind(&scenario, &catalog(), &Overrides::default()) {
            Err(problems) => problems,
            Ok(_) => panic!("no mistake found in:\n{text}"),
        },
    }
}

/// The only mistake of a scenario.
pub(super) fn mistake_of(text: &str) -> (Problem, (usize, usize)) {
    let problems = mistakes_of(text);
    assert_eq!(problems.list.len(), 1, "not one mistake:\n{problems}");
    let position = problems.position(&problems.list[0]);
    (problems.list[0].clone(), position)
}

/// A scenario with one channel `log`, the actors `r` (raw) and `w` (`driver`),
/// and this script, whose first line is the file's line 9.
pub(super) fn with_script(driver: &str, script: &str) -> String {
    let head = format!("[channels]\nlog = \"fifo\"\n\n[actors]\nr = \"raw\"\nw = \"{driver}\"\n");
    format!("{head}\nscript = '''\n{script}\n'''\n")
}

/// At least so many trials, more with `PROPTEST_CASES`; what fails is shown, and
/// becomes a test of its own instead of a file.
pub(super) fn trials(least: u32) -> ProptestConfig {
    let cases = ProptestConfig::default().cases.max(least);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
