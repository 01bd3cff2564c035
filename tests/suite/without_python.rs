//! Without any Python, what needs none is played, and the rest is skipped aloud.

use std::process::Command;

use crate::lab::{Lab, ran};

const MIXED: &str = r#"
[params]
writer = ["stdio", "python@all:text", "rust", "python"]
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
script = '''
reader open log read
writer open log write
writer write log 10
writer close log
reader read log to-eof
'''
"#;

const REMEDY: &str = "install python3 with your package manager";

/// A lab whose snapshots know the built-in drivers only.
fn lab() -> Lab {
    let lab = Lab::new(&[("mixed", MIXED)]);
    std::fs::create_dir(lab.path("nothing")).expect("a directory");
    let all = without_python(&lab, &["run", "--update", "scenarios"]);
    assert_eq!(ran(&mut { all }).status, Some(4));
    lab.accept();
    lab
}

fn without_python(lab: &Lab, words: &[&str]) -> Command {
    let mut command = lab.command(words);
    let nothing = lab.path("nothing");
    command.env("PATH", &nothing).env("HOME", &nothing).env_remove("PYENV_ROOT");
    command
}

#[test]
fn the_rest_is_played_and_the_run_is_as_expected() {
    let lab = lab();
    let ran = ran(&mut without_python(&lab, &["run", "scenarios"]));
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    assert_eq!(ran.result(), "4 cases: 2 ok, 2 skipped");
    let reason = ran.out.lines().rev().nth(1).expect("a reason");
    assert!(reason.contains("python can't be used here") && reason.contains(REMEDY), "{reason}");
    for writer in ["stdio", "rust"] {
        let row = ran.out.lines().find(|line| line.trim_start().starts_with(writer)).expect("a row");
        assert!(row.contains("10 of 10") && row.trim_end().ends_with("ok"), "{row}");
    }
}

#[test]
fn objects_say_what_was_skipped_and_how_to_get_it() {
    let lab = lab();
    let ran = ran(&mut without_python(&lab, &["run", "--format", "jsonl", "scenarios"]));
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    assert_eq!(ran.statuses(), ["ok", "skipped", "ok", "skipped"]);
    for case in ran.objects().iter().filter(|case| case["status"] == "skipped") {
        let reason = case["reason"].as_str().expect("a reason");
        assert!(reason.contains(REMEDY), "{reason}");
        assert!(case.get("steps").is_none(), "nothing was played");
    }
}

#[test]
fn nothing_but_skipped_cases_is_no_success() {
    let lab = lab();
    let words = ["run", "scenarios", "--set", "writer=python"];
    let ran = ran(&mut without_python(&lab, &words));
    assert_eq!(ran.status, Some(4));
    assert!(ran.out.contains("1 case: 1 skipped") && ran.out.contains(REMEDY), "{}", ran.out);
}

#[test]
fn the_list_of_drivers_says_what_is_missing() {
    let lab = lab();
    let ran = ran(&mut without_python(&lab, &["drivers"]));
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    let missing = ran.out.lines().find(|line| line.trim_start().starts_with("missing:")).expect("a line");
    assert!(missing.contains(REMEDY), "{missing}");
}
