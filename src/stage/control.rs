//! The control socket of an actor: orders out, answers in.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::IoSliceMut,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, send},
};

use super::Fault;
use crate::wire::{Answer, CONTROL_FD, Inbox, Malformed, Message, Step, encode_batch};

/// Bytes taken from a control socket at once.
const GULP: usize = 8 * 1024;

/// Of every call on a control socket.
const FLAGS: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);

thread_local! {
    /// Room for what comes over the wire: one for all actors, since each page that
    /// is touched after a fork is copied.
    static BUFFER: RefCell<Room> = RefCell::new((vec![0; GULP].into(), nix::cmsg_space!(RawFd)));
}

/// For bytes, and for a descriptor that comes along.
type Room = (Box<[u8]>, Vec<u8>);

/// The stage's end of an actor's control socket.
pub(super) struct Control {
    socket: OwnedFd,
    /// The descriptor over which the actor takes its orders.
    pub(super) descriptor: i32,
    inbox: Inbox,
    /// What came while something else was waited for.
    put_by: VecDeque<Message>,
    /// The last batch, and how much of it the socket had room for.
    unsent: Vec<u8>,
    sent: usize,
    /// A descriptor that came with the last answer.
    pub(super) attached: Option<OwnedFd>,
    hung_up: bool,
}

impl Control {
    /// Of a process.
    pub(super) fn new(socket: OwnedFd) -> Control {
        Control::of_thread(socket, CONTROL_FD)
    }

    /// Of one thread among several, which takes its orders on this descriptor.
    pub(super) fn of_thread(socket: OwnedFd, descriptor: i32) -> Control {
        Control {
            socket,
            descriptor,
            inbox: Inbox::default(),
            put_by: VecDeque::new(),
            unsent: Vec::new(),
            sent: 0,
            attached: None,
            hung_up: false,
        }
    }

    /// Of nobody: nothing comes from it. `placeholder` is any descriptor.
    pub(super) fn of_nobody(placeholder: OwnedFd) -> Control {
        Control { hung_up: true, ..Control::new(placeholder) }
    }

    /// What becomes readable when the actor answers; nothing once it has hung up.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        (!self.hung_up).then(|| self.socket.as_fd())
    }

    /// The actor has closed its end: nothing more will come from it but its own end, or it
    /// is broken.
    pub(super) fn hung_up(&self) -> bool {
        self.hung_up
    }

    /// The actor listens, and nothing is on its way to it, or half-way from it.
    pub(super) fn is_idle(&self) -> bool {
        !self.hung_up && !self.has_unsent() && !self.has_untaken_orders() && self.inbox.is_empty()
    }

    /// Gives the actor a batch of steps.
    pub(super) fn give(&mut self, steps: &[Step]) -> Result<(), Fault> {
        self.sent = encode_batch(steps, &mut self.unsent);
        self.send_rest()
    }

    /// Sends what the socket had no room for.
    pub(super) fn send_rest(&mut self) -> Result<(), Fault> {
        while self.has_unsent() {
            match send(self.socket.as_raw_fd(), &self.unsent[self.sent..], FLAGS) {
                Ok(sent) => self.sent += sent,
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                // It ended: its end is what gets reported.
                Err(Errno::EPIPE | Errno::ECONNRESET) => self.sent = self.unsent.len(),
                Err(error) => return Err(Fault::harness("sending to a driver", error.desc())),
            }
        }
        Ok(())
    }

    /// Orders wait for room in the socket.
    pub(super) fn has_unsent(&self) -> bool {
        self.sent < self.unsent.len()
    }

    /// Something lies in the socket: SIOCOUTQ counts what the other side hasn't read
    /// (unix(7)).
    pub(super) fn has_untaken_orders(&self) -> bool {
        let mut waiting: libc::c_int = 0;
        // SAFETY: writes one int.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::TIOCOUTQ, &mut waiting) };
        result != 0 || waiting != 0
    }

    /// Takes what has come over the wire, without waiting.
    pub(super) fn listen(&mut self) -> Result<(), Fault> {
        BUFFER.with_borrow_mut(|room| self.listen_with(room))
    }

    fn listen_with(&mut self, room: &mut Room) -> Result<(), Fault> {
        loop {
            match receive(&self.socket, room, &mut self.attached) {
                Err(Errno::EAGAIN) => return Ok(()),
                Ok(0) | Err(Errno::ECONNRESET) => {
                    self.hung_up = true;
                    return Ok(());
                }
                Ok(length) => {
                    self.inbox.push(&room.0[..length]);
                    if length < room.0.len() {
                        return Ok(());
                    }
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err(Fault::harness("receiving from a driver", error.desc())),
            }
        }
    }

    /// The next message that is whole.
    pub(super) fn message(&mut self) -> Result<Option<Message>, Malformed> {
        match self.put_by.pop_front() {
            Some(message) => Ok(Some(message)),
            None => self.inbox.take(),
        }
    }

    /// The answer with this number, if it has come; other messages wait for
    /// [`Control::message`].
    pub(super) fn answer(&mut self, id: u64) -> Result<Option<Answer>, Malformed> {
        while let Some(message) = self.inbox.take()? {
            match message {
                Message::Answer(answer) if answer.id == id => return Ok(Some(answer)),
                other => self.put_by.push_back(other),
            }
        }
        Ok(None)
    }

    /// Something that the actor said waits to be taken.
    pub(super) fn has_put_by(&self) -> bool {
        !self.put_by.is_empty()
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// recv(2), and the descriptor that came along.
fn receive(socket: &OwnedFd, room: &mut Room, attached: &mut Option<OwnedFd>) -> Result<usize, Errno> {
    let (bytes, control_room) = room;
    let mut bytes = [IoSliceMut::new(bytes)];
    let flags = FLAGS.union(MsgFlags::MSG_CMSG_CLOEXEC);
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut bytes, Some(control_room), flags)?;
    for rights in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = rights {
            // SAFETY: fresh descriptors that nothing else owns.
            *attached = fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).next_back();
        }
    }
    Ok(message.bytes)
}
