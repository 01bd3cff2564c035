//! All threads of one process, and what it has read so far.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use nix::time::{ClockId, clock_gettime};

use super::{
    call::{Call, Sleep, TimerAt},
    reading::{Kept, Reading},
    task::Task,
};

/// How much of /proc may be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everything that the system allows.
    #[default]
    All,
    /// As if `syscall` were refused, which is what Yama 2 and 3 do.
    NoSyscall,
}

/// One process under observation.
#[derive(Debug)]
pub struct Process {
    tasks_dir: PathBuf,
    proc_dir: PathBuf,
    tasks: Vec<Task>,
    /// What is told is told of this thread alone.
    own: Option<u32>,
    /// How many threads the last scan read, and which of these readings is `own`'s.
    scanned: usize,
    own_at: Option<usize>,
    /// The file that says where a thread sleeps: `syscall` or `wchan`.
    place: &'static str,
    /// Opened when it is first read.
    io: Option<File>,
}

impl Process {
    /// Opens a process that the caller hasn't reaped.
    ///
    /// # Errors
    /// /proc isn't mounted, or refuses more than `syscall`.
    pub fn open(pid: i32, access: Access) -> io::Result<Process> {
        let proc_dir = PathBuf::from(format!("/proc/{pid}"));
        let tasks_dir = proc_dir.join("task");
        // Most have one thread. If it has more, the first scan says so, and lists them.
        // (The kernel makes each folder under /proc when it is first looked at.)
        let only = |place| Task::open(&proc_dir, pid as u32, place);
        let (place, task) = match access {
            Access::NoSyscall => ("wchan", only("wchan")?),
            Access::All => match only("syscall") {
                // Opening works without the right: the read is what is refused.
                Ok(task) if task.place_is_readable() => ("syscall", task),
                Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                    return Err(error);
                }
                _ => ("wchan", only("wchan")?),
            },
        };
        Ok(Process {
            tasks_dir,
            proc_dir,
            tasks: vec![task],
            own: None,
            scanned: 0,
            own_at: None,
            place,
            io: None,
        })
    }

    /// The same for one of its threads. All are scanned all the same: who waits for another
    /// thread isn't at rest before that is.
    #[must_use]
    pub fn of_thread(self, tid: u32) -> Process {
        Process { own: Some(tid), ..self }
    }

    /// Appends one reading of each of its threads.
    ///
    /// # Errors
    /// A thread or the process ended meanwhile: look for its end, then again.
    pub fn scan(&mut self, readings: &mut Vec<Reading>) -> io::Result<()> {
        self.scan_with(readings, &[], &|_| None)
    }

    /// The same without these threads, which will never rest.
    ///
    /// # Errors
    /// As [`Process::scan`].
    pub fn scan_but(&mut self, readings: &mut Vec<Reading>, spinning: &[u32]) -> io::Result<()> {
        self.scan_with(readings, spinning, &|_| None)
    }

    /// The same of a process that may be traced: `kept` says which of its threads the tracer
    /// keeps stopped.
    pub(super) fn scan_traced(
        &mut self,
        readings: &mut Vec<Reading>,
        kept: &dyn Fn(i32) -> Option<Kept>,
    ) -> io::Result<()> {
        self.scan_with(readings, &[], kept)
    }

    fn scan_with(
        &mut self,
        readings: &mut Vec<Reading>,
        spinning: &[u32],
        kept: &dyn Fn(i32) -> Option<Kept>,
    ) -> io::Result<()> {
        let before = readings.len();
        let mut threads = None;
        self.own_at = None;
        for task in self.tasks.iter().filter(|task| !spinning.contains(&task.tid)) {
            if self.own == Some(task.tid) {
                self.own_at = Some(readings.len() - before);
            }
            match task.read() {
                Ok((mut reading, count)) => {
                    threads = Some(count as usize);
                    if reading.state == b't' {
                        reading.kept = kept(task.tid as i32);
                    }
                    readings.push(reading);
                }
                // It has ended, and the list of threads with it.
                Err(_) => {
                    threads = None;
                    break;
                }
            }
        }
        self.scanned = readings.len() - before;
        // No thread at all would prove everything.
        if threads.is_none_or(|count| count != self.tasks.len())
            || self.own.is_some() != self.own_at.is_some()
        {
            readings.truncate(before);
            self.list_tasks()?;
            return Err(io::Error::other("its threads have changed"));
        }
        Ok(())
    }

    /// The numbers of its threads, as of the last scan.
    pub(super) fn tids(&self) -> impl Iterator<Item = u32> + '_ {
        self.tasks.iter().map(|task| task.tid)
    }

    /// The names of its threads, as of the last scan (proc_pid_comm(5)).
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.tasks.iter().map(|task| {
            let path = self.tasks_dir.join(format!("{}/comm", task.tid));
            fs::read_to_string(path).unwrap_or_default().trim_end().to_owned()
        })
    }

    /// Threads read at the last scan.
    pub fn threads(&self) -> usize {
        self.scanned
    }

    /// Those of the last scan's readings that are told of.
    pub fn own<'r>(&self, readings: &'r [Reading]) -> &'r [Reading] {
        self.own_at.map_or(readings, |at| &readings[at..=at])
    }

    /// The call of a reading of this process.
    pub fn call(&self, reading: &Reading) -> Option<Call> {
        if self.place == "syscall" {
            Call::of_syscall(&reading.place)
        } else {
            Some(Call::of_wchan(&reading.place))
        }
    }

    /// Whether a sleep without a timeout watches this descriptor of the process.
    /// `None`: it can't be known.
    pub fn watches(&self, sleep: Sleep, descriptor: i32) -> Option<bool> {
        match sleep {
            Sleep::Untimed | Sleep::Timed => Some(false),
            Sleep::Unknown => None,
            Sleep::Epoll(set) => {
                let info = fs::read_to_string(self.proc_dir.join(format!("fdinfo/{set}"))).ok()?;
                Some(info.lines().any(|line| {
                    let mut words = line.split_ascii_whitespace();
                    words.next() == Some("tfd:")
                        && words.next().and_then(|number| number.parse().ok()) == Some(descriptor)
                }))
            }
            Sleep::Poll { array, length } => {
                // struct pollfd: int fd, short events, short revents.
                let bytes = self.memory(array, length.min(65_536) as usize * 8)?;
                Some(bytes.chunks_exact(8).any(|entry| {
                    i32::from_ne_bytes(entry[..4].try_into().expect("four bytes")) == descriptor
                }))
            }
            Sleep::Select { readable } => {
                let at = usize::try_from(descriptor).ok()?;
                let bytes = self.memory(readable, at / 8 + 1)?;
                Some(bytes[at / 8] & (1 << (at % 8)) != 0)
            }
        }
    }

    /// Bytes that its read calls, or its own thread's, have returned so far, on any
    /// descriptor: `rchar` of `io` (proc_pid_io(5)). Receives on a socket don't count there. `None`:
    /// the file is refused.
    ///
    /// # Errors
    /// This process has no descriptor left to read it with: it could know, and doesn't.
    pub fn bytes_read(&mut self) -> io::Result<Option<u64>> {
        self.io("rchar: ")
    }

    /// Bytes that its write calls have returned so far, likewise (`wchar`).
    ///
    /// # Errors
    /// As [`Process::bytes_read`].
    pub fn bytes_written(&mut self) -> io::Result<Option<u64>> {
        self.io("wchar: ")
    }

    fn io(&mut self, field: &str) -> io::Result<Option<u64>> {
        if self.io.is_none() {
            let thread = |tid: u32| self.tasks_dir.join(tid.to_string());
            let dir = self.own.map_or_else(|| self.proc_dir.clone(), thread);
            self.io = match File::open(dir.join("io")) {
                Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                    return Err(error);
                }
                io => io.ok(),
            };
        }
        let mut buffer = [0; 256];
        let length = self.io.as_ref().and_then(|io| io.read_at(&mut buffer, 0).ok());
        let text = length.and_then(|length| str::from_utf8(&buffer[..length]).ok());
        let count = text.and_then(|text| text.lines().find_map(|line| line.strip_prefix(field)));
        Ok(count.and_then(|count| count.parse().ok()))
    }

    /// Times its threads gave up the CPU on their own account, that is: slept
    /// (`voluntary_ctxt_switches` of `status`).
    pub fn sleeps(&self) -> Option<u64> {
        let mut sum = 0;
        for task in self.tasks.iter().filter(|task| self.own.is_none_or(|own| own == task.tid)) {
            let status = fs::read_to_string(self.tasks_dir.join(format!("{}/status", task.tid))).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            sum += line.trim().parse::<u64>().ok()?;
        }
        Some(sum)
    }

    fn list_tasks(&mut self) -> io::Result<()> {
        let mut tids: Vec<u32> = Vec::new();
        for entry in fs::read_dir(&self.tasks_dir)? {
            if let Some(tid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                tids.push(tid);
            }
        }
        tids.sort_unstable();
        // The old list stands until the new one is whole.
        self.tasks = tids
            .into_iter()
            .map(|tid| Task::open(&self.tasks_dir.join(tid.to_string()), tid, self.place))
            .collect::<io::Result<_>>()?;
        Ok(())
    }

    /// After how long the timer of its call wakes a thread; `None` if that can't be seen.
    pub(super) fn wakes_in(&self, timer: TimerAt) -> Option<Duration> {
        let words = |address: u64| {
            let bytes = self.memory(address, 16)?;
            let word = |at: usize| i64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
            Some((u64::try_from(word(0)).ok()?, u64::try_from(word(8)).ok()?))
        };
        let span = |address: u64| {
            let (seconds, nanos) = words(address)?;
            Some(Duration::new(seconds, u32::try_from(nanos).ok()?))
        };
        match timer {
            TimerAt::Millis(millis) => u64::try_from(millis).ok().map(Duration::from_millis),
            TimerAt::Span(address) => span(address),
            TimerAt::ValSpan(address) => {
                let (seconds, micros) = words(address)?;
                Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
            }
            TimerAt::Until(address, clock) => {
                let clock = ClockId::from_raw(clock);
                let now = Duration::from(clock_gettime(clock).ok()?);
                Some(span(address)?.saturating_sub(now))
            }
        }
    }

    fn memory(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let file = File::open(self.proc_dir.join("mem")).ok()?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }
}
