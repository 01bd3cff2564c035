//! What it costs to see a program's calls, beside `strace -f --seccomp-bpf` on the same calls.
//!
//!     cargo bench --bench trace
//!
//! Both trace the same program, one right after the other, in each round; the table shows
//! the medians of their times and of the rounds' ratios: what else the machine does cancels
//! out. What a run of pipelab takes beside the program (its start, scenario, ledger) is
//! measured with the same scenario untraced, and what strace adds is its time against the
//! bare program's: the last column compares what tracing alone adds.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 9;

/// What strace is asked for: the calls of our table.
const CALLS: &str = "read,write,pread64,pwrite64,readv,writev,preadv,pwritev,preadv2,pwritev2,sendto,sendmsg,\
sendmmsg,recvfrom,recvmsg,recvmmsg,splice,tee,vmsplice,sendfile,open,creat,openat,openat2,close,dup,dup2,dup3,fcntl,\
connect,accept,accept4,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2,wait4,waitid";

/// Programs whose output is a channel that somebody drains.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("a Python program", &["/usr/bin/python3", "-c", "import json, subprocess; print(json.dumps({'a': 1}))"]),
    ("100,000 writes", &["/usr/bin/dd", "if=/dev/zero", "bs=100", "count=100000", "status=none"]),
    (
        "100,000 writes elsewhere",
        &["/usr/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=100", "count=100000", "status=none"],
    ),
];

fn main() {
    pipelab::stage::become_stage_if_asked();
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        println!("skipped: strace isn't installed");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>9}   {:>14} {:>12}",
        "", "bare", "strace", "pipelab", "traced", "traced / strace", "added"
    );
    for (name, words) in PROGRAMS {
        if !Path::new(words[0]).exists() {
            println!("{name:<26} skipped: there is no {}", words[0]);
            continue;
        }
        let scenario = |trace: bool| {
            let path = dir.path().join(format!("{trace}.toml"));
            fs::write(&path, text(words, trace)).expect("a scenario");
            path
        };
        let (untraced, traced) = (scenario(false), scenario(true));
        let mut rounds: Vec<[Duration; 4]> = Vec::new();
        for _ in 0..ROUNDS {
            let mut bare = Command::new("sh");
            bare.args(["-c", "\"$@\" | cat > /dev/null", "sh"]).args(*words);
            let mut strace = Command::new("sh");
            strace.args(["-c", "\"$@\" | cat > /dev/null", "sh", "strace", "-f", "--seccomp-bpf", "-o"]);
            strace
                .arg(dir.path().join("log"))
                .args(["-e", "signal=none", "-e", &format!("trace={CALLS}")])
                .args(*words);
            let pipelab = |scenario: &Path| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pipelab"));
                command.args(["run", "--jobs", "1"]).arg(scenario);
                command
            };
            rounds.push([time(bare), time(strace), time(pipelab(&untraced)), time(pipelab(&traced))]);
        }
        let middle = |of: &dyn Fn(&[Duration; 4]) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let at = |index: usize| middle(&|round| round[index].as_secs_f64());
        let ms = |index: usize| format!("{:.0} ms", at(index) * 1e3);
        let ratio = middle(&|round| round[3].as_secs_f64() / round[1].as_secs_f64());
        let theirs = at(1) - at(0);
        // What is lost in the noise can't be compared.
        let added = if theirs > 0.0 { format!("{:.2}", (at(3) - at(2)) / theirs) } else { "?".to_owned() };
        println!(
            "{name:<26} {:>9} {:>9} {:>9} {:>9}   {ratio:>14.2} {added:>12}",
            ms(0),
            ms(1),
            ms(2),
            ms(3)
        );
    }
}

/// On a busy machine each stop takes so much CPU time that the usual budget isn't enough.
fn text(words: &[&str], trace: bool) -> String {
    let command: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!(
        "[channels]\nout = \"fifo\"\n[actors]\n\
         p = {{ command = [{}], stdout = \"out\", trace = {trace} }}\n\
         drain = {{ command = [\"cat\"], stdin = \"out\" }}\n\
         [setting]\ncpu_budget = \"5 s\"\n\
         script = '''\ndrain start\np start -> exited 0\n'''\n",
        command.join(", ")
    )
}

fn time(mut command: Command) -> Duration {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let time = start.elapsed();
    let code = status.expect("it runs").code();
    // A case that is in no snapshot ends with 4.
    assert!(matches!(code, Some(0 | 4)), "{command:?}: {code:?}");
    time
}
