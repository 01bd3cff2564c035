//! `pipelab explain`.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::{Failure, StageArgs, found, mistakes, overrides};
use crate::{
    model::{Machine, Rules, explain},
    report::{exit, model::explanation},
    runner::Lab,
};

/// Say what Linux allows a scenario's steps to give, by which rules, without playing it
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Scenario files, or folders with such files
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Explain with this value of a parameter instead of the scenario's own
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    stage: StageArgs,
}

impl Explain {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let overrides = overrides(&self.set)?;
        let found = found(&self.paths)?;
        let mut lab = Lab::open(&self.stage.options())?;
        let loaded = lab.load(&found, &overrides).map_err(mistakes)?;
        let machine = Machine::here(lab.stage().measures())?;
        for loaded in &loaded {
            for case in loaded.cases.iter().filter(|case| case.skip.is_none()) {
                explanation(
                    out,
                    &loaded.scenario.name,
                    &case,
                    &explain(&case.plan, &machine, Rules::linux()),
                )?;
            }
        }
        Ok(exit::AS_EXPECTED)
    }
}
