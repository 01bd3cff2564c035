//! A program with all that it has started: everything below one subreaper.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use super::{Kept, Process, Reading, peer::peer_of, process::Access, rests, ticking::Ticking};
use crate::outcome::{self, Resting};

/// All processes below one that is no part of the program itself.
#[derive(Debug)]
pub struct Tree {
    /// `None`: it has ended, and what was below is left to `pid`.
    above: Option<Process>,
    pid: i32,
    access: Access,
    /// In the order of their births, as far as siblings go.
    below: Vec<Member>,
    ticking: Ticking,
    /// What processes are called, beside the kernel's names for them: those above too.
    names: BTreeMap<i32, String>,
    /// The last scan came to its end: who isn't among `below` wasn't there.
    complete: bool,
    /// All processes that were ever seen below.
    known: BTreeSet<i32>,
}

#[derive(Debug)]
struct Member {
    pid: i32,
    /// The child of the one above that it comes from, or is.
    top: i32,
    process: Process,
}

/// An end of a pipe or FIFO that a process has open.
#[derive(Clone, Copy, Debug)]
pub struct OpenEnd {
    pub pid: i32,
    /// The child of the one above that the process comes from, or is.
    pub top: i32,
    pub fd: i32,
    pub access: outcome::Access,
}

/// What tells one file from another: device and inode.
pub type FileId = (u64, u64);

/// The file that a channel is, or, where it is a pair of sockets, the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelFile {
    pub file: FileId,
    /// Of a pair: the socket that `file` is connected with.
    pub peer: Option<FileId>,
    pub is_socket: bool,
}

impl ChannelFile {
    /// What is at a path, links followed.
    ///
    /// # Errors
    /// As stat(2).
    pub fn of(path: &Path) -> io::Result<ChannelFile> {
        let metadata = fs::metadata(path)?;
        let is_socket = metadata.file_type().is_socket();
        Ok(ChannelFile { file: (metadata.dev(), metadata.ino()), peer: peer_of(path), is_socket })
    }

    pub(super) fn is(&self, file: FileId) -> bool {
        self.file == file || self.peer == Some(file)
    }

    /// What those on the other side have open.
    pub fn others(&self) -> FileId {
        self.peer.unwrap_or(self.file)
    }
}

