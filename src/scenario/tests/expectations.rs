//! Which outcomes an expectation allows.

use super::{super::Expectation, *};
use crate::outcome::{Failure, Outcome};

fn expectation(text: &str) -> Expectation {
    let cases = cases_of(&with_script("raw", &format!("w sleep -> {text}")));
    cases[0].steps[0].expectation.clone().expect("the step has one")
}

fn outcomes() -> Vec<(&'static str, Outcome)> {
    let failed = |errno: &str, error: Option<&str>| {
        let error = error.map(str::to_owned);
        Outcome::Failed(Failure { errno: errno.to_owned(), error, message: String::new(), bytes: 0 })
    };
    let call = || "read".to_owned();
    vec![
        ("ok", Outcome::Ok { bytes: None }),
        ("ok 4096", Outcome::Ok { bytes: Some(4096) }),
        ("eof", Outcome::Eof),
        ("EPIPE", failed("EPIPE", None)),
        ("EPIPE py", failed("EPIPE", Some("BrokenPipeError"))),
        ("EAGAIN", failed("EAGAIN", None)),
        ("- py", failed("-", Some("ValueError"))),
        ("blocked", Outcome::Blocked { call: call() }),
        ("waiting", Outcome::Waiting { call: call() }),
        ("pending", Outcome::Pending { call: call() }),
        ("spinning", Outcome::Spinning),
        ("SIGPIPE", Outcome::Killed { signal: "SIGPIPE".to_owned() }),
        ("exited 0", Outcome::Exited { status: 0 }),
        ("exited 1", Outcome::Exited { status: 1 }),
        ("skipped", Outcome::Skipped),
        ("gone", Outcome::Gone),
    ]
}

#[rstest::rstest]
#[case("ok", &["ok", "ok 4096"])]
#[case("ok 4096", &["ok 4096"])]
#[case("ok blksize", &["ok 4096"])]
#[case("ok 1", &[])]
#[case("eof", &["eof"])]
#[case("EPIPE", &["EPIPE", "EPIPE py"])]
#[case("EPIPE BrokenPipeError", &["EPIPE py"])]
#[case("EWOULDBLOCK", &["EAGAIN"])]
#[case("- ValueError", &["- py"])]
#[case("failed", &["EPIPE", "EPIPE py", "EAGAIN", "- py"])]
#[case("blocked", &["blocked"])]
#[case("waiting", &["waiting"])]
#[case("pending", &["pending"])]
#[case("spinning", &["spinning"])]
#[case("killed", &["SIGPIPE"])]
#[case("killed SIGPIPE", &["SIGPIPE"])]
#[case("killed SIGTERM", &[])]
#[case("exited", &["exited 0", "exited 1"])]
#[case("exited 1", &["exited 1"])]
#[case("skipped", &["skipped"])]
#[case("gone", &["gone"])]
#[case("ok 4096 or eof or EPIPE BrokenPipeError", &["ok 4096", "eof", "EPIPE py"])]
fn allowed_outcomes(#[case] text: &str, #[case] allowed: &[&str]) {
    let expectation = expectation(text);
    let outcomes = outcomes();
    let got: Vec<&str> = outcomes
        .iter()
        .filter(|(_, outcome)| expectation.allows(outcome, &[], &[], None, |_| String::new()))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(got, allowed);
}

#[rstest::rstest]
#[case("w write log 9 -> ok 10 to 5", "a range from 10 to 5", "write the smaller number first")]
#[case(
    "w write log 9 -> blocked then ok by",
    "`by` without a step",
    "for example `-> blocked then EPIPE by reader close`"
)]
fn an_expectation_that_nothing_meets(#[case] step: &str, #[case] message: &str, #[case] help: &str) {
    let text = format!(
        "[channels]\nlog = \"fifo\"\n[actors]\nw = \"raw\"\nscript = '''\nw open log both\n{step}\n'''\n"
    );
    let (problem, _) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), problem.help.as_deref()), (message, Some(help)));
}

/// Handles are channels, and their script may stand below.
#[test]
fn a_script_may_stand_below_what_is_expected_of_its_handles() {
    for header in ["[expect.r]\nlost = 0", "[expect]\nr.lost = 0"] {
        let text = format!("[actors]\na = \"raw\"\n{header}\nscript = '''\na pipe r w\n'''\n");
        assert_eq!(cases_of(&text).len(), 1, "{header}");
    }
    let bare = "[actors]\na = \"raw\"\n[expect]\nlost = 0\nscript = '''\na pipe r w\n'''\n";
    let (problem, _) = mistake_of(bare);
    assert_eq!(problem.message, "`lost` of which channel?");
    assert_eq!(problem.help.as_deref(), Some("write it under [expect.r]"));
}
