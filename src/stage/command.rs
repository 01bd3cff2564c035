//! A program as an actor, as the stage sees it: through its shepherd's board, and from
//! outside.

use std::{io, rc::Rc};

use nix::unistd::Pid;

use super::{Fault, child, shepherd::Board};
use crate::observe::{self, Reading, Tree};

pub(super) struct Command {
    board: Rc<Board>,
    /// Opened when it is first looked at.
    tree: Option<Tree>,
    pub(super) trace: Tracing,
    /// It has been told to start, and nobody has proved it at rest since: a list of processes
    /// from before says nothing of what it left behind.
    pub(super) fresh: bool,
}

/// How far the stage sees what a program calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tracing {
    /// Nobody wants it.
    Off,
    /// Nothing is under way that may call.
    Idle,
    On,
    /// It can't be, and why.
    Refused(String),
}

impl Command {
    pub(super) fn new(board: Rc<Board>, traced: bool) -> Command {
        let trace = if traced { Tracing::Idle } else { Tracing::Off };
        Command { board, tree: None, trace, fresh: false }
    }

    /// All that is below the shepherd, whose process id this is.
    ///
    /// # Errors
    /// As [`Tree::open`].
    fn tree(&mut self, shepherd: i32, access: observe::Access) -> io::Result<&mut Tree> {
        if self.tree.is_none() {
            self.tree = Some(Tree::open(shepherd, access)?);
        }
        Ok(self.tree.as_mut().expect("just opened"))
    }

    /// Appends one reading of each thread.
    ///
    /// # Errors
    /// As [`Tree::scan`].
    pub(super) fn scan(
        &mut self,
        shepherd: i32,
        access: observe::Access,
        readings: &mut Vec<Reading>,
    ) -> io::Result<()> {
        let board = self.board.clone();
        self.tree(shepherd, access)?.scan(readings, &|tid| board.kept(tid))
    }

    /// The same, if it was looked at.
    pub(super) fn observed(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// The same.
    pub(super) fn observed_mut(&mut self) -> Option<&mut Tree> {
        self.tree.as_mut()
    }

    /// Something of it may still act.
    pub(super) fn lives(&self) -> bool {
        self.fresh
            || self.board.program().is_some()
            || self.tree.as_ref().is_some_and(|tree| !tree.is_empty())
    }

    /// Sends the program's own process a signal. One that has ended is spared.
    pub(super) fn signal(&self, signal: i32) -> Result<(), Fault> {
        self.board.program().map_or(Ok(()), |pid| child::send(Pid::from_raw(pid), signal))
    }
}

/// What an actor has started with its runtime's own API.
#[derive(Default)]
pub(super) struct Below {
    /// Opened when it is first looked at.
    tree: Option<Tree>,
    /// What the scenario calls its children.
    names: Vec<(i32, String)>,
    /// It has been told to start a program, or has ended, and nobody has looked since.
    pub(super) fresh: bool,
}

impl Below {
    /// The actor, whose process id and name these are, and all that is below it.
    ///
    /// # Errors
    /// As [`Tree::open`].
    pub(super) fn tree(&mut self, actor: i32, name: &str, access: observe::Access) -> io::Result<&mut Tree> {
        if self.tree.is_none() {
            let mut tree = Tree::open(actor, access)?;
            tree.call(actor, name);
            self.names.iter().for_each(|(pid, name)| tree.call(*pid, name));
            self.tree = Some(tree);
        }
        Ok(self.tree.as_mut().expect("just opened"))
    }

    /// The same, if it was looked at.
    pub(super) fn observed(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Calls a child by its name in the scenario.
    pub(super) fn call(&mut self, pid: i32, name: &str) {
        self.names.push((pid, name.to_owned()));
        if let Some(tree) = &mut self.tree {
            tree.call(pid, name);
        }
    }

    /// The actor has ended: what is left below comes to the stage, which reaps it.
    pub(super) fn leave_to_stage(&mut self) {
        // A look in between finds nobody: the one above is gone, and not yet reaped. (Who was
        // never looked at has left nobody who is known.)
        self.fresh = self.tree.is_some();
        if let Some(tree) = &mut self.tree {
            tree.leave_to(std::process::id() as i32);
        }
    }

    /// The same.
    pub(super) fn observed_mut(&mut self) -> Option<&mut Tree> {
        self.tree.as_mut()
    }

    /// Something below may act.
    pub(super) fn lives(&self) -> bool {
        self.fresh || self.tree.as_ref().is_some_and(|tree| !tree.is_empty())
    }
}
