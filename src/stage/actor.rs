//! One process of a case: started, spoken to, observed, reaped.

use std::{
    cell::RefCell,
    ffi::CString,
    fs::File,
    io::{self, IoSliceMut},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::fs::FileExt,
    },
    path::Path,
    rc::Rc,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        memfd::{MFdFlags, memfd_create},
        signal::Signal,
        socket::{
            AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, send, socketpair,
        },
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{AccessFlags, Pid, access, chdir},
};

use super::{Containment, Fault, Launch, Options, PlannedActor};
use crate::{
    driver::builtin,
    observe::{self, Check, Depth, Process, State, StateFiles},
    outcome::Outcome,
    setting::{Setting, Sigpipe, surroundings},
    wire::{Abilities, CONTROL_FD, Inbox, Message, Step, encode_batch},
};

/// Bytes taken from a control socket at once.
const GULP: usize = 64 * 1024;

thread_local! {
    /// Room for what comes over the wire: one for all actors, since each page that
    /// is touched after a fork is copied.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; GULP].into());
}

thread_local! {
    /// Files for standard error into which built-in drivers that have ended wrote
    /// nothing: as good as new, and cheaper. Nobody else has them, since these
    /// drivers start no process.
    static UNUSED: RefCell<Vec<Rc<File>>> = const { RefCell::new(Vec::new()) };
}

/// More of them only hold descriptors.
const MOST_UNUSED: usize = 2;

/// How much of a driver's last words is shown (bytes).
const LAST_WORDS: usize = 2000;

/// A running actor.
pub(super) struct Actor {
    pub(super) name: String,
    pid: Pid,
    pidfd: OwnedFd,
    control: OwnedFd,
    inbox: Inbox,
    /// The last batch, and how much of it the socket had room for.
    unsent: Vec<u8>,
    sent: usize,
    access: observe::Access,
    /// Opened when it is first looked at.
    process: Option<Process>,
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
    /// What it wrote to standard error: up to its first case, and in cases before
    /// this one, as far as these places.
    stderr: Rc<File>,
    words_at_start: u64,
    words_before: u64,
    /// How it ended, once it has.
    pub(super) ended: Option<Outcome>,
}

/// An actor that is ready to be forked. Several are made ready, then forked one right
/// after the other: what the stage writes between two forks, it copies twice.
pub(super) struct Ready<'case> {
    planned: &'case PlannedActor,
    control: OwnedFd,
    theirs: OwnedFd,
    stderr: Rc<File>,
    exec: Exec,
    limits: Vec<surroundings::Limit>,
    child: Option<Child>,
}

impl<'case> Ready<'case> {
    pub(super) fn new(planned: &'case PlannedActor) -> Result<Self, Fault> {
        let (control, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
                .map_err(|error| not_started(planned, "socketpair", error))?;
        fcntl(&control, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(|error| not_started(planned, "fcntl", error))?;
        let stderr = match UNUSED.with_borrow_mut(Vec::pop) {
            Some(file) => file,
            None => Rc::new(File::from(
                memfd_create(c"stderr", MFdFlags::MFD_CLOEXEC)
                    .map_err(|error| not_started(planned, "memfd_create", error))?,
            )),
        };
        let exec = Exec::of(planned).map_err(|error| Fault::Driver {
            actor: planned.name.clone(),
            message: format!("its command can't be run: {error}"),
        })?;
        let limits = surroundings::limits_to_set();
        Ok(Ready { planned, control, theirs, stderr, exec, limits, child: None })
    }

    /// Forks it into its setting. Its greeting comes over the wire.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    #[inline(never)]
    pub(super) fn fork(&mut self, setting: &Setting, dir: &Path, options: &Options) -> Result<(), Fault> {
        // SAFETY: the stage has one thread, so its child may do anything; and nothing
        // asks for what the C library's fork does beyond the call, which is to write on
        // several pages.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        match Errno::result(pid) {
            Ok(0) => become_actor(self, setting, dir, options.containment != Containment::Nothing),
            Ok(pid) => self.child = Some(Child(Pid::from_raw(pid as i32))),
            Err(error) => return Err(not_started(self.planned, "fork", error)),
        }
        Ok(())
    }
}

impl Ready<'_> {
    /// The child's folder, and its first descriptors.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    fn place(&self, dir: &Path) -> Result<(), Errno> {
        chdir(dir)?;
        // The stage's own 0 is /dev/null.
        surroundings::place_descriptor(0, 1)?;
        surroundings::place_descriptor(self.stderr.as_raw_fd(), 2)?;
        surroundings::place_descriptor(self.theirs.as_raw_fd(), CONTROL_FD)
    }
}

