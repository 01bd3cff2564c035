//! Without the right to trace, all else is as ever.

use rstest::rstest;
use serde_json::Value;

use super::{play, play_with, writer};
use crate::lab::Lab;

fn without_trace(mut case: Value) -> Value {
    case.as_object_mut().expect("an object").remove("untraced");
    for step in case["steps"].as_array_mut().expect("steps") {
        step.as_object_mut().expect("an object").remove("calls");
    }
    case
}

#[test]
fn the_records_are_the_same_but_for_the_trace() {
    let steps = "p start -> blocked in read in\nshell write in 70_000\np run -> blocked in write out\n\
                 reader read out 70_000\nshell close in\np run -> exited 0";
    let text = writer(r#"["cat"]"#, steps);
    let traced = play(&text, &[]);
    assert!(traced["steps"].to_string().contains("\"calls\""), "{traced:#}");
    assert_eq!(traced["untraced"], Value::Null);
    let refused = play(&text, &["--refuse-trace"]);
    assert!(refused["untraced"]["p"].as_str().is_some_and(|why| !why.is_empty()), "{refused:#}");
    let untraced = play(&text.replace(", trace = true", ""), &[]);
    assert_eq!(without_trace(traced), untraced);
    assert_eq!(without_trace(refused), untraced);
}

#[test]
fn a_case_with_faults_is_skipped() {
    for steps in [
        "p fault 1st write out EIO\np start",
        "p start\np run until 1st read in",
        "p start\np hold 1st write out\np release",
    ] {
        let (case, _) = play_with(&writer(r#"["cat"]"#, steps), &["--refuse-trace"]);
        assert_eq!(case["status"], "skipped", "{case:#}");
        assert!(
            case["reason"].as_str().is_some_and(|reason| reason.contains("can't be traced here")),
            "{case:#}"
        );
    }
}

/// A program that opens a FIFO for writing once somebody reads it, or before: where its end is in no
/// snapshot, only its trace tells.
const IN_ANY_ORDER: &str = r#"snapshot = "SNAPSHOT"
[channels]
out = "fifo"
[actors]
p = { command = ["dd", "if=/dev/null", "of=out", "oflag=nonblock", "conv=notrunc"], trace = true }
reader = "raw"
script = '''
together
reader open out read nonblock
p start
end
'''
[expect.some]
error_at = "open"
"#;

/// The same of a case that leaves orders open.
#[rstest]
#[case::steps("steps", "exited 1", "exited 9")]
#[case::ledger("ledger", "delivered none", "delivered 9")]
fn a_snapshot_of_orders_is_compared_without_the_trace(
    #[case] kind: &str,
    #[case] recorded: &str,
    #[case] other: &str,
) {
    let lab = Lab::new(&[("it", &IN_ANY_ORDER.replace("SNAPSHOT", kind))]);
    lab.record(&["scenarios"]);
    let path = lab.path("snapshots/it@dd.snap");
    let known = std::fs::read_to_string(&path).expect("a snapshot");
    assert!(known.contains("2 outcomes"), "{known}");
    assert_eq!(lab.run(&["run", "scenarios"]).status, Some(0));
    let refused = lab.run(&["run", "--refuse-trace", "--update", "scenarios"]);
    assert_eq!(refused.status, Some(0), "{refused:?}");
    assert!(!refused.err.contains("cargo insta review"), "{refused:?}");
    // All else is compared as ever.
    assert!(known.contains(recorded), "{known}");
    std::fs::write(&path, known.replace(recorded, other)).expect("written");
    let refused = lab.run(&["run", "--refuse-trace", "scenarios"]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
}

/// A snapshot that was recorded with the trace holds where nobody may trace, and isn't replaced.
#[test]
fn a_snapshot_is_compared_without_the_trace() {
    let steps = "p start -> blocked in read in\nreader close out\nshell write in 10\np run -> killed SIGPIPE";
    let text = writer(r#"["cat"]"#, steps) + "[expect]\nerror_at = \"write\"\n";
    for text in [text.clone(), format!("snapshot = \"ledger\"\n{text}")] {
        let lab = Lab::new(&[("it", &text)]);
        lab.record(&["scenarios"]);
        assert_eq!(lab.run(&["run", "scenarios"]).status, Some(0));
        let refused = lab.run(&["run", "--refuse-trace", "--update", "scenarios"]);
        assert_eq!(refused.status, Some(0), "{refused:?}");
        assert!(!refused.err.contains("cargo insta review"), "{refused:?}");
        // All else is compared as ever.
        let path = lab.path("snapshots/it@cat.snap");
        let known = std::fs::read_to_string(&path).expect("a snapshot");
        std::fs::write(&path, known.replace("offered 10", "offered 11")).expect("written");
        let refused = lab.run(&["run", "--refuse-trace", "scenarios"]);
        assert_eq!(refused.status, Some(1), "{refused:?}");
    }
}
