//! A program with all that it has started: everything below one subreaper.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Call, Kept, Process, Reading, process::Access, rests, ticking::Ticking};
use crate::outcome::{self, Resting};

/// All processes below one that is no part of the program itself.
#[derive(Debug)]
pub struct Tree {
    above: Process,
    pid: i32,
    access: Access,
    /// In the order of their births, as far as siblings go.
    below: Vec<Member>,
    ticking: Ticking,
}

#[derive(Debug)]
struct Member {
    pid: i32,
    process: Process,
}

/// An end of a pipe or FIFO that a process has open.
#[derive(Clone, Copy, Debug)]
pub struct OpenEnd {
    pub pid: i32,
    pub fd: i32,
    pub access: outcome::Access,
}

/// What tells one file from another: device and inode.
pub type FileId = (u64, u64);

/// Which file is at a path, links followed.
///
/// # Errors
/// As stat(2).
pub fn file_id(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Tree {
    /// Opens a process that the caller hasn't reaped.
    ///
    /// # Errors
    /// As [`Process::open`].
    pub fn open(pid: i32, access: Access) -> io::Result<Tree> {
        Ok(Tree {
            above: Process::open(pid, access)?,
            pid,
            access,
            below: Vec::new(),
            ticking: Ticking::default(),
        })
    }

    /// Appends one reading of each thread: of the process above, then of all below.
    ///
    /// The list of processes is read before any thread is, and must be that of the
    /// last scan: who forks after it was read has run before the readings are compared.
    ///
    /// `kept`: which threads the process above keeps stopped, as their tracer.
    ///
    /// # Errors
    /// A thread or a process has ended, or is new: look again.
    pub fn scan(
        &mut self,
        readings: &mut Vec<Reading>,
        kept: &dyn Fn(i32) -> Option<Kept>,
    ) -> io::Result<()> {
        let pids = descendants(self.pid);
        if !pids.iter().eq(self.below.iter().map(|member| &member.pid)) {
            let mut known: BTreeMap<i32, Member> =
                self.below.drain(..).map(|member| (member.pid, member)).collect();
            for pid in pids {
                let member = match known.remove(&pid) {
                    Some(member) => member,
                    None => Member { pid, process: Process::open(pid, self.access)? },
                };
                self.below.push(member);
            }
            return Err(io::Error::other("its processes have changed"));
        }
        self.above.scan(readings)?;
        let pids: Vec<i32> = self.below.iter().map(|member| member.pid).collect();
        let kept = |tid| kept(tid).or_else(|| debugged(tid, &pids));
        for at in 0..self.below.len() {
            if let Err(error) = self.below[at].process.scan_traced(readings, &kept) {
                // Another process may have its number by now.
                if !Path::new(&format!("/proc/{}", self.below[at].pid)).exists() {
                    self.below.remove(at);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Threads seen at the last scan.
    pub fn threads(&self) -> usize {
        self.processes().map(Process::threads).sum()
    }

    /// Nothing is left of the program.
    pub fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    /// Times that threads gave up the CPU on their own account.
    pub fn sleeps(&self) -> Option<u64> {
        self.processes().map(Process::sleeps).sum()
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        std::iter::once(&self.above).chain(self.below.iter().map(|member| &member.process))
    }

    /// What each process rests in, as this scan says. `channels`: which files the case's
    /// channels are.
    pub fn rests(&self, readings: &[Reading], channels: &[Option<FileId>]) -> Vec<Resting> {
        let mut rest = &readings[self.above.threads()..];
        let mut all = Vec::with_capacity(self.below.len());
        for member in &self.below {
            let (own, others) = rest.split_at(member.process.threads());
            rest = others;
            all.extend(rests::of(&member.process, member.pid, own, channels, self));
        }
        all
    }

    /// A step begins: what naps it takes is counted anew.
    pub fn begin(&mut self) {
        self.ticking.begin();
    }

    /// A timer will soon wake a thread of it, and it isn't known to do nothing then but sleep
    /// again. `readings` are those of a scan that proved all of it asleep.
    pub fn wakes_soon(&mut self, readings: &[Reading]) -> bool {
        let mut rest = &readings[self.above.threads()..];
        let (mut soon, mut still) = (Vec::new(), Vec::new());
        for member in &self.below {
            let (own, others) = rest.split_at(member.process.threads());
            rest = others;
            let tids = member.process.tids().zip(own).zip(member.process.names());
            for ((tid, reading), name) in tids {
                match rests::wakes_soon(&member.process, reading, &name) {
                    _ if rests::ticks_always(&name) => {}
                    true => soon.push((tid, reading.clone())),
                    false => still.push((tid, reading.runs)),
                }
            }
        }
        !soon.is_empty() && !self.ticking.only_ticks(soon, still)
    }

    /// The ends of pipes and FIFOs that its processes have open on this file.
    pub fn ends(&self, file: FileId) -> Vec<OpenEnd> {
        self.below.iter().flat_map(|member| ends_of(member.pid, file)).collect()
    }
}

/// One of these processes traces the thread: a debugger, say.
fn debugged(tid: i32, pids: &[i32]) -> Option<Kept> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim();
    let is_thread_of = |pid: &i32| Path::new(&format!("/proc/{pid}/task/{tracer}")).exists();
    pids.iter().any(is_thread_of).then_some(Kept::Stopped)
}

/// All processes below one, parents before their children.
fn descendants(pid: i32) -> Vec<i32> {
    let mut all = Vec::new();
    let mut todo = vec![pid];
    while let Some(pid) = todo.pop() {
        let mut children = children(pid);
        all.extend(&children);
        children.reverse();
        todo.extend(children);
    }
    all
}

/// The children of all threads of a process (proc_tid_children(5)).
fn children(pid: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let lists = tasks.into_iter().flatten().flatten();
    let mut children: Vec<i32> = Vec::new();
    for task in lists {
        let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(text.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    children
}

/// A process's descriptors on one file.
fn ends_of(pid: i32, file: FileId) -> Vec<OpenEnd> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let ends = entries.filter_map(|entry| {
        let path: PathBuf = entry.path();
        if file_id(&path).ok()? != file {
            return None;
        }
        let fd = entry.file_name().to_str()?.parse().ok()?;
        Some(OpenEnd { pid, fd, access: access_of(&path)? })
    });
    ends.collect()
}

/// The mode of the link says how the file is open (proc_pid_fd(5)); `None`: neither
/// for reading nor for writing (O_PATH).
pub(super) fn access_of(link: &Path) -> Option<outcome::Access> {
    let mode = fs::symlink_metadata(link).ok()?.mode();
    match (mode & libc::S_IRUSR != 0, mode & libc::S_IWUSR != 0) {
        (true, true) => Some(outcome::Access::Both),
        (true, false) => Some(outcome::Access::Read),
        (false, true) => Some(outcome::Access::Write),
        (false, false) => None,
    }
}

impl Tree {
    /// Who has the other side of what a descriptor leads to, for people: `python3 and log`.
    pub(super) fn other_side(&self, pid: i32, fd: i32) -> Option<String> {
        let link = PathBuf::from(format!("/proc/{pid}/fd/{fd}"));
        let (file, own) = (file_id(&link).ok()?, access_of(&link)?);
        let opposite = |end: &OpenEnd| if own.reads() { end.access.writes() } else { end.access.reads() };
        let mut holders: Vec<String> = Vec::new();
        for member in &self.below {
            if ends_of(member.pid, file).iter().any(opposite) {
                holders.extend(rests::name(member.pid).filter(|name| !holders.contains(name)));
            }
        }
        Some(if holders.is_empty() { "nobody here".to_owned() } else { holders.join(" and ") })
    }
}

/// What a thread of a member sleeps in.
pub(super) fn call_of(process: &Process, reading: &Reading) -> Option<Call> {
    process.call(reading)
}
