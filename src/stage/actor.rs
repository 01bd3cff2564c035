//! One process of a case: spoken to, observed, ended.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::File,
    io::{self, IoSliceMut},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    rc::Rc,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, send},
};

use super::{
    Fault, Launch, Options, PlannedActor,
    child::Child,
    command::{Below, Command, Tracing},
    ready::Ready,
    stderr::Stderr,
};
use crate::{
    observe::{self, Check, Depth, Process, Reading, State, StateFiles},
    outcome::Outcome,
    wire::{Abilities, Answer, CONTROL_FD, Inbox, Message, Step, encode_batch},
};

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

/// A running actor.
pub(super) struct Actor {
    pub(super) name: String,
    child: Rc<Child>,
    /// Which of the process's threads it is, if there are others.
    thread: Option<u32>,
    control: OwnedFd,
    /// The descriptor over which it takes its orders.
    pub(super) takes_orders_on: i32,
    inbox: Inbox,
    /// What came while something else was waited for.
    put_by: VecDeque<Message>,
    /// The last batch, and how much of it the socket had room for.
    unsent: Vec<u8>,
    sent: usize,
    access: observe::Access,
    /// Opened when it is first looked at.
    process: Option<Process>,
    /// The program that it is the shepherd of.
    pub(super) command: Option<Command>,
    /// What it has started, if it was told to.
    pub(super) below: Option<Below>,
    /// What it could do, it said in its greeting.
    pub(super) abilities: Abilities,
    /// Code of somebody else's, which may do anything.
    pub(super) is_program: bool,
    /// How it was before its first case, if it may serve several.
    unused: Option<(State, StateFiles)>,
    /// It has hung up: nothing more will come from it but its end.
    hung_up: bool,
    /// A descriptor that came with its last answer.
    pub(super) attached: Option<OwnedFd>,
    stderr: Stderr,
    /// How it ended, once it has.
    pub(super) ended: Option<Outcome>,
}

impl Actor {
    /// An actor that was forked.
    pub(super) fn of(ready: Ready<'_>, options: &Options) -> Actor {
        let command = ready.board().map(|(board, traced)| Command::new(board, traced));
        let Ready { planned, control, stderr, child, .. } = ready;
        let mut actor = Actor::assemble(&planned.name, child.expect("it was forked").into(), control, stderr);
        actor.access = options.access;
        actor.is_program = matches!(*planned.launch, Launch::Program { .. });
        actor.command = command;
        actor
    }

    /// A part that nobody plays until a step makes its process.
    pub(super) fn absent(planned: &PlannedActor) -> Result<Actor, Fault> {
        let nothing =
            || File::open("/dev/null").map(OwnedFd::from).map_err(|error| Fault::harness("/dev/null", error));
        let stderr = Stderr::new().map_err(|error| Fault::harness("memfd_create", error.desc()))?;
        let mut actor = Actor::assemble(&planned.name, Child::nobody(nothing()?).into(), nothing()?, stderr);
        actor.hung_up = true;
        actor.ended = Some(Outcome::Gone);
        Ok(actor)
    }

    /// A copy that this actor has made of itself, which talks over `control`.
    pub(super) fn copy(&self, name: &str, pid: u64, control: OwnedFd) -> Result<Actor, Fault> {
        let child = Child::made(pid).map_err(|error| Fault::harness("pidfd_open", error.desc()))?;
        let mut actor = Actor::assemble(name, child.into(), control, self.stderr.share());
        actor.access = self.access;
        Ok(actor)
    }

    /// A thread of its process, which takes its orders on this descriptor.
    pub(super) fn thread(&mut self, name: &str, tid: u64, control: OwnedFd, orders: i32) -> Actor {
        let mut actor = Actor::assemble(name, self.child.clone(), control, self.stderr.share());
        actor.access = self.access;
        actor.takes_orders_on = orders;
        actor.thread = Some(tid as u32);
        if self.thread.is_none() {
            // What is looked at from now on is one thread's.
            self.thread = Some(self.pid() as u32);
            self.process = None;
        }
        actor
    }

