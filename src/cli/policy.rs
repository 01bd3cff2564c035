//! `pipelab policy`.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::{Failure, StageArgs, jobs};
use crate::{
    policy::{Fitted, Subject, fit_all, subjects},
    report::{exit, policies, policy_page},
    runner::Lab,
    scenario::Skip,
    stage::{Handle, Options},
};

/// Find out what the buffered writers of runtimes do with their bytes when write(2) fails, from runs
/// alone
#[derive(Debug, Args)]
pub(super) struct Policy {
    /// Drivers as scenarios name them: `python@all:binary`, `stdio:line`, `rust:bufwriter,buffer=100`
    #[arg(required = true, value_name = "DRIVER")]
    drivers: Vec<String>,
    /// How to show the policies
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Fit so many runtimes at once [default: as many as CPUs that pipelab may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    stage: StageArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table
    #[default]
    Human,
    /// One JSON object
    Json,
    /// A page with each policy's rules in words, as docs/policies.md
    Markdown,
}

impl Policy {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let options = self.stage.options();
        let (subjects, missing) = named(&self.drivers, &options)?;
        missing.iter().for_each(skipped);
        let fitted = fit(&subjects, &options, jobs(self.jobs))?;
        let fitted: Vec<_> = subjects.iter().zip(fitted).collect();
        match self.format {
            Format::Human => policies::table(out, &fitted)?,
            Format::Json => policies::json(out, &fitted)?,
            Format::Markdown => out.write_all(policy_page::page(&fitted).as_bytes())?,
        }
        let explained = fitted.iter().all(|(_, fitted)| fitted.unexplained.is_none());
        Ok(match explained {
            false => exit::DIFFERS,
            true if fitted.is_empty() => exit::UNPROVED,
            true => exit::AS_EXPECTED,
        })
    }
}

/// The writers that these specs mean, and why others that they mean aren't here.
pub(super) fn named(drivers: &[String], options: &Options) -> Result<(Vec<Subject>, Vec<Skip>), Failure> {
    let mut lab = Lab::open(options)?;
    let styled = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    subjects(&mut lab, drivers).map_err(|problems| Failure::Mistake(problems.render(styled)))
}

/// The policy of each of these writers, found on so many stages at once.
pub(super) fn fit(subjects: &[Subject], options: &Options, jobs: usize) -> Result<Vec<Fitted>, Failure> {
    let stages = (0..jobs.min(subjects.len())).map(|_| Handle::start(options)).collect::<Result<_, _>>()?;
    Ok(fit_all(subjects, stages)?)
}

/// Says that a writer is left out, and the way to have it.
pub(super) fn skipped(skip: &Skip) {
    anstream::eprintln!("skipped: {}; {}", skip.reason, skip.remedy);
}
