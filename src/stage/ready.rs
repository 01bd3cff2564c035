//! A process of a case before it is an actor: made ready, then forked into its setting.

use std::{
    os::fd::{AsRawFd, OwnedFd, RawFd},
    path::Path,
    rc::Rc,
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
    unistd::chdir,
};

use super::{
    Fault, Launch, PlannedActor,
    child::Child,
    entry::Entry,
    exec::{Exec, complain},
    fork_server::Wanted,
    shepherd::{Board, Trace},
    stderr::Stderr,
};
use crate::{
    setting::{Setting, Sigpipe, surroundings},
    wire::CONTROL_FD,
};

/// An actor that is ready to be forked. Several are made ready, then forked one right
/// after the other: what is written between two forks is copied twice.
pub(super) struct Ready<'case> {
    pub(super) planned: &'case PlannedActor,
    pub(super) control: OwnedFd,
    theirs: OwnedFd,
    pub(super) stderr: Stderr,
    /// It says when it has started, as every driver that is a program does.
    greets: bool,
    /// What the fork turns into; `None`: a built-in driver, which the fork server makes.
    exec: Option<Exec>,
    pub(super) child: Option<Child>,
}

impl<'case> Ready<'case> {
    /// `trace`: what a program's trace is about, if it has one.
    pub(super) fn new(
        planned: &'case PlannedActor,
        setting: &Setting,
        greets: bool,
        trace: Option<Trace>,
    ) -> Result<Self, Fault> {
        let (control, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
                .map_err(|error| not_started(planned, "socketpair", error))?;
        let stderr = Stderr::new().map_err(|error| not_started(planned, "memfd_create", error))?;
        let exec = match &*planned.launch {
            Launch::BuiltIn(_) => Ok(None),
            _ => Exec::program(planned, setting, trace).map(Some),
        };
        let exec = exec.map_err(|error| Fault::Driver {
            actor: planned.name.clone(),
            message: format!("its command can't be run: {error}"),
        })?;
        Ok(Ready { planned, control, theirs, stderr, greets, exec, child: None })
    }

    /// What a program's shepherd shows, and whether it traces.
    pub(super) fn board(&self) -> Option<(Rc<Board>, bool)> {
        match &self.exec {
            Some(Exec::Shepherd(shepherd)) => Some((shepherd.board(), shepherd.traces())),
            _ => None,
        }
    }

    /// The fork server forks it.
    pub(super) fn is_built_in(&self) -> bool {
        self.exec.is_none()
    }

    /// What the fork server has to know, if it is to fork it.
    pub(super) fn wanted(&self, setting: &Setting) -> Option<Wanted<'_>> {
        let Launch::BuiltIn(driver) = &*self.planned.launch else { return None };
        Some(Wanted {
            driver: driver.into(),
            mode: (&self.planned.mode[..]).into(),
            greets: self.greets,
            ignores_sigpipe: match setting.sigpipe {
                Sigpipe::Runtime => self.planned.ignores_sigpipe,
                Sigpipe::Default => false,
                Sigpipe::Ignore => true,
            },
            spawns: self.planned.spawns(),
        })
    }

    /// Its end of the conversation, and its standard error.
    pub(super) fn descriptors(&self) -> [RawFd; 2] {
        [self.theirs.as_raw_fd(), self.stderr.as_raw_fd()]
    }

    /// Forks a program into its setting. Its greeting comes over the wire.
    pub(super) fn fork(
        &mut self,
        setting: &Setting,
        dir: &Path,
        dies_with_stage: bool,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let Some(exec) = &mut self.exec else { return Ok(()) };
        surroundings::ignore_sigpipe(setting.sigpipe == Sigpipe::Ignore);
        let [control, stderr] = [self.theirs.as_raw_fd(), self.stderr.as_raw_fd()];
        let spawns = self.planned.spawns();
        match Child::fork().map_err(|error| not_started(self.planned, "fork", error))? {
            None => Start { dir, dies_with_stage, spawns, control, stderr, entry }.become_actor(exec),
            child => self.child = child,
        }
        Ok(())
    }
}

/// How a process becomes an actor between its fork and its driver.
pub(super) struct Start<'s> {
    pub(super) dir: &'s Path,
    pub(super) dies_with_stage: bool,
    pub(super) spawns: bool,
    /// Its end of the conversation, and its standard error.
    pub(super) control: RawFd,
    pub(super) stderr: RawFd,
    pub(super) entry: &'s Entry,
}

impl Start<'_> {
    /// The child's side of the fork.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    pub(super) fn become_actor(&self, exec: &mut Exec) -> ! {
        if self.dies_with_stage {
            surroundings::die_with_parent();
        }
        surroundings::own_session();
        if self.spawns {
            surroundings::keep_orphans();
        }
        surroundings::reset_timers();
        if let Err(error) = self.place().and_then(|()| self.entry.pass()) {
            complain(&format!("the actor's surroundings: {}", error.desc()));
        }
        surroundings::close_from(CONTROL_FD + 1);
        exec.run()
    }

    /// The child's folder, and its first descriptors. 0 and 1 are the stage's own:
    /// /dev/null.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    fn place(&self) -> Result<(), Errno> {
        chdir(self.dir)?;
        surroundings::place_descriptor(self.stderr, 2)?;
        surroundings::place_descriptor(self.control, CONTROL_FD)
    }
}

pub(super) fn not_started(planned: &PlannedActor, what: &str, error: Errno) -> Fault {
    Fault::harness(&format!("starting {}: {what}", planned.name), error.desc())
}
