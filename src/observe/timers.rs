//! Timers that wake a thread and aren't in the arguments of its call: timer_create(2),
//! timerfd_create(2), the timeouts of a socket (socket(7), SO_RCVTIMEO and SO_SNDTIMEO).
//! alarm(2) and setitimer(2) are told nowhere (`it_real_value` of `stat` is 0 since Linux 2.6.17).

use std::{fs, time::Duration};

use nix::sys::{
    socket::{getsockopt, sockopt},
    time::TimeVal,
};

use super::{Call, Process, Sleep, queue};

/// Calls that give up after SO_RCVTIMEO, and those that do after SO_SNDTIMEO.
const RECEIVE: &[&str] = &["read", "readv", "recvfrom", "recvmsg", "accept", "accept4"];
const SEND: &[&str] = &["write", "writev", "sendto", "sendmsg", "sendfile", "connect"];

/// What the link of a descriptor says (proc_pid_fd(5)).
const TIMER: &str = "anon_inode:[timerfd]";
const SOCKET: &str = "socket:";

/// The process has one of timer_create(2) (proc_pid_timers(5), where the kernel tells them).
pub(super) fn any(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/timers")).is_ok_and(|timers| !timers.is_empty())
}

/// After how long at most a descriptor that the call waits for wakes its thread, by a timer
/// behind it.
pub(super) fn behind(process: &Process, pid: i32, call: &Call) -> Option<Duration> {
    match (call.sleep, call.descriptor) {
        (Sleep::Untimed, Some(fd)) => match link(pid, fd)? {
            link if link == TIMER => expires_in(pid, fd),
            link if link.starts_with(SOCKET) => gives_up_after(pid, fd, &call.name),
            _ => None,
        },
        (Sleep::Epoll(_) | Sleep::Poll { .. } | Sleep::Select { .. }, _) => {
            let fds = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
            let fds = fds.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            let watched = fds.filter(|fd: &i32| {
                link(pid, *fd).as_deref() == Some(TIMER) && process.watches(call.sleep, *fd).unwrap_or(false)
            });
            watched.filter_map(|fd| expires_in(pid, fd)).min()
        }
        _ => None,
    }
}

fn link(pid: i32, fd: i32) -> Option<String> {
    let link = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    link.into_os_string().into_string().ok()
}

/// When a timer behind a descriptor expires; `None`: it isn't set (proc_pid_fdinfo(5):
/// `it_value: (0, 49406829)`).
fn expires_in(pid: i32, fd: i32) -> Option<Duration> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    let value = info.lines().find_map(|line| line.strip_prefix("it_value:"))?;
    let (seconds, nanos) = value.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(", ")?;
    let left = Duration::new(seconds.parse().ok()?, nanos.parse().ok()?);
    (!left.is_zero()).then_some(left)
}

/// A socket's timeout for this call; from when it runs isn't told.
fn gives_up_after(pid: i32, fd: i32, call: &str) -> Option<Duration> {
    let pidfd = queue::pidfd(pid).ok()?;
    let copy = queue::copy(std::os::fd::AsFd::as_fd(&pidfd), fd).ok()?;
    let timeout: TimeVal = match call {
        _ if RECEIVE.contains(&call) => getsockopt(&copy, sockopt::ReceiveTimeout).ok()?,
        _ if SEND.contains(&call) => getsockopt(&copy, sockopt::SendTimeout).ok()?,
        _ => return None,
    };
    let (seconds, micros) = (u64::try_from(timeout.tv_sec()).ok()?, u64::try_from(timeout.tv_usec()).ok()?);
    let timeout = Duration::from_secs(seconds) + Duration::from_micros(micros);
    (!timeout.is_zero()).then_some(timeout)
}
