//! Whoever is killed, nothing stays behind: no process, no file, no socket. Seen
//! from a fresh pid, mount and network namespace, where all there is to count is
//! ours.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork, geteuid},
};

use crate::{
    page,
    support::{output, spawn},
};

/// Set in the process that counts.
const INSIDE: &str = "PIPELAB_TEST_KILL";

/// Kills per way of keeping things together: from before the stage is there to well into the
/// cases.
const MOMENTS: Moments = Moments { count: 200, unruly: false, within: 40_000 };

/// Of each unruly program, in the first moments of its life.
const UNRULY: Moments = Moments { count: 5, unruly: true, within: 5_000 };

/// How often each unruly scenario is there, to outlast every random moment.
const COPIES: usize = 10;

/// By then everything must be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// By then what nothing cleans up is the same as ever after.
const LEFT: Duration = Duration::from_secs(3);

/// A writer that blocks on a full pipe, another that blocks in open, a thread and a copy
/// with a new program that block in reads, a child of an actor's: processes that don't end by
/// themselves when the stage is gone.
const SCENARIO: &str = r#"
[params]
again = [AGAIN]
[channels]
log = "fifo"
other = "fifo"
[actors]
reader = "raw"
writer = "raw"
stranded = "stdio"
thread = "raw:thread"
child = "raw:fork"
parent = "rust"
kid = { command = ["sleep", "1000"], by = "parent" }
script = '''
writer pipe r w
writer fork child
child exec
child read r 1
reader thread thread
thread pipe r2 w2
thread read r2 1
reader open log read
writer open log write
parent spawn kid
stranded open other write
writer write log 2*capacity
reader read log {again}
'''
"#;

#[test]
fn nothing_is_left_of_200_kills_in_namespaces() {
    inside("kill::nothing_is_left_of_200_kills_in_namespaces", || {
        assert_eq!(Lab::blocked().kills("namespaces", MOMENTS).left, Vec::<String>::new());
    });
}

#[test]
fn nothing_is_left_of_200_kills_without_namespaces() {
    inside("kill::nothing_is_left_of_200_kills_without_namespaces", || {
        assert_eq!(Lab::blocked().kills("subreaper", MOMENTS).left, Vec::<String>::new());
    });
}

#[test]
fn nothing_is_left_of_unruly_programs_in_namespaces() {
    inside("kill::nothing_is_left_of_unruly_programs_in_namespaces", || unruly("namespaces"));
}

#[test]
fn nothing_is_left_of_unruly_programs_without_namespaces() {
    inside("kill::nothing_is_left_of_unruly_programs_without_namespaces", || unruly("subreaper"));
}

/// Kills while programs run that ignore SIGTERM, go on as a daemon, close all descriptors, or
/// write without end.
fn unruly(containment: &str) {
    let folder = page::file("scenarios/programs/unruly");
    let mut scenarios: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    scenarios.sort();
    assert!(scenarios.len() >= 5, "{scenarios:?}");
    for path in scenarios {
        let text = fs::read_to_string(&path).expect("a scenario");
        let name = path.file_stem().expect("a name").display().to_string();
        let seen = Lab::enter(&vec![text; COPIES]).kills(containment, UNRULY);
        assert_eq!(seen.left, Vec::<String>::new(), "{name}");
        assert!(seen.busy > 0, "{name}: no kill came while a program ran");
    }
}

/// The test above can fail: without the cleaning up, it does.
#[test]
fn much_is_left_where_nothing_cleans_up() {
    inside("kill::much_is_left_where_nothing_cleans_up", || {
        let left = Lab::blocked().kills("nothing", MOMENTS).left;
        assert!(left.iter().any(|what| what.starts_with("process")), "{left:?}");
        assert!(left.iter().any(|what| what.starts_with("file")), "{left:?}");
    });
}

/// Runs this test again as the first process of fresh namespaces, and there the
/// kills.
fn inside(test: &str, kills: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return kills();
    }
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    // SAFETY: only system calls and a fork whose parent does nothing but wait.
    unsafe { command.pre_exec(|| Ok(into_fresh_namespaces()?)) };
    let output = match output(command.stdin(Stdio::null())) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            eprintln!("SKIPPED: this user can't have namespaces of their own (user.max_user_namespaces?)");
            return;
        }
        output => output.expect("the test binary"),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "the test ran inside: {said}");
}

/// Between fork and exec: the child becomes the first process of new namespaces.
fn into_fresh_namespaces() -> Result<(), Errno> {
    let mut flags = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET;
    if !geteuid().is_root() {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    unshare(flags)?;
    if flags.contains(CloneFlags::CLONE_NEWUSER) {
        let put = |path: &str, text: &str| fs::write(path, text).map_err(|_| Errno::EPERM);
        put("/proc/self/setgroups", "deny")?;
        put("/proc/self/uid_map", &format!("{uid} {uid} 1"))?;
        put("/proc/self/gid_map", &format!("{gid} {gid} 1"))?;
    }
    // SAFETY: the process between fork and exec has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let none: Option<&str> = None;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
            mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)
        }
        ForkResult::Parent { child } => {
            // This process never execs: without that it would hold every pipe that
            // another test has open, for as long as it waits.
            // SAFETY: nothing in this process uses a descriptor any more.
            unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
            let status = match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, status)) => status,
                _ => 1,
            };
            // SAFETY: ends the process without running anything.
            unsafe { libc::_exit(status) }
        }
    }
}

#[derive(Clone, Copy)]
struct Moments {
    count: u64,
    /// Once an unruly program is there, and not once the run is begun.
    unruly: bool,
    /// After at most so many microseconds.
    within: u64,
}

