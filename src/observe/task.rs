//! One thread's files under /proc, kept open: a pread of each is 1 to 3 us,
//! an open more than that again.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    str,
};

use super::reading::{ENDED, Reading, VFORK_WAITS};

/// Longer than any line that is read here; `stat` is the longest.
const LONGEST: usize = 1024;

#[derive(Debug)]
pub(super) struct Task {
    pub(super) tid: u32,
    schedstat: File,
    stat: File,
    /// `syscall`, or `wchan` where that is refused.
    place: File,
    dir: PathBuf,
}

impl Task {
    /// Opens the files of a thread in its folder.
    pub(super) fn open(dir: &Path, tid: u32, place: &str) -> io::Result<Task> {
        Ok(Task {
            tid,
            schedstat: File::open(dir.join("schedstat"))?,
            stat: File::open(dir.join("stat"))?,
            place: File::open(dir.join(place))?,
            dir: dir.to_owned(),
        })
    }

    /// Where it sleeps may be read.
    pub(super) fn place_is_readable(&self) -> bool {
        self.place.read_at(&mut [0; 64], 0).is_ok()
    }

    /// Where a parent waits for the child of a vfork(2) (kernel `wait_for_vfork_done`, part
    /// of `kernel_clone`): nothing else sleeps right there.
    fn is_in_vfork(&self) -> bool {
        let place = std::fs::read_to_string(self.dir.join("wchan")).unwrap_or_default();
        VFORK_WAITS.contains(&place.trim_end())
    }

    /// One reading, and the number of threads of its process.
    pub(super) fn read(&self) -> io::Result<(Reading, u32)> {
        let mut buffer = [0; LONGEST];
        let malformed = |what: &str| io::Error::other(format!("{what} isn't as proc(5) says"));

        let mut numbers = text(&self.schedstat, &mut buffer)?.split_ascii_whitespace();
        let cpu_ns = numbers.next().and_then(|word| word.parse().ok());
        let runs = numbers.nth(1).and_then(|word| word.parse().ok());
        let (Some(cpu_ns), Some(runs)) = (cpu_ns, runs) else { return Err(malformed("schedstat")) };

        let place = text(&self.place, &mut buffer).map(|place| place.trim_end().to_owned());

        // The name in parentheses may hold anything: look behind the last one.
        let stat = text(&self.stat, &mut buffer)?;
        let fields = stat.rfind(')').and_then(|at| stat.get(at + 2..)).ok_or_else(|| malformed("stat"))?;
        let state = *fields.as_bytes().first().ok_or_else(|| malformed("stat"))?;
        let threads = fields
            .split_ascii_whitespace()
            .nth(17)
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| malformed("stat"))?;
        let place = match place {
            // What has ended is nowhere.
            Err(_) if ENDED.contains(&state) => String::new(),
            place => place?,
        };
        let in_vfork = state == b'D' && self.is_in_vfork();
        Ok((Reading { state, runs, cpu_ns, place, in_vfork, kept: None }, threads))
    }
}

fn text<'buffer>(file: &File, buffer: &'buffer mut [u8; LONGEST]) -> io::Result<&'buffer str> {
    let length = file.read_at(buffer, 0)?;
    str::from_utf8(&buffer[..length]).map_err(io::Error::other)
}
