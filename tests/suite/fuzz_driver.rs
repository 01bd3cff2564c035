//! `pipelab fuzz --driver`: writers do what their policies say of scripts that no fit has seen, a
//! policy that is a little wrong is noticed and shrunk, and what is written plays.

use rstest::rstest;
use serde_json::Value;

use crate::lab::{Lab, Ran, play};

/// The longest script that may be left of one that shows a mistake.
const LONGEST: u64 = 6;

const RUST: &str = "rust:bufwriter,buffer=100";
const STDIO: &str = "stdio:full,buffer=200";

/// Plays some scripts; the object that `--format json` gives.
fn fuzz(lab: &Lab, words: &[&str]) -> (Ran, Value) {
    let ran = lab.run(&[&["fuzz", "--format", "json"], words].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran, report)
}

fn empty() -> Lab {
    Lab::new(&[])
}

#[test]
fn nothing_differs_and_every_rule_has_its_say() {
    let (ran, report) = fuzz(&empty(), &["--driver", RUST, "--driver", STDIO, "--scripts", "400"]);
    assert_eq!(ran.status, Some(0), "{}", report["found"]["scenario"]);
    assert_eq!((&report["found"], &report["next"]), (&Value::Null, &Value::from(400)));
    for driver in [RUST, STDIO] {
        assert!(ran.err.contains(&format!("fitting a policy to {driver}")), "{}", ran.err);
        let covered = &report["drivers"][driver];
        assert_eq!(covered["scripts"], 200, "{report}");
        let steps = covered["steps"].as_u64().expect("a number");
        // 24 moves, a close, and mostly something of the reader's.
        assert!((200 * 25..=200 * 27).contains(&steps), "{driver}: {steps}");
        let rules = covered["rules"].as_object().expect("by rule");
        assert!(rules.len() >= 10, "{rules:?}");
        assert!(rules.values().all(|scripts| scripts.as_u64() > Some(0)), "{driver}: {rules:?}");
        assert_eq!(rules["capacity"], 200, "{rules:?}");
        assert_eq!(covered["no_say"], Value::Object(Default::default()));
    }
    assert_eq!(report["policies"][STDIO], "drops on error; writes whole blocks");
}

#[rstest]
#[case::a_byte_more(RUST, "capacity")]
#[case::what_a_failed_flush_keeps(RUST, "flush_error")]
#[case::what_a_full_buffer_s_worth_does(RUST, "through")]
#[case::what_a_close_tells(RUST, "close")]
#[case::what_a_failed_write_counts(STDIO, "count")]
#[case::a_first_write(STDIO, "start")]
fn a_policy_that_is_a_little_wrong_is_noticed_and_shrunk(#[case] driver: &str, #[case] rule: &str) {
    let lab = empty();
    let (ran, report) = fuzz(&lab, &["--driver", driver, "--broken-policy", rule, "--scripts", "1000"]);
    let (found, scenario) = (&report["found"], report["found"]["scenario"].as_str().unwrap_or(""));
    assert_eq!(ran.status, Some(1), "{report}");
    assert_eq!((&found["driver"], &found["again"]), (&Value::from(driver), &Value::from(true)), "{report}");
    let left = found["shrunk_to"].as_u64().expect("a number");
    assert!((1..=LONGEST).contains(&left), "{left} moves:\n{scenario}");
    assert!(scenario.contains("# runtime: ") && scenario.contains("# policy:  "), "{scenario}");
    // It expects what the wrong policy says, and what was seen is something else.
    let file = found["file"].as_str().expect("a file");
    let played = lab.run(&["run", file]);
    assert_eq!(played.status, Some(1), "{}{}\n{scenario}", played.out, played.err);
    assert!(played.out.contains("expected"), "{}", played.out);
}

/// The true policy of the same script: else every scenario that is written would differ.
#[test]
fn what_is_written_plays_as_the_runtime_does_it() {
    let lab = empty();
    let (_, report) = fuzz(&lab, &["--driver", RUST, "--broken-policy", "capacity", "--scripts", "100"]);
    let scenario = report["found"]["scenario"].as_str().expect("a scenario");
    // One write more than the buffer holds flushes the first one; the wrong policy holds both.
    let (held, seen) = ("kernel     = 0", "kernel     = 58");
    assert!(scenario.contains(held) && scenario.contains("# runtime: ok 43, 58 in the kernel"), "{scenario}");
    // It asserts that nothing differs.
    play(&scenario.replace(held, seen), &[]);
}

#[test]
fn the_report_is_the_same_for_any_number_of_jobs() {
    let report = |words: &[&str]| fuzz(&empty(), &[&["--driver", RUST, "--driver", "raw"], words].concat()).1;
    let one = report(&["--steps", "3000", "--jobs", "1"]);
    assert!(one["next"].as_u64().is_some_and(|next| (100..130).contains(&next)), "{one}");
    assert_eq!(one, report(&["--steps", "3000", "--jobs", "2"]));
    let broken = |jobs| report(&["--broken-policy", "capacity", "--jobs", jobs])["found"].clone();
    assert_eq!(broken("1"), broken("3"));
}

#[test]
fn a_resumed_run_goes_on_with_the_next_script() {
    let lab = empty();
    let args = |scripts| ["--driver", "raw", "--scripts", scripts, "--resume", "state.json"];
    assert_eq!(fuzz(&lab, &args("30")).1["next"], 30);
    let (_, second) = fuzz(&lab, &args("34"));
    assert_eq!(second, fuzz(&empty(), &["--driver", "raw", "--scripts", "64"]).1);
    let other = lab.run(&["fuzz", "--channel", "fifo", "--scripts", "1", "--resume", "state.json"]);
    assert_eq!(other.status, Some(2), "{other:?}");
    assert!(other.err.contains("its drivers are raw, not the channels fifo"), "{}", other.err);
}

#[test]
fn who_is_not_here_is_skipped_with_the_way_to_get_it() {
    let (ran, report) = fuzz(&empty(), &["--driver", "python@3.99", "--driver", "raw", "--scripts", "2"]);
    assert_eq!((ran.status, &report["drivers"]["raw"]["scripts"]), (Some(0), &Value::from(2)), "{ran:?}");
    assert!(ran.err.contains("skipped: python 3.99 isn't on this machine; install it"), "{}", ran.err);
    let remedy = report["skipped"][0]["remedy"].as_str().expect("a remedy");
    assert!(remedy.contains("pyenv install 3.99"), "{report}");
    let alone = empty().run(&["fuzz", "--driver", "python@3.99"]);
    assert_eq!((alone.status, alone.out.as_str()), (Some(4), ""), "{alone:?}");
}

#[rstest]
#[case::channels_too(&["--driver", "raw", "--channel", "fifo"], "'--driver <DRIVER>' cannot be used with '--channel <KIND>'")]
#[case::no_driver(&["--driver", "pyhton"], "did you mean `python`?")]
#[case::no_mode(&["--driver", "rust:bufwritter"], "did you mean `bufwriter`?")]
#[case::the_kernel_s_rule(&["--driver", "raw", "--broken", "slots"], "cannot be used with")]
#[case::a_rule_that_is_open(&["--driver", "raw", "--broken-policy", "lines"], "the policy of raw leaves `lines` open")]
fn mistakes_are_told(#[case] words: &[&str], #[case] why: &str) {
    let ran = empty().run(&[&["fuzz"], words].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains(why), "{}", ran.err);
}
