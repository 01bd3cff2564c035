//! What a process keeps from one case to the next, as far as the kernel can see it:
//! open descriptors, signal dispositions and mask, threads, children; of a program
//! that anybody may have written, also limits, ids, mask of file modes and the like.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

use serde::{Deserialize, Serialize};

use super::whole;

/// What two readings are compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Open descriptors.
    Descriptors,
    /// Signals: dispositions, mask, pending.
    Signals,
    Threads,
    Children,
    /// What else surrounds a process: limits, ids, umask, folder, priority, timers.
    Surroundings,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Numbers: of descriptors, of threads, the sets of standard signals. Enough for
    /// the built-in drivers, whose code changes nothing else. 10 us.
    Numbers,
    /// Every descriptor, thread and child by itself, all signals, and the surroundings.
    Whole,
}

/// The fields of `stat` that must stay as they were (proc_pid_stat(5)), by number:
/// threads; signals pending, blocked, ignored, caught (of the standard signals, 1 to
/// 31; `status` has the real-time ones too, and costs twice as much).
const FIELDS: [(usize, Check, &str); 5] = [
    (20, Check::Threads, "the number of threads"),
    (31, Check::Signals, "the set of pending signals"),
    (32, Check::Signals, "the set of blocked signals"),
    (33, Check::Signals, "the set of ignored signals"),
    (34, Check::Signals, "the set of caught signals"),
];

/// The first field behind the program's name.
const FIRST_FIELD: usize = 3;

/// One reading. Two that are equal show that nothing was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Open descriptors.
    descriptors: u64,
    /// Values of `FIELDS`; a set has the bit `1 << (signal - 1)`.
    fields: [u64; FIELDS.len()],
    /// The process has children.
    children: bool,
    /// Only of [`Depth::Whole`].
    whole: Option<Vec<Item>>,
}

/// One thing of many, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) check: Check,
    pub(super) name: String,
    pub(super) value: String,
    /// That it is there at all says something; otherwise it is part of another.
    pub(super) alone: bool,
}

impl State {
    /// The first thing in which `self` isn't as `other`, for people, as deep as both
    /// were read. What is `unchecked` isn't looked at.
    pub fn difference(&self, other: &State, unchecked: &[Check]) -> Option<String> {
        let checked = |check: Check| !unchecked.contains(&check);
        if self.descriptors != other.descriptors && checked(Check::Descriptors) {
            return Some(format!("{} descriptors are open, not {}", self.descriptors, other.descriptors));
        }
        if self.children != other.children && checked(Check::Children) {
            return Some("it has children".into());
        }
        let mut fields = FIELDS.iter().zip(self.fields.iter().zip(&other.fields));
        if let Some(((_, _, name), (is, was))) =
            fields.find(|((_, check, _), (is, was))| is != was && checked(*check))
        {
            return Some(format!("{name} is {is:#x}, not {was:#x}"));
        }
        let (Some(these), Some(those)) = (&self.whole, &other.whole) else { return None };
        let value = |items: &[Item], item: &Item| {
            items.iter().find(|known| known.name == item.name).map(|known| known.value.clone())
        };
        let differs = |item: &&Item| {
            let (is, was) = (value(these, item), value(those, item));
            checked(item.check) && is != was && (item.alone || is.is_some() && was.is_some())
        };
        let item = these.iter().chain(those).find(differs)?;
        let [is, was] = [these, those].map(|items| value(items, item).unwrap_or_else(|| "nothing".into()));
        Some(format!("{} is {is}, not {was}", item.name))
    }
}

/// The files to read it from, kept open.
#[derive(Debug)]
pub struct StateFiles {
    pid: i32,
    stat: File,
    children: File,
    descriptors: File,
    /// The size of `/proc/PID/fd` is the number of its entries (Linux 6.2).
    has_size: bool,
}

impl StateFiles {
    /// Opens them for a process that the caller hasn't reaped.
    ///
    /// # Errors
    /// /proc can't be read, or the kernel doesn't list children
    /// (CONFIG_PROC_CHILDREN): then no process can be shown clean.
    pub fn open(pid: i32) -> io::Result<StateFiles> {
        let open = |name: &str| File::open(format!("/proc/{pid}/{name}"));
        let descriptors = open("fd")?;
        // Three at least are open in every actor.
        let has_size = descriptors.metadata()?.len() > 0;
        let children = open(&format!("task/{pid}/children"))?;
        Ok(StateFiles { pid, stat: open("stat")?, children, descriptors, has_size })
    }

    /// One reading.
    ///
    /// # Errors
    /// The process has ended, or /proc isn't as expected.
    pub fn read(&self, depth: Depth) -> io::Result<State> {
        let mut buffer = [0; 1024];
        let length = self.stat.read_at(&mut buffer, 0)?;
        let malformed = || io::Error::other("stat isn't as proc_pid_stat(5) says");
        // The name in parentheses may hold anything: look behind the last one.
        let behind = buffer[..length].iter().rposition(|&byte| byte == b')').ok_or_else(malformed)?;
        let text = buffer.get(behind + 2..length).ok_or_else(malformed)?;
        let mut words = text.split(|&byte| byte == b' ');
        let mut next = FIRST_FIELD;
        let mut fields = [0; FIELDS.len()];
        for (value, (number, ..)) in fields.iter_mut().zip(FIELDS) {
            let word = words.nth(number - next).ok_or_else(malformed)?;
            *value = str::from_utf8(word).ok().and_then(|word| word.parse().ok()).ok_or_else(malformed)?;
            next = number + 1;
        }
        let whole = match depth {
            Depth::Numbers => None,
            Depth::Whole => Some(whole::read(self.pid, text)?),
        };
        let children = self.children.read_at(&mut buffer, 0)? > 0;
        let descriptors = if self.has_size {
            self.descriptors.metadata()?.len()
        } else {
            fs::read_dir(format!("/proc/{}/fd", self.pid))?.count() as u64
        };
        Ok(State { descriptors, fields, children, whole })
    }
}
