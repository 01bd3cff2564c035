//! Nothing in the semantics waits: they cost the CPU time that they need.

use std::{fs, os::unix::process::CommandExt};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use crate::lab::{Ran, command, ran};

/// Idle time that starting and ending a run may leave to its CPU, in milliseconds.
const AROUND: u64 = 1_000;
/// And each case: the kernel's own threads, a disk, a wake-up that takes its time.
const A_CASE: u64 = 10;

/// Where nothing waits, somebody can always run, and so the CPU to which all processes
/// of the run are bound is never idle. That can't be seen wrong by a machine that is
/// slow or busy: others who use this CPU, and a hypervisor that takes it away, make the
/// run longer, and the CPU less idle. They may hide a wait, so this looks at the idle
/// time only; a quiet machine shows it all.
#[test]
fn the_run_leaves_its_cpu_no_time() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("an affinity");
    let cpu = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu) == Ok(true)).expect("a CPU");
    let mut only = CpuSet::new();
    only.set(cpu).expect("it is one");
    let mut pipelab = command(
        env!("CARGO_BIN_EXE_pipelab").as_ref(),
        env!("CARGO_MANIFEST_DIR").as_ref(),
        &["run", "scenarios/semantics"],
    );
    // SAFETY: a system call on a set of numbers between fork and exec.
    unsafe { pipelab.pre_exec(move || Ok(sched_setaffinity(Pid::from_raw(0), &only)?)) };
    let before = idle(cpu);
    let ran = ran(&mut pipelab);
    let idle = before.zip(idle(cpu)).map(|(before, after)| after - before);
    assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.err);
    let (cases, wall, cpu_time) = told(&ran);
    // On one CPU; each is cut to a tenth of a second.
    assert!(cpu_time <= wall + 0.1, "{}", ran.out);
    let Some(idle) = idle else { return eprintln!("SKIPPED: /proc/stat doesn't show CPU {cpu}") };
    let bound = AROUND + cases * A_CASE;
    assert!(idle <= bound, "the CPU was idle for {idle} ms of {wall} s, more than {bound} ms");
}

/// The last line's number of cases, and its seconds of wall and CPU time.
fn told(ran: &Ran) -> (u64, f64, f64) {
    let line = ran.out.lines().last().expect("a line");
    let numbers: Vec<&str> =
        line.split(' ').filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
    let [cases, .., wall, cpu] = &numbers[..] else { panic!("{line}") };
    let seconds = |text: &str| text.parse().unwrap_or_else(|_| panic!("{line}"));
    assert!(line.contains(" s of wall time, ") && line.ends_with(" s of CPU"), "{line}");
    (cases.parse().expect("a number"), seconds(wall), seconds(cpu))
}

/// Milliseconds for which a CPU had nothing to do since the machine started (proc(5)).
fn idle(cpu: usize) -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let name = format!("cpu{cpu}");
    let line = stat.lines().find(|line| line.split(' ').next() == Some(&name))?;
    let ticks: u64 = line.split_whitespace().nth(4)?.parse().ok()?;
    // The kernel tells hundredths of a second, whatever its own tick (USER_HZ).
    Some(ticks * 10)
}
