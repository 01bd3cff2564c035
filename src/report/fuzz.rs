//! What a fuzz run has covered and found.

mod drivers;

use std::{
    io::{self, Write},
    ops::Range,
    path::Path,
    time::Duration,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Cost, human::show};
use crate::explore::fuzz::{Campaign, Covered, Found, Game, Kernel, Outcome, Tally, Turn};

/// A kind of campaign that can be shown.
pub trait Shown: Game {
    /// What was covered, for a person.
    ///
    /// # Errors
    /// As writing does.
    fn covered(&self, out: &mut dyn Write, tally: &Self::Tally) -> io::Result<()>;

    /// What a program is told beside what was covered and found.
    fn beside(&self) -> Map<String, Value> {
        Map::new()
    }
}

impl Shown for Kernel {
    fn covered(&self, out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
        show(out, &channels(tally))?;
        if !tally.rules.is_empty() {
            writeln!(out, "rules, and the scripts in which each had a say:")?;
            show(out, &counts(&["rule", "scripts"], tally.rules.iter()))?;
        }
        if !tally.not_modelled.is_empty() {
            writeln!(out, "where the model judged no further:")?;
            show(out, &counts(&["why", "scripts"], tally.not_modelled.iter()))?;
        }
        Ok(())
    }
}

/// For a person.
///
/// # Errors
/// As writing does.
pub fn human<G: Shown>(
    out: &mut dyn Write,
    campaign: &Campaign<G>,
    outcome: &Outcome<G::Tally>,
    written: Option<&Path>,
) -> io::Result<()> {
    let tally = &outcome.tally;
    writeln!(
        out,
        "seed {}, scripts up to {}: {} scripts, {} steps",
        campaign.seed,
        outcome.next,
        tally.scripts(),
        tally.steps()
    )?;
    campaign.game.covered(out, tally)?;
    match &outcome.found {
        None => writeln!(out, "nothing differs"),
        Some(found) => {
            writeln!(out, "script {} of seed {} differs: {}", found.index, campaign.seed, told(found))?;
            written.map_or(Ok(()), |path| writeln!(out, "written to {}:", path.display()))?;
            write!(out, "{}", found.regression.text)
        }
    }
}

/// How the finding was shrunk.
fn told(found: &Found) -> String {
    match found.again {
        true => {
            format!("its {} steps are shrunk to {}, in {} tries", found.steps, found.shrunk_to, found.tries)
        }
        false => format!("it did so once, and not in {} further plays", found.tries),
    }
}

/// The last line: how fast this run was played, and what the command cost. `before`: what the run
/// was resumed from; `played`: from its first script to the end of its shrinking.
pub fn cost<T: Covered>(tally: &T, before: &T, played: Duration, cost: &Cost) -> String {
    let seconds = played.as_secs_f64().max(1e-3);
    let [scripts, steps] = [tally.scripts() - before.scripts(), tally.steps() - before.steps()]
        .map(|count| count as f64 / seconds);
    format!("{scripts:.0} scripts and {steps:.0} steps a second; {cost}")
}

fn channels(tally: &Tally) -> Table {
    let mut table =
        plain(&["channel", "scripts", "steps", "results allowed a step", "scripts cut short"], 1..5);
    for (name, channel) in &tally.channels {
        table.add_row([
            name.clone(),
            channel.scripts.to_string(),
            channel.steps.to_string(),
            format!("{:.3}", channel.mean_allowed()),
            channel.cut_short.to_string(),
        ]);
    }
    table
}

fn counts<'t>(names: &[&str], counts: impl Iterator<Item = (&'t String, &'t u64)>) -> Table {
    let mut table = plain(names, 1..names.len());
    for (name, count) in counts {
        table.add_row([name.clone(), count.to_string()]);
    }
    table
}

/// A table of which these columns are numbers.
fn plain(names: &[&str], numbers: Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(names);
    for column in table.column_iter_mut().skip(numbers.start).take(numbers.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The object of `--format json`.
#[derive(Serialize)]
struct Report<'r, T> {
    seed: u64,
    next: u64,
    #[serde(flatten)]
    tally: &'r T,
    #[serde(flatten)]
    beside: Map<String, Value>,
    found: Option<FoundReport<'r>>,
}

#[derive(Serialize)]
struct FoundReport<'r> {
    index: u64,
    #[serde(flatten)]
    turn: Turn<'r>,
    steps: usize,
    shrunk_to: usize,
    again: bool,
    tries: usize,
    file: Option<&'r Path>,
    scenario: &'r str,
}

/// For a program: one object.
///
/// # Errors
/// As writing does.
pub fn json<G: Shown>(
    out: &mut dyn Write,
    campaign: &Campaign<G>,
    outcome: &Outcome<G::Tally>,
    written: Option<&Path>,
) -> io::Result<()> {
    let turns = campaign.game.turns();
    let found = outcome.found.as_ref().map(|found| FoundReport {
        index: found.index,
        turn: turns.of(found.index),
        steps: found.steps,
        shrunk_to: found.shrunk_to,
        again: found.again,
        tries: found.tries,
        file: written,
        scenario: &found.regression.text,
    });
    let (next, beside) = (outcome.next, campaign.game.beside());
    let report = Report { seed: campaign.seed, next, tally: &outcome.tally, beside, found };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}
