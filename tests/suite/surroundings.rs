//! Whatever surrounds pipelab, it says the same, byte for byte.
//!
//! The plain run is the reference. In all surroundings `BUILT_IN` is played, in
//! those in which Pythons are found by the same rules `PYTHON` too: not with an
//! empty environment, where PATH is what tells them, nor as another user, who may
//! not get at them.

use std::{
    fs,
    io::{Error, Result},
    os::unix::process::CommandExt,
    process::Command,
    sync::OnceLock,
};

use nix::{
    libc,
    sys::{
        resource::{Resource, setrlimit},
        stat::{Mode, umask},
    },
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    lab::{Lab, Ran, ran},
    nobody::Nobody,
};

/// Every kind of outcome that the built-in drivers have.
const BUILT_IN: &str = r#"
[params]
writer = ["raw", "stdio", "rust"]
[channels]
log = "fifo"
other = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
dozer = "raw"
watcher = "raw"
[setting]
sigpipe = "ignore"
script = '''
reader open log read -> blocked
writer open log write
writer write log 3*capacity -> blocked
reader read log page
dozer sleep -> waiting
watcher open other read nonblock
watcher await other read -> pending
reader read log 3*capacity-page
reader close log
writer write log blksize+1
writer flush log unless failed -> EPIPE or skipped or EPIPE BrokenPipe
reader open log read nonblock
writer close log
reader read log to-eof
dozer kill
reader close log
writer open log write -> blocked
writer write log 1
'''
"#;

/// SIGPIPE as the runtime wants it, and the end by it.
const SIGPIPE: &str = r#"
[params]
writer = ["raw", "stdio:line", "rust:file"]
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
script = '''
reader open log read nonblock
writer open log write
reader close log
writer write log capacity newline
writer flush log unless failed
writer exit 3
'''
"#;

const PYTHON: &str = r#"
[params]
writer = ["python@all:text", "python:binary"]
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
dozer = "python"
script = '''
writer open log write -> blocked
reader open log read
writer write log 3*capacity -> blocked
dozer sleep -> waiting
reader read log capacity
reader close log
writer flush log unless failed
writer close log
writer exit
'''
"#;

/// The lowest limit with which these scenarios play is 48: four actors, each with
/// seven descriptors in the stage.
const FEW_DESCRIPTORS: u64 = 56;

const BUILT_INS: &[&str] = &["scenarios/built-in.toml", "scenarios/sigpipe.toml"];
const ALL: &[&str] = &["scenarios"];

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| Lab::new(&[("built-in", BUILT_IN), ("sigpipe", SIGPIPE), ("python", PYTHON)]))
}

/// The plain runs, each made once.
fn reference(scenarios: &'static [&'static str]) -> &'static Ran {
    static BUILT_IN: OnceLock<Ran> = OnceLock::new();
    static WITH_PYTHON: OnceLock<Ran> = OnceLock::new();
    let cell = if scenarios == ALL { &WITH_PYTHON } else { &BUILT_IN };
    cell.get_or_init(|| {
        let ran = lab().run(&[&["run", "--format", "jsonl"], scenarios].concat());
        assert_eq!((ran.status, ran.err.as_str()), (Some(1), ""), "one is stuck: {ran:?}");
        for kind in ["blocked", "waiting", "pending", "killed", "exited", "EPIPE", "stuck"] {
            assert!(ran.out.contains(&format!(":\"{kind}\"")), "{kind} is in the sample");
        }
        ran
    })
}

fn surround(command: &mut Command, change: impl FnMut() -> Result<()> + Send + Sync + 'static) {
    // SAFETY: the changes below are system calls on numbers.
    unsafe { command.pre_exec(change) };
}

fn nothing(_: &mut Command) {}

