//! `pipelab policy`.

use std::{
    io::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use clap::{Args, ValueEnum};

use super::{Failure, StageArgs};
use crate::{
    policy::{Fitted, Subject, fit, subjects},
    report::{exit, policies},
    runner::Lab,
    stage::{Fault, Handle, Options},
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
}

impl Policy {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let options = self.stage.options();
        let mut lab = Lab::open(&options)?;
        let styled = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let (subjects, missing) =
            subjects(&mut lab, &self.drivers).map_err(|problems| Failure::Mistake(problems.render(styled)))?;
        drop(lab);
        for skip in &missing {
            anstream::eprintln!("skipped: {}; {}", skip.reason, skip.remedy);
        }
        let jobs =
            self.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
        let fitted = fit_all(&subjects, &options, jobs)?;
        match self.format {
            Format::Human => policies::table(out, &fitted)?,
            Format::Json => policies::json(out, &fitted)?,
        }
        let explained = fitted.iter().all(|(_, fitted)| fitted.unexplained.is_none());
        Ok(match explained {
            false => exit::DIFFERS,
            true if fitted.is_empty() => exit::UNPROVED,
            true => exit::AS_EXPECTED,
        })
    }
}

/// Each subject with what was found out, in their order, on so many stages at once.
fn fit_all<'s>(
    subjects: &'s [Subject],
    options: &Options,
    jobs: usize,
) -> Result<Vec<(&'s Subject, Fitted)>, Fault> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || -> Result<(), Fault> {
        let mut stage = Handle::start(options)?;
        while let Some((at, subject)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            subjects.get(at).map(|subject| (at, subject))
        } {
            let fitted = fit(&mut stage, &subject.writer)?;
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, subject, fitted));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.min(subjects.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, ..)| *at);
    Ok(results.into_iter().map(|(_, subject, fitted)| (subject, fitted)).collect())
}