    /// Both are threads of one process.
    pub(super) fn shares_process(&self, other: &Actor) -> bool {
        Rc::ptr_eq(&self.child, &other.child)
    }

    /// Which thread of its process it is, if there are several.
    pub(super) fn tid(&self) -> Option<u32> {
        self.thread
    }

    fn assemble(name: &str, child: Rc<Child>, control: OwnedFd, stderr: Stderr) -> Actor {
        Actor {
            name: name.to_owned(),
            child,
            thread: None,
            control,
            takes_orders_on: CONTROL_FD,
            inbox: Inbox::default(),
            put_by: VecDeque::new(),
            unsent: Vec::new(),
            sent: 0,
            access: observe::Access::default(),
            process: None,
            command: None,
            below: None,
            abilities: Abilities::default(),
            is_program: false,
            unused: None,
            hung_up: false,
            attached: None,
            stderr,
            ended: None,
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.child.pid()
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.child.as_fd()
    }

    /// What becomes readable when the actor answers; nothing once it has hung up.
    pub(super) fn control(&self) -> Option<BorrowedFd<'_>> {
        (!self.hung_up).then(|| self.control.as_fd())
    }

    /// It has closed its end of the conversation: it ends, or it is broken.
    pub(super) fn hung_up(&self) -> bool {
        self.hung_up
    }

    /// It has started processes of its own.
    pub(super) fn has_children(&self) -> bool {
        let list = format!("/proc/{0}/task/{0}/children", self.pid());
        std::fs::read_to_string(list).is_ok_and(|children| !children.trim().is_empty())
    }

    /// Its files under /proc.
    ///
    /// # Errors
    /// As [`Process::open`].
    pub(super) fn process(&mut self) -> io::Result<&mut Process> {
        if self.process.is_none() {
            let process = Process::open(self.pid(), self.access)?;
            self.process = Some(match self.thread {
                Some(tid) => process.of_thread(tid),
                None => process,
            });
        }
        Ok(self.process.as_mut().expect("just opened"))
    }

