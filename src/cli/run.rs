//! `pipelab run`.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, StageArgs};
use crate::{
    outcome::{Judged, snapshot},
    report::{Human, Jsonl, Report, Summary},
    runner::{Lab, LoadError, Loaded, find, snapshot_content},
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
    #[arg(long, conflicts_with = "set")]
    update: bool,
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
        let mut overrides = Overrides::default();
        for text in &self.set {
            overrides.set(text).map_err(|why| Failure::Mistake(format!("--set {why}")))?;
        }
        let found = find(&self.paths)
            .map_err(|(path, error)| Failure::Mistake(format!("pipelab: {}: {error}", path.display())))?;
        let mut lab = Lab::open(&self.stage.options())?;
        let loaded = lab.load(&found, &overrides).map_err(mistakes)?;
        let mut report: Box<dyn Report> = match self.format {
            Format::Human => Box::new(Human { steps: self.steps }),
            Format::Jsonl => Box::new(Jsonl),
        };
        let mut summary = Summary::default();
        for loaded in &loaded {
            let mut all = Vec::new();
            for case in &loaded.cases {
                let judged = match lab.play(case, loaded.snapshot_of(case)) {
                    Ok(judged) => judged,
                    Err(fault) => {
                        // What has been seen so far was seen.
                        report.scenario(out, loaded, &all)?;
                        return Err(fault.into());
                    }
                };
                summary.add(&judged);
                all.push(judged);
            }
            report.scenario(out, loaded, &all)?;
            if self.update {
                propose(loaded, &all)?;
            }
        }
        report.end(out, &summary)?;
        Ok(summary.exit_status())
    }
}

/// Writes the snapshots that would record what was seen.
fn propose(loaded: &Loaded, judged: &[Judged]) -> Result<(), Failure> {
    let mut by_key: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for judged in judged {
        by_key.entry(&judged.case.snapshot_key).or_default().push(judged);
    }
    for (key, judged) in by_key {
        let Some(content) = snapshot_content(&judged) else { continue };
        let path = snapshot::path(&loaded.snapshots, &loaded.scenario.name, key);
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

fn mistakes(errors: Vec<LoadError>) -> Failure {
    let styled = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let texts: Vec<String> = errors
        .iter()
        .map(|error| match error {
            LoadError::Mistakes(problems) => problems.render(styled),
            LoadError::File { path, error } => format!("pipelab: {}: {error}", path.display()),
        })
        .collect();
    Failure::Mistake(texts.join("\n\n"))
}
