//! What a process with all its threads rests in, in the words of an outcome.
//!
//! 1. One thread names the call, the first of: a plain call that sleeps (read, write, open,
//!    wait and their kin); a timer; an event loop's wait; a futex, in which threads wait
//!    for each other.
//! 2. A timer that wakes a thread in less than a second is waited for, unless the program does
//!    nothing but tick (`ticking`).
//! 3. A thread that sleeps on a timer makes its process `waiting`, unless its runtime keeps
//!    it for itself: what that one does moves no byte of the program's.

use std::{fs, path::Path, time::Duration};

use super::{
    Call, Kept, Process, Reading, Sleep, memory, timers,
    tree::{ChannelFile, FileId, Tree, file_at, file_id},
};
use crate::outcome::{Resting, Rests};

/// Threads that the HotSpot JVM keeps for itself and that wake by timers, by their names
/// (`/proc/PID/task/TID/comm`, cut at 15 bytes; HotSpot `os::naked_sleep`,
/// `WatcherThread`, `MonitorDeflationThread`).
const HELPERS: &[&str] = &[
    "VM Periodic Tas",
    "VM Thread",
    "Monitor Deflati",
    "Common-Cleaner",
    "G1 ",
    "GC Thread",
    "C1 CompilerThre",
    "C2 CompilerThre",
    "Service Thread",
    "Signal Dispatch",
    "Notification Th",
    "Sweeper thread",
    "Reference Handl",
    "Finalizer",
];

/// Of those, the ones that wake many times a second, to no effect.
const TICKERS: &[&str] = &["VM Periodic Tas", "Monitor Deflati"];

/// A timer that wakes a thread in less than that is waited for.
const SOON: Duration = Duration::from_secs(1);

fn is_helper(name: &str) -> bool {
    HELPERS.iter().any(|helper| name.starts_with(helper))
}

/// The same for a helper. At work it takes naps of at most 10 ms, while others wait for it
/// (HotSpot `VM_Exit::wait_for_threads_in_native_to_block`); it waits for work a second and more.
const HELPERS_SOON: Duration = Duration::from_millis(100);

/// A thread of this name wakes again and again, and does nothing for the program.
pub(super) fn ticks_always(name: &str) -> bool {
    TICKERS.contains(&name)
}

/// A timer will soon wake this thread.
pub(super) fn wakes_soon(process: &Process, pid: i32, reading: &Reading, name: &str) -> bool {
    // Who is stopped, or kept at a call, has its timer only from when it goes on.
    if reading.state != b'S' {
        return false;
    }
    let Some(call) = process.call(reading) else { return false };
    let soon = if is_helper(name) { HELPERS_SOON } else { SOON };
    let left = || {
        let own = call.timer.and_then(|timer| process.wakes_in(timer));
        own.into_iter().chain(timers::behind(process, pid, &call)).min()
    };
    !ticks_always(name) && left().is_some_and(|left| left < soon)
}

/// `None` for a process that has ended and waits for its parent.
pub(super) fn of(
    process: &Process,
    pid: i32,
    readings: &[Reading],
    channels: &[Option<ChannelFile>],
    tree: &Tree,
) -> Option<Resting> {
    let name = tree.name(pid).unwrap_or_else(|| "?".to_owned());
    let stopped = |reading: &Reading| reading.state == b'T' || reading.kept == Some(Kept::Stopped);
    if readings.iter().any(stopped) {
        return Some(resting(name, Rests::Stopped, String::new(), None));
    }
    let held = readings.iter().find(|reading| reading.kept == Some(Kept::AtCall));
    if let Some(call) = held.and_then(|reading| process.call(reading)) {
        let channel = channel_of(pid, &call, channels);
        return Some(resting(name, Rests::Held, call.name, channel));
    }
    let threads: Vec<(Call, bool)> = readings
        .iter()
        .zip(process.names())
        .filter(|(reading, _)| !reading.has_ended())
        .filter_map(|(reading, thread)| Some((process.call(reading)?, is_helper(&thread))))
        .collect();
    let own = || threads.iter().filter(|(_, helps)| !helps).map(|(call, _)| call);
    let is_timed = |call: &Call| call.sleep == Sleep::Timed || timers::behind(process, pid, call).is_some();
    let timed = own().any(is_timed) || timers::any(pid);
    let naming = own().min_by_key(|call| rank(call)).or(threads.first().map(|(call, _)| call))?;
    let state = match naming.sleep {
        _ if timed => Rests::Waiting,
        Sleep::Epoll(_) | Sleep::Poll { .. } | Sleep::Select { .. } => Rests::Pending,
        Sleep::Unknown => Rests::Unknown,
        Sleep::Untimed | Sleep::Timed => Rests::Blocked,
    };
    let channel = channel_of(pid, naming, channels);
    let other_side = match (naming.descriptor, channel) {
        (Some(fd), None) => tree.other_side(pid, fd),
        _ => None,
    };
    Some(Resting { other_side, ..resting(name, state, naming.name.clone(), channel) })
}

fn resting(process: String, state: Rests, call: String, channel: Option<usize>) -> Resting {
    Resting { process, state, call, channel, other_side: None, filled: None }
}

/// The channel that a call works on, or opens.
fn channel_of(pid: i32, call: &Call, channels: &[Option<ChannelFile>]) -> Option<usize> {
    let held = |fd: i32| file_id(Path::new(&format!("/proc/{pid}/fd/{fd}"))).ok();
    let file = call.descriptor.map_or_else(|| opened(pid, call), held)?;
    channels.iter().position(|known| known.is_some_and(|known| known.is(file)))
}

/// The file that a call opens.
pub(super) fn opened(pid: i32, call: &Call) -> Option<FileId> {
    let path = call.path?;
    file_at(pid, path.folder, &memory::text(pid, path.address)?).ok()
}

/// Rule 1.
fn rank(call: &Call) -> u32 {
    match call.sleep {
        Sleep::Untimed if call.name != "futex" => 0,
        Sleep::Timed => 1,
        Sleep::Epoll(_) | Sleep::Poll { .. } | Sleep::Select { .. } | Sleep::Unknown => 2,
        Sleep::Untimed => 3,
    }
}

/// The name of a process (proc_pid_comm(5)).
pub(super) fn name(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}
