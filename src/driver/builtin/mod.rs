//! The drivers inside this binary. The stage forks, and the child becomes one.

mod anew;
mod call;
mod raw;
mod rust_std;
mod serve;
mod stdio;

pub(crate) use serve::{Orders, say};

use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::OnceLock,
};

use nix::errno::Errno;

use super::{LAYERS, SPAWNS};

use crate::{
    outcome::{Layer, Stdio, payload},
    wire::{CONTROL_FD, Hello, Order, Reply},
};

/// A built-in driver: one runtime's own I/O behind the orders of the wire.
trait Builtin {
    fn hello(&self) -> Hello;

    /// Carries out an order that is answered at once or blocks until it can be.
    fn carry_out(&mut self, order: Order) -> Reply;

    /// Ends the process as the runtime's own exit does.
    fn exit(&mut self, status: u8) -> !;

    /// The descriptor of an open channel.
    fn descriptor(&self, channel: &str) -> Option<i32>;

    /// What the layers hold back for an open channel, if the mode says `layers` and
    /// there is an end to write to.
    #[unsafe(link_section = "pipelab_actor")]
    fn held(&self, _channel: &str) -> Option<Vec<Layer>> {
        None
    }

    /// It makes system calls of all kinds, on handles.
    fn makes_calls(&self) -> bool {
        false
    }

    /// A descriptor for the stage that belongs to the answer which is given now.
    fn attached(&mut self) -> Option<OwnedFd> {
        None
    }

    /// Whether it has an event loop, for `await`.
    fn has_event_loop(&self) -> bool {
        false
    }

    /// Closes all that is open, and keeps what is still buffered from everybody
    /// (see [`silence`]). A failure says what was left.
    fn reset(&mut self) -> Reply;
}

type Make = fn(&Mode) -> Box<dyn Builtin>;

/// The built-in drivers, as `Launch::BuiltIn` names them.
const BUILTINS: &[(&str, Make)] = &[
    ("raw", |mode| Box::new(raw::Raw::new(mode))),
    ("stdio", |mode| Box::new(stdio::Stdio::new(mode))),
    ("rust", |mode| Box::new(rust_std::RustStd::new(mode))),
];

/// The words of a driver's mode: `line`, `buffer=8192`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mode {
    name: String,
    /// Bytes.
    buffer: Option<usize>,
    /// Seed of the delays before each call of `raw`: `jitter=SEED`, a mode for
    /// tests that want to catch the detector at a bad moment.
    jitter: Option<u64>,
    /// Say what the runtime's layers hold back: `layers`.
    layers: bool,
    /// What `stdio` does about a stream that it closes behind the library's back:
    /// `leak=shown`, `leak=denied`, a mode for the tests of reuse.
    leak: Option<Leak>,
}

/// A descriptor is closed, its stream isn't, and what that holds is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    /// A reset finds it.
    Shown,
    /// The driver claims that it forgets, so that there is no reset.
    Denied,
}

impl Mode {
    fn of(words: &[String]) -> Mode {
        let mut mode = Mode::default();
        for word in words {
            match word.split_once('=') {
                Some(("buffer", bytes)) => mode.buffer = bytes.parse().ok(),
                Some(("jitter", seed)) => mode.jitter = seed.parse().ok(),
                Some(("leak", "shown")) => mode.leak = Some(Leak::Shown),
                Some(("leak", "denied")) => mode.leak = Some(Leak::Denied),
                Some(_) => {}
                None if word == LAYERS => mode.layers = true,
                // Every one of these is ready for it.
                None if word == SPAWNS => {}
                None => mode.name = word.clone(),
            }
        }
        mode
    }
}

/// A built-in driver in one mode. Made by the stage, and served in a fork.
pub struct Driver(Box<dyn Builtin>);

impl Driver {
    /// The driver of this name, in the mode of these words.
    pub fn of(name: &str, mode: &[String]) -> Option<Driver> {
        let (_, make) = BUILTINS.iter().find(|(known, _)| *known == name)?;
        Some(Driver(make(&Mode::of(mode))))
    }

