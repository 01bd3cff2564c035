//! `pipelab fuzz`.

mod drivers;

use std::{
    fs,
    io::{IsTerminal, Write},
    iter,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, StageArgs, jobs};
use crate::{
    explore::fuzz::{Budget, Campaign, Covered, Found, GROUNDS, Game, Ground, Kernel, LAST_SCRIPT, Progress},
    model::{Rules, writer},
    report::{
        Cost, exit,
        fuzz::{self, Shown},
    },
    stage::Fault,
};

/// Scripts that are played unless told.
const SCRIPTS: u64 = 10_000;

/// How often the state is written while a run goes on.
const SAVED_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Fuzz {
    /// Play on these kinds of channel, in turns [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = ground)]
    channel: Vec<&'static Ground>,
    /// Play with this runtime's buffered writer, as scenarios name it, and hold it against the policy
    /// that is fitted to it first; several in turns
    #[arg(long, value_name = "DRIVER", conflicts_with_all = ["channel", "broken"])]
    driver: Vec<String>,
    /// Where all scripts come from: with their index, and nothing else
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Begin with this script
    #[arg(long, value_name = "INDEX", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=LAST_SCRIPT))]
    first: u64,
    /// End after so many scripts [default: 10000, without another budget]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    scripts: Option<u64>,
    /// End after so many steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// End after so much time: 90s, 10min, 8h
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Go on with the state in this file, if there is one, and keep it there
    #[arg(long, value_name = "FILE", conflicts_with = "first")]
    resume: Option<PathBuf>,
    /// Where a scenario of what is found is written
    #[arg(long, value_name = "DIR", default_value = "scenarios/regressions")]
    regressions: PathBuf,
    /// How to show the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Play on so many CPUs at once [default: all that pipelab may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Break this rule of the model, to see that it is noticed
    #[arg(long, hide = true, value_name = "RULE", value_parser = broken)]
    broken: Option<Rules>,
    /// The same with this rule of the writers' policies
    #[arg(long, hide = true, value_name = "RULE", requires = "driver", value_parser = drivers::rule)]
    broken_policy: Option<writer::rules::Rule>,
    #[command(flatten)]
    stage: StageArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Tables and sentences
    #[default]
    Human,
    /// One JSON object
    Json,
}

fn ground(name: &str) -> Result<&'static Ground, String> {
    Ground::named(name).ok_or_else(|| {
        let known: Vec<&str> = GROUNDS.iter().map(|ground| ground.name).collect();
        format!("the kinds are {}", known.join(", "))
    })
}

fn broken(name: &str) -> Result<Rules, String> {
    let rules = Rules::broken().find(|(rule, _)| rule.info().name == name);
    rules.map(|(_, rules)| rules).ok_or_else(|| {
        let known: Vec<&str> = Rules::broken().map(|(rule, _)| rule.info().name).collect();
        format!("the rules are {}", known.join(", "))
    })
}

