//! The stage's side of its talk with the runner: a case comes, a transcript goes.

use std::{
    fs,
    io::{self, Read, Write},
    iter,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{fs::MetadataExt, net::UnixStream},
    },
    path::Path,
};

use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::Mode,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Containment, Fault, Options, Plan, contain, play, settle::Guard};
use crate::{
    channel::{self, Kind},
    outcome::Transcript,
    setting::surroundings,
};

/// What the stage found out about the machine at its start. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// sysconf(_SC_PAGESIZE).
    pub page: u64,
    /// fpathconf(_PC_PIPE_BUF) of a FIFO: writes up to this are atomic (pipe(7)).
    pub pipe_buf: u64,
    /// `st_blksize` of a FIFO where the stage makes them (stat(2)).
    pub blksize: u64,
    /// F_GETPIPE_SZ of a fresh FIFO (fcntl(2)).
    pub capacity: u64,
    /// What holds the actors together: `namespaces` or `subreaper`.
    pub containment: String,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Response {
    Ready(Measures),
    Played(Transcript),
    Failed(Fault),
}

/// Serves cases until the runner hangs up. The exit status.
pub(super) fn serve(
    options: &Options,
    runner: &OwnedFd,
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
    match result {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("pipelab: the stage ends: {error}");
            1
        }
    }
}

fn guard(
    options: &Options,
    runner: &OwnedFd,
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
    let watched = iter::once(runner).chain(keeper).map(OwnedFd::try_clone).collect::<io::Result<_>>()?;
    Ok(Guard { watched, abandon: Box::new(abandon) })
}

fn talk(options: &Options, runner: &OwnedFd, guard: &Guard, dir: &Path, containment: &str) -> io::Result<()> {
    let mut socket = UnixStream::from(runner.try_clone()?);
    send(&mut socket, &Response::Ready(measure(dir, containment)?))?;
    let mut case = 0u64;
    while wait_for_case(guard) {
        let Some(plan) = receive::<Plan>(&mut socket)? else { break };
        case += 1;
        let played = play::play(&plan, dir.join(case.to_string()), options, guard);
        contain::end_strays();
        send(&mut socket, &played.map_or_else(Response::Failed, Response::Played))?;
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
    channel::make(Kind::Fifo, &path)?;
    let fifo = nix::fcntl::open(&path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    // SAFETY: takes no argument, returns a size.
    let capacity = unsafe { libc::fcntl(fifo.as_raw_fd(), libc::F_GETPIPE_SZ) };
    // SAFETY: takes a name, returns a size.
    let pipe_buf = unsafe { libc::fpathconf(fifo.as_raw_fd(), libc::_PC_PIPE_BUF) };
    // SAFETY: takes a name, returns a size.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = |value: i64| u64::try_from(value).map_err(|_| io::Error::last_os_error());
    let measures = Measures {
        page: size(page)?,
        pipe_buf: size(pipe_buf)?,
        blksize: fs::metadata(&path)?.blksize(),
        capacity: size(capacity.into())?,
        containment: containment.to_owned(),
    };
    fs::remove_file(&path)?;
    Ok(measures)
}

/// Sends one value: its length in 4 bytes, then JSON.
pub(super) fn send(socket: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut message = vec![0; 4];
    serde_json::to_writer(&mut message, value)?;
    let length = u32::try_from(message.len() - 4).map_err(io::Error::other)?;
    message[..4].copy_from_slice(&length.to_le_bytes());
    socket.write_all(&message)
}

/// Receives one value; `None` at end of file.
pub(super) fn receive<Value: DeserializeOwned>(socket: &mut UnixStream) -> io::Result<Option<Value>> {
    let mut length = [0; 4];
    match socket.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut message = vec![0; u32::from_le_bytes(length) as usize];
    socket.read_exact(&mut message)?;
    Ok(Some(serde_json::from_slice(&message)?))
}
