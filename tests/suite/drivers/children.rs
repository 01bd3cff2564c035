//! What docs/wire.md promises of drivers that start programs.

use crate::puppet::{Puppet, Step, step, write};

/// The step `spawn`, of a shell with this script.
fn spawn(child: &str, streams: &str, script: &str) -> Step {
    let words = format!("/bin/sh\0-c\0{script}\0PATH=/usr/bin:/bin\0GREETING=hello\0");
    step(format!("spawn {child} {streams} 3 {}", words.len())).with(words.into_bytes())
}

fn hand_over(child: &str, payload: &[u8]) -> Step {
    step(format!("communicate {child} {}", payload.len())).with(payload.to_vec())
}

/// Children of a process (proc_tid_children(5)).
fn children(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
}

/// Checks a driver in a mode without text layers. `told`: a runtime's own words for the end
/// with a status, and by a signal.
pub fn check(command: &[String], mode: &[&str], told: [&str; 2]) {
    let mut driver = Puppet::start(command, &[mode, &["spawns"]].concat());
    let before = driver.descriptors();

    println!("{} {mode:?}: what a child says is read, and how it ended is told", command[0]);
    let made = driver.step(spawn("c", "pipe pipe inherit", "read line; echo $GREETING $line; exit 3"));
    assert_eq!(made.word(), "said", "{made:?}");
    let descriptors: Vec<i32> =
        made.value("made").unwrap().split(',').map(|number| number.parse().unwrap()).collect();
    assert_eq!(descriptors.len(), 2, "{made:?}");
    assert!(made.bytes() > 0);
    assert_eq!(driver.step(step("wait c nonblock")).line, "said words=running");
    driver.must(write("c.stdin", b"you\n"));
    driver.must(step("flush c.stdin"));
    assert_eq!(driver.must(step("read c.stdout to-eof")).data, b"hello you\n");
    assert_eq!(driver.step(step("wait c block")).line, format!("said words=exited=3,{}", told[0]));

    println!("what isn't a child, or is one already, is a failure and not the driver's end");
    assert_eq!(driver.step(spawn("c", "pipe pipe inherit", "exit")).word(), "fail");
    assert_eq!(driver.step(step("wait d block")).word(), "fail");
    assert_eq!(driver.step(step("read c.stderr 1")).word(), "fail");

    println!("communicate feeds, reads everything and waits");
    driver.step(spawn("e", "pipe pipe pipe", "cat; echo err >&2"));
    let answer = driver.step(hand_over("e", b"in"));
    assert_eq!(
        answer.line,
        format!("said words=exited=0,{},stdout=2,stderr=4 data=6", told[0].replace('3', "0"))
    );
    assert_eq!(answer.data, b"inerr\n");
    assert_eq!(driver.step(step("read e.stdout 1")).word(), "fail", "it closed it");

    println!("standard error goes the way of standard output, if the runtime has a way");
    let both = spawn("f", "inherit pipe stdout", "echo out; echo err >&2; kill -9 $$");
    if driver.step(both).word() == "unsupported" {
        driver.step(spawn("f", "inherit pipe inherit", "echo out; echo err; kill -9 $$"));
    }
    assert_eq!(driver.must(step("read f.stdout to-eof")).data, b"out\nerr\n");
    assert_eq!(driver.step(step("wait f block")).line, format!("said words=killed=SIGKILL,{}", told[1]));

    if driver.abilities().resets {
        println!("a reset ends the programs that run, and leaves nothing");
        driver.step(spawn("g", "pipe pipe pipe", "read line"));
        driver.must(step("reset"));
        assert_eq!(children(driver.pid()), "");
        assert_eq!(driver.descriptors(), before);
    }
    driver.hang_up();
    driver.wait();
}
