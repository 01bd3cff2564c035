//! Cases on several stages: the same output whatever their number, a stage's end
//! laid at the right case's door, memory that doesn't grow with the cases.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use rstest::rstest;

use crate::{lab::Lab, support::spawn};

/// Played, differing, stuck, skipped and failed cases, of very different lengths.
const MIXED: &str = r#"
[params]
n      = [1, "page", "blksize+1", "capacity", "3*capacity"]
writer = ["raw", "stdio:full", "rust:linewriter", "python@1.5", "gone"]
reads  = ["available", "to-eof"]
[channels]
log = "fifo"
[drivers]
gone = { command = ["no-such-program"] }
[actors]
reader = "raw"
writer = "{writer}"
script = '''
reader open log read
writer open log write
writer write log {n}
writer close log
reader read log {reads}
'''
[expect]
delivered = "n%4096"
"#;

const SHORT: &str = r#"
[params]
n = [1, 2, 3]
[channels]
log = "fifo"
[actors]
one = "raw"
script = '''
one open log both
one write log {n}
one read log {n}
'''
"#;

#[rstest]
#[case::jsonl(&["--format", "jsonl"])]
#[case::steps(&["--steps"])]
#[case::fresh(&["--format", "jsonl", "--fresh"])]
fn any_number_of_jobs_gives_the_same_bytes(#[case] words: &[&str]) {
    let lab = Lab::new(&[("mixed", MIXED), ("short", SHORT)]);
    let ran = |jobs: &str| lab.run(&[&["run", "scenarios", "--jobs", jobs], words].concat());
    let one = ran("1");
    assert_eq!(one.status, Some(3), "a driver failed: {one:?}");
    assert!(one.out.lines().count() >= 20, "{}", one.out);
    for jobs in ["2", "3", "16"] {
        let many = ran(jobs);
        assert_eq!(many.without_cost(), one.without_cost(), "--jobs {jobs}");
        assert_eq!((many.status, many.err), (one.status, one.err.clone()), "--jobs {jobs}");
    }
}

#[test]
fn no_job_is_a_mistake() {
    let lab = Lab::new(&[("short", SHORT)]);
    assert_eq!(lab.run(&["run", "scenarios", "--jobs", "0"]).status, Some(2));
}

/// The stage plays several short cases before it answers, so the first case without
/// an answer isn't always the one that ended it.
#[rstest]
#[case("1")]
#[case("2")]
fn a_stage_that_dies_is_laid_at_the_right_cases_door(#[case] jobs: &str) {
    let killer = r#"
[params]
writer = ["raw", "killer"]
round  = [1, 2, 3, 4, 5, 6]
[channels]
log = "fifo"
[drivers]
killer = { command = ["sh", "-c", "kill -9 $PPID"] }
[actors]
writer = "{writer}"
script = '''
writer open log read nonblock
'''
[expect]
offered = "0*round"
"#;
    let lab = Lab::new(&[("killer", killer)]);
    // In a pid namespace nobody could kill it.
    let words = ["run", "scenarios", "--containment", "subreaper", "--format", "jsonl", "--jobs", jobs];
    let ran = lab.run(&words);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.err.contains("(in the case writer = killer, round = "), "{ran:?}");
    // What came before is shown, in order, if its answers came.
    for (index, case) in ran.objects().iter().enumerate() {
        assert_eq!(case["params"], serde_json::json!({"writer": "raw", "round": (index + 1).to_string()}));
    }
    if jobs == "1" {
        assert!(ran.err.contains("round = 1)"), "{ran:?}");
    }
}

/// As with the stage itself: who kills what forks its actors ends the run, which says so.
#[test]
fn a_fork_server_that_dies_is_a_fault() {
    let killer = r#"
[params]
actor = ["raw", "killer", "stdio"]
[drivers]
killer = { command = ["sh", "-c", "for p in `cat /proc/$PPID/task/$PPID/children`; do [ $p = $$ ] || kill -9 $p; done"] }
[actors]
it = "{actor}"
script = "it sleep"
"#;
    let lab = Lab::new(&[("killer", killer)]);
    // In a pid namespace it couldn't find it; one stage, and nobody who is reused.
    let ran = lab.run(&["run", "scenarios", "--containment", "subreaper", "--jobs", "1", "--fresh"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.err.contains("the fork server: "), "{ran:?}");
}

/// What a program of the user's own arranges by the number of CPUs must be as ever.
#[test]
fn a_program_of_ones_own_isnt_pinned() {
    let tells = r#"
[channels]
log = "fifo"
[drivers]
tells = { command = ["sh", "-c", "grep Cpus_allowed_list /proc/self/status >&2; exit 7"] }
[actors]
writer = "tells"
script = "writer open log write"
"#;
    let ran = Lab::new(&[("tells", tells)]).run(&["run", "scenarios"]);
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let ours = status.lines().find(|line| line.starts_with("Cpus_allowed_list:")).expect("the list");
    assert!(ran.out.contains(&format!("it said: {ours}")), "{ran:?}\n{ours}");
}

/// A case of one step; `a * b * c` of them.
fn many(a: usize, b: usize, c: usize) -> String {
    let list = |count: usize| (1..=count).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    let (a, b, c) = (list(a), list(b), list(c));
    format!(
        "[params]\na = [{a}]\nb = [{b}]\nc = [{c}]\n[channels]\nlog = \"fifo\"\n[actors]\none = \"raw\"\n\
         script = '''\none open log read nonblock\n'''\n[expect]\noffered = \"0*a*b*c\"\n"
    )
}

/// The peak of the runner's memory in KiB (VmHWM, proc_pid_status(5)) when almost all
/// of so many cases are shown.
fn peak(scenario: &str, cases: usize) -> u64 {
    // Together longer than a pipe is, so that the runner can't have ended.
    const REST: usize = 1000;
    let lab = Lab::new(&[("many", scenario)]);
    let mut command = lab.command(&["run", "scenarios", "--format", "jsonl"]);
    let mut child = spawn(command.stdout(Stdio::piped())).expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut count = lines.by_ref().take(cases - REST).flatten().count();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    count += lines.count();
    assert_eq!(count, cases);
    assert_eq!(child.wait().expect("it ends").code(), Some(4), "as expected, and in no snapshot");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[rstest]
#[case::product(&many(10, 10, 100), &many(100, 10, 100))]
#[case::long_list(&many(10_000, 1, 1), &many(100_000, 1, 1))]
fn ten_times_the_cases_take_no_more_memory(#[case] few: &str, #[case] more: &str) {
    let (few, more) = (peak(few, 10_000), peak(more, 100_000));
    assert!(more < few + 20 * 1024, "{few} KiB for 10,000 cases, {more} KiB for 100,000");
}
