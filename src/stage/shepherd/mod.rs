//! The process between the stage and a program: starts it, reaps it, keeps its last words.
//!
//! It is a subreaper, so that whatever the program starts stays below it, also a daemon
//! that forks twice: all that is below belongs to this actor, and to no other. It takes
//! orders as a driver does (`wire`), and answers `start` when the program has ended.

mod board;
mod serve;
mod spawn;
mod tracer;

use std::{ffi::CString, io, path::Path, rc::Rc};

use nix::errno::Errno;

pub(super) use board::Board;
pub(super) use serve::{CALLS, EXITED, FAULT, KILLED, RELEASE, RUN, UNTRACEABLE};

use super::CommandLine;
use crate::outcome::Access;

/// All that is made ready for the program before the fork.
pub(super) struct Shepherd {
    path: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    streams: Vec<Stream>,
    board: Rc<Board>,
    trace: Option<Trace>,
}

/// What a trace of the program is about.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// The case's channels in the case's folder; empty for what isn't there.
    pub(super) channels: Vec<String>,
    /// As if it weren't allowed.
    pub(super) refused: bool,
}

/// A descriptor of the program, and the channel that it leads to.
struct Stream {
    fd: i32,
    /// In the case's folder.
    channel: CString,
    access: Access,
    capacity: Option<u64>,
    nonblock: bool,
}

impl Shepherd {
    /// # Errors
    /// Its words can't be given to a program, or no memory can be shared.
    pub(super) fn new(command: &CommandLine, trace: Option<Trace>) -> io::Result<Shepherd> {
        let c_string = |text: &str| CString::new(text).map_err(io::Error::other);
        let streams = command.streams.iter().map(|stream| {
            Ok(Stream {
                fd: stream.fd,
                channel: c_string(&stream.channel)?,
                access: stream.access,
                capacity: stream.capacity,
                nonblock: stream.nonblock,
            })
        });
        Ok(Shepherd {
            path: c_string(&command.path)?,
            args: command.args.iter().map(|word| c_string(word)).collect::<io::Result<_>>()?,
            env: (command.env.iter())
                .map(|(name, value)| c_string(&format!("{name}={value}")))
                .collect::<io::Result<_>>()?,
            streams: streams.collect::<io::Result<_>>()?,
            board: Rc::new(Board::new().map_err(|errno: Errno| io::Error::from(errno))?),
            trace,
        })
    }

    /// What it shows the stage.
    pub(super) fn board(&self) -> Rc<Board> {
        self.board.clone()
    }

    /// The program's calls are to be seen.
    pub(super) fn traces(&self) -> bool {
        self.trace.is_some()
    }

    /// Becomes it, in a process with the surroundings of an actor. `words` is where the
    /// last words of the program go: descriptor 2.
    pub(super) fn run(&mut self) -> ! {
        serve::serve(self)
    }
}

/// Where a program is, by the `PATH` that it will have.
///
/// # Errors
/// In words, if there is none.
pub fn find(program: &str, env: &[(String, String)]) -> Result<String, String> {
    super::exec::look_up(program, env).map_err(|error| error.to_string()).and_then(|path| {
        match Path::new(&path).is_file() {
            true => Ok(path),
            false => Err(format!("there is no file `{path}`")),
        }
    })
}
