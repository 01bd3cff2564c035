//! `pipelab sweep`.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{
    ArgMatches, Args, Command, FromArgMatches, ValueEnum,
    error::{Error, ErrorKind},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, StageArgs, found, jobs, mistakes, overrides};
use crate::{
    explore::sweep::{self, AxisText, Method, Mistake, Stop},
    report::{Cost, exit, sweep as show},
    runner::{Lab, LoadError},
};

/// Find the sizes at which a scenario's behaviour changes
///
/// Plays a scenario over a whole range of a parameter and tells which sizes behave alike. A range of
/// up to 512 sizes is played whole; of a larger one, sizes at which something is likely to change and
/// a coarse grid, and then every gap whose two sides differ is narrowed down to two neighbours.
#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// A scenario file
    #[arg(value_name = "FILE")]
    path: PathBuf,
    #[command(flatten)]
    axes: Axes,
    /// Play every size of the range
    #[arg(long, conflicts_with_all = ["no_candidates", "step"])]
    exhaustive: bool,
    /// Begin the search with a grid alone (a quarter of a page, or a 1024th of the range), without
    /// the sizes that machine and runtimes have
    #[arg(long)]
    no_candidates: bool,
    /// The step of the grid that the search begins with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    step: Option<u64>,
    /// Play with this value of another parameter instead of the scenario's own
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// How to show the map
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
    /// A picture
    Svg,
    /// One JSON object
    Json,
}

/// `--param NAME` with the `--range` or `--values` that follows it.
#[derive(Debug)]
struct Axes(Vec<AxisText>);

impl Args for Axes {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str, value: &'static str, help: &'static str| {
            clap::Arg::new(name).long(name).value_name(value).help(help).action(clap::ArgAction::Append)
        };
        command
            .arg(
                arg("param", "NAME", "The parameter to sweep; a second one makes a map of rows")
                    .required(true),
            )
            .arg(arg("range", "A..=B", "All integers from A to B, which may be expressions (1..=3*capacity)"))
            .arg(arg("values", "A,B,...", "These values of the parameter, for rows"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Axes::augment_args(command)
    }
}

impl FromArgMatches for Axes {
    /// A range belongs to the parameter before it.
    fn from_arg_matches(matches: &ArgMatches) -> Result<Axes, Error> {
        let placed = |name: &'static str| {
            let texts = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            places.zip(texts).map(move |(at, text)| (at, name, text.clone()))
        };
        let mut words = Vec::from_iter(placed("param").chain(placed("range")).chain(placed("values")));
        words.sort();
        let mut axes: Vec<AxisText> = Vec::new();
        for (_, name, text) in words {
            let fail = |why: String| Err(Error::raw(ErrorKind::ArgumentConflict, why + "\n"));
            if name == "param" {
                axes.push(AxisText { param: text, range: None, values: None });
                continue;
            }
            let Some(axis) = axes.last_mut() else {
                return fail(format!("--{name} {text} stands before the --param that it belongs to"));
            };
            let slot = if name == "range" { &mut axis.range } else { &mut axis.values };
            if let Some(before) = slot.replace(text) {
                return fail(format!("--param {} has two --{name}; the first is {before}", axis.param));
            }
        }
        Ok(Axes(axes))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Axes::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Sweep {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let started = Instant::now();
        let overrides = overrides(&self.set)?;
        let found = found(std::slice::from_ref(&self.path))?;
        let [found] = &found[..] else {
            let names: Vec<String> = found.iter().map(|found| found.path.display().to_string()).collect();
            let (path, names) = (self.path.display(), names.join("\n  "));
            return Err(Failure::Mistake(format!(
                "pipelab: {path} has several scenarios; name one:\n  {names}"
            )));
        };
        let mut lab = Lab::sharded(&self.stage.options(), jobs(self.jobs))?;
        let reading = lab.read(found, &overrides).map_err(|error| mistakes(vec![error]))?;
        let method =
            Method { exhaustive: self.exhaustive, no_candidates: self.no_candidates, step: self.step };
        let bar = bar();
        let mut progress = |played: u64, total: Option<u64>| {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(played);
        };
        let swept = sweep::sweep(&mut lab, &reading, &overrides, &self.axes.0, method, &mut progress);
        bar.finish_and_clear();
        let swept = swept.map_err(|stop| match stop {
            Stop::Mistake(Mistake(text)) => Failure::Mistake(format!("pipelab: {text}")),
            Stop::Problems(problems) => mistakes(vec![LoadError::Mistakes(problems)]),
            Stop::Fault(fault) => Failure::Fault(fault),
        })?;
        // Stages and actors tell what they used when they end.
        drop(lab);
        match self.format {
            Format::Human => show::human(out, &reading.scenario, &swept, &Cost::since(started))?,
            Format::Svg => show::svg(out, &reading.scenario, &swept)?,
            Format::Json => show::json(out, &reading.scenario, &swept)?,
        }
        let maps = || swept.maps.iter();
        Ok(match (maps().any(|map| map.faults > 0), maps().any(|map| !map.bands.is_empty())) {
            (true, _) => exit::FAULT,
            (false, true) => exit::AS_EXPECTED,
            (false, false) => exit::UNPROVED,
        })
    }
}

/// Says on a terminal how far it is.
fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let style =
        ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} cases, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