    /// Its files under /proc, if it was looked at.
    pub(super) fn observed(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Appends one reading of each thread of all its processes, but for those that spin.
    ///
    /// # Errors
    /// As [`Process::scan`] and [`observe::Tree::scan`].
    pub(super) fn scan_but(&mut self, readings: &mut Vec<Reading>, spinning: &[u32]) -> io::Result<()> {
        match (&mut self.command, &mut self.below) {
            (Some(command), _) => {
                let shepherd = readings.len();
                command.scan(self.child.pid(), self.access, readings)?;
                if readings.get(shepherd).is_some_and(|reading| reading.state == b'T') {
                    // Its program has stopped it.
                    let _ = self.child.signal(libc::SIGCONT, None);
                    return Err(io::Error::other("its shepherd was stopped"));
                }
                Ok(())
            }
            (None, Some(below)) => {
                below.tree(self.child.pid(), &self.name, self.access)?.scan(readings, &|_| None)
            }
            (None, None) => self.process()?.scan_but(readings, spinning),
        }
    }

    /// Those of the last scan's readings that are told of.
    pub(super) fn own<'r>(&self, readings: &'r [Reading]) -> &'r [Reading] {
        match (self.tree(), self.observed()) {
            (None, Some(process)) => process.own(readings),
            _ => readings,
        }
    }

    /// Threads seen at the last scan.
    pub(super) fn threads(&self) -> Option<usize> {
        match self.tree() {
            Some(tree) => Some(tree.threads()),
            None => self.observed().map(Process::threads),
        }
    }

    /// All its processes, if it was looked at and may have several.
    fn tree(&self) -> Option<&observe::Tree> {
        let command = self.command.as_ref().and_then(Command::observed);
        command.or_else(|| self.below.as_ref().and_then(Below::observed))
    }

    fn tree_mut(&mut self) -> Option<&mut observe::Tree> {
        let command = self.command.as_mut().and_then(Command::observed_mut);
        command.or_else(|| self.below.as_mut().and_then(Below::observed_mut))
    }

    /// A step begins.
    pub(super) fn begin_step(&mut self) {
        self.tree_mut().into_iter().for_each(observe::Tree::begin);
    }

    /// As [`observe::Tree::wakes_soon`].
    pub(super) fn wakes_soon(&mut self, readings: &[Reading]) -> bool {
        self.tree_mut().is_some_and(|tree| tree.wakes_soon(readings))
    }

    /// As [`observe::Tree::opening`].
    pub(super) fn opening(&self, readings: &[Reading]) -> Vec<observe::FileId> {
        self.tree().map_or_else(Vec::new, |tree| tree.opening(readings))
    }

    /// A program that it is, or has started, or what one has left behind, may still act.
    pub(super) fn programs_live(&self) -> bool {
        self.command.as_ref().is_some_and(Command::lives) || self.below.as_ref().is_some_and(Below::lives)
    }

    /// All of them rest.
    pub(super) fn programs_rest(&mut self) {
        self.command.iter_mut().for_each(|command| command.fresh = false);
        self.below.iter_mut().for_each(|below| below.fresh = false);
    }

    /// It is about to start a program.
    pub(super) fn spawns(&mut self) {
        self.below.get_or_insert_default().fresh = true;
    }

    /// Times that its threads have slept so far.
    pub(super) fn sleeps(&self) -> Option<u64> {
        match self.tree() {
            Some(tree) => tree.sleeps(),
            None => self.observed()?.sleeps(),
        }
    }

    /// Bytes that its read calls have returned so far.
    pub(super) fn bytes_read(&mut self) -> Result<Option<u64>, Fault> {
        let Ok(process) = self.process() else { return Ok(None) };
        process.bytes_read().map_err(|error| Fault::harness("counting", error))
    }

    /// Bytes that its write calls have returned so far.
    pub(super) fn bytes_written(&mut self) -> Option<u64> {
        self.process().ok()?.bytes_written().ok()?
    }

    /// Notes how it is before its first case. Where that can't be seen, it serves one.
    pub(super) fn mark(&mut self) {
        let files = StateFiles::open(self.pid());
        self.unused = files.and_then(|files| Ok((files.read(self.depth())?, files))).ok();
        self.stderr.mark();
    }

    /// How deep one has to look at it.
    pub(super) fn depth(&self) -> Depth {
        if self.is_program { Depth::Whole } else { Depth::Numbers }
    }

    /// In what it isn't as before its first case, if it could be seen then.
    pub(super) fn difference(&self, depth: Depth, unchecked: &[Check]) -> Option<String> {
        let Some((unused, files)) = &self.unused else { return Some("it can't be observed".into()) };
        match files.read(depth) {
            Ok(state) => state.difference(unused, unchecked),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Another case begins for it, under this name.
    pub(super) fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.below = None;
        if self.is_program {
            self.stderr.begin();
        }
    }

    /// Nothing is on its way between it and the stage, and it lives.
    pub(super) fn is_quiet(&self) -> bool {
        let mut polled = [self.control.as_fd(), self.pidfd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        !self.hung_up
            && !self.has_unsent()
            && !self.has_untaken_orders()
            && self.inbox.is_empty()
            && poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }

    /// Gives it a batch of steps.
    pub(super) fn give(&mut self, steps: &[Step]) -> Result<(), Fault> {
        self.sent = encode_batch(steps, &mut self.unsent);
        self.send_rest()
    }

    /// Sends what the socket had no room for.
    pub(super) fn send_rest(&mut self) -> Result<(), Fault> {
        while self.has_unsent() {
            match send(self.control.as_raw_fd(), &self.unsent[self.sent..], FLAGS) {
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
        let result = unsafe { libc::ioctl(self.control.as_raw_fd(), libc::TIOCOUTQ, &mut waiting) };
        result != 0 || waiting != 0
    }

    /// Takes what has come over the wire, without waiting.
    pub(super) fn listen(&mut self) -> Result<(), Fault> {
        BUFFER.with_borrow_mut(|room| self.listen_with(room))
    }

    fn listen_with(&mut self, room: &mut Room) -> Result<(), Fault> {
        loop {
            match receive(&self.control, room, &mut self.attached) {
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
    pub(super) fn message(&mut self) -> Result<Option<Message>, Fault> {
        match self.put_by.pop_front() {
            Some(message) => Ok(Some(message)),
            None => self.take_message(),
        }
    }

    fn take_message(&mut self) -> Result<Option<Message>, Fault> {
        self.inbox
            .take()
            .map_err(|error| Fault::Driver { actor: self.name.clone(), message: error.to_string() })
    }

    /// The answer with this number, if it has come; other messages wait for
    /// [`Actor::message`].
    pub(super) fn answer(&mut self, id: u64) -> Result<Option<Answer>, Fault> {
        while let Some(message) = self.take_message()? {
            match message {
                Message::Answer(answer) if answer.id == id => return Ok(Some(answer)),
                other => self.put_by.push_back(other),
            }
        }
        Ok(None)
    }

    /// Something that it said waits to be taken.
    pub(super) fn has_put_by(&self) -> bool {
        !self.put_by.is_empty()
    }

    /// Notices its end, without waiting.
    pub(super) fn reap(&mut self) -> Result<(), Fault> {
        if self.ended.is_none() {
            self.ended = self.child.reap()?;
            if let (Some(_), Some(below)) = (&self.ended, &mut self.below) {
                below.leave_to_stage();
            }
        }
        Ok(())
    }

    /// The last words of the program that it is; empty for any other actor.
    pub(super) fn words_of_program(&self) -> String {
        self.command.as_ref().map_or_else(String::new, |_| self.stderr.last_words())
    }

    /// Why what it calls isn't seen though it should be; empty else.
    pub(super) fn untraced(&self) -> &str {
        match self.command.as_ref().map(|command| &command.trace) {
            Some(Tracing::Refused(why)) => why,
            _ => "",
        }
    }

    /// As [`Child::signal`]; a program's own process gets it, if it hasn't ended.
    pub(super) fn signal(&self, signal: i32) -> Result<(), Fault> {
        match &self.command {
            Some(command) => command.signal(signal),
            None => self.child.signal(signal, self.thread),
        }
    }

    /// Kills it, without waiting for its end.
    pub(super) fn kill(&mut self) {
        self.child.kill();
    }

    /// Whether it can be shown clean after a case.
    pub(super) fn is_marked(&self) -> bool {
        self.unused.is_some()
    }

    /// A fault of its driver, with what it said before.
    pub(super) fn broken(&self, message: &str) -> Fault {
        let words = self.stderr.last_words();
        let message =
            if words.is_empty() { message.to_owned() } else { format!("{message}; it said: {words}") };
        Fault::Driver { actor: self.name.clone(), message }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        if !self.is_program {
            self.stderr.reuse();
        }
    }
}

/// recv(2), and the descriptor that came along.
fn receive(control: &OwnedFd, room: &mut Room, attached: &mut Option<OwnedFd>) -> Result<usize, Errno> {
    let (bytes, control_room) = room;
    let mut bytes = [IoSliceMut::new(bytes)];
    let flags = FLAGS.union(MsgFlags::MSG_CMSG_CLOEXEC);
    let message = recvmsg::<()>(control.as_raw_fd(), &mut bytes, Some(control_room), flags)?;
    for rights in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = rights {
            // SAFETY: fresh descriptors that nothing else owns.
            *attached = fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).next_back();
        }
    }
    Ok(message.bytes)
}
