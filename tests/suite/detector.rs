//! The detector of blocked actors, against an oracle that isn't itself: the model
//! of the FIFO says from capacities and sizes who must be blocked.

use std::sync::atomic::{AtomicU64, Ordering};

use pipelab::{
    model::{
        Geometry, Rules,
        trial::{Shape, Trial, TrialStep},
    },
    observe::{Access, Reading, Rule, asleep},
    outcome::{StepRecord, Transcript},
    stage::{Handle, Options},
};
use serde::Deserialize;

use crate::support::{Hogs, Script, forking, options, stage};

/// Verdicts to check; `PIPELAB_TRIALS` asks for more.
const TRIALS: u64 = 20_000;

/// Steps of one script.
const STEPS: usize = 30;

/// A race that `cargo run --example record_races` recorded.
#[derive(Deserialize)]
struct Race {
    rule: String,
    first: Vec<Reading>,
    second: Vec<Reading>,
}

fn races(rule: &str) -> Vec<Race> {
    let races: Vec<Race> = include_str!("races/recorded.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a recorded race"))
        .filter(|race: &Race| race.rule == rule)
        .collect();
    assert!(races.len() >= 20, "{} races of `{rule}`", races.len());
    races
}

#[test]
fn a_single_scan_takes_every_recorded_race_for_sleep_and_the_full_rule_none() {
    for race in races("one scan") {
        assert!(asleep(Rule { second_scan: false, ..Rule::FULL }, &race.first, &race.second));
        assert!(!asleep(Rule::FULL, &race.first, &race.second));
    }
}

#[test]
fn a_scan_without_the_state_takes_every_recorded_race_for_sleep_and_the_full_rule_none() {
    for race in races("no state") {
        assert!(asleep(Rule { state: false, ..Rule::FULL }, &race.first, &race.second));
        assert!(!asleep(Rule::FULL, &race.first, &race.second));
    }
}

#[test]
fn no_verdict_differs_from_the_models() {
    check(trials(TRIALS), &options(), 0);
}

/// Scripts that once showed a fault, in the detector or in the model. 5327: a poll
/// makes every later write wake a reader, and so another one may get the bytes.
#[test]
fn no_verdict_differs_in_scripts_that_once_did() {
    let mut stage = stage();
    for seed in [5327] {
        for _ in 0..100 {
            check_script(seed, &mut stage);
        }
    }
}

#[test]
fn no_verdict_differs_from_the_models_beside_cpu_hogs() {
    let _hogs = Hogs::start(4);
    check(trials(TRIALS) / 4, &options(), 1 << 32);
}

#[test]
fn no_verdict_differs_from_the_models_where_syscall_is_refused() {
    check(trials(TRIALS) / 4, &Options { access: Access::NoSyscall, ..options() }, 2 << 32);
}

fn trials(default: u64) -> u64 {
    match std::env::var("PIPELAB_TRIALS") {
        Ok(count) => count.parse().expect("PIPELAB_TRIALS is a number of verdicts"),
        Err(_) => default,
    }
}

/// Plays scripts until so many steps have been checked, on two stages.
fn check(trials: u64, options: &Options, first_seed: u64) {
    let checked = AtomicU64::new(0);
    let seeds = AtomicU64::new(first_seed);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut stage = {
                    let _forking = forking();
                    Handle::start(options).expect("the stage starts")
                };
                while checked.load(Ordering::Relaxed) < trials {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    checked.fetch_add(check_script(seed, &mut stage), Ordering::Relaxed);
                }
            });
        }
    });
    eprintln!("{} verdicts, none false", checked.into_inner());
}

/// Plays one script and holds every record against the model. The number of
/// verdicts.
fn check_script(seed: u64, stage: &mut Handle) -> u64 {
    let measures = stage.measures();
    let geometry = Geometry { page: measures.page, slots: (measures.capacity / measures.page) as usize };
    let actors = 2 + seed as usize % 3;
    let shape = Shape { geometry, actors, nonblock: true, kills: true, rules: Rules::linux() };
    let steps: Vec<TrialStep> = Trial::new(seed, shape).take(STEPS).collect();

    let mut script = Script::new();
    let names: Vec<String> = (0..actors).map(|actor| format!("actor{actor}")).collect();
    for (actor, name) in names.iter().enumerate() {
        script = script.actor(name, &format!("raw:jitter={}", seed ^ actor as u64));
    }
    for step in &steps {
        script = script.step(&names[step.actor], step.action.clone());
    }
    let transcript = script.play(stage).expect("it plays");
    assert_eq!(transcript.steps.len(), steps.len(), "seed {seed}: {:?}", transcript.end);
    for (at, step) in steps.iter().enumerate() {
        compare(seed, at, step, &transcript);
    }
    steps.len() as u64
}

fn compare(seed: u64, at: usize, step: &TrialStep, transcript: &Transcript) {
    let records = &transcript.steps;
    let fail = |what: String| -> ! { panic!("seed {seed}, step {at} {step:?}: {what}") };
    let (_, own) = step.expected[0];
    if !own.agrees(&records[at].outcome) {
        fail(format!("it gave {:?}", records[at].outcome));
    }
    let mut released: Vec<&StepRecord> = records
        .iter()
        .filter(|record| record.resumed.as_ref().is_some_and(|resumed| resumed.by == at))
        .filter(|record| record.actor != step.actor)
        .collect();
    for (actor, gave) in &step.expected[1..] {
        let Some(place) = released.iter().position(|record| record.actor == *actor) else {
            fail(format!("{actor} wasn't released"));
        };
        let record = released.remove(place);
        if !gave.agrees(record.last()) {
            fail(format!("{actor} was released with {:?}", record.last()));
        }
    }
    if !released.is_empty() {
        let released: Vec<_> = released.iter().map(|record| (record.step, record.last())).collect();
        fail(format!("released too: {released:?}"));
    }
    let mut blocked: Vec<usize> = records[..=at]
        .iter()
        .filter(|record| record.outcome.is_outstanding())
        .filter(|record| record.resumed.as_ref().is_none_or(|resumed| resumed.by > at))
        .map(|record| record.actor)
        .collect();
    blocked.sort_unstable();
    if blocked != step.blocked {
        fail(format!("blocked are {blocked:?}"));
    }
    let queued = records[at].counts[0].queued.known();
    if queued != Some(step.queued) {
        fail(format!("queued are {queued:?}"));
    }
}
