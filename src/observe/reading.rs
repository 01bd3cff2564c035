//! What /proc says of one thread, and what two such readings prove.
//!
//! A thread is asleep in a call that only another one can end if
//!
//! 1. it is in state `S` in both readings (or can't run at all, [`Reading::rests`]): a thread that has queued itself on a
//!    wait queue and is about to look once more for work is still running or
//!    runnable;
//! 2. its run count (the third number of `schedstat`) is the same in both: it
//!    wasn't on a CPU in between;
//! 3. it is in the same call, with the same arguments;
//! 4. between the two readings, every other thread concerned was read once too:
//!    a thread that was seen asleep first may have been woken by one that was
//!    still running then.
//!
//! The caller adds 5: no answer of the actor lies unread after the second
//! reading, and no order to it lies untaken.
//!
//! Sources: proc_pid_schedstat(5) (kernel `fs/proc/base.c`), proc_pid_syscall(5)
//! (`lib/syscall.c`), proc_pid_stat(5).

use serde::{Deserialize, Serialize};

/// One reading of one thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The state letter of `stat`: `S` is an interruptible sleep.
    pub state: u8,
    /// Times it was put on a CPU.
    pub runs: u64,
    /// CPU time it has used, in nanoseconds.
    pub cpu_ns: u64,
    /// The text of `syscall`, or of `wchan` where `syscall` is refused.
    pub place: String,
    /// It waits for a child that shares its memory (vfork(2)), which is no sleep that a
    /// signal ends.
    #[serde(default)]
    pub in_vfork: bool,
    /// Its tracer, which is one of those that are read, keeps it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// How a tracer keeps a thread stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// At the entry of a call.
    AtCall,
    /// As job control has it.
    Stopped,
}

/// States of a thread that has ended (proc_pid_stat(5)).
pub(super) const ENDED: [u8; 2] = *b"ZX";

/// Kernel functions in which vfork(2) waits (kernel/fork.c: `wait_for_vfork_done`, mostly
/// inlined into its caller).
pub(super) const VFORK_WAITS: [&str; 5] =
    ["wait_for_vfork_done", "kernel_clone", "do_fork", "_do_fork", "__do_sys_vfork"];

impl Reading {
    /// It has ended, and only waits for its parent to take notice.
    pub fn has_ended(&self) -> bool {
        ENDED.contains(&self.state)
    }

    /// It runs only if somebody else has it run: it sleeps; it has ended; it is stopped by
    /// a signal; or, in vfork(2), it waits for its child, which counts as uninterruptible.
    ///
    /// One that has stopped for its tracer rests only where the tracer wants it so: any
    /// other goes on as soon as the tracer gets to it. (A thread tells its tracer before it
    /// leaves the CPU, kernel `ptrace_stop`: once it has left, the tracer isn't asleep, or
    /// knows.)
    pub fn rests(&self) -> bool {
        match self.state {
            // The state is set first (kernel `do_signal_stop`, too): the parent may not be told yet.
            b'S' | b'T' => !RUNNING.contains(&self.place.as_str()),
            b't' => self.kept.is_some() && !RUNNING.contains(&self.place.as_str()),
            b'D' => self.in_vfork,
            _ => self.has_ended(),
        }
    }
}

/// What of the rules is applied. Anything but [`Rule::FULL`] is wrong now and
/// then; the others exist so that tests can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Look at the state (rule 1).
    pub state: bool,
    /// Compare with a second scan over all threads (rules 2 to 4).
    pub second_scan: bool,
}

impl Rule {
    pub const FULL: Rule = Rule { state: true, second_scan: true };
}

/// Whether two scans over the same threads, in the same order, prove all of
/// them asleep.
pub fn asleep(rule: Rule, first: &[Reading], second: &[Reading]) -> bool {
    let second = if rule.second_scan { second } else { first };
    first.len() == second.len()
        && first.iter().zip(second).all(|(first, second)| {
            let state = !rule.state || first.rests() && second.rests();
            let still = first.runs == second.runs && first.place == second.place;
            state && still
        })
}

/// What `syscall` (`running`) and `wchan` (`0`) say of a thread that is on a CPU or could be. Its
/// state may be `S` by then: it is set before the last look for work (kernel
/// `wait_event`, `get_wchan`).
const RUNNING: [&str; 2] = ["running", "0"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_about_to_sleep_is_no_sleeper() {
        let reading = |place: &str| {
            let place = place.into();
            vec![Reading { state: b'S', runs: 7, cpu_ns: 9, place, in_vfork: false, kept: None }]
        };
        let proved = |place: &str| asleep(Rule::FULL, &reading(place), &reading(place));
        assert!(proved("1 0x5 0x7ffd 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00") && proved("pipe_write"));
        assert!(!proved("running"));
        // What wchan says while the thread is still on a CPU or in a queue for one.
        assert!(!proved("0"));
    }

    #[test]
    fn a_stopped_thread_rests_where_its_tracer_wants_it_so() {
        let rests = |state, kept, place: &str| {
            Reading { state, runs: 7, cpu_ns: 9, place: place.into(), in_vfork: false, kept }.rests()
        };
        let call = "1 0x5 0x7ffd 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00";
        assert!(rests(b'T', None, call));
        assert!(rests(b't', Some(Kept::AtCall), call) && rests(b't', Some(Kept::Stopped), "ptrace_stop"));
        assert!(!rests(b't', None, call));
        // Its tracer may not have been told yet.
        assert!(!rests(b't', Some(Kept::AtCall), "running"));
    }
}
