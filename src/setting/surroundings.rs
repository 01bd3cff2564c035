//! Makes a process start as its setting says, whatever its parent was: signals,
//! mask, umask, descriptors, session, limits. For a child between fork and exec
//! (or instead of exec), so nothing here allocates or locks.

use std::{
    os::fd::RawFd,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::{
    errno::Errno,
    libc,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        stat::{Mode, umask},
    },
    unistd::Pid,
};

/// Signals below this exist on Linux (signal(7)).
const SIGNALS: i32 = 65;

/// Descriptors that an actor may have open: the customary soft limit.
const DESCRIPTORS: u64 = 1024;

/// The customary size of a stack (bytes).
const STACK: u64 = 8 << 20;

/// Timer slack that a process has unless somebody changed it (prctl(2)), in
/// nanoseconds.
const TIMER_SLACK: libc::c_ulong = 50_000;

/// Every signal to its default disposition, none blocked. Dispositions that
/// were ignored survive fork and exec, and change what programs do.
pub fn reset_signals() {
    for signal in 1..SIGNALS {
        set_disposition(signal, libc::SIG_DFL);
    }
    // SAFETY: the set lives through both calls.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

/// Ignores a signal.
pub fn ignore(signal: i32) {
    set_disposition(signal, libc::SIG_IGN);
}

/// Lets a signal do what it does by default.
pub fn by_default(signal: i32) {
    set_disposition(signal, libc::SIG_DFL);
}

fn set_disposition(signal: i32, disposition: libc::sighandler_t) {
    // SAFETY: no handler is installed, only SIG_DFL or SIG_IGN; the kernel
    // refuses SIGKILL and SIGSTOP, which is fine.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = disposition;
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

/// Whether this process, and so what it forks, ignores SIGPIPE; after `reset_signals`,
/// and nowhere else, is it set.
pub fn ignore_sigpipe(ignore: bool) {
    static IGNORES: AtomicBool = AtomicBool::new(false);
    if IGNORES.swap(ignore, Ordering::Relaxed) != ignore {
        set_disposition(libc::SIGPIPE, if ignore { libc::SIG_IGN } else { libc::SIG_DFL });
    }
}

/// The file mode mask that most systems start with.
pub fn reset_umask() {
    umask(Mode::from_bits_truncate(0o022));
}

/// A limit, and what an actor gets.
pub type Limit = (Resource, u64, u64);

/// The limits in which an actor differs from this process: those that a process may
/// raise by itself, raised; the customary descriptor limit, or the hard limit if that
/// is lower; no core files.
pub fn limits_to_set() -> Vec<Limit> {
    let mut limits = Vec::new();
    for resource in [
        Resource::RLIMIT_AS,
        Resource::RLIMIT_CPU,
        Resource::RLIMIT_DATA,
        Resource::RLIMIT_FSIZE,
        Resource::RLIMIT_NPROC,
        Resource::RLIMIT_STACK,
        Resource::RLIMIT_CORE,
        Resource::RLIMIT_NOFILE,
    ] {
        let Ok(before) = getrlimit(resource) else { continue };
        let hard = before.1;
        let limit = match resource {
            // An unlimited stack changes where a process maps its memory.
            Resource::RLIMIT_STACK => (hard.min(STACK), hard),
            Resource::RLIMIT_CORE => (0, 0),
            Resource::RLIMIT_NOFILE => (hard.min(DESCRIPTORS), hard),
            _ => (hard, hard),
        };
        if limit != before {
            limits.push((resource, limit.0, limit.1));
        }
    }
    limits
}

/// Sets what [`limits_to_set`] found.
#[unsafe(link_section = "pipelab_actor")]
pub fn set_limits(limits: &[Limit]) {
    for &(resource, soft, hard) in limits {
        let _ = setrlimit(resource, soft, hard);
    }
}

/// A session of its own.
#[unsafe(link_section = "pipelab_actor")]
pub fn own_session() {
    // SAFETY: takes nothing. By syscall(2), which others here need too: each function
    // of the C library may lie in a stretch of its own.
    unsafe { libc::syscall(libc::SYS_setsid) };
}

/// Whatever is started below stays below, also when its parent ends.
pub fn keep_orphans() {
    // SAFETY: takes numbers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// The timer slack of a fresh process.
#[unsafe(link_section = "pipelab_actor")]
pub fn reset_timers() {
    // SAFETY: takes a number.
    unsafe { libc::syscall(libc::SYS_prctl, libc::PR_SET_TIMERSLACK, TIMER_SLACK) };
}

/// Wake-ups as exact as the kernel can, for a process that watches others.
pub fn exact_timers() {
    // SAFETY: takes a number.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}

/// This process is killed when the thread that forked it ends.
#[unsafe(link_section = "pipelab_actor")]
pub fn die_with_parent() {
    // SAFETY: takes a number.
    unsafe { libc::syscall(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) };
}

/// Moves `from` to `to`, kept over exec. Does nothing for a descriptor already
/// there but keep it.
///
/// # Errors
/// As dup2(2).
#[unsafe(link_section = "pipelab_actor")]
pub fn place_descriptor(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: numbers; the caller owns both.
    let result =
        unsafe { if from == to { libc::fcntl(from, libc::F_SETFD, 0) } else { libc::dup2(from, to) } };
    Errno::result(result).map(drop)
}

/// Closes every descriptor from `first` on.
#[unsafe(link_section = "pipelab_actor")]
pub fn close_from(first: RawFd) {
    // SAFETY: closes descriptors that this process doesn't use any more.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
}

/// Closes the descriptors from `first` to `last`.
pub fn close_from_to(first: RawFd, last: RawFd) {
    if first <= last {
        // SAFETY: as above.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
}

/// The CPUs that this process might use before it was pinned.
static BEFORE: OnceLock<CpuSet> = OnceLock::new();

/// Pins this process, and so what it forks.
///
/// # Errors
/// It may not use this CPU, or not choose.
pub fn pin(cpu: usize) -> Result<(), Errno> {
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this)?;
    let mut cpus = CpuSet::new();
    cpus.set(cpu)?;
    sched_setaffinity(this, &cpus)?;
    BEFORE.get_or_init(|| before);
    Ok(())
}

/// Lets this process use again what it might before it was pinned.
pub fn unpin() {
    if let Some(before) = BEFORE.get() {
        let _ = sched_setaffinity(Pid::from_raw(0), before);
    }
}