fn not_started(planned: &PlannedActor, what: &str, error: Errno) -> Fault {
    Fault::harness(&format!("starting {}: {what}", planned.name), error.desc())
}

impl Actor {
    /// An actor that was forked.
    pub(super) fn of(ready: Ready<'_>, options: &Options) -> Result<Actor, Fault> {
        let Ready { planned, control, stderr, child, .. } = ready;
        let child = child.expect("it was forked");
        let pidfd = pidfd(child.0).map_err(|error| not_started(planned, "pidfd_open", error))?;
        let mut actor = Actor::assemble(&planned.name, child.keep(), pidfd, control, stderr);
        actor.access = options.access;
        actor.is_program = matches!(*planned.launch, Launch::Program { .. });
        Ok(actor)
    }

    /// A part that nobody plays until a step makes its process.
    pub(super) fn absent(planned: &PlannedActor) -> Result<Actor, Fault> {
        let nothing =
            || File::open("/dev/null").map(OwnedFd::from).map_err(|error| Fault::harness("/dev/null", error));
        let (pidfd, control, stderr) = (nothing()?, nothing()?, Rc::new(File::from(nothing()?)));
        let mut actor = Actor::assemble(&planned.name, Pid::from_raw(0), pidfd, control, stderr);
        actor.hung_up = true;
        actor.ended = Some(Outcome::Gone);
        Ok(actor)
    }

