//! What a process keeps from one case to the next, as far as the kernel can see it:
//! open descriptors, signal dispositions and mask, threads, children.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

/// The lines of `status` that must stay as they were (proc_pid_status(5)): threads;
/// signals pending, blocked, ignored, caught.
const LINES: [&str; 6] = ["Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"];

/// One reading. Two that are equal show that nothing was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Open descriptors.
    descriptors: u64,
    /// Values of `LINES`: a count in decimal, then masks in base 16.
    lines: [u64; LINES.len()],
    /// The process has children.
    children: bool,
}

impl State {
    /// The first thing in which `self` isn't as `other`, for people.
    pub fn difference(&self, other: &State) -> Option<String> {
        if self.descriptors != other.descriptors {
            return Some(format!("{} descriptors are open, not {}", self.descriptors, other.descriptors));
        }
        if self.children != other.children {
            return Some("it has children".into());
        }
        let mut lines = LINES.iter().zip(self.lines.iter().zip(&other.lines));
        let (name, (is, was)) = lines.find(|(_, (is, was))| is != was)?;
        Some(format!("{name} is {is:x}, not {was:x}"))
    }
}

/// The files to read it from, kept open.
#[derive(Debug)]
pub struct StateFiles {
    pid: i32,
    status: File,
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
        Ok(StateFiles { pid, status: open("status")?, children, descriptors, has_size })
    }

    /// One reading.
    ///
    /// # Errors
    /// The process has ended, or /proc isn't as expected.
    pub fn read(&self) -> io::Result<State> {
        let mut buffer = [0; 4096];
        let length = self.status.read_at(&mut buffer, 0)?;
        let text = str::from_utf8(&buffer[..length]).map_err(io::Error::other)?;
        let mut values = [None; LINES.len()];
        for line in text.lines() {
            let Some((name, value)) = line.split_once(":\t") else { continue };
            if let Some(at) = LINES.iter().position(|wanted| *wanted == name) {
                values[at] = u64::from_str_radix(value, 16).ok();
            }
        }
        let mut lines = [0; LINES.len()];
        for (line, value) in lines.iter_mut().zip(values) {
            *line = value.ok_or_else(|| io::Error::other("status isn't as proc_pid_status(5) says"))?;
        }
        let children = self.children.read_at(&mut buffer, 0)? > 0;
        let descriptors = if self.has_size {
            self.descriptors.metadata()?.len()
        } else {
            fs::read_dir(format!("/proc/{}/fd", self.pid))?.count() as u64
        };
        Ok(State { descriptors, lines, children })
    }
}
