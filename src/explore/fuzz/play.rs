//! Scripts from their draws, and one after the other on one stage.

use proptest::strategy::{SBoxedStrategy, Strategy, ValueTree};

use super::{
    check::{Checked, check},
    draw::{self, Draws},
    kernel::Kernel,
    script::Script,
};
use crate::{
    model::{Machine, Rules},
    stage::{Fault, Handle},
};

/// What makes scripts for a machine.
#[derive(Debug)]
pub struct Maker {
    machine: Machine,
    strategy: SBoxedStrategy<Draws>,
}

/// A stage, and what makes scripts for it.
pub(super) struct Player<'h> {
    stage: &'h mut Handle,
    maker: &'h Maker,
}

impl Maker {
    pub(super) fn new(machine: Machine) -> Maker {
        Maker { machine, strategy: draw::strategy() }
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Where the script with this index comes from.
    pub(super) fn tree(&self, seed: u64, index: u64) -> impl ValueTree<Value = Draws> + use<> {
        self.strategy.new_tree(&mut draw::runner(seed, index)).expect("nothing is filtered")
    }

    pub(super) fn script(&self, kernel: &Kernel, seed: u64, index: u64) -> Script {
        let draws = self.tree(seed, index).current();
        Script::drawn(kernel.ground(index), &draws, &self.machine, kernel.rules)
    }
}

impl<'h> Player<'h> {
    pub(super) fn new(stage: &'h mut Handle, maker: &'h Maker) -> Player<'h> {
        Player { stage, maker }
    }

    pub(super) fn maker(&self) -> &Maker {
        self.maker
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.maker.machine
    }

    /// Plays one script and judges it.
    pub(super) fn check(&mut self, script: &Script, rules: Rules) -> Result<Checked, Fault> {
        let transcript = self.stage.play(&script.plan)?;
        Ok(check(script, transcript, &self.maker.machine, rules))
    }
}