impl Fuzz {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let started = Instant::now();
        if !self.driver.is_empty() {
            let writers = self.writers()?;
            if !writers.all.is_empty() {
                return self.play(out, writers, started);
            }
            if matches!(self.format, Format::Json) {
                writeln!(out, "{}", serde_json::Value::Object(writers.beside()))?;
            }
            return Ok(exit::UNPROVED);
        }
        let grounds = if self.channel.is_empty() { GROUNDS.to_vec() } else { self.channel.clone() };
        self.play(out, Kernel { grounds, rules: self.broken.unwrap_or(Rules::linux()) }, started)
    }

    /// `started`: the command.
    fn play<G: Shown>(&self, out: &mut dyn Write, game: G, started: Instant) -> Result<u8, Failure> {
        let playing = Instant::now();
        let mut campaign = self.campaign(game);
        let mut tally = G::Tally::default();
        if let Some(path) = &self.resume {
            let known = Progress::read(path, &campaign)
                .map_err(|why| Failure::Mistake(format!("pipelab: {}: {why}", path.display())))?;
            if let Some(known) = known {
                (campaign.first, tally) = (known.next, known.tally);
            }
        }
        let before = tally.clone();
        let mut saving = Saving::to(self.resume.as_deref());
        // That it can't be kept is better known now than after a night.
        let kept = saving.write(&campaign, &tally, campaign.first);
        kept.map_err(|why| Failure::Mistake(format!("pipelab: {why}")))?;
        let bar = Bar::new(&campaign, &before);
        let outcome = campaign.run(&self.stage.options(), tally, |tally, next| {
            bar.show(&campaign, tally, next);
            saving.now_and_then(&campaign, tally, next);
        })?;
        let played = playing.elapsed();
        bar.0.finish_and_clear();
        let written = outcome.found.as_ref().map(|found| self.write(found)).transpose();
        let (written, kept) = match written {
            // What was found is in its scenario: whoever goes on begins behind it.
            Ok(written) => (written, saving.write(&campaign, &outcome.tally, outcome.next)),
            Err(why) => (None, Err(why)),
        };
        match self.format {
            Format::Human => fuzz::human(out, &campaign, &outcome, written.as_deref())?,
            Format::Json => fuzz::json(out, &campaign, &outcome, written.as_deref())?,
        }
        if matches!(self.format, Format::Human) {
            writeln!(out, "{}", fuzz::cost(&outcome.tally, &before, played, &Cost::since(started)))?;
        }
        kept.map_err(|why| Fault::harness("keeping what came of the run", why))?;
        Ok(if outcome.found.is_some() { exit::DIFFERS } else { exit::AS_EXPECTED })
    }

    fn campaign<G>(&self, game: G) -> Campaign<G> {
        let unbounded = self.steps.is_none() && self.time.is_none();
        let scripts = self.scripts.or(unbounded.then_some(SCRIPTS));
        Campaign {
            seed: self.seed,
            first: self.first,
            budget: Budget { scripts, steps: self.steps, time: self.time },
            jobs: jobs(self.jobs),
            game,
        }
    }

    /// Writes the scenario of what was found, beside what others have written there.
    fn write(&self, found: &Found) -> Result<PathBuf, String> {
        let (name, text) = (&found.regression.name, &found.regression.text);
        let names = iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
        let mut paths = names.map(|name| self.regressions.join(format!("{name}.toml")));
        let taken = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|known| known != *text);
        let path = paths.find(|path| !taken(path)).expect("there is no end of them");
        fs::create_dir_all(&self.regressions).and_then(|()| fs::write(&path, text)).map_err(|error| {
            format!(
                "writing {}: {error}; name another folder with --regressions: `--first {} --scripts 1` finds it \
                 again",
                path.display(),
                found.index
            )
        })?;
        Ok(path)
    }
}

/// The state's file.
struct Saving {
    resume: Option<PathBuf>,
    at: Instant,
}

impl Saving {
    fn to(resume: Option<&Path>) -> Saving {
        // A link stays one.
        let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Saving { resume: resume.map(place), at: Instant::now() }
    }

    fn now_and_then<G: Game>(&mut self, campaign: &Campaign<G>, tally: &G::Tally, next: u64) {
        if self.at.elapsed() >= SAVED_EVERY {
            self.at = Instant::now();
            // The last one counts.
            let _ = self.write(campaign, tally, next);
        }
    }

    fn write<G: Game>(&self, campaign: &Campaign<G>, tally: &G::Tally, next: u64) -> Result<(), String> {
        let Some(path) = &self.resume else { return Ok(()) };
        let result = Progress::of(campaign, next, tally.clone()).write(path);
        result
            .map_err(|error| format!("{error}; let --resume name a file in a folder that can be written to"))
    }
}

/// How far it is, on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new<G: Game>(campaign: &Campaign<G>, before: &G::Tally) -> Bar {
        if !std::io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let Budget { scripts, steps, .. } = campaign.budget;
        let (bar, unit) = match (steps, scripts) {
            (Some(steps), _) => (ProgressBar::new(steps + before.steps()), "steps"),
            (None, Some(scripts)) => (ProgressBar::new(scripts + before.scripts()), "scripts"),
            (None, None) => (ProgressBar::no_length(), "scripts"),
        };
        let style = format!("{{elapsed_precise}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit} {{msg}}");
        Bar(bar.with_style(ProgressStyle::with_template(&style).expect("a template")))
    }

    fn show<G: Game>(&self, campaign: &Campaign<G>, tally: &G::Tally, next: u64) {
        let done = if campaign.budget.steps.is_some() { tally.steps() } else { tally.scripts() };
        self.0.set_position(done);
        self.0.set_message(format!("next script {next}"));
    }
}
