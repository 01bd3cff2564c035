//! The Node driver, with every release found.

use std::sync::OnceLock;

use pipelab::{
    driver::{Catalog, Runtime, Version},
    stage::Launch,
};
use rstest::rstest;

use super::conformance::{Subject, check};
use crate::{
    puppet::{Puppet, Step, step, try_start, write},
    support::forking,
};

/// All that are here; if there is none, says so.
fn nodes() -> Vec<&'static Runtime> {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| {
        let _forking = forking();
        Catalog::discover(&["node"], &Default::default())
    });
    for missing in &catalog.missing {
        eprintln!("skipped: {}; {}", missing.what, missing.remedy);
    }
    catalog.find("node", &Version::All)
}

fn command(runtime: &Runtime) -> &[String] {
    match &*runtime.launch {
        Launch::Program { command, .. } => command,
        other => panic!("{other:?} is no program"),
    }
}

#[rstest]
fn every_node_conforms(#[values(&["flowing"], &["paused"])] mode: &[&str]) {
    for runtime in nodes() {
        check(&Subject { command: command(runtime), mode });
    }
}

/// Not the mode `paused`, in which a child's last words are lost.
#[test]
fn every_node_starts_programs() {
    for runtime in nodes() {
        super::children::check(command(runtime), &["flowing"], ["exitCode=3", "signalCode=SIGKILL"]);
    }
}

#[test]
fn an_unknown_mode_is_refused_with_the_modes_there_are() {
    for runtime in nodes() {
        let reason = try_start(command(runtime), &["fast"]).unwrap_err();
        assert!(reason.contains("'fast'") && reason.contains("paused"), "{reason}");
    }
}

/// A shell with this script, fed by and read over pipes.
fn spawn(script: &str) -> Step {
    let words = format!("/bin/sh\0-c\0{script}\0PATH=/usr/bin:/bin\0");
    step(format!("spawn c pipe pipe inherit 3 {}", words.len())).with(words.into_bytes())
}

/// What a child has said is kept for whoever listens in time, and thrown away when it ends if
/// nobody does.
#[test]
fn what_nobody_listened_to_is_gone_with_the_child() {
    for runtime in nodes() {
        for (mode, said) in [("flowing", "ok data=6"), ("paused", "eof")] {
            let mut driver = Puppet::start(command(runtime), &[mode, "spawns"]);
            driver.step(spawn("echo hello"));
            assert_eq!(driver.step(step("wait c block")).word(), "said");
            let read = driver.step(step("read c.stdout to-eof"));
            assert_eq!(read.line, said, "{} {mode}", runtime.full_version);
        }
    }
}

/// A step that waits for the event loop keeps no other from being taken.
#[test]
fn steps_are_taken_while_another_waits_for_its_callback() {
    for runtime in nodes() {
        let mut driver = Puppet::start(command(runtime), &["flowing", "spawns"]);
        driver.step(spawn("exec cat"));
        driver.give(&[step("read c.stdout 3")]);
        let waiting = driver.last();
        driver.give(&[write("c.stdin", b"abc")]);
        let mut words = [driver.any_answer(), driver.any_answer()];
        words.sort();
        assert_eq!(words, [format!("{waiting} ok data=3"), format!("{} ok bytes=3", waiting + 1)]);
    }
}

/// Node has no call with which a child's both outputs could go one way.
#[test]
fn both_outputs_go_one_way_only_where_they_are_inherited() {
    for runtime in nodes() {
        let mut driver = Puppet::start(command(runtime), &["flowing", "spawns"]);
        let words = "/bin/true\0";
        let spawn =
            |child, streams| step(format!("spawn {child} {streams} 1 {}", words.len())).with(words.into());
        assert_eq!(driver.step(spawn("c", "inherit pipe stdout")).line, "unsupported");
        assert_eq!(driver.step(spawn("d", "inherit inherit stdout")).word(), "said");
    }
}
