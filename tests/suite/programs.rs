//! Programs as actors: named rightly beside CPU hogs, bounded in memory, and nothing left
//! of them.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use rstest::rstest;

use crate::{
    lab::{Lab, ran},
    nobody::Nobody,
    page, reuse,
    support::output,
    surroundings::same,
};

/// Descriptors and sizes that no call takes are mistakes on the command line.
#[rstest]
#[case(&["emit", "--fd=-1"], "'-1'", "--fd")]
#[case(&["absorb", "--fd=-1"], "'-1'", "--fd")]
#[case(&["emit", "--buffer=18446744073709551615"], "up to 1 GiB", "--buffer")]
#[case(&["emit", "--buffer=1073741825"], "up to 1 GiB", "--buffer")]
#[case(&["absorb", "--piece=18446744073709551615"], "1073741824", "--piece")]
fn what_no_call_takes_is_a_mistake(#[case] words: &[&str], #[case] said: &str, #[case] option: &str) {
    let ran = Lab::new(&[]).run(words);
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains(said) && ran.err.contains(option), "{ran:?}");
}

/// The largest buffers that may be asked for are had.
#[test]
fn a_gibibyte_is_a_buffer() {
    let lab = Lab::new(&[]);
    let emitted = lab.run(&["emit", "--lines=2", "--buffer=1073741824"]);
    assert_eq!((emitted.status, emitted.out.as_str()), (Some(0), "Hello\nHello\n"), "{emitted:?}");
    let absorbed = lab.run(&["absorb", "--count", "--piece=1073741824"]);
    assert_eq!((absorbed.status, absorbed.out.as_str()), (Some(0), "0\n"), "{absorbed:?}");
}

/// Each rest of each runtime, as the scenarios themselves say it should be; two hundred times
/// with PIPELAB_REPETITIONS=200.
#[test]
fn rests_are_named_rightly_beside_cpu_hogs() {
    reuse::suite::records_of_a_folder_stay_the_same_beside_cpu_hogs(reuse::suite::PROGRAMS);
}

/// Some that rest and that end, unruly ones, calls that are held and cut. None in which two
/// processes make calls at once, whose order no record can promise.
const SOME: &[&str] = &[
    "rest/read",
    "rest/own",
    "rest/kill",
    "unruly/ignores",
    "unruly/daemon",
    "unruly/closes",
    "wild/broken-output",
    "trace/hold",
    "trace/short-write",
];

/// Where every user finds programs: root's own may be where nobody gets.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[rstest]
fn programs_are_the_same_as_nobody(#[values(&[], &["--trace"])] options: &[&str]) {
    let Some(nobody) = Nobody::new() else { return };
    nobody.put(&page::file("scenarios/programs"), "scenarios/programs");
    let chosen: Vec<String> = SOME.iter().map(|name| format!("scenarios/programs/{name}.toml")).collect();
    let mut words = vec!["run", "--format", "jsonl"];
    words.extend(options);
    words.extend(chosen.iter().map(String::as_str));
    let [plain, here] = [nobody.as_root(&words), nobody.command(&words)]
        .map(|mut command| ran(command.env("PATH", PATH).env("HOME", "/")));
    // There are no snapshots here.
    assert_eq!(plain.status, Some(4), "{}", plain.err);
    let played = plain.statuses().iter().filter(|status| *status == "unrecorded").count();
    assert!(played >= SOME.len(), "{played} of {} cases were played", plain.statuses().len());
    same(&plain, &here);
}

/// Peak resident memory of the whole run may be so much (KiB), though programs write two
/// gigabytes: runner and stage are a few megabytes each, and what nobody reads is forgotten.
const MOST_MEMORY: i64 = 64 * 1024;

/// Set in the process that measures: what a process has before its exec counts for it, and
/// that of all tests together is large.
const MEASURES: &str = "PIPELAB_TEST_MEMORY";

#[test]
fn a_gigabyte_that_is_printed_fills_no_memory() {
    if std::env::var_os(MEASURES).is_some() {
        return measure();
    }
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", "programs::a_gigabyte_that_is_printed_fills_no_memory", "--nocapture"]);
    let output = output(command.env(MEASURES, "1").stdin(Stdio::null())).expect("this binary");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
}

fn measure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipelab"))
        .args(["run", "--jobs", "1"])
        .arg(page::file("scenarios/programs/unruly/gigabyte.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("pipelab");
    let (status, peak) = wait_with_peak(&mut child);
    assert!(status == 0 || status == 4, "it ended with {status}");
    assert!((1..MOST_MEMORY).contains(&peak), "{peak} KiB");
    eprintln!("a run whose programs print 2 GB: at most {peak} KiB resident");
}

/// Exit status, and the largest resident set (KiB) of the process and all that it waited for.
fn wait_with_peak(child: &mut std::process::Child) -> (i32, i64) {
    let mut status = 0;
    // SAFETY: the kernel writes an int and a structure of numbers.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let pid = libc::wait4(child.id() as i32, &mut status, 0, &mut usage);
        assert_eq!(pid, child.id() as i32);
        usage
    };
    let status = std::process::ExitStatus::from_raw(status);
    (status.code().unwrap_or(-1), usage.ru_maxrss)
}