/// Which file is at a path, links followed.
///
/// # Errors
/// As stat(2).
pub fn file_id(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The file that a thread means by a path. (A program that changes its root is followed too:
/// proc_pid_root(5).)
///
/// # Errors
/// As stat(2).
pub fn file_at(tid: i32, folder: i32, path: &[u8]) -> io::Result<FileId> {
    let path = Path::new(OsStr::from_bytes(path));
    let from = match path.strip_prefix("/") {
        Ok(below) => return file_id(&PathBuf::from(format!("/proc/{tid}/root")).join(below)),
        Err(_) if folder == libc::AT_FDCWD => format!("/proc/{tid}/cwd"),
        Err(_) => format!("/proc/{tid}/fd/{folder}"),
    };
    file_id(&Path::new(&from).join(path))
}

impl Tree {
    /// Opens a process that the caller hasn't reaped.
    ///
    /// # Errors
    /// As [`Process::open`].
    pub fn open(pid: i32, access: Access) -> io::Result<Tree> {
        Ok(Tree {
            above: Some(Process::open(pid, access)?),
            pid,
            access,
            below: Vec::new(),
            ticking: Ticking::default(),
            names: BTreeMap::new(),
            complete: false,
            known: BTreeSet::new(),
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
        self.complete = false;
        let pids = self.descendants();
        if !pids.iter().copied().eq(self.below.iter().map(|member| (member.pid, member.top))) {
            let mut known: BTreeMap<i32, Member> =
                self.below.drain(..).map(|member| (member.pid, member)).collect();
            for (pid, top) in pids {
                let member = match known.remove(&pid) {
                    Some(member) => Member { top, ..member },
                    None => Member { pid, top, process: Process::open(pid, self.access)? },
                };
                self.known.insert(pid);
                self.below.push(member);
            }
            return Err(io::Error::other("its processes have changed"));
        }
        if let Some(above) = &mut self.above {
            above.scan(readings)?;
        }
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
        self.complete = true;
        Ok(())
    }

    /// Threads seen at the last scan.
    pub fn threads(&self) -> usize {
        self.processes().map(Process::threads).sum()
    }

    /// Nothing is left below, as the last scan has shown to its end.
    pub fn is_empty(&self) -> bool {
        self.complete && self.below.is_empty()
    }

    /// Times that threads gave up the CPU on their own account.
    pub fn sleeps(&self) -> Option<u64> {
        self.processes().map(Process::sleeps).sum()
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.above.iter().chain(self.below.iter().map(|member| &member.process))
    }

    /// The process above has ended, and what was below is this one's now.
    pub fn leave_to(&mut self, pid: i32) {
        self.above = None;
        self.pid = pid;
    }

    /// All processes below, each with the child of the one above that it comes from.
    fn descendants(&self) -> Vec<(i32, i32)> {
        let mut all = descendants(self.pid, |child| self.above.is_some() || self.known.contains(&child));
        if self.above.is_none() {
            // Reaped by whom they were left to.
            all.retain(|(pid, _)| !has_ended(*pid));
        }
        all
    }

    /// The process above, with its part of a scan, if it lives.
    pub fn above<'r>(&self, readings: &'r [Reading]) -> Option<(&Process, &'r [Reading])> {
        let above = self.above.as_ref()?;
        Some((above, &readings[..above.threads()]))
    }

    fn threads_above(&self) -> usize {
        self.above.as_ref().map_or(0, Process::threads)
    }

    /// What the process above rests in.
    pub fn rest_above(&self, readings: &[Reading], channels: &[Option<ChannelFile>]) -> Option<Resting> {
        let (process, own) = self.above(readings)?;
        rests::of(process, self.pid, own, channels, self)
    }

    /// What each process rests in, as this scan says. `channels`: which files the case's
    /// channels are. `top`: only those that come from this child of the one above.
    pub fn rests(
        &self,
        readings: &[Reading],
        channels: &[Option<ChannelFile>],
        top: Option<i32>,
    ) -> Vec<Resting> {
        let mut rest = &readings[self.threads_above()..];
        let mut all = Vec::with_capacity(self.below.len());
        for member in &self.below {
            let (own, others) = rest.split_at(member.process.threads());
            rest = others;
            if top.is_none_or(|top| member.top == top) {
                all.extend(rests::of(&member.process, member.pid, own, channels, self));
            }
        }
        all
    }

    /// The files that threads below sit in open(2) of, as this scan says.
    pub fn opening(&self, readings: &[Reading]) -> Vec<FileId> {
        let mut rest = &readings[self.threads_above()..];
        let mut files = Vec::new();
        for member in &self.below {
            let (own, others) = rest.split_at(member.process.threads());
            rest = others;
            // Who is kept at a call's entry hasn't begun it.
            let calls = own.iter().filter(|it| it.kept.is_none()).filter_map(|it| member.process.call(it));
            files.extend(calls.filter_map(|call| rests::opened(member.pid, &call)));
        }
        files
    }

    /// A step begins: what naps it takes is counted anew.
    pub fn begin(&mut self) {
        self.ticking.begin();
    }

    /// A timer will soon wake a thread of it, and it isn't known to do nothing then but sleep
    /// again. `readings` are those of a scan that proved all of it asleep.
    pub fn wakes_soon(&mut self, readings: &[Reading]) -> bool {
        let mut rest = &readings[self.threads_above()..];
        let (mut soon, mut still) = (Vec::new(), Vec::new());
        for member in &self.below {
            let (own, others) = rest.split_at(member.process.threads());
            rest = others;
            let tids = member.process.tids().zip(own).zip(member.process.names());
            for ((tid, reading), name) in tids {
                match rests::wakes_soon(&member.process, member.pid, reading, &name) {
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
        self.below.iter().flat_map(|member| ends_of(member.pid, member.top, file)).collect()
    }

    /// Calls a process by this name, in words for people: an actor's own.
    pub fn call(&mut self, pid: i32, name: &str) {
        self.names.insert(pid, name.to_owned());
    }

    pub(super) fn name(&self, pid: i32) -> Option<String> {
        self.names.get(&pid).cloned().or_else(|| rests::name(pid))
    }

    /// It is one of its children, or of theirs, and hasn't been reaped.
    pub fn has(&self, pid: i32) -> bool {
        self.descendants().iter().any(|(known, _)| *known == pid)
    }

    /// Who has the other side of what a descriptor leads to, for people: `python3 and log`.
    pub(super) fn other_side(&self, pid: i32, fd: i32) -> Option<String> {
        let link = PathBuf::from(format!("/proc/{pid}/fd/{fd}"));
        let (file, own) = (ChannelFile::of(&link).ok()?, access_of(&link)?);
        if file.is_socket && file.peer.is_none() {
            return None;
        }
        // A socket is open both ways.
        let opposite = |end: &OpenEnd| if own.reads() { end.access.writes() } else { end.access.reads() };
        let mut holders: Vec<String> = Vec::new();
        let above = self.names.contains_key(&self.pid).then_some(self.pid);
        for pid in above.into_iter().chain(self.below.iter().map(|member| member.pid)) {
            if ends_of(pid, pid, file.others()).iter().any(opposite) {
                holders.extend(self.name(pid).filter(|name| !holders.contains(name)));
            }
        }
        Some(if holders.is_empty() { "nobody here".to_owned() } else { holders.join(" and ") })
    }
}

/// One of these processes traces the thread: a debugger, say.
fn debugged(tid: i32, pids: &[i32]) -> Option<Kept> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim();
    let is_thread_of = |pid: &i32| Path::new(&format!("/proc/{pid}/task/{tracer}")).exists();
    pids.iter().any(is_thread_of).then_some(Kept::Stopped)
}

/// All processes below one, parents before their children, each with the child of that one
/// that it comes from. `own`: which of that one's children count.
fn descendants(pid: i32, own: impl Fn(i32) -> bool) -> Vec<(i32, i32)> {
    let mut all: Vec<(i32, i32)> = Vec::new();
    let mut todo = vec![(pid, None)];
    while let Some((pid, top)) = todo.pop() {
        let mut children = children(pid);
        children.retain(|child| top.is_some() || own(*child));
        all.extend(children.iter().map(|child| (*child, top.unwrap_or(*child))));
        todo.extend(children.into_iter().rev().map(|child| (child, top.or(Some(child)))));
    }
    all
}

fn has_ended(pid: i32) -> bool {
    status_of(pid).is_some()
}

/// How a process ended that hasn't been reaped: the status of wait(2), the 52nd field of
/// `stat` (proc_pid_stat(5)).
pub fn status_of(pid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    if fields.next()? != "Z" {
        return None;
    }
    fields.nth(48)?.parse().ok()
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
fn ends_of(pid: i32, top: i32, file: FileId) -> Vec<OpenEnd> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let ends = entries.filter_map(|entry| {
        let path: PathBuf = entry.path();
        if file_id(&path).ok()? != file {
            return None;
        }
        let fd = entry.file_name().to_str()?.parse().ok()?;
        Some(OpenEnd { pid, top, fd, access: access_of(&path)? })
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