    /// Its greeting.
    pub fn hello(&self) -> Hello {
        self.0.hello()
    }

    /// Serves the wire on descriptor 3 until its end, `greeting` first; never returns to
    /// the fork's copy of the stage.
    #[unsafe(link_section = "pipelab_actor")]
    pub fn serve(&mut self, greeting: &[u8]) -> ! {
        serve::serve(self.0.as_mut(), CONTROL_FD, greeting)
    }
}

/// One read(2) of at most `room` bytes, added to the buffer.
fn read_more(fd: i32, buffer: &mut Vec<u8>, room: usize) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most as many bytes as it is told.
    unsafe { add(buffer, room, |start, length| libc::read(fd, start, length)) }
}

/// The same with recv(2), which `/proc/PID/io` doesn't count as a read.
fn receive_more(fd: i32, buffer: &mut Vec<u8>, room: usize) -> Result<usize, Errno> {
    // SAFETY: as above.
    unsafe { add(buffer, room, |start, length| libc::recv(fd, start, length, 0)) }
}

/// The room isn't cleared first: a fresh process pays for each page that it touches.
///
/// # Safety
/// `call` returns -1 or how many bytes from the start it has written.
unsafe fn add(
    buffer: &mut Vec<u8>,
    room: usize,
    call: impl FnOnce(*mut libc::c_void, usize) -> libc::ssize_t,
) -> Result<usize, Errno> {
    buffer.reserve(room);
    let count = Errno::result(call(buffer.spare_capacity_mut().as_mut_ptr().cast(), room))? as usize;
    // SAFETY: they were written, into room that was reserved.
    unsafe { buffer.set_len(buffer.len() + count) };
    Ok(count)
}

/// What `spawn` asks for.
struct Spawn<'o> {
    child: &'o str,
    streams: [Stdio; 3],
    words: &'o [String],
    env: &'o [String],
}

/// Keeps the conversation from the programs that a driver starts.
fn close_on_exec() {
    // SAFETY: numbers.
    unsafe { libc::fcntl(CONTROL_FD.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
}

/// Puts /dev/null in place of a descriptor: what a runtime still flushes into it when
/// it closes it reaches nobody, and can't block.
fn silence(fd: i32) {
    // SAFETY: numbers. Descriptor 0 is /dev/null in every actor.
    unsafe { libc::dup2(0, fd) };
}

/// Errors that calls on a FIFO often give, with their names and messages. Written by
/// the stage: a fork that formats them touches code and tables for each.
static WORDS: OnceLock<Vec<(Errno, String, String)>> = OnceLock::new();

/// What the fork server makes ready, so that no fork has to.
pub fn prepare() {
    let often = [Errno::EPIPE, Errno::EAGAIN, Errno::ENXIO];
    WORDS.get_or_init(|| often.map(|errno| (errno, format!("{errno:?}"), errno.desc().to_owned())).into());
    payload::prepare();
}

/// A failure with an errno; `error` is the runtime's own name for it.
#[unsafe(link_section = "pipelab_actor")]
pub(crate) fn failed(errno: Errno, error: Option<String>, bytes: u64, data: Vec<u8>) -> Reply {
    let known = WORDS.get().and_then(|words| words.iter().find(|(known, ..)| *known == errno));
    let (errno, message) = match known {
        Some((_, name, message)) => (name.clone(), message.clone()),
        None => (format!("{errno:?}"), errno.desc().to_owned()),
    };
    Reply::Fail { errno, error, message, bytes, data }
}

/// A failure that no call gave: the script asks for what can't be.
pub(crate) fn misused(message: String) -> Reply {
    Reply::Fail { errno: "-".into(), error: None, message, bytes: 0, data: Vec::new() }
}

fn not_open(channel: &str) -> Reply {
    misused(format!("{channel} isn't open"))
}

fn open_already(channel: &str) -> Reply {
    misused(format!("{channel} is open already"))
}
