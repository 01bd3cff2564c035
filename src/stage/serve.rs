//! The stage's side of its talk with the runner: a case comes, a transcript goes.

use std::{
    fs::{self, File},
    io, iter,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{
            fs::{FileExt, MetadataExt},
            net::UnixStream,
        },
    },
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::Mode,
};
use serde::{Deserialize, Serialize};

use super::{
    Containment, Fault, Options, contain,
    frames::Frames,
    play,
    request::{Received, Request},
    settle::Guard,
    workshop::Workshop,
};
use crate::{
    channel::{self, Kind},
    outcome::Transcript,
    setting::surroundings,
};

/// What the stage found out about the machine at its start. Sizes in bytes.
#[derive(Default, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// sysconf(_SC_PAGESIZE).
    pub page: u64,
    /// fpathconf(_PC_PIPE_BUF) of a FIFO: writes up to this are atomic (pipe(7)).
    pub pipe_buf: u64,
    /// `st_blksize` of a FIFO where the stage makes them (stat(2)).
    pub blksize: u64,
    /// F_GETPIPE_SZ of a fresh FIFO (fcntl(2)).
    pub capacity: u64,
    /// The largest size that F_SETPIPE_SZ gives here (bytes).
    pub largest_pipe: u64,
    /// Datagrams that a UNIX socket's queue takes from others than its peer, less one:
    /// /proc/sys/net/unix/max_dgram_qlen (unix(7)).
    pub qlen: u64,
    /// What holds the actors together: `namespaces` or `subreaper`.
    pub containment: String,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Response {
    Ready(Measures),
    Played(Transcript),
    Failed(Fault),
}

/// What F_SETPIPE_SZ takes from anybody (kernel `round_pipe_size`, bytes).
const LARGEST_PIPE: u64 = 1 << 31;

/// The runner, as the stage knows it.
pub(super) struct Runner {
    pub(super) socket: OwnedFd,
    /// A file that says which case is being played, from 0, in eight bytes: it
    /// outlives the stage.
    pub(super) progress: File,
}

/// Bytes of answers that are worth a system call, and the longest that one waits for
/// others.
const ENOUGH: usize = 32 * 1024;
const SOON: Duration = Duration::from_millis(2);

/// Serves cases until the runner hangs up. The exit status.
pub(super) fn serve(
    options: &Options,
    runner: &Runner,
    keeper: Option<&OwnedFd>,
    dir: &Path,
    containment: &'static str,
) -> i32 {
    surroundings::exact_timers();
    let result = guard(options, runner, keeper, dir, containment).and_then(|guard| {
        let result = talk(options, runner, &guard, dir, containment);
        // Whatever ended the talk, the runner may be gone, and the keeper too.
        (guard.abandon)();
        result
    });
    // A runner that leaves before it has read all is no other than one that hangs up.
    let hung_up = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    match result {
        Ok(()) => 0,
        Err(error) if hung_up.contains(&error.kind()) => 0,
        Err(error) => {
            eprintln!("pipelab: the stage ends: {error}");
            1
        }
    }
}

fn guard(
    options: &Options,
    runner: &Runner,
    keeper: Option<&OwnedFd>,
    dir: &Path,
    containment: &str,
) -> io::Result<Guard> {
    let cleans_up = containment == "subreaper" && options.containment != Containment::Nothing;
    let dir = dir.to_owned();
    let abandon = move || {
        // Actors die with this process; in a namespace, so does all else.
        if cleans_up {
            contain::end_strays();
            let _ = fs::remove_dir_all(&dir);
        }
    };
    let watched =
        iter::once(&runner.socket).chain(keeper).map(OwnedFd::try_clone).collect::<io::Result<_>>()?;
    Ok(Guard { watched, abandon: Box::new(abandon) })
}

fn talk(options: &Options, runner: &Runner, guard: &Guard, dir: &Path, containment: &str) -> io::Result<()> {
    // A speed, and no condition: where it can't be had, it goes on without.
    let _ = options.cpu.map(surroundings::pin);
    let mut frames = Frames::new(UnixStream::from(runner.socket.try_clone()?));
    frames.push(&Response::Ready(measure(dir, containment)?))?;
    let result = play_all(options, runner, &mut frames, guard, dir);
    // What was played was played.
    let _ = frames.send_all();
    result
}

fn play_all(
    options: &Options,
    runner: &Runner,
    frames: &mut Frames,
    guard: &Guard,
    dir: &Path,
) -> io::Result<()> {
    let mut workshop = Workshop::new(dir, options.fresh);
    let mut received = Received::default();
    let mut answered = Instant::now();
    let mut cases: u64 = 0;
    loop {
        let request = match frames.take::<Request>()? {
            Some(request) => request,
            None => match frames.receive_some()? {
                Some(true) => continue,
                Some(false) => break,
                None => {
                    frames.send_all()?;
                    answered = Instant::now();
                    if wait_for_case(guard) { continue } else { break }
                }
            },
        };
        let plan = received.plan(request)?;
        runner.progress.write_all_at(&cases.to_le_bytes(), 0)?;
        cases += 1;
        let played = play::play(plan, &mut workshop, options, guard);
        frames.push(&played.map_or_else(Response::Failed, Response::Played))?;
        // The runner has cases under way, so answers need not come one by one.
        if frames.unsent() > ENOUGH || answered.elapsed() > SOON {
            frames.send_all()?;
            answered = Instant::now();
        }
    }
    Ok(())
}

/// False if the keeper is gone. (The runner's end shows as end of file.)
fn wait_for_case(guard: &Guard) -> bool {
    let mut polled: Vec<PollFd<'_>> =
        guard.watched.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)).collect();
    while poll(&mut polled, PollTimeout::NONE).is_err() {}
    polled[0].any() == Some(true)
}

fn measure(dir: &Path, containment: &str) -> io::Result<Measures> {
    fs::create_dir_all(dir)?;
    let path = dir.join("measure");
    drop(channel::make(Kind::Fifo, &path)?);
    let fifo = nix::fcntl::open(&path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    // SAFETY: takes no argument, returns a size.
    let capacity = unsafe { libc::fcntl(fifo.as_raw_fd(), libc::F_GETPIPE_SZ) };
    // SAFETY: takes a name, returns a size.
    let pipe_buf = unsafe { libc::fpathconf(fifo.as_raw_fd(), libc::_PC_PIPE_BUF) };
    // SAFETY: takes a name, returns a size.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let largest = fs::read_to_string("/proc/sys/fs/pipe-max-size");
    let largest = largest.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1 << 20);
    // More than that only somebody with CAP_SYS_RESOURCE can have.
    let unbounded = channel::set_capacity(fifo.as_fd(), 2 * largest).is_ok();
    let size = |value: i64| u64::try_from(value).map_err(|_| io::Error::last_os_error());
    let measures = Measures {
        page: size(page)?,
        pipe_buf: size(pipe_buf)?,
        blksize: fs::metadata(&path)?.blksize(),
        capacity: size(capacity.into())?,
        largest_pipe: if unbounded { LARGEST_PIPE } else { largest },
        qlen: dgram_qlen()?,
        containment: containment.to_owned(),
    };
    fs::remove_file(&path)?;
    Ok(measures)
}

fn dgram_qlen() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen")?;
    text.trim().parse().map_err(io::Error::other)
}
