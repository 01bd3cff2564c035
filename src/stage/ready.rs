//! A process of a case before it is an actor: made ready, then forked into its setting.

use std::{
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    rc::Rc,
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
    unistd::chdir,
};

use super::{
    Containment, Fault, Options, PlannedActor,
    child::Child,
    entry::Entry,
    exec::{Exec, complain},
    shepherd::{Board, Trace},
    stderr::Stderr,
};
use crate::{
    setting::{Setting, Sigpipe, surroundings},
    wire::CONTROL_FD,
};

/// An actor that is ready to be forked. Several are made ready, then forked one right
/// after the other: what the stage writes between two forks, it copies twice.
pub(super) struct Ready<'case> {
    pub(super) planned: &'case PlannedActor,
    pub(super) control: OwnedFd,
    theirs: OwnedFd,
    pub(super) stderr: Stderr,
    exec: Exec,
    pub(super) child: Option<Child>,
}

impl<'case> Ready<'case> {
    /// `greets`: it says when it has started, which programs always do. `trace`: what
    /// a program's trace is about, if it has one.
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
        let exec = Exec::of(planned, setting, greets, trace).map_err(|error| Fault::Driver {
            actor: planned.name.clone(),
            message: format!("its command can't be run: {error}"),
        })?;
        Ok(Ready { planned, control, theirs, stderr, exec, child: None })
    }

    /// What a program's shepherd shows, and whether it traces.
    pub(super) fn board(&self) -> Option<(Rc<Board>, bool)> {
        match &self.exec {
            Exec::Shepherd(shepherd) => Some((shepherd.board(), shepherd.traces())),
            _ => None,
        }
    }

    /// Forks it into its setting. Its greeting comes over the wire.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    #[inline(never)]
    pub(super) fn fork(
        &mut self,
        setting: &Setting,
        dir: &Path,
        options: &Options,
        entry: &Entry,
    ) -> Result<(), Fault> {
        surroundings::ignore_sigpipe(match setting.sigpipe {
            Sigpipe::Runtime => self.planned.ignores_sigpipe && matches!(self.exec, Exec::BuiltIn { .. }),
            Sigpipe::Default => false,
            Sigpipe::Ignore => true,
        });
        match Child::fork().map_err(|error| not_started(self.planned, "fork", error))? {
            None => self.become_actor(dir, options.containment != Containment::Nothing, entry),
            child => self.child = child,
        }
        Ok(())
    }

    /// The child's side of the fork.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    fn become_actor(&mut self, dir: &Path, dies_with_stage: bool, entry: &Entry) -> ! {
        if dies_with_stage {
            surroundings::die_with_parent();
        }
        surroundings::own_session();
        if self.planned.spawns() {
            surroundings::keep_orphans();
        }
        surroundings::reset_timers();
        if let Err(error) = self.place(dir).and_then(|()| entry.pass()) {
            complain(&format!("the actor's surroundings: {}", error.desc()));
        }
        surroundings::close_from(CONTROL_FD + 1);
        self.exec.run()
    }

    /// The child's folder, and its first descriptors. 0 and 1 are the stage's own:
    /// /dev/null.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    fn place(&self, dir: &Path) -> Result<(), Errno> {
        chdir(dir)?;
        surroundings::place_descriptor(self.stderr.as_raw_fd(), 2)?;
        surroundings::place_descriptor(self.theirs.as_raw_fd(), CONTROL_FD)
    }
}

fn not_started(planned: &PlannedActor, what: &str, error: Errno) -> Fault {
    Fault::harness(&format!("starting {}: {what}", planned.name), error.desc())
}
