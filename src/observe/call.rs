//! In which call a thread sleeps, and whether a timer will wake it.
//!
//! Numbers and arguments as in `/proc/PID/syscall` (proc_pid_syscall(5)); which
//! argument is a timeout: the manual page of each call.

/// A system call in which a thread sleeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name (`write`), or the kernel function where only `wchan` is known.
    pub name: String,
    /// The descriptor it works on, if its first argument is one.
    pub descriptor: Option<i32>,
    pub sleep: Sleep,
    /// Where the path stands that it opens, if that can be seen.
    pub path: Option<PathAt>,
    /// Where its timeout stands, if it has one that can be seen.
    pub timer: Option<TimerAt>,
}

/// A path in the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathAt {
    /// The descriptor of the folder that it starts from, or AT_FDCWD.
    pub folder: i32,
    /// The address of its text.
    pub address: u64,
}

/// A timeout in the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerAt {
    /// Milliseconds.
    Millis(i32),
    /// The address of a `struct timespec`: how long.
    Span(u64),
    /// The address of a `struct timeval`: how long.
    ValSpan(u64),
    /// The address of a `struct timespec`: until when, on this clock (clock_gettime(2)).
    Until(u64, libc::clockid_t),
}

/// What can end the sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Only somebody else.
    Untimed,
    /// A timer too.
    Timed,
    /// Maybe a timer: only the kernel function is known, not the timeout.
    Unknown,
    /// Somebody else, on one of several descriptors: epoll, with the descriptor
    /// of its set.
    Epoll(i32),
    /// The same for poll: address and length of its array.
    Poll { array: u64, length: u64 },
    /// The same for select: address of the set of readable descriptors.
    Select { readable: u64 },
}

/// How a call says that it has no timeout.
#[derive(Clone, Copy)]
enum Timeout {
    /// It can't have one.
    Never,
    /// It is one.
    Always,
    /// This argument is milliseconds; negative: none.
    Millis(usize),
    /// This argument points to a time; NULL: none.
    Pointer(usize),
    /// It may have one, and the argument can't be seen.
    Hidden,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// The first argument is a descriptor.
    Descriptor,
    Epoll,
    Poll,
    Select,
    Other,
}

use Form::{Descriptor, Epoll, Other, Poll, Select};
use Timeout::{Always, Hidden, Millis, Never, Pointer};

/// The calls that sleep on what this crate watches, under the names that are the
/// same however the C library or a runtime gets there: the titles of their manual pages. (Node.js
/// 18 waits in epoll_wait, 20 in epoll_pwait.) One that isn't here counts as untimed, under its
/// number.
const CALLS: &[(libc::c_long, &str, Form, Timeout)] = &[
    (libc::SYS_read, "read", Descriptor, Never),
    (libc::SYS_write, "write", Descriptor, Never),
    (libc::SYS_readv, "readv", Descriptor, Never),
    (libc::SYS_writev, "writev", Descriptor, Never),
    (libc::SYS_openat, "open", Other, Never),
    (libc::SYS_openat2, "open", Other, Never),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, "open", Other, Never),
    (libc::SYS_close, "close", Descriptor, Never),
    (libc::SYS_recvfrom, "recvfrom", Descriptor, Never),
    (libc::SYS_recvmsg, "recvmsg", Descriptor, Never),
    (libc::SYS_sendto, "sendto", Descriptor, Never),
    (libc::SYS_sendmsg, "sendmsg", Descriptor, Never),
    (libc::SYS_connect, "connect", Descriptor, Never),
    (libc::SYS_accept, "accept", Descriptor, Never),
    (libc::SYS_accept4, "accept4", Descriptor, Never),
    (libc::SYS_splice, "splice", Descriptor, Never),
    (libc::SYS_tee, "tee", Descriptor, Never),
    (libc::SYS_vmsplice, "vmsplice", Descriptor, Never),
    (libc::SYS_sendfile, "sendfile", Descriptor, Never),
    (libc::SYS_clone, "clone", Other, Never),
    (libc::SYS_clone3, "clone", Other, Never),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_vfork, "clone", Other, Never),
    (libc::SYS_wait4, "wait4", Other, Never),
    (libc::SYS_waitid, "waitid", Other, Never),
    (libc::SYS_rt_sigsuspend, "rt_sigsuspend", Other, Never),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_pause, "pause", Other, Never),
    (libc::SYS_nanosleep, "nanosleep", Other, Always),
    (libc::SYS_clock_nanosleep, "nanosleep", Other, Always),
    // The kernel restarts a sleep with a timeout under this number.
    (libc::SYS_restart_syscall, "restart_syscall", Other, Always),
    (libc::SYS_futex, "futex", Other, Pointer(3)),
    (libc::SYS_rt_sigtimedwait, "rt_sigtimedwait", Other, Pointer(2)),
    (libc::SYS_ppoll, "poll", Poll, Pointer(2)),
    (libc::SYS_pselect6, "select", Select, Pointer(4)),
    (libc::SYS_epoll_pwait, "epoll_wait", Epoll, Millis(3)),
    (libc::SYS_epoll_pwait2, "epoll_wait", Epoll, Pointer(3)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, "poll", Poll, Millis(2)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_select, "select", Select, Pointer(4)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait", Epoll, Millis(3)),
];

