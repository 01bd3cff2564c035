//! Steps in any order (`together`): every order is played once, outcomes are put together, and what
//! is expected holds in all of them, or in some.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use crate::lab::{Lab, play_with};

const TORN: &str = include_str!("../../scenarios/together/torn.toml");
const EOF: &str = include_str!("../../scenarios/together/eof.toml");

/// One writer, one reader, a pipe with room for all. The block's lines are 10 to 12.
const ROOMY: &str = r#"[channels]
log = "pipe"
[actors]
w = "raw"
r = "raw"
script = '''
w open log write
r open log read
together
w write log 1
w write log 1
r read log available
end
'''
"#;

fn outcomes(case: &Value) -> Vec<Value> {
    case["orders"]["outcomes"].as_array().expect("outcomes").clone()
}

/// Of each outcome: how many orders, and the first, as lines of its only block.
fn firsts(case: &Value) -> Vec<(u64, Vec<u64>)> {
    let lines = |first: &Value| -> Vec<u64> {
        first[0].as_array().expect("a block").iter().map(|line| line.as_u64().expect("a line")).collect()
    };
    let one = |outcome: &Value| (outcome["orders"].as_u64().expect("a number"), lines(&outcome["first"]));
    outcomes(case).iter().map(one).collect()
}

#[test]
fn three_orders_three_outcomes() {
    let (case, ran) = play_with(ROOMY, &[]);
    assert_eq!((ran.status, &case["status"]), (Some(4), &Value::from("unrecorded")), "{case:#}");
    assert_eq!(case["orders"]["count"], 3);
    assert_eq!(case["orders"]["played"], 3);
    assert_eq!(case["orders"]["sample"], Value::Null);
    assert_eq!(firsts(&case), [(1, vec![10, 11, 12]), (1, vec![10, 12, 11]), (1, vec![12, 10, 11])]);
    let read: Vec<Value> =
        outcomes(&case).iter().map(|outcome| outcome["ledger"]["log"]["delivered"].clone()).collect();
    assert_eq!(read, [2, 1, 0]);
    // Each record is that of its own order.
    for (outcome, (_, order)) in outcomes(&case).iter().zip(firsts(&case)) {
        let steps = outcome["steps"].as_array().expect("steps");
        let lines: Vec<u64> = steps[2..].iter().map(|step| step["line"].as_u64().expect("a line")).collect();
        assert_eq!(lines, order);
    }
}

/// The scenarios of the repository, and a sample.
#[rstest]
#[case::jsonl(&["--format", "jsonl"])]
#[case::steps(&["--steps"])]
#[case::sample(&["--orders", "9", "--seed", "5"])]
fn any_number_of_jobs_and_fresh_processes_give_the_same(#[case] words: &[&str]) {
    let lab = Lab::new(&[("torn", TORN), ("eof", EOF)]);
    let one = lab.run(&[&["run", "scenarios", "--jobs", "1"], words].concat());
    assert!(one.out.contains("torn"), "{one:?}");
    for other in [["--jobs", "2"].as_slice(), &["--jobs", "5"], &["--jobs", "2", "--fresh"]] {
        let many = lab.run(&[&["run", "scenarios"], other, words].concat());
        assert_eq!(many.without_cost(), one.without_cost(), "{other:?}");
        assert_eq!(many.status, one.status, "{other:?}");
    }
}

/// No order is counted twice, though many that were wanted come to the same one, and what is seen is
/// the same as without a word about orders.
#[test]
fn every_order_counts_once() {
    let lab = Lab::new(&[("eof", EOF)]);
    let case = lab.run(&["run", "scenarios", "--format", "jsonl"]).objects().remove(0);
    let counted: u64 = firsts(&case).iter().map(|(orders, _)| orders).sum();
    assert_eq!(case["orders"]["count"], 210);
    assert_eq!(case["orders"]["played"], counted);
    let orders: BTreeSet<Vec<u64>> = firsts(&case).into_iter().map(|(_, first)| first).collect();
    assert_eq!(orders.len(), outcomes(&case).len());
    let stuck = outcomes(&case).iter().filter(|outcome| !outcome["stuck"].is_null()).count();
    assert_eq!(stuck, 2, "each writer may come too late");
}

/// Of PIPE_BUF bytes no record is torn in any order, of one more some are; orders with the same ledger
/// differ in whose bytes a read was given.
#[test]
fn records_above_pipe_buf_are_torn_in_some_orders() {
    let lab = Lab::new(&[("torn", TORN)]);
    let cases = lab.run(&["run", "scenarios", "--format", "jsonl"]).objects();
    let torn = |case: &Value| -> Vec<u64> {
        let of = |outcome: &Value| outcome["ledger"]["log"]["torn"].as_u64().expect("a count");
        outcomes(case).iter().map(of).collect()
    };
    assert_eq!(torn(&cases[0]), [0, 0, 0]);
    assert_eq!(torn(&cases[1]), [2, 0, 2, 0, 0, 0, 0]);
    assert!(cases.iter().all(|case| case["status"] == "unrecorded"), "{cases:#?}");
}

