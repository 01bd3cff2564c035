//! `raw`: the system calls themselves. What open(2), read(2), write(2) and
//! close(2) say is the answer; EINTR and short writes too.

use std::{
    collections::BTreeMap,
    os::fd::{BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat,
};

use super::{
    Builtin, Mode, Order, Reply,
    call::{self, Handles},
    failed, not_open, open_already, read_more, serve,
};
use crate::{
    outcome::{Access, Amount},
    wire::{Abilities, Hello},
};

/// Bytes that one read(2) of `to-eof` asks for: more than a default pipe holds.
const GULP: usize = 128 * 1024;

pub(super) struct Raw {
    handles: Handles,
    /// A descriptor for the stage, to go with the next answer.
    attached: Option<OwnedFd>,
    jitter: Jitter,
    /// Room for reads, kept from one to the next.
    buffer: Vec<u8>,
}

impl Raw {
    pub(super) fn new(mode: &Mode) -> Raw {
        Raw { handles: Handles::default(), attached: None, jitter: Jitter(mode.jitter), buffer: Vec::new() }
    }
}

/// What a copy or a thread of a `raw` process does: takes orders of its own over `control`,
/// holding what its maker held.
pub(super) fn begin(handles: Handles, control: i32) -> ! {
    let greeting = Raw::new(&Mode::default()).hello().encode();
    go_on(handles, control, &greeting)
}

/// Takes orders with these handles; says something first.
pub(super) fn go_on(handles: Handles, control: i32, first: &[u8]) -> ! {
    let mut raw = Raw { handles, ..Raw::new(&Mode::default()) };
    serve::serve(&mut raw, control, first)
}

/// Delays of random length, up to some 30 us, before each call.
struct Jitter(Option<u64>);

impl Jitter {
    fn delay(&mut self) {
        let Some(state) = &mut self.0 else { return };
        // Knuth's MMIX generator; its upper bits are random enough here.
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match *state >> 60 {
            0..=3 => {}
            // The scheduler may let another go first.
            4..=5 => drop(nix::sched::sched_yield()),
            _ => (0..(*state >> 45) & 0x3fff).for_each(|_| std::hint::spin_loop()),
        }
    }
}

impl Builtin for Raw {
    fn hello(&self) -> Hello {
        Hello {
            runtime: "raw".into(),
            version: "1".into(),
            symbols: BTreeMap::new(),
            abilities: Abilities::ALL,
        }
    }

    #[unsafe(link_section = "pipelab_actor")]
    fn carry_out(&mut self, order: Order) -> Reply {
        self.jitter.delay();
        match order {
            Order::Open { channel, access, nonblock, path } => {
                if self.descriptor(&channel).is_some() {
                    return open_already(&channel);
                }
                match open(&path, access, nonblock) {
                    Ok(fd) => {
                        self.handles.add(vec![(channel, fd)]);
                        Reply::Ok { fd: Some(fd), bytes: None }
                    }
                    Err(errno) => failed(errno, None, 0, vec![]),
                }
            }
            Order::Write { channel, piece, payload } => match self.descriptor(&channel) {
                Some(fd) => write(fd, &payload, piece, &mut self.jitter),
                None => not_open(&channel),
            },
            Order::Flush { channel } => match self.descriptor(&channel) {
                Some(_) => Reply::DONE,
                None => not_open(&channel),
            },
            Order::Read { channel, amount } => match self.descriptor(&channel) {
                Some(fd) => read(fd, amount, &mut self.jitter, &mut self.buffer),
                None => not_open(&channel),
            },
            Order::Close { channel } => match self.handles.take(&channel).map(nix::unistd::close) {
                Some(Ok(())) => Reply::DONE,
                Some(Err(errno)) => failed(errno, None, 0, vec![]),
                None => not_open(&channel),
            },
            Order::Call { call, words } => {
                let (reply, attached) = call::carry_out(&mut self.handles, &call, &words);
                self.attached = attached;
                reply
            }
            Order::Spawn { .. }
            | Order::Wait { .. }
            | Order::Communicate { .. }
            | Order::Await { .. }
            | Order::WriteCoded { .. }
            | Order::Sleep
            | Order::Spin
            | Order::Exit { .. }
            | Order::Reset => Reply::Unsupported,
        }
    }

    fn exit(&mut self, status: u8) -> ! {
        serve::leave(status.into())
    }

    #[unsafe(link_section = "pipelab_actor")]
    fn descriptor(&self, channel: &str) -> Option<i32> {
        self.handles.find(channel)
    }

    fn makes_calls(&self) -> bool {
        true
    }

    #[unsafe(link_section = "pipelab_actor")]
    fn attached(&mut self) -> Option<OwnedFd> {
        self.attached.take()
    }

    fn has_event_loop(&self) -> bool {
        true
    }

    fn reset(&mut self) -> Reply {
        for (_, fd) in self.handles.take_all() {
            let _ = nix::unistd::close(fd);
        }
        call::signal::forget();
        Reply::DONE
    }
}

/// open(2) of an end of a FIFO.
#[unsafe(link_section = "pipelab_actor")]
pub(super) fn open(path: &str, access: Access, nonblock: bool) -> Result<i32, Errno> {
    let mut flags = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_WRONLY,
        Access::Both => OFlag::O_RDWR,
    } | OFlag::O_CLOEXEC;
    if nonblock {
        flags |= OFlag::O_NONBLOCK;
    }
    nix::fcntl::open(path, flags, stat::Mode::empty()).map(std::os::fd::IntoRawFd::into_raw_fd)
}

