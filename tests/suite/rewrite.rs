//! Messages that are written once more, sequences, and characters of two bytes, as
//! the ledger sees them.

use rstest::rstest;
use serde_json::Value;

use crate::lab::Lab;

/// Plays a script of a `writer` and a `reader` (raw) over `log`, SIGPIPE ignored.
fn play(writer: &str, script: &str) -> Value {
    let text = format!(
        "[channels]\nlog = \"fifo\"\n[actors]\nreader = \"raw\"\nwriter = \"{writer}\"\n\
         [setting]\nsigpipe = \"ignore\"\n"
    );
    let text = format!("script = '''\n{script}\n'''\n{text}");
    let ran = Lab::new(&[("rewrite", &text)]).run(&["run", "--format", "jsonl", "scenarios"]);
    let [case] = &ran.objects()[..] else { panic!("{ran:?}") };
    case.clone()
}

fn told(case: &Value) -> Vec<String> {
    let steps = case["steps"].as_array().expect("steps").iter();
    let told = |step: &Value| {
        let what = format!("{} {}", step["verb"].as_str().unwrap(), step["outcome"].as_str().unwrap());
        match &step["bytes"] {
            Value::Number(bytes) if bytes.as_u64() > Some(0) => format!("{what} {bytes}"),
            _ => what,
        }
    };
    steps.map(told).collect()
}

const BOTH_OPEN: &str = "reader open log read\nwriter open log write\n";

#[test]
fn what_is_written_again_is_the_same_and_counts_as_duplicated() {
    let case = play(
        "raw",
        &format!("{BOTH_OPEN}writer write log 5000\nwriter write log again\nreader read log 10000"),
    );
    let ledger = &case["ledger"]["log"];
    assert_eq!((&ledger["offered"], &ledger["delivered"]), (&5000.into(), &10_000.into()));
    assert_eq!((&ledger["duplicated"], &ledger["lost"]), (&5000.into(), &0.into()));
}

/// A pipe of 16 pages takes 65,536 bytes; the rest follows once there is room.
#[test]
fn the_rest_begins_behind_what_was_accepted() {
    let script = format!(
        "{}writer write log 70000\nreader read log 65536\nwriter write log rest\n\
         writer write log rest\nreader read log available",
        BOTH_OPEN.replace("log write", "log write nonblock")
    );
    let case = play("raw", &script);
    let steps = told(&case);
    assert_eq!(
        steps[2..],
        ["write ok 65536", "read ok 65536", "write ok 4464", "write ok", "read ok 4464"],
        "and the second rest is nothing"
    );
    let ledger = &case["ledger"]["log"];
    assert_eq!((&ledger["delivered"], &ledger["duplicated"]), (&70_000.into(), &0.into()));
}

#[test]
fn a_sequence_stops_at_its_first_failure_and_is_repeated_whole() {
    let script = format!(
        "{BOTH_OPEN}reader close log\n\
         writer write log 100; flush log  repeat 2 until ok\n\
         writer write log again; flush log  unless failed\n\
         reader open log read nonblock\n\
         writer write log again; flush log  if failed  repeat 3 until ok"
    );
    let case = play("raw", &script);
    let expected = [
        ["write failed", "flush skipped"],
        ["write failed", "flush skipped"],
        ["write skipped", "flush skipped"],
        ["open ok", "write ok 100"],
    ];
    assert_eq!(told(&case)[3..], [&expected.concat()[..], &["flush ok"]].concat());
}

#[test]
fn a_step_that_blocks_in_a_sequence_leaves_the_others_stuck() {
    let case =
        play("raw", &format!("{BOTH_OPEN}writer write log 100000; write log 1; flush log\nreader close log"));
    assert_eq!(told(&case)[2..], ["write blocked"]);
    assert_eq!((&case["status"], case["stuck"]["line"].as_u64()), (&"stuck".into(), Some(4)));
}

/// The ledger tells losses and copies of two-byte characters as it does of others.
#[rstest]
#[case::whole("writer write log 3000 wide\nreader read log to-eof", 6000, 0, 0)]
#[case::twice("writer write log 3000 wide\nwriter write log again\nreader read log to-eof", 12_000, 6000, 0)]
#[case::behind_others(
    "writer write log 7\nwriter write log 3000 wide pieces 100\nwriter write log again\nreader read log to-eof",
    12_007,
    6000,
    0
)]
fn wide_characters_are_told_apart(
    #[case] steps: &str,
    #[case] delivered: u64,
    #[case] duplicated: u64,
    #[case] lost: u64,
) {
    let (writes, read) = steps.rsplit_once('\n').expect("a read at the end");
    let case = play("raw", &format!("{BOTH_OPEN}{writes}\nwriter close log\n{read}"));
    let ledger = &case["ledger"]["log"];
    let seen = ["delivered", "duplicated", "lost", "foreign"].map(|key| ledger[key].as_u64());
    assert_eq!(seen, [Some(delivered), Some(duplicated), Some(lost), Some(0)], "{ledger}");
}

/// A message in the middle is lost: stdio forgets what it couldn't flush.
#[test]
fn a_lost_message_of_wide_characters_is_found_between_two_others() {
    let script = format!(
        "{BOTH_OPEN}writer write log 500 wide; flush log\nreader read log 1000\nreader close log\n\
         writer write log 700 wide; flush log\nreader open log read nonblock\n\
         writer write log 300 wide; flush log\nreader read log available"
    );
    let case = play("stdio", &script);
    let ledger = &case["ledger"]["log"];
    assert_eq!(
        (&ledger["delivered"], &ledger["lost"], &ledger["foreign"]),
        (&1600.into(), &1400.into(), &0.into())
    );
    let lost = &ledger["extents"]["lost"][0];
    assert_eq!(
        (&lost["start"], &lost["len"], &lost["place"]),
        (&1000.into(), &1400.into(), &"runtime".into())
    );
}

/// Copies too short to identify themselves are told by the calls that wrote them.
#[rstest]
fn many_copies_of_a_short_message_are_copies(#[values(1, 3, 7)] n: u64) {
    let writes = format!("writer write log {n}\n").repeat(3) + &"writer write log again\n".repeat(3);
    let case = play("raw", &format!("{BOTH_OPEN}{writes}reader read log available"));
    let ledger = &case["ledger"]["log"];
    let seen = ["delivered", "duplicated", "lost", "foreign"].map(|key| ledger[key].as_u64());
    assert_eq!(seen, [Some(6 * n), Some(3 * n), Some(0), Some(0)], "{ledger}");
}

/// Much payload travels alone: what a driver does to take it in isn't laid at the door
/// of the step before it.
#[test]
fn an_open_before_a_huge_message_doesnt_spin() {
    let script = "reader open log read nonblock\nwriter open log write nonblock\n\
                  writer write log 120 MiB\nwriter write log again";
    let text = format!(
        "script = '''\n{script}\n'''\n[channels]\nlog = \"fifo\"\n[actors]\nreader = \"raw\"\nwriter = \"raw\"\n\
         [setting]\ncpu_budget = \"20 ms\"\n"
    );
    let lab = Lab::new(&[("huge", &text)]);
    let ran = lab.run(&["run", "--format", "jsonl", "scenarios"]);
    let steps = told(&ran.objects()[0]);
    assert_eq!(steps[..2], ["open ok", "open ok"], "{steps:?}");
}
