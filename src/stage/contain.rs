//! How the stage comes to be, and why nothing of it stays behind.
//!
//! Two processes: the *keeper*, which the runner starts, and the *stage* proper,
//! which it clones.
//!
//! 1. Where it can be had, the stage is the first process of a pid namespace and
//!    lives in a mount namespace with a tmpfs of its own: when it ends, the kernel
//!    kills every process in there and drops the files (pid_namespaces(7),
//!    mount_namespaces(7)). Unprivileged, both live in a user namespace.
//! 2. The stage dies with its keeper (PR_SET_PDEATHSIG, in namespaces), and the keeper
//!    kills the stage when the runner's socket hangs up. So whoever is killed, (1)
//!    follows.
//! 3. Without namespaces, the files are in a directory under TMPDIR; keeper and
//!    stage are subreapers, kill what is left below them, and whichever of
//!    keeper, stage and runner is left last removes the directory.

use std::{
    env, fs,
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, open},
    mount::{MsFlags, mount},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::CloneFlags,
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{Signal, kill},
        stat::Mode,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getegid, geteuid, pipe2},
};

use super::{
    handle::{Containment, Options, Orders, STAGE_VARIABLE},
    serve::{self, Runner},
};
use crate::{cli, setting::surroundings};

/// Where the stage mounts its tmpfs: directories that systems have and that
/// programs can do without.
const MOUNT_POINTS: &[&str] = &["/dev/shm", "/mnt", "/media", "/srv"];

/// Status with which the stage says that it can't have its namespaces.
const NO_NAMESPACES: i32 = 90;

/// The status of a Rust program that panicked.
const PANICKED: i32 = 101;

/// A case of one actor needs about so many.
const LEAST_DESCRIPTORS: u64 = 32;

/// Descriptors below this stay clear: they are placed in every actor.
const FIRST_FREE: RawFd = 10;

/// Turns this process into a stage if a runner started it as one; returns at
/// once if not. Likewise, into one of pipelab's own programs if a scenario wants it. To be called first in `main`, before there are threads: of
/// pipelab's own, or of a test harness that uses the library.
pub fn become_stage_if_asked() {
    if env::var_os(cli::TOOL_VARIABLE).is_some() {
        std::process::exit(cli::tool().into());
    }
    let Ok(orders) = env::var(STAGE_VARIABLE) else { return };
    let status = match serde_json::from_str::<Orders>(&orders) {
        Ok(orders) => keep(&orders.options, &orders.dir),
        Err(error) => {
            eprintln!("pipelab: {STAGE_VARIABLE} is for the runner's use: {error}");
            2
        }
    };
    std::process::exit(status);
}

/// The keeper: starts the stage, waits for its end or the runner's.
fn keep(options: &Options, dir: &Path) -> i32 {
    surroundings::reset_signals();
    surroundings::reset_umask();
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        if hard < LEAST_DESCRIPTORS {
            eprintln!("pipelab: the limit of open files is {hard} (ulimit -Hn), and too low");
            return 1;
        }
    }
    let prepared = take_runner().and_then(|runner| Ok((runner, pipe2(OFlag::O_CLOEXEC)?)));
    let (runner, (keeper_lives, keeper_holds)) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("pipelab: the stage can't start: {}", error.desc());
            return 1;
        }
    };

    // In the stage, only the keeper's end of the pipe may be the keeper's.
    let let_go = || {
        let _ = nix::unistd::close(keeper_holds.as_raw_fd());
    };
    if options.containment == Containment::Namespaces {
        let stage = clone(namespaces(), || {
            let_go();
            in_namespaces(options, &runner, &keeper_lives)
        });
        let status = attend(Some(&runner.socket), stage);
        if status != NO_NAMESPACES {
            return status;
        }
    }
    // SAFETY: takes a number.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    if let Err(error) = fs::DirBuilder::new().mode(0o700).create(dir) {
        eprintln!("pipelab: {}: {error}", dir.display());
        return 1;
    }
    let stage = clone(CloneFlags::empty(), || {
        let_go();
        without_namespaces(options, &runner, &keeper_lives, dir)
    });
    let contained = options.containment != Containment::Nothing;
    let status = attend(contained.then_some(&runner.socket), stage);
    if !contained {
        return status;
    }
    end_strays();
    let _ = fs::remove_dir_all(dir);
    status
}

