//! What it costs to prove two actors blocked, one in open(2), one in read(2).
//!
//!     cargo bench --bench detection
//!
//! `proof` is the proof alone: two scans over both and the comparison. `baseline` is
//! the least that any proof must do: one pread(2) of one file under /proc for each.

use std::{fs::File, os::unix::fs::FileExt};

use criterion::{Criterion, criterion_group, criterion_main};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{ForkResult, Pid, fork, mkfifo, pipe, read},
};
use pipelab::observe::{Access, Process, Reading, Rule, asleep};

fn detection(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let (from, _to) = pipe().expect("a pipe");
    let opener = child(|| drop(File::open(&fifo)));
    let reader = child(|| {
        let _ = read(&from, &mut [0]);
    });
    let mut processes = [opener, reader].map(|pid| Process::open(pid.as_raw(), Access::All).expect("/proc"));
    let mut scan = |readings: &mut Vec<Reading>| {
        readings.clear();
        processes.iter_mut().all(|process| process.scan(readings).is_ok())
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    while !(scan(&mut first) && scan(&mut second) && asleep(Rule::FULL, &first, &second)) {}

    let files = [opener, reader].map(|pid| File::open(format!("/proc/{pid}/schedstat")).expect("/proc"));
    let mut buffer = [0; 64];
    criterion.bench_function("detection/baseline", |bencher| {
        bencher.iter(|| files.iter().all(|file| file.read_at(&mut buffer, 0).is_ok()));
    });
    criterion.bench_function("detection/proof", |bencher| {
        bencher
            .iter(|| assert!(scan(&mut first) && scan(&mut second) && asleep(Rule::FULL, &first, &second)));
    });
    for pid in [opener, reader] {
        kill(pid, Signal::SIGKILL).expect("kill");
        waitpid(pid, None).expect("waitpid");
    }
}

fn child(block: impl FnOnce()) -> Pid {
    // SAFETY: the child only makes system calls and ends.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            block();
            // SAFETY: ends the process without running anything.
            unsafe { libc::_exit(0) }
        }
    }
}

criterion_group!(benches, detection);
criterion_main!(benches);
