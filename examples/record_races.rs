//! Records readings of /proc that were taken while something still ran, and that
//! a careless rule takes for sleep. `tests/suite/races` holds some; the tests
//! replay them. Prints one JSON object a race:
//!
//!     cargo run --release --example record_races -- 20 > tests/suite/races/recorded.jsonl
//!
//! Two children pass a byte to and fro over two pipes for ever. Nobody else is
//! concerned, so whoever says that both are asleep is wrong.

use std::{
    io::Write,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::unistd::{ForkResult, fork, pipe, read, write};
use pipelab::observe::{Access, Process, Reading, Rule, asleep};

fn main() {
    let wanted: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(20);
    let (left, right) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    let mut pids = Vec::new();
    for (from, to, first) in [(&left.0, &right.1, true), (&right.0, &left.1, false)] {
        // SAFETY: this program has one thread.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => pass(from, to, first),
            ForkResult::Parent { child } => pids.push(child),
        }
    }
    let mut processes: Vec<Process> =
        pids.iter().map(|pid| Process::open(pid.as_raw(), Access::All).expect("/proc")).collect();
    let mut scan = || -> Option<Vec<Reading>> {
        let mut readings = Vec::new();
        processes.iter_mut().all(|process| process.scan(&mut readings).is_ok()).then_some(readings)
    };
    let careless = [
        ("one scan", Rule { second_scan: false, ..Rule::FULL }),
        ("no state", Rule { state: false, ..Rule::FULL }),
    ];
    let mut found = [0; 2];
    let mut scans = 0u64;
    let mut last = Vec::new();
    while found.iter().any(|&count| count < wanted) {
        scans += 1;
        let (Some(first), Some(second)) = (scan(), scan()) else { continue };
        assert!(!asleep(Rule::FULL, &first, &second), "the full rule is wrong: {first:?} {second:?}");
        if first == last {
            continue;
        }
        for (count, (name, rule)) in found.iter_mut().zip(careless) {
            if *count < wanted && asleep(rule, &first, &second) {
                *count += 1;
                let race = serde_json::json!({"rule": name, "first": first, "second": second});
                writeln!(std::io::stdout(), "{race}").expect("standard output");
                last.clone_from(&first);
            }
        }
    }
    eprintln!("{scans} pairs of scans; {wanted} races of each kind");
    for pid in pids {
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(pid, None);
    }
}

/// Takes a byte and passes it on, with a little work of varying length between.
fn pass(from: &OwnedFd, to: &OwnedFd, first: bool) -> ! {
    let mut byte = [0];
    let mut work = from.as_raw_fd() as u64;
    if first {
        let _ = write(to, &byte);
    }
    loop {
        let _ = read(from, &mut byte);
        work = work.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for _ in 0..work >> 52 {
            std::hint::spin_loop();
        }
        let _ = write(to, &byte);
    }
}
