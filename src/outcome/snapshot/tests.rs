//! The brackets behind a step: layers and kernel.

use std::{path::Path, sync::Arc};

use super::*;
use crate::{
    outcome::{ChannelCount, Failure, Layer, Resumed},
    scenario::{Overrides, Scenario, Symbols},
};

const SCENARIO: &str = r#"
[params]
n = "page+1"
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "stdio:full,layers"
script = '''
writer open log write
writer write log {n}
writer flush log
writer write log 10
writer close log
writer sleep
'''
"#;

/// The scenario's only case, and a record for each of its steps: succeeded, told
/// nothing, nothing queued.
fn case() -> (Case, Transcript) {
    let scenario = Scenario::parse("test", Path::new("test.toml"), SCENARIO).unwrap();
    let symbols = Symbols {
        page: 4096,
        pipe_buf: 4096,
        blksize: 4096,
        capacity: 65536,
        largest_pipe: 1 << 20,
        qlen: 10,
    };
    let catalog = Arc::new(crate::driver::Catalog::builtin());
    let cases = Arc::new(scenario).cases(&symbols, &catalog, &Overrides::default()).unwrap();
    let case = cases.iter().next().unwrap();
    let mut offset = 0;
    let steps = (case.steps.iter().enumerate())
        .map(|(index, step)| {
            let action = &step.planned.action;
            let bytes = match action {
                Action::Write { bytes, .. } => Some(*bytes),
                _ => None,
            };
            let offered = bytes.map(|len| Offer { offset, len, piece: len, newline: false, wide: false });
            offset += bytes.unwrap_or(0);
            StepRecord {
                step: index,
                attempt: 1,
                actor: step.planned.actor,
                verb: action.verb(),
                channel: action.channel(),
                outcome: Outcome::Ok { bytes },
                resumed: None,
                offered,
                passed: None,
                data: None,
                peeked: None,
                several: vec![],
                held: None,
                resting: vec![],
                calls: vec![],
                counts: vec![queued(0)],
            }
        })
        .collect();
    (
        case,
        Transcript {
            steps,
            end: End::Played,
            holds: vec![vec![false]; 2],
            programs: vec![],
            words: vec![],
            untraced: vec![],
            unmet: vec![],
        },
    )
}

fn queued(bytes: u64) -> ChannelCount {
    let zero = Count::Known(0);
    ChannelCount { queued: Count::Known(bytes), accepted: zero.clone(), taken: zero }
}

/// What stands behind the scenario's own lines.
fn told(case: &Case, transcript: &Transcript) -> Vec<String> {
    let width = case.steps.iter().map(|step| step.text.len()).max().unwrap();
    block(case, transcript, &[]).lines().skip(1).map(|line| line[width + 7..].to_owned()).collect()
}

#[test]
fn a_number_has_the_name_of_the_write_that_asked_for_it() {
    let (case, mut transcript) = case();
    let held = |text, buffer| Some(vec![Layer::new("text", text), Layer::new("buffer", buffer)]);
    transcript.steps[0].held = held(Some(0), Some(0));
    transcript.steps[1].held = held(Some(4097), Some(0));
    transcript.steps[2].outcome =
        Outcome::Failed(Failure { errno: "EPIPE".into(), error: None, message: String::new(), bytes: 0 });
    transcript.steps[2].held = held(Some(0), Some(4096));
    transcript.steps[3].held = held(Some(10), Some(4097));
    transcript.steps[4].counts = vec![queued(4097)];
    assert_eq!(
        told(&case, &transcript),
        [
            "ok  [text 0, buffer 0, kernel 0]",
            "ok page+1  [text page+1, buffer 0, kernel 0]",
            // Not a write's own size: nothing is guessed back from it.
            "EPIPE  [text 0, buffer 4096, kernel 0]",
            "ok 10  [text 10, buffer page+1, kernel 0]",
            // There is no object any more that could be asked.
            "ok  [kernel page+1]",
            "ok",
        ]
    );
}

#[test]
fn what_is_hidden_is_no_zero() {
    let (case, mut transcript) = case();
    transcript.steps[1].held = Some(vec![Layer::new("buffer", None)]);
    transcript.steps[1].counts[0].queued = Count::Unknown("why not".into());
    assert_eq!(told(&case, &transcript)[1], "ok page+1  [buffer ?, kernel ?]");
}

#[test]
fn a_released_call_shows_what_was_there_once_it_had_been_released() {
    let (case, mut transcript) = case();
    transcript.steps[1].outcome = Outcome::Blocked { call: "write".into() };
    transcript.steps[1].held = Some(vec![Layer::new("buffer", Some(7))]);
    transcript.steps[1].resumed = Some(Resumed { by: 3, outcome: Outcome::Ok { bytes: Some(4097) } });
    transcript.steps[3].counts = vec![queued(5)];
    assert_eq!(told(&case, &transcript)[1], "blocked, then by 4: ok page+1  [buffer 7, kernel 5]");
}

#[test]
fn whoever_doesnt_ask_sees_nothing_of_it() {
    let (case, transcript) = case();
    assert_eq!(told(&case, &transcript), ["ok", "ok page+1", "ok", "ok 10", "ok", "ok"]);
}

#[test]
fn a_close_in_which_it_is_stuck_has_nothing_to_show() {
    let (case, mut transcript) = case();
    transcript.steps[3].held = Some(vec![Layer::new("buffer", Some(10))]);
    transcript.steps[4].outcome = Outcome::Blocked { call: "write".into() };
    assert_eq!(told(&case, &transcript)[4], "blocked");
}