/// Takes the runner's socket from descriptor 0 and its record of the progress from 1,
/// leaves 0 to 9 but 2 on /dev/null so that nothing important ever has a number that
/// an actor needs, closes strays.
fn take_runner() -> Result<Runner, Errno> {
    let mut taken = [0, 1].map(|fd| -> Result<OwnedFd, Errno> {
        let place = FIRST_FREE + fd;
        surroundings::place_descriptor(fd, place)?;
        // SAFETY: just placed there, and nothing else owns it.
        let taken = unsafe { OwnedFd::from_raw_fd(place) };
        fcntl(&taken, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        Ok(taken)
    });
    surroundings::close_from(FIRST_FREE + taken.len() as RawFd);
    let [socket, progress] = taken.each_mut().map(|fd| std::mem::replace(fd, Err(Errno::EBADF)));
    let runner = Runner { socket: socket?, progress: progress?.into() };
    let null = open("/dev/null", OFlag::O_RDWR, Mode::empty())?;
    for fd in [0, 1].into_iter().chain(3..FIRST_FREE) {
        if null.as_raw_fd() != fd {
            surroundings::place_descriptor(null.as_raw_fd(), fd)?;
        }
    }
    // It is one of those places now.
    std::mem::forget(null);
    Ok(runner)
}

/// The namespaces that this user can have.
fn namespaces() -> CloneFlags {
    let own = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    if geteuid().is_root() { own } else { own | CloneFlags::CLONE_NEWUSER }
}

/// clone(2) with a copy of everything, like fork, into new namespaces. The child
/// ends with what `run` returns.
fn clone(flags: CloneFlags, run: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    let ids = (geteuid(), getegid());
    // SAFETY: no thread but this one, no shared memory, so the child may do
    // anything; nix's clone wants a stack of its own.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags.bits() | libc::SIGCHLD, 0, 0, 0, 0) };
    match Errno::result(pid)? {
        0 => {
            if flags.contains(CloneFlags::CLONE_NEWUSER) && map_ids(ids).is_err() {
                std::process::exit(NO_NAMESPACES);
            }
            // A panic, which has said what it is, must not unwind into the keeper's part.
            let run = std::panic::AssertUnwindSafe(run);
            std::process::exit(std::panic::catch_unwind(run).unwrap_or(PANICKED))
        }
        pid => Ok(Pid::from_raw(pid as i32)),
    }
}

/// The user stays who they are in a new user namespace (user_namespaces(7)).
fn map_ids((uid, gid): (nix::unistd::Uid, nix::unistd::Gid)) -> std::io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

/// Waits for the stage's end, and brings it about if the runner is gone. The
/// stage's exit status.
fn attend(runner: Option<&OwnedFd>, stage: Result<Pid, Errno>) -> i32 {
    let stage = match stage {
        Ok(stage) => stage,
        Err(_) => return NO_NAMESPACES,
    };
    // SAFETY: takes numbers; the child hasn't been reaped.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, stage.as_raw(), 0) };
    if pidfd >= 0 {
        // SAFETY: a fresh descriptor that nothing else owns.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) };
        let mut polled = vec![PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
        polled.extend(runner.map(|runner| PollFd::new(runner.as_fd(), PollFlags::empty())));
        while poll(&mut polled, PollTimeout::NONE) == Err(Errno::EINTR) {}
        if polled[0].any() != Some(true) {
            let _ = kill(stage, Signal::SIGKILL);
        }
    }
    loop {
        match waitpid(stage, None) {
            Ok(WaitStatus::Exited(_, status)) => return status,
            Ok(WaitStatus::Signaled(_, signal, _)) => return 128 + signal as i32,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return 1,
        }
    }
}

/// The stage, first in its pid namespace.
fn in_namespaces(options: &Options, runner: &Runner, keeper: &OwnedFd) -> i32 {
    surroundings::die_with_parent();
    if keeper_is_gone(keeper) {
        return 1;
    }
    match private_mounts() {
        Ok(dir) => serve::serve(options, runner, Some(keeper), &dir, "namespaces"),
        Err(_) => NO_NAMESPACES,
    }
}

/// A tmpfs of its own, and a /proc that shows its own pid namespace.
fn private_mounts() -> Result<PathBuf, Errno> {
    const NONE: Option<&str> = None;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("proc"), "/proc", Some("proc"), quiet | MsFlags::MS_NOEXEC, NONE)?;
    let mut last = Errno::ENOENT;
    for point in MOUNT_POINTS {
        // Actors of another user have to pass it, and nobody else can see it.
        match mount(Some("pipelab"), *point, Some("tmpfs"), quiet, Some("mode=0711")) {
            Ok(()) => return Ok(Path::new(point).join("pipelab")),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The stage where there are no namespaces.
fn without_namespaces(options: &Options, runner: &Runner, keeper: &OwnedFd, dir: &Path) -> i32 {
    // SAFETY: takes a number.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let contained = options.containment != Containment::Nothing;
    serve::serve(options, runner, contained.then_some(keeper), dir, "subreaper")
}

/// The keeper ended before this process asked to die with it.
fn keeper_is_gone(keeper: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(keeper.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO).is_ok_and(|seen| seen > 0)
}

/// Kills and reaps every process that is left below this one.
pub(super) fn end_strays() {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            // EINVAL: one has ended by a real-time signal, for which nix has no name.
            Err(Errno::EINTR | Errno::EINVAL) => {}
            Ok(WaitStatus::StillAlive) => {
                // In a pid namespace of our own, that is everybody else.
                if std::process::id() == 1 {
                    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
                }
                for child in children() {
                    let _ = kill(child, Signal::SIGKILL);
                }
                let _ = waitpid(None, None);
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// The children of this single-threaded process (proc_pid_task_tid_children(5)).
fn children() -> Vec<Pid> {
    let list = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok().map(Pid::from_raw)).collect()
}
