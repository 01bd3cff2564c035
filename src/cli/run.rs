//! `pipelab run`.

use std::{collections::BTreeMap, io::Write, path::PathBuf, sync::Arc, time::Instant};

use clap::{Args, ValueEnum};

use super::{Failure, StageArgs, found, mistakes, overrides};
use crate::{
    outcome::{Judged, snapshot},
    report::{Cost, Human, Jsonl, Report, Summary},
    runner::{Lab, Loaded, snapshot_content},
    scenario::Overrides,
    stage::Fault,
};

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Scenario files, or folders with such files
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Play with this value of a parameter instead of the scenario's own
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// How to show the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show every step of every case
    #[arg(long)]
    steps: bool,
    /// Write what differs from the snapshots, or isn't in them, to .snap.new files
    /// for `cargo insta review`
    #[arg(long, conflicts_with_all = ["set", "orders", "seed"])]
    update: bool,
    /// Play at most so many orders of what stands `together`, of more a sample of so many [default:
    /// what the scenario says, or all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: Option<u32>,
    /// Draw another sample of the orders
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Play on so many CPUs at once [default: all that pipelab may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    stage: StageArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Tables and sentences
    #[default]
    Human,
    /// One JSON object a case
    Jsonl,
}

impl Run {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let started = Instant::now();
        let orders = self.orders.map(|orders| orders as usize);
        let overrides = Overrides { orders, seed: self.seed, ..overrides(&self.set)? };
        let found = found(&self.paths)?;
        let mut lab = Lab::sharded(&self.stage.options(), super::jobs(self.jobs))?;
        let loaded = lab.load(&found, &overrides).map_err(mistakes)?;
        let mut report: Box<dyn Report> = match self.format {
            Format::Human => Box::new(Human::new(self.steps)),
            Format::Jsonl => Box::new(Jsonl::default()),
        };
        let mut summary = Summary::default();
        let mut proposals = Proposals::default();
        // The scenario whose cases come now.
        let mut now = 0;
        let result = lab.play_all(&loaded, |scenario, judged| -> Result<(), Failure> {
            while now < scenario {
                report.scenario(out, &loaded[now])?;
                proposals.write(&loaded[now])?;
                now += 1;
            }
            summary.add(judged);
            report.case(out, &loaded[now], judged)?;
            if self.update {
                proposals.add(judged);
            }
            Ok(())
        });
        if let Err(Failure::Fault(_)) = &result {
            // What has been seen so far was seen.
            report.scenario(out, &loaded[now])?;
        }
        result?;
        for loaded in &loaded[now..] {
            report.scenario(out, loaded)?;
            proposals.write(loaded)?;
        }
        // Stages and actors tell what they used when they end.
        drop(lab);
        report.end(out, &summary, &Cost::since(started))?;
        Ok(summary.exit_status())
    }
}

/// The snapshots that would record what is seen of a scenario, by runtime key: a
/// case's block, or `None` if it wasn't played.
#[derive(Default)]
struct Proposals(BTreeMap<Arc<str>, Vec<Option<String>>>);

impl Proposals {
    fn add(&mut self, judged: &Judged) {
        self.0.entry(judged.case.snapshot_key.clone()).or_default().push(judged.block());
    }

    /// Writes those of a scenario of which all cases were seen.
    fn write(&mut self, loaded: &Loaded) -> Result<(), Failure> {
        for (key, blocks) in std::mem::take(&mut self.0) {
            let Some(content) = snapshot_content(blocks) else { continue };
            let path = snapshot::path(&loaded.snapshots, &loaded.scenario.name, &key);
            let source = format!("scenarios/{}.toml", loaded.scenario.name);
            let waits = snapshot::propose(&path, &source, &content).map_err(|error| {
                Failure::Fault(Fault::harness(&format!("writing {}.new", path.display()), error))
            })?;
            if waits {
                anstream::eprintln!(
                    "{0}.new waits: `cargo insta review` accepts it, or rename it to {0}",
                    path.display()
                );
            }
        }
        Ok(())
    }
}
