//! One process of a case: spoken to, observed, ended.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{
    Fault, Launch, Options, PlannedActor,
    child::Child,
    command::{Below, Command, Tracing},
    control::Control,
    ready::Ready,
    stderr::Stderr,
};
use crate::{
    observe::{self, Check, Depth, Process, Reading, State, StateFiles},
    outcome::Outcome,
    wire::{Abilities, Answer, Malformed, Message},
};

/// A running actor.
pub(super) struct Actor {
    pub(super) name: String,
    child: Rc<Child>,
    /// Which of the process's threads it is, if there are others.
    thread: Option<u32>,
    /// What is said to it, and what it says.
    pub(super) control: Control,
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
    stderr: Stderr,
    /// How it ended, once it has.
    pub(super) ended: Option<Outcome>,
}

impl Actor {
    /// An actor that was forked.
    pub(super) fn of(ready: Ready<'_>, options: &Options) -> Actor {
        let command = ready.board().map(|(board, traced)| Command::new(board, traced));
        let Ready { planned, control, stderr, child, .. } = ready;
        let mut actor = Actor::assemble(
            &planned.name,
            child.expect("it was forked").into(),
            Control::new(control),
            stderr,
        );
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
        let mut actor = Actor::assemble(
            &planned.name,
            Child::nobody(nothing()?).into(),
            Control::of_nobody(nothing()?),
            stderr,
        );
        actor.ended = Some(Outcome::Gone);
        Ok(actor)
    }

    /// A copy that this actor has made of itself, which talks over `control`.
    pub(super) fn copy(&self, name: &str, pid: u64, control: OwnedFd) -> Result<Actor, Fault> {
        let child = Child::made(pid).map_err(|error| Fault::harness("pidfd_open", error.desc()))?;
        let mut actor = Actor::assemble(name, child.into(), Control::new(control), self.stderr.share());
        actor.access = self.access;
        Ok(actor)
    }

    /// A thread of its process, which takes its orders on this descriptor.
    pub(super) fn thread(&mut self, name: &str, tid: u64, control: OwnedFd, orders: i32) -> Actor {
        let mut actor = Actor::assemble(
            name,
            self.child.clone(),
            Control::of_thread(control, orders),
            self.stderr.share(),
        );
        actor.access = self.access;
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

    fn assemble(name: &str, child: Rc<Child>, control: Control, stderr: Stderr) -> Actor {
        Actor {
            name: name.to_owned(),
            child,
            thread: None,
            control,
            access: observe::Access::default(),
            process: None,
            command: None,
            below: None,
            abilities: Abilities::default(),
            is_program: false,
            unused: None,
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
        self.control.is_idle() && poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }

    /// As [`Control::message`].
    pub(super) fn message(&mut self) -> Result<Option<Message>, Fault> {
        self.control.message().map_err(|malformed| self.spoke(malformed))
    }

    /// As [`Control::answer`].
    pub(super) fn answer(&mut self, id: u64) -> Result<Option<Answer>, Fault> {
        self.control.answer(id).map_err(|malformed| self.spoke(malformed))
    }

    fn spoke(&self, malformed: Malformed) -> Fault {
        Fault::Driver { actor: self.name.clone(), message: malformed.to_string() }
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
