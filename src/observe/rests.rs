//! What a process with all its threads rests in, in the words of an outcome.
//!
//! 1. One thread names the call, the first of: a plain call that sleeps (read, write, open,
//!    wait and their kin); a timer; an event loop's wait; a futex, in which threads wait
//!    for each other.
//! 2. A thread that sleeps on a timer makes its process `waiting`, unless its runtime keeps
//!    it for itself: what that one does moves no byte of the program's.

use std::{fs, path::Path};

use super::{
    Call, Process, Reading, Sleep,
    tree::{FileId, Tree, call_of, file_id},
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

/// `None` for a process that has ended and waits for its parent.
pub(super) fn of(
    process: &Process,
    pid: i32,
    readings: &[Reading],
    channels: &[Option<FileId>],
    tree: &Tree,
) -> Option<Resting> {
    let name = tree.name(pid).unwrap_or_else(|| "?".to_owned());
    if readings.iter().any(|reading| reading.state == b'T') {
        let (call, channel) = (String::new(), None);
        return Some(Resting {
            process: name,
            state: Rests::Stopped,
            call,
            channel,
            other_side: None,
            filled: None,
        });
    }
    let threads: Vec<(Call, bool)> = readings
        .iter()
        .zip(process.names())
        .filter(|(reading, _)| !reading.has_ended())
        .filter_map(|(reading, thread)| {
            let helps = HELPERS.iter().any(|helper| thread.starts_with(helper));
            Some((call_of(process, reading)?, helps))
        })
        .collect();
    let own = || threads.iter().filter(|(_, helps)| !helps).map(|(call, _)| call);
    let timed = own().any(|call| call.sleep == Sleep::Timed);
    let naming = own().min_by_key(|call| rank(call)).or(threads.first().map(|(call, _)| call))?;
    let state = match naming.sleep {
        _ if timed => Rests::Waiting,
        Sleep::Epoll(_) | Sleep::Poll { .. } | Sleep::Select { .. } | Sleep::Unknown => Rests::Pending,
        Sleep::Untimed | Sleep::Timed => Rests::Blocked,
    };
    let link = |fd: i32| format!("/proc/{pid}/fd/{fd}");
    let file = naming.descriptor.and_then(|fd| file_id(Path::new(&link(fd))).ok());
    let channel = file.and_then(|file| channels.iter().position(|known| *known == Some(file)));
    let other_side = match (naming.descriptor, channel) {
        (Some(fd), None) => tree.other_side(pid, fd),
        _ => None,
    };
    Some(Resting { process: name, state, call: naming.name.clone(), channel, other_side, filled: None })
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