    /// A copy that this actor has made of itself, which talks over `control`.
    pub(super) fn copy(&self, name: &str, pid: u64, control: OwnedFd) -> Result<Actor, Fault> {
        fcntl(&control, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(|error| Fault::harness("fcntl", error.desc()))?;
        let pid = Pid::from_raw(pid as i32);
        let pidfd = pidfd(pid).map_err(|error| Fault::harness("pidfd_open", error.desc()))?;
        let mut actor = Actor::assemble(name, pid, pidfd, control, self.stderr.clone());
        actor.access = self.access;
        Ok(actor)
    }

    fn assemble(name: &str, pid: Pid, pidfd: OwnedFd, control: OwnedFd, stderr: Rc<File>) -> Actor {
        Actor {
            name: name.to_owned(),
            pid,
            pidfd,
            control,
            inbox: Inbox::default(),
            unsent: Vec::new(),
            sent: 0,
            access: observe::Access::default(),
            process: None,
            abilities: Abilities::default(),
            is_program: false,
            unused: None,
            hung_up: false,
            attached: None,
            stderr,
            words_at_start: 0,
            words_before: 0,
            ended: None,
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
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
        let list = format!("/proc/{0}/task/{0}/children", self.pid);
        std::fs::read_to_string(list).is_ok_and(|children| !children.trim().is_empty())
    }

    /// Its files under /proc.
    ///
    /// # Errors
    /// As [`Process::open`].
    pub(super) fn process(&mut self) -> io::Result<&mut Process> {
        if self.process.is_none() {
            self.process = Some(Process::open(self.pid(), self.access)?);
        }
        Ok(self.process.as_mut().expect("just opened"))
    }

    /// Its files under /proc, if it was looked at.
    pub(super) fn observed(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Bytes that its read calls have returned so far.
    pub(super) fn bytes_read(&mut self) -> Option<u64> {
        self.process().ok()?.bytes_read()
    }

    /// Notes how it is before its first case. Where that can't be seen, it serves one.
    pub(super) fn mark(&mut self) {
        let files = StateFiles::open(self.pid());
        self.unused = files.and_then(|files| Ok((files.read(self.depth())?, files))).ok();
        self.words_at_start = self.said();
        self.words_before = self.words_at_start;
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
        if self.is_program {
            self.words_before = self.said();
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
            match send(self.control.as_raw_fd(), &self.unsent[self.sent..], MsgFlags::MSG_NOSIGNAL) {
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
        BUFFER.with_borrow_mut(|buffer| self.listen_with(buffer))
    }

    fn listen_with(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        loop {
            match receive(&self.control, buffer, &mut self.attached) {
                Err(Errno::EAGAIN) => return Ok(()),
                Ok(0) | Err(Errno::ECONNRESET) => {
                    self.hung_up = true;
                    return Ok(());
                }
                Ok(length) => {
                    self.inbox.push(&buffer[..length]);
                    if length < buffer.len() {
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
        self.inbox
            .take()
            .map_err(|error| Fault::Driver { actor: self.name.clone(), message: error.to_string() })
    }

    /// Notices its end, without waiting. A process that has ended has closed all
    /// its descriptors before it can be reaped (kernel `do_exit`).
    pub(super) fn reap(&mut self) -> Result<(), Fault> {
        if self.ended.is_some() {
            return Ok(());
        }
        self.ended = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => Some(Outcome::Exited { status }),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                Some(Outcome::Killed { signal: signal.as_str().to_owned() })
            }
            Ok(_) | Err(Errno::EINTR) => None,
            Err(error) => return Err(Fault::harness("waitpid", error.desc())),
        };
        Ok(())
    }

    pub(super) fn signal(&self, signal: i32) -> Result<(), Fault> {
        let signal = Signal::try_from(signal).map_err(|error| Fault::harness("kill", error.desc()))?;
        match nix::sys::signal::kill(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(Fault::harness("kill", error.desc())),
        }
    }

    /// Kills it, without waiting for its end.
    pub(super) fn kill(&self) {
        if self.ended.is_none() {
            let _ = nix::sys::signal::kill(self.pid, Signal::SIGKILL);
        }
    }

    /// Whether it can be shown clean after a case.
    pub(super) fn is_marked(&self) -> bool {
        self.unused.is_some()
    }

    /// A fault of its driver, with what it said before.
    pub(super) fn broken(&self, message: &str) -> Fault {
        let words = self.last_words();
        let message =
            if words.is_empty() { message.to_owned() } else { format!("{message}; it said: {words}") };
        Fault::Driver { actor: self.name.clone(), message }
    }

    /// The end of what it wrote to standard error, cases before this one left out.
    pub(super) fn last_words(&self) -> String {
        // By position: the actor writes at the offset, which is shared.
        let read = |from: u64, to: u64| {
            let mut words = vec![0; to.saturating_sub(from) as usize];
            let length = self.stderr.read_at(&mut words, from).unwrap_or(0);
            words.truncate(length);
            words
        };
        let text = [read(0, self.words_at_start), read(self.words_before, self.said())].concat();
        let start = text.len().saturating_sub(LAST_WORDS);
        String::from_utf8_lossy(&text[start..]).trim().to_owned()
    }

    /// Bytes that it has written to standard error.
    fn said(&self) -> u64 {
        self.stderr.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl Drop for Actor {
    /// Kills and reaps it. A SIGKILL can't be refused, so the wait is short.
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
            while waitpid(self.pid, None) == Err(Errno::EINTR) {}
        }
        let is_as_new = || self.stderr.metadata().is_ok_and(|metadata| metadata.len() == 0);
        UNUSED.with_borrow_mut(|unused| {
            if !self.is_program && unused.len() < MOST_UNUSED && is_as_new() {
                unused.push(self.stderr.clone());
            }
        });
    }
}

/// pidfd_open(2).
fn pidfd(pid: Pid) -> Result<OwnedFd, Errno> {
    // SAFETY: takes numbers; nix has no wrapper for it.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    // SAFETY: a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// recv(2), and the descriptor that came along.
fn receive(control: &OwnedFd, buffer: &mut [u8], attached: &mut Option<OwnedFd>) -> Result<usize, Errno> {
    let mut room = nix::cmsg_space!(RawFd);
    let mut bytes = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(control.as_raw_fd(), &mut bytes, Some(&mut room), flags)?;
    for rights in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = rights {
            // SAFETY: fresh descriptors that nothing else owns.
            *attached = fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).next_back();
        }
    }
    Ok(message.bytes)
}

/// A process that isn't an actor yet: killed and reaped unless it becomes one.
struct Child(Pid);

impl Child {
    fn keep(self) -> Pid {
        let pid = self.0;
        std::mem::forget(self);
        pid
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(self.0, Signal::SIGKILL);
        while waitpid(self.0, None) == Err(Errno::EINTR) {}
    }
}

/// A program's command line, made ready before the fork.
enum Exec {
    /// With its greeting: what the stage makes, no fork has to.
    BuiltIn {
        greeting: Vec<u8>,
    },
    Program {
        path: CString,
        args: Vec<CString>,
        env: Vec<CString>,
        pinned: bool,
    },
}

impl Exec {
    fn of(planned: &PlannedActor) -> io::Result<Exec> {
        match &*planned.launch {
            Launch::BuiltIn(driver) => {
                builtin::prepare();
                let hello = builtin::hello(driver, &planned.mode);
                Ok(Exec::BuiltIn { greeting: hello.map_or_else(Vec::new, |hello| hello.encode()) })
            }
            Launch::Program { command, env, pinned } => {
                let c_string = |text: &str| CString::new(text).map_err(io::Error::other);
                let args = command.iter().map(|word| c_string(word)).collect::<io::Result<Vec<_>>>()?;
                let program = command.first().ok_or_else(|| io::Error::other("it is empty"))?;
                let path = c_string(&look_up(program, env)?)?;
                let env = env
                    .iter()
                    .map(|(name, value)| c_string(&format!("{name}={value}")))
                    .collect::<io::Result<Vec<_>>>()?;
                Ok(Exec::Program { path, args, env, pinned: *pinned })
            }
        }
    }
}

/// Where a program is, by the `PATH` that it will have: the stage has none.
fn look_up(program: &str, env: &[(String, String)]) -> io::Result<String> {
    if program.contains('/') {
        return Ok(program.to_owned());
    }
    let path = env.iter().find(|(name, _)| name == "PATH").map_or("/usr/bin:/bin", |(_, path)| path);
    let is_program = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
        .map(|path| path.to_string_lossy().into_owned())
        .ok_or_else(|| io::Error::other(format!("`{program}` isn't on PATH ({path})")))
}

/// The child's side of the fork.
// SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
#[unsafe(link_section = "pipelab_actor")]
fn become_actor(ready: &Ready<'_>, setting: &Setting, dir: &Path, dies_with_stage: bool) -> ! {
    let Ready { planned, exec, .. } = ready;
    if dies_with_stage {
        surroundings::die_with_parent();
    }
    surroundings::own_session();
    let ignore = match setting.sigpipe {
        Sigpipe::Runtime => planned.ignores_sigpipe && matches!(exec, Exec::BuiltIn { .. }),
        Sigpipe::Default => false,
        Sigpipe::Ignore => true,
    };
    if ignore {
        surroundings::ignore_sigpipe();
    }
    surroundings::reset_timers();
    surroundings::set_limits(&ready.limits);
    if let Err(error) = ready.place(dir) {
        complain(&format!("the actor's surroundings: {}", error.desc()));
    }
    surroundings::close_from(CONTROL_FD + 1);
    match exec {
        Exec::BuiltIn { greeting } => {
            let Launch::BuiltIn(driver) = &*planned.launch else { complain("no built-in driver") };
            // A panic must not unwind into this copy of the stage: it would kill the
            // other actors.
            let run = || builtin::run(driver, &planned.mode, greeting);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            complain("the driver panicked")
        }
        Exec::Program { path, args, env, pinned } => {
            let mut args = args.clone();
            args.extend(planned.mode.iter().filter_map(|word| CString::new(word.as_str()).ok()));
            if setting.sigpipe == Sigpipe::Default && planned.ignores_sigpipe {
                // Only the driver can undo what its runtime does after exec.
                args.push(c"sigpipe=default".to_owned());
            }
            if !*pinned {
                surroundings::unpin();
            }
            let Err(error) = nix::unistd::execve(path, &args, env);
            complain(&format!("{}: {}", path.to_string_lossy(), error.desc()))
        }
    }
}

/// Last words of a child that couldn't become an actor, on its standard error.
fn complain(message: &str) -> ! {
    // SAFETY: the slice is readable; _exit doesn't return.
    unsafe {
        libc::write(2, message.as_ptr().cast(), message.len());
        libc::_exit(127)
    }
}
