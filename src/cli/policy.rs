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
        let fits = fits(&self.drivers, &options, jobs(self.jobs))?;
        let fitted: Vec<_> = fits.iter().map(|(subject, fitted)| (subject, fitted.clone())).collect();
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

/// The policies of these writers, as far as they are on this machine. It says on standard error
/// which aren't.
pub(super) fn fits(
    drivers: &[String],
    options: &Options,
    jobs: usize,
) -> Result<Vec<(Subject, Fitted)>, Failure> {
    let mut lab = Lab::open(options)?;
    let styled = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let (subjects, missing) =
        subjects(&mut lab, drivers).map_err(|problems| Failure::Mistake(problems.render(styled)))?;
    drop(lab);
    missing.iter().for_each(skipped);
    let stages = (0..jobs.min(subjects.len())).map(|_| Handle::start(options)).collect::<Result<_, _>>()?;
    let fitted = fit_all(&subjects, stages)?;
    Ok(subjects.into_iter().zip(fitted).collect())
}

/// Says that a writer is left out.
pub(super) fn skipped(skip: &Skip) {
    anstream::eprintln!("skipped: {}; {}", skip.reason, skip.remedy);
}