/// Kernel functions that `wchan` may name, and the call as its users know it.
/// The names differ by version: `anon_pipe_read` came with 6.15.
const PLACES: &[(&str, &str, Timeout)] = &[
    ("pipe_read", "read", Never),
    ("anon_pipe_read", "read", Never),
    ("fifo_pipe_read", "read", Never),
    ("pipe_write", "write", Never),
    ("anon_pipe_write", "write", Never),
    ("fifo_pipe_write", "write", Never),
    ("wait_for_partner", "open", Never),
    ("fifo_open", "open", Never),
    ("do_nanosleep", "nanosleep", Always),
    ("hrtimer_nanosleep", "nanosleep", Always),
    ("common_nsleep", "nanosleep", Always),
    ("poll_schedule_timeout", "poll", Hidden),
    ("ep_poll", "epoll_wait", Hidden),
    ("do_epoll_wait", "epoll_wait", Hidden),
    ("futex_wait_queue", "futex", Hidden),
    ("futex_wait_queue_me", "futex", Hidden),
    ("futex_do_wait", "futex", Hidden),
];

impl Call {
    /// Reads a line of `/proc/PID/syscall`: number, six arguments, stack pointer,
    /// program counter. `None` for `running` and for a thread outside any call.
    pub fn of_syscall(line: &str) -> Option<Call> {
        let mut words = line.split_ascii_whitespace();
        let number: libc::c_long = words.next()?.parse().ok()?;
        if number < 0 {
            return None;
        }
        let mut args = [0u64; 6];
        for arg in &mut args {
            *arg = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        let Some(&(_, name, form, timeout)) = CALLS.iter().find(|(known, ..)| *known == number) else {
            return Some(Call {
                name: format!("system call {number}"),
                descriptor: None,
                sleep: Sleep::Untimed,
                path: None,
                timer: None,
            });
        };
        let timed = match timeout {
            Never | Hidden => false,
            Always => true,
            // The kernel takes an int: the upper half of the register is noise.
            Millis(at) => args[at] as i32 >= 0,
            Pointer(at) => args[at] != 0,
        };
        let sleep = match form {
            _ if timed => Sleep::Timed,
            Epoll => Sleep::Epoll(args[0] as i32),
            Poll => Sleep::Poll { array: args[0], length: args[1] },
            Select => Sleep::Select { readable: args[1] },
            Descriptor | Other => Sleep::Untimed,
        };
        let descriptor = (form == Descriptor).then_some(args[0] as i32);
        let timer = timed.then(|| timer_at(number, args)).flatten();
        Some(Call { name: name.to_owned(), descriptor, sleep, path: path_at(number, args), timer })
    }

    /// Reads `/proc/PID/wchan`: the kernel function in which a thread sleeps.
    /// Timeouts of poll and its kin can't be told from it.
    pub fn of_wchan(place: &str) -> Call {
        // Compilers append `.constprop.0` and the like.
        let place = place.split('.').next().unwrap_or(place);
        let known = PLACES.iter().find(|(function, ..)| *function == place);
        let (name, sleep) = match known {
            Some((_, name, Always)) => (*name, Sleep::Timed),
            Some((_, name, Hidden)) => (*name, Sleep::Unknown),
            Some((_, name, _)) => (*name, Sleep::Untimed),
            None => (place, Sleep::Untimed),
        };
        Call { name: name.to_owned(), descriptor: None, sleep, path: None, timer: None }
    }
}

/// Where the path of a call stands that opens one.
fn path_at(number: libc::c_long, args: [u64; 6]) -> Option<PathAt> {
    match number {
        libc::SYS_openat | libc::SYS_openat2 => Some(PathAt { folder: args[0] as i32, address: args[1] }),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => Some(PathAt { folder: libc::AT_FDCWD, address: args[0] }),
        _ => None,
    }
}

/// Where the timeout of a call stands that has one.
fn timer_at(number: libc::c_long, args: [u64; 6]) -> Option<TimerAt> {
    let futex_clock = || match args[1] as i32 & libc::FUTEX_CLOCK_REALTIME {
        0 => libc::CLOCK_MONOTONIC,
        _ => libc::CLOCK_REALTIME,
    };
    match number {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => Some(TimerAt::Millis(args[2] as i32)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => Some(TimerAt::Millis(args[3] as i32)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => Some(TimerAt::ValSpan(args[4])),
        libc::SYS_epoll_pwait => Some(TimerAt::Millis(args[3] as i32)),
        libc::SYS_epoll_pwait2 => Some(TimerAt::Span(args[3])),
        libc::SYS_ppoll | libc::SYS_rt_sigtimedwait => Some(TimerAt::Span(args[2])),
        libc::SYS_pselect6 => Some(TimerAt::Span(args[4])),
        libc::SYS_nanosleep => Some(TimerAt::Span(args[0])),
        libc::SYS_clock_nanosleep if args[1] & libc::TIMER_ABSTIME as u64 == 0 => {
            Some(TimerAt::Span(args[2]))
        }
        libc::SYS_clock_nanosleep => Some(TimerAt::Until(args[2], args[0] as libc::clockid_t)),
        libc::SYS_futex => match args[1] as i32 & libc::FUTEX_CMD_MASK {
            libc::FUTEX_WAIT => Some(TimerAt::Span(args[3])),
            libc::FUTEX_WAIT_BITSET => Some(TimerAt::Until(args[3], futex_clock())),
            _ => None,
        },
        // restart_syscall(2) has none.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_write("1 0x5 0x7ffd 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00", "write", Some(5), Sleep::Untimed)]
    #[case::a_timer("230 0x0 0x0 0x7ffe 0x7ffe 0x0 0x0 0x7ffe 0x7f9b", "nanosleep", None, Sleep::Timed)]
    #[case::a_loop(
        "232 0x4 0x7ffe 0x40 0xffffffff 0x0 0x0 0x7ffe 0x7f9b",
        "epoll_wait",
        None,
        Sleep::Epoll(4)
    )]
    #[case::a_loop_with_a_timer(
        "232 0x4 0x7ffe 0x40 0x3e8 0x0 0x0 0x7ffe 0x7f9b",
        "epoll_wait",
        None,
        Sleep::Timed
    )]
    #[case::the_same_loop_with_a_mask(
        "281 0x4 0x7ffe 0x400 0xffffffff 0x0 0x8 0x7ffe 0x7f9b",
        "epoll_wait",
        None,
        Sleep::Epoll(4)
    )]
    #[case::a_futex("202 0x7f 0x80 0x0 0x0 0x0 0x0 0x7ffe 0x7f9b", "futex", None, Sleep::Untimed)]
    #[case::a_timed_futex("202 0x7f 0x80 0x0 0x7f 0x0 0x0 0x7ffe 0x7f9b", "futex", None, Sleep::Timed)]
    #[cfg(target_arch = "x86_64")]
    fn a_call_is_named_with_its_timeout(
        #[case] line: &str,
        #[case] name: &str,
        #[case] descriptor: Option<i32>,
        #[case] sleep: Sleep,
    ) {
        let call = Call::of_syscall(line).unwrap();
        assert_eq!((call.name.as_str(), call.descriptor, call.sleep), (name, descriptor, sleep));
    }

    #[rstest]
    #[case("running")]
    #[case("-1 0x7ffe 0x7f9b")]
    #[case("")]
    fn outside_a_call_there_is_none(#[case] line: &str) {
        assert_eq!(Call::of_syscall(line), None);
    }
}