fn borrow<'fd>(fd: i32) -> BorrowedFd<'fd> {
    // SAFETY: `fd` comes from `Raw::open`, which forgets it when it is closed.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// write(2) piece by piece, until one fails or is short.
#[unsafe(link_section = "pipelab_actor")]
fn write(fd: i32, payload: &[u8], piece: u64, jitter: &mut Jitter) -> Reply {
    let mut accepted = 0;
    // A write of no bytes is a call too.
    let pieces: Vec<&[u8]> =
        if payload.is_empty() { vec![payload] } else { payload.chunks(piece.max(1) as usize).collect() };
    for piece in pieces {
        jitter.delay();
        match nix::unistd::write(borrow(fd), piece) {
            Ok(count) => {
                accepted += count as u64;
                if count < piece.len() {
                    break;
                }
            }
            Err(errno) => return failed(errno, None, accepted, vec![]),
        }
    }
    Reply::Ok { fd: None, bytes: Some(accepted) }
}

#[unsafe(link_section = "pipelab_actor")]
fn read(fd: i32, amount: Amount, jitter: &mut Jitter, buffer: &mut Vec<u8>) -> Reply {
    let wanted = match amount {
        Amount::Bytes(0) => return read_nothing(fd),
        Amount::Bytes(bytes) => bytes as usize,
        Amount::ToEof => usize::MAX,
        // Counted once: what a blocked writer adds while it is read came later.
        Amount::Available => match queued(fd) {
            Ok(0) if hung_up(fd) => return Reply::Eof,
            Ok(0) => return Reply::Data(vec![]),
            Ok(bytes) => bytes,
            Err(errno) => return failed(errno, None, 0, vec![]),
        },
    };
    let mut data = Vec::new();
    while data.len() < wanted {
        jitter.delay();
        buffer.clear();
        match read_more(fd, buffer, GULP.min(wanted - data.len())) {
            Ok(0) => break,
            Ok(_) => data.extend_from_slice(buffer),
            Err(errno) => return failed(errno, None, 0, data),
        }
    }
    if data.is_empty() { Reply::Eof } else { Reply::Data(data) }
}

/// A read(2) of no bytes is a call too: it may say EBADF.
fn read_nothing(fd: i32) -> Reply {
    match nix::unistd::read(borrow(fd), &mut []) {
        Ok(_) => Reply::Data(vec![]),
        Err(errno) => failed(errno, None, 0, vec![]),
    }
}

/// Bytes that could be read now: FIONREAD (pipe(7)).
#[unsafe(link_section = "pipelab_actor")]
pub(super) fn queued(fd: i32) -> Result<usize, Errno> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    Errno::result(unsafe { libc::ioctl(fd, libc::FIONREAD, &mut bytes) })?;
    Ok(bytes as usize)
}

/// The other side has come and gone, as poll(2) tells.
pub(super) fn hung_up(fd: i32) -> bool {
    let mut polled = [PollFd::new(borrow(fd), PollFlags::POLLIN)];
    let _ = poll(&mut polled, PollTimeout::ZERO);
    polled[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLHUP))
}
