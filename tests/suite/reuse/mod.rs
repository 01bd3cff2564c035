//! History has no say: whatever a process has played before, a case's record is the
//! one that fresh processes give.

mod leaks;
mod objects;
pub mod suite;
mod who;

use std::{collections::BTreeSet, fs, sync::Arc};

use pipelab::{
    driver::{Catalog, Version},
    outcome::{Ledger, Transcript},
    stage::{Handle, Launch, Options, Plan},
};

use crate::support::{Script, forking, options};

/// A stage, and a view of its actors.
struct Watched {
    stage: Handle,
    pid: i32,
    /// The stage's fork server.
    server: BTreeSet<i32>,
}

impl Watched {
    fn start(options: &Options) -> Watched {
        let before = children("thread-self");
        let stage = {
            let _forking = forking();
            Handle::start(options).expect("the stage starts")
        };
        let started: Vec<i32> = children("thread-self").difference(&before).copied().collect();
        let [keeper] = started[..] else { panic!("one keeper, not {started:?}") };
        let stages: Vec<i32> = children(&keeper.to_string()).into_iter().collect();
        let [pid] = stages[..] else { panic!("one stage, not {stages:?}") };
        let server = children(&pid.to_string());
        assert_eq!(server.len(), 1, "the fork server");
        Watched { stage, pid, server }
    }

    /// The processes that wait for another case.
    fn idle(&self) -> BTreeSet<i32> {
        children(&self.pid.to_string()).difference(&self.server).copied().collect()
    }

    /// Those of them that are programs of this name.
    fn idle_programs(&self, name: &str) -> BTreeSet<i32> {
        let is = |pid: &i32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.starts_with(name))
        };
        self.idle().into_iter().filter(is).collect()
    }
}

/// The children of a process with one thread, or of this thread.
fn children(process: &str) -> BTreeSet<i32> {
    let task = if process == "thread-self" { String::new() } else { format!("/task/{process}") };
    let list = fs::read_to_string(format!("/proc/{process}{task}/children")).expect("a list of children");
    list.split_ascii_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

/// The newest Python here, with its environment.
fn python() -> Option<(String, Vec<(String, String)>)> {
    let _forking = forking();
    let found =
        Catalog::discover(&["python"], &Default::default()).find("python", &Version::Newest).pop().cloned();
    match found.as_ref().map(|runtime| &*runtime.launch) {
        Some(Launch::Program { command, env, .. }) => Some((command[0].clone(), env.clone())),
        _ => {
            eprintln!("SKIPPED: no Python");
            None
        }
    }
}

/// A case with a reader beside the writer, which is this program.
fn case(launch: &Launch, script: impl FnOnce(Script) -> Script) -> Plan {
    let mut plan = script(Script::new().actor("reader", "raw").actor("writer", "raw")).plan();
    Arc::make_mut(&mut plan.actors)[1].launch = launch.clone().into();
    plan
}

/// A transcript, and what became of bytes.
fn record(plan: &Plan, transcript: &Transcript) -> String {
    let ledgers = Ledger::of(plan, transcript);
    format!("{} {ledgers:?}", serde_json::to_string(transcript).expect("JSON"))
}

/// What fresh processes make of the case.
fn fresh(plan: &Plan) -> String {
    let mut watched = Watched::start(&Options { fresh: true, ..options() });
    record(plan, &watched.stage.play(plan).expect("it plays"))
}
