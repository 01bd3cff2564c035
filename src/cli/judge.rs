//! `pipelab judge`.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::{Failure, StageArgs, found, mistakes};
use crate::{
    model::{Machine, Rules, judge},
    outcome::{Judged, Transcript},
    report::{
        exit,
        model::{Agreement, disagreement},
    },
    runner::{Lab, Recording, Recordings},
    scenario::{Case, Overrides},
};

/// Hold what was seen of scenarios against the model of the kernel
///
/// Of a case that leaves orders open, each outcome is judged, in its first order.
#[derive(Debug, Args)]
pub(super) struct Judge {
    /// Scenario files or folders, to be played and judged; or records of `run --format jsonl`
    /// (`.jsonl`), to be judged as they are
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Where the scenarios of records are
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
    /// Name each case that the model doesn't cover to its end, and why
    #[arg(long)]
    uncovered: bool,
    #[command(flatten)]
    stage: StageArgs,
}

impl Judge {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let is_record = |path: &&PathBuf| path.extension().is_some_and(|end| end == "jsonl");
        let (records, scenarios): (Vec<&PathBuf>, Vec<&PathBuf>) = self.paths.iter().partition(is_record);
        let mut lab = Lab::open(&self.stage.options())?;
        let machine = Machine::here(lab.stage().measures())?;
        let mut agreement = Agreement::default();
        let mut hold = |scenario: &str, case: &Case, transcripts: &[&Transcript]| -> Result<(), Failure> {
            let mut judgements = Vec::new();
            for transcript in transcripts {
                let judgement = judge(&case.plan, transcript, &machine, Rules::linux());
                disagreement(out, scenario, case, transcript, &judgement, self.uncovered)?;
                judgements.push(judgement);
            }
            agreement.add(&judgements);
            Ok(())
        };
        let mut unplayed = 0;
        let scenarios: Vec<PathBuf> = scenarios.into_iter().cloned().collect();
        if !scenarios.is_empty() {
            let loaded = lab.load(&found(&scenarios)?, &Overrides::default()).map_err(mistakes)?;
            lab.play_all(&loaded, |scenario, judged: &Judged| {
                let of_orders = judged.orders.iter().flat_map(|explored| &explored.outcomes);
                let played = judged.played.iter().chain(of_orders.map(|outcome| &outcome.played));
                let transcripts: Vec<&Transcript> = played.map(|played| &played.transcript).collect();
                if transcripts.is_empty() {
                    unplayed += 1;
                    return Ok(());
                }
                hold(&loaded[scenario].scenario.name, &judged.case, &transcripts)
            })?;
        }
        for path in records {
            let records = Recordings::read(path, &self.scenarios, &mut lab).map_err(Failure::Mistake)?;
            unplayed += records.unplayed;
            for Recording { scenario, case, transcripts } in &records.played {
                hold(scenario, case, &transcripts.iter().collect::<Vec<_>>())?;
            }
        }
        agreement.unplayed = unplayed;
        agreement.show(out)?;
        Ok(if agreement.differs > 0 { exit::DIFFERS } else { exit::AS_EXPECTED })
    }
}