fn misleading_variables(command: &mut Command) {
    let variables = [
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONPATH", "/nonexistent:garbage"),
        ("PYTHONSTARTUP", "/nonexistent"),
        ("LC_ALL", "C"),
        ("LANG", "xx_YY.garbage"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("COLUMNS", "3"),
    ];
    command.envs(variables);
}

fn signals_ignored_and_blocked(command: &mut Command) {
    surround(command, || {
        for signal in 1..65 {
            // SAFETY: no handler is installed; the set lives through the calls.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        // SAFETY: the set lives through both calls.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
        }
        Ok(())
    });
}

fn a_mask_of_777(command: &mut Command) {
    surround(command, || {
        umask(Mode::from_bits_truncate(0o777));
        Ok(())
    });
}

fn stray_descriptors(command: &mut Command) {
    surround(command, || {
        for _ in 0..50 {
            // SAFETY: takes a number; without FD_CLOEXEC.
            if unsafe { libc::dup(0) } < 0 {
                return Err(Error::last_os_error());
            }
        }
        Ok(())
    });
}

fn few_descriptors(command: &mut Command) {
    surround(command, || Ok(setrlimit(Resource::RLIMIT_NOFILE, FEW_DESCRIPTORS, FEW_DESCRIPTORS)?));
}

fn a_long_temporary_folder(command: &mut Command) {
    let base = lab().path("tmp");
    let long = base.join("x".repeat(120 - base.as_os_str().len() - 1));
    assert_eq!(long.as_os_str().len(), 120);
    fs::create_dir_all(&long).expect("a directory");
    command.env("TMPDIR", long);
}

fn closed_standard_input(command: &mut Command) {
    surround(command, || {
        // SAFETY: closes a number that the child alone has.
        unsafe { libc::close(0) };
        Ok(())
    });
}

fn closed_standard_error(command: &mut Command) {
    surround(command, || {
        // SAFETY: as above.
        unsafe { libc::close(0) };
        // SAFETY: as above.
        unsafe { libc::close(2) };
        Ok(())
    });
}

fn another_priority(command: &mut Command) {
    surround(command, || {
        // SAFETY: numbers only. A session and a slack other than the usual.
        unsafe {
            libc::setsid();
            libc::prctl(libc::PR_SET_TIMERSLACK, 5_000_000 as libc::c_ulong);
            libc::nice(5);
        }
        Ok(())
    });
}

#[rstest]
fn the_same_in_any_surroundings(
    #[values(
        nothing,
        misleading_variables,
        signals_ignored_and_blocked,
        a_mask_of_777,
        stray_descriptors,
        few_descriptors,
        a_long_temporary_folder,
        closed_standard_input,
        closed_standard_error,
        another_priority
    )]
    change: fn(&mut Command),
    #[values(
        &[],
        &["--containment", "subreaper"],
        &["--refuse-syscall"],
        &["--refuse-syscall", "--containment", "subreaper"]
    )]
    options: &[&str],
) {
    let mut command = lab().command(&[&["run", "--format", "jsonl"], options, ALL].concat());
    change(&mut command);
    same(reference(ALL), &ran(&mut command));
}

#[rstest]
fn the_same_without_variables(
    #[values(&[], &["--containment", "subreaper"], &["--refuse-syscall"])] options: &[&str],
) {
    let mut command = lab().command(&[&["run", "--format", "jsonl"], options, BUILT_INS].concat());
    command.env_clear();
    same(reference(BUILT_INS), &ran(&mut command));
}

pub fn same(plain: &Ran, here: &Ran) {
    assert_eq!((here.status, here.err.as_str()), (plain.status, ""));
    let mut both = plain.out.lines().zip(here.out.lines());
    if let Some((plain, here)) = both.find(|(plain, here)| plain != here) {
        let [plain, here]: [Value; 2] =
            [plain, here].map(|line| serde_json::from_str(line).expect("an object"));
        panic!("{} {}: {}", plain["scenario"], plain["params"], difference(&plain, &here));
    }
    assert_eq!(plain.out.len(), here.out.len(), "a run has more cases");
}

/// Where two values differ first.
fn difference(plain: &Value, here: &Value) -> String {
    match (plain, here) {
        (Value::Object(_), Value::Object(more)) => (more.iter())
            .find(|(name, here)| plain[name] != **here)
            .map(|(name, here)| format!("{name}.{}", difference(&plain[name], here))),
        (Value::Array(plain), Value::Array(here)) => (plain.iter().zip(here))
            .position(|(plain, here)| plain != here)
            .map(|at| format!("{at}.{}", difference(&plain[at], &here[at]))),
        _ => None,
    }
    .unwrap_or_else(|| format!("{here} instead of {plain}"))
}

#[test]
fn a_closed_standard_output_is_no_crash() {
    let mut command = lab().command(&[&["run", "--format", "jsonl"], BUILT_INS].concat());
    surround(&mut command, || {
        // SAFETY: closes numbers that the child alone has.
        unsafe {
            libc::close(0);
            libc::close(1);
        }
        Ok(())
    });
    let ran = ran(&mut command);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (Some(1), "", ""));
}

/// From none that will do to nearly enough: a fault with the reason, never other
/// results and never a hang.
#[rstest]
fn too_few_descriptors_are_a_fault(
    #[values(6, 11, 16, 24, 32, 38, 40, 41, 42)] limit: u64,
    #[values("namespaces", "subreaper")] containment: &str,
) {
    let words = ["run", "--format", "jsonl", "--containment", containment, BUILT_INS[0]];
    let mut command = lab().command(&words);
    surround(&mut command, move || Ok(setrlimit(Resource::RLIMIT_NOFILE, limit, limit)?));
    let ran = ran(&mut command);
    assert_eq!((ran.status, ran.out.as_str()), (Some(3), ""), "{limit}: {}", ran.err);
    let reason = ["Too many open files", "the limit of open files is"];
    assert!(reason.iter().any(|reason| ran.err.contains(reason)), "{limit}: {}", ran.err);
    assert!(!ran.err.contains("surroundings"), "no half-made actor is left to complain: {}", ran.err);
}

/// With the surroundings that mean nothing to root, who may do all.
#[rstest]
fn the_same_as_nobody(
    #[values(nothing, a_mask_of_777, signals_ignored_and_blocked)] change: fn(&mut Command),
    #[values(&[], &["--containment", "subreaper"], &["--refuse-syscall"])] options: &[&str],
) {
    let Some(nobody) = Nobody::new() else { return };
    for scenario in BUILT_INS {
        nobody.put(&lab().path(scenario), scenario);
    }
    let mut command = nobody.command(&[&["run", "--format", "jsonl"], options, BUILT_INS].concat());
    change(&mut command);
    same(reference(BUILT_INS), &ran(&mut command));
}