/// A signal reaches an actor in the middle of a call, but not before its own earlier lines.
#[test]
fn a_kill_keeps_its_place() {
    let text = |behind: &str| {
        format!(
            "[channels]\nlog = \"pipe\"\n[actors]\nw = \"raw\"\nr = \"raw\"\nscript = '''\nw open log write\n\
             r open log read\ntogether\nw write log capacity+1\n{behind}w kill SIGKILL\nr read log 1\nend\n'''\n"
        )
    };
    let ends = |case: &Value| -> Vec<bool> {
        outcomes(case).iter().map(|outcome| outcome["stuck"].is_null()).collect()
    };
    let (case, _) = play_with(&text(""), &[]);
    assert!(ends(&case).iter().all(|played| *played), "{case:#}");
    let (case, _) = play_with(&text("w write log 1\n"), &[]);
    assert!(ends(&case).iter().all(|played| !*played), "{case:#}");
}

/// A writer that is in the middle of a call lets others go first; with nobody to go first the case
/// is stuck.
#[test]
fn who_is_blocked_waits_for_his_turn() {
    let script = |reads: &str| {
        format!(
            "[channels]\nlog = \"pipe\"\n[actors]\nw = \"raw\"\nr = \"raw\"\nscript = '''\nw open log write\n\
             r open log read\ntogether\nw write log capacity+1\nw write log 1\n{reads}\nend\n'''\n"
        )
    };
    let (case, _) = play_with(&script("r read log 1\nr read log capacity-1"), &[]);
    assert_eq!(case["orders"]["count"], 6);
    // The second write comes in the middle of no order but behind a read of all.
    assert_eq!(
        firsts(&case).iter().map(|(orders, _)| orders).sum::<u64>(),
        case["orders"]["played"].as_u64().expect("a number")
    );
    assert_eq!(case["status"], "unrecorded", "{case:#}");
    for (_, first) in firsts(&case) {
        let at = |line: u64| first.iter().position(|known| *known == line).expect("given");
        assert!(at(11) > at(13), "{first:?}: the write of line 10 takes both reads");
    }
    let (case, ran) = play_with(&script("r close log -> ok"), &[]);
    assert_eq!((case["status"].as_str(), ran.status), (Some("unrecorded"), Some(4)), "{case:#}");
    let (case, ran) = play_with(&script("r write log 1").replace("r open log read", "r open log both"), &[]);
    assert_eq!((case["status"].as_str(), ran.status), (Some("stuck"), Some(1)), "{case:#}");
}

/// Expectations of a step and of [expect] hold in every order; the first that fails is shown.
#[test]
fn the_failing_order_is_shown() {
    let expecting = ROOMY.replace("available", "available -> ok 1 or ok 2") + "[expect]\nqueued = \"<= 1\"\n";
    let (case, ran) = play_with(&expecting, &[]);
    assert_eq!((case["status"].as_str(), ran.status), (Some("differs"), Some(1)));
    let differences: Vec<&str> =
        case["differences"].as_array().expect("some").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        differences,
        [
            "line 12: `r read log available` expected ok 1 or ok 2, gave ok 0 (in 1 of 3 orders; the first is 12 10 11)",
            "line 16: queued of log expected <= 1, is 2 (in 1 of 3 orders; the first is 12 10 11)",
        ]
    );
}

#[rstest]
#[case("[expect.some]\ndelivered = 2\n", None)]
#[case("[[expect.some]]\ndelivered = 2\n[[expect.some]]\ndelivered = 0\nqueued = 2\n", None)]
#[case("[expect.some]\ndelivered = 3\n", Some("line 15: none of 3 orders shows delivered of log: 3"))]
// Both hold in some order, and in none of them both.
#[case(
    "[expect.some]\ndelivered = 2\nqueued = 2\n",
    Some("line 15: none of 3 orders shows delivered of log: 2, queued of log: 2")
)]
#[case("[expect.some]\nend = \"stuck\"\n", Some("line 15: none of 3 orders shows end: stuck"))]
#[case("[expect.some]\nerror_at = \"read\"\n", Some("line 15: none of 3 orders shows error_at: read"))]
fn some_order_shows_it(#[case] expect: &str, #[case] missing: Option<&str>) {
    let (case, _) = play_with(&format!("{ROOMY}{expect}"), &[]);
    match missing {
        None => assert_eq!(case["status"], "unrecorded", "{case:#}"),
        Some(text) => assert_eq!(case["differences"], serde_json::json!([text])),
    }
}

/// A sample is told, another seed draws another, and a snapshot of all orders says nothing of it.
#[test]
fn samples_are_told() {
    let lab = Lab::new(&[("eof", EOF)]);
    lab.record(&["scenarios"]);
    assert_eq!(lab.run(&["run", "scenarios"]).status, Some(0));
    let drawn = |seed: &str| {
        let ran = lab.run(&["run", "scenarios", "--orders", "20", "--seed", seed, "--format", "jsonl"]);
        let case = ran.objects().remove(0);
        assert_eq!(case["orders"]["sample"]["size"], 20);
        assert_eq!(case["orders"]["sample"]["seed"].to_string(), seed);
        assert!(["unrecorded", "differs"].contains(&case["status"].as_str().expect("a status")), "{case:#}");
        ran.out
    };
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));
    let told = lab.run(&["run", "scenarios", "--orders", "20"]).out;
    assert!(told.contains("a sample of 20 of 210 orders (seed 0)"), "{told}");
    let update = lab.run(&["run", "scenarios", "--orders", "20", "--update"]);
    assert_eq!(update.status, Some(2), "{update:?}");
}
