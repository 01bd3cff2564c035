//! `[setting]`: all actors have it, whatever their runtime; and what can't be had is a skip.

use std::{os::unix::process::CommandExt, path::Path, process::Stdio};

use nix::unistd::geteuid;
use rstest::rstest;
use serde_json::Value;

use crate::lab::{Lab, Ran, ran};

/// A Python that every user may run.
const PYTHON: &str = "/usr/bin/python3";

/// An unprivileged user, whoever plays.
const NOBODY: u32 = 65534;

/// The writer opens first, and so the FIFO's pages are its own user's.
const SOFT_LIMIT: &str = r#"
[channels]
log = "fifo"
[actors]
hog = "raw"
reader = "raw"
writer = "WRITER"
[setting]
user = "fresh"
limits = { nofile = 9000 }
script = '''
hog pipes 4400 small
writer open log write
reader open log read nonblock
writer write log 2*page+1
writer flush log unless failed
'''
"#;

fn cases(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn played(text: &str) -> Vec<Value> {
    cases(&Lab::new(&[("it", text)]).run(&["run", "--format", "jsonl", "scenarios"]))
}

fn skips_only(cases: &[Value], reason: &str) {
    for case in cases {
        assert_eq!(case["status"], "skipped", "{case}");
        assert!(case["reason"].as_str().is_some_and(|said| said.contains(reason)), "{case}");
    }
}

#[rstest]
#[case("raw")]
#[case("stdio:unbuffered")]
#[case("rust:file")]
#[case("python@/usr/bin/python3:raw")]
fn every_runtimes_actors_are_the_settings_user(#[case] writer: &str) {
    if writer.starts_with("python") && !Path::new(PYTHON).exists() {
        return;
    }
    let cases = played(&SOFT_LIMIT.replace("WRITER", writer));
    assert!(!cases.is_empty());
    if !geteuid().is_root() {
        return skips_only(&cases, "may be any other user");
    }
    // Of root's FIFO it would have been an eighth.
    let write = &cases[0]["steps"][3];
    assert_eq!((&write["outcome"], &write["call"]), (&"blocked".into(), &"write".into()), "{}", cases[0]);
    assert_eq!(cases[0]["ledger"]["log"]["queued"], 8192, "{}", cases[0]);
    let as_root = played(&SOFT_LIMIT.replace("WRITER", writer).replace("user = \"fresh\"\n", ""));
    assert_eq!(as_root[0]["steps"][3]["outcome"], "ok", "{}", as_root[0]);
}

/// A user who starts pipelab, and what of the setting that user can't have.
#[rstest]
#[case("user = \"root\"", Some("may be any other user"))]
#[case("user = 1", Some("may be any other user"))]
#[case("user = \"fresh\"", Some("may be any other user"))]
#[case("user = 65534", None)]
#[case("user = \"nobody-has-this-name\"", Some("this system has no user `nobody-has-this-name`"))]
#[case("limits = { nofile = 2000000000 }", Some("the hard limit `nofile` is "))]
#[case("limits = { nofile = 40, fsize = 0, as = \"unlimited\" }", None)]
#[case("max_dgram_qlen = 2", None)]
fn what_an_unprivileged_user_cant_have_is_skipped(#[case] setting: &str, #[case] reason: Option<&str>) {
    let text = format!(
        "[actors]\na = \"raw\"\n[setting]\n{setting}\nscript = \"\"\"\na pipe r w -> ok\n\
         a write w 10 -> ok 10\na read r 10 -> ok 10\n\"\"\"\n"
    );
    let lab = Lab::new(&[("it", &text)]);
    let mut command = lab.for_everybody(&["run", "--format", "jsonl", "scenarios"]);
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    } else if setting.starts_with("user") && reason.is_none() {
        return;
    }
    let cases = cases(&ran(&mut command));
    assert_eq!(cases.len(), 1);
    match reason {
        Some(reason) => skips_only(&cases, reason),
        None => assert_eq!(cases[0]["status"], "unrecorded", "{}", cases[0]),
    }
}

#[test]
fn a_program_that_the_user_may_not_run_is_skipped() {
    let lab = Lab::new(&[(
        "it",
        "[drivers]\nmine = { command = [\"./hidden/driver\"] }\n[actors]\na = \"mine\"\n\
         [setting]\nuser = 1\nscript = 'a sleep'\n",
    )]);
    let reason = if geteuid().is_root() { "the actors' user may not run " } else { "may be any other user" };
    skips_only(&cases(&lab.run(&["run", "--format", "jsonl", "scenarios"])), reason);
}

/// A namespace can't be had where there may be none.
#[test]
fn no_network_namespace_is_a_skip() {
    let text = "[actors]\na = \"raw\"\n[setting]\nmax_dgram_qlen = 2\nscript = 'a socket s unix dgram'\n";
    let lab = Lab::new(&[("it", text)]);
    let words = ["run", "--format", "jsonl", "scenarios"];
    let played = cases(&lab.run(&words));
    assert_eq!(played[0]["status"], "unrecorded", "{}", played[0]);
    let mut command = std::process::Command::new("unshare");
    let quiet = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$0\" \"$@\"";
    command.args(["--user", "--map-root-user", "sh", "-c", quiet, env!("CARGO_BIN_EXE_pipelab")]);
    command.args(words).current_dir(lab.path("")).stdin(Stdio::null());
    let without = ran(&mut command);
    skips_only(&cases(&without), "max_dgram_qlen needs a network namespace");
    assert!(!without.out.is_empty(), "{without:?}");
}