/// What was seen of some kills.
struct Seen {
    /// What was left behind, each thing once.
    left: Vec<String>,
    /// Kills that came while an unruly program ran.
    busy: u64,
}

/// The place where the kills happen.
struct Lab {
    dir: tempfile::TempDir,
    before: BTreeSet<String>,
}

impl Lab {
    /// With processes that don't end by themselves.
    fn blocked() -> Lab {
        // Enough cases to outlast every random moment.
        let again: Vec<String> = (1..60).map(|again| again.to_string()).collect();
        Lab::enter(&[SCENARIO.replace("AGAIN", &again.join(", "))])
    }

    fn enter(scenarios: &[String]) -> Lab {
        assert_eq!(std::process::id(), 1, "the first process of its namespace");
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("scenarios")).expect("a directory");
        for (at, scenario) in scenarios.iter().enumerate() {
            fs::write(dir.path().join(format!("scenarios/s{at}.toml")), scenario).expect("a scenario");
        }
        fs::create_dir(dir.path().join("tmp")).expect("a directory");
        let before = everything(dir.path());
        Lab { dir, before }
    }

    /// Kills somebody at random moments.
    fn kills(&self, containment: &str, moments: Moments) -> Seen {
        let patience = if containment == "nothing" { LEFT } else { PATIENCE };
        let mut random = Random(0x5eed);
        let mut left = BTreeSet::new();
        let mut busy = 0;
        for moment in 0..moments.count {
            let mut runner = self.runner(containment);
            // A run that has come to its end shows in `busy`.
            while moments.unruly
                && !processes().into_iter().any(is_unruly)
                && matches!(runner.try_wait(), Ok(None))
            {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_micros(random.below(moments.within)));
            let victims = victims(&runner);
            busy += u64::from(processes().into_iter().any(is_unruly));
            let wanted: &[usize] = match moment % 5 {
                0 => &[0],
                1 => &[1],
                2 => &[2],
                3 => &[0, 2],
                // Where no kernel cleans up, somebody must be left to do it.
                _ if containment == "namespaces" => &[0, 1, 2],
                _ => &[2, 0],
            };
            // Who isn't there yet can't be killed; somebody is, every time.
            let mut there: Vec<Pid> = wanted.iter().filter_map(|&at| victims.get(at).copied()).collect();
            if there.is_empty() {
                there.extend(victims.last());
            }
            for victim in there {
                let _ = kill(victim, Signal::SIGKILL);
            }
            let started = Instant::now();
            let rest = loop {
                reap(&mut runner);
                let rest: Vec<String> =
                    everything(self.dir.path()).difference(&self.before).cloned().collect();
                if rest.is_empty() || started.elapsed() > patience {
                    break rest;
                }
                // Others need the CPU more.
                std::thread::sleep(Duration::from_millis(1));
            };
            if !rest.is_empty() {
                left.extend(rest);
                self.clear();
                let seen = |kind| left.iter().any(|what: &String| what.starts_with(kind));
                if containment == "nothing" && seen("process") && seen("file") {
                    break;
                }
            }
        }
        Seen { left: left.into_iter().collect(), busy }
    }

    fn runner(&self, containment: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipelab"));
        command
            .args(["run", "--containment", containment])
            .arg(self.dir.path().join("scenarios"))
            .env("TMPDIR", self.dir.path().join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        spawn(&mut command).expect("pipelab")
    }

    /// Takes away what was left, so that it is counted once.
    fn clear(&self) {
        for process in processes() {
            if process != 1 {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
        }
        while !matches!(waitpid(None, None), Err(Errno::ECHILD)) {}
        let _ = fs::remove_dir_all(self.dir.path().join("tmp"));
        fs::create_dir(self.dir.path().join("tmp")).expect("a directory");
    }
}

/// Runner, keeper and stage, as far as they have come to be.
fn victims(runner: &Child) -> Vec<Pid> {
    let mut victims = vec![Pid::from_raw(runner.id() as i32)];
    for _ in 0..2 {
        let last = *victims.last().expect("the runner");
        let children = fs::read_to_string(format!("/proc/{last}/task/{last}/children")).unwrap_or_default();
        let Some(child) = children.split_ascii_whitespace().next().and_then(|pid| pid.parse().ok()) else {
            break;
        };
        victims.push(Pid::from_raw(child));
    }
    victims
}

/// Ours to reap is everything: this is the first process of its namespace.
fn reap(runner: &mut Child) {
    let _ = runner.try_wait();
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
    }
}

fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// By its command: a shell's script, or one of pipelab's own programs.
fn is_unruly(pid: i32) -> bool {
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    ["sh\0-c\0", "pipelab\0absorb\0", "pipelab\0emit\0"].iter().any(|words| command.contains(words))
}

/// Every process, file and UNIX socket there is.
fn everything(dir: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for pid in processes() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        // A process that has ended and waits to be reaped is gone in a moment.
        all.insert(format!("process {pid} {}", name.trim()));
    }
    for place in [dir.to_owned(), PathBuf::from("/dev/shm"), PathBuf::from("/mnt")] {
        files(&place, &mut all);
    }
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    all.extend(
        sockets.lines().skip(1).map(|line| format!("socket {}", line.split(' ').next_back().unwrap_or(""))),
    );
    all
}

fn files(place: &Path, all: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        all.insert(format!("file {}", path.display()));
        if path.is_dir() && !path.is_symlink() {
            files(&path, all);
        }
    }
}

/// Moments needn't be very random, only many.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
