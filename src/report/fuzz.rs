//! What a fuzz run has covered and found.

use std::{
    io::{self, Write},
    path::Path,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Cost, human::show};
use crate::explore::fuzz::{Campaign, Found, Outcome, Tally};

/// For a person.
///
/// # Errors
/// As writing does.
pub fn human(
    out: &mut dyn Write,
    campaign: &Campaign,
    outcome: &Outcome,
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
    show(out, &channels(tally))?;
    if !tally.rules.is_empty() {
        writeln!(out, "rules, and the scripts in which each had a say:")?;
        show(out, &counts(&["rule", "scripts"], tally.rules.iter()))?;
    }
    if !tally.not_modelled.is_empty() {
        writeln!(out, "where the model judged no further:")?;
        show(out, &counts(&["why", "scripts"], tally.not_modelled.iter()))?;
    }
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
    let shrunk = &found.shrunk;
    match shrunk.again {
        true => {
            let left = shrunk.script.steps();
            format!("its {} steps are shrunk to {left}, in {} tries", found.steps, shrunk.tries)
        }
        false => format!("it did so once, and not in {} further plays", shrunk.tries),
    }
}

/// The last line: what was played in this run, and what that cost. `before`: what it was
/// resumed from.
pub fn cost(tally: &Tally, before: &Tally, cost: &Cost) -> String {
    let seconds = cost.wall.as_secs_f64().max(1e-3);
    let [scripts, steps] = [tally.scripts() - before.scripts(), tally.steps() - before.steps()]
        .map(|count| count as f64 / seconds);
    format!("{scripts:.0} scripts and {steps:.0} steps a second; {cost}")
}

fn channels(tally: &Tally) -> Table {
    let mut table = plain(&["channel", "scripts", "steps", "results allowed a step", "scripts cut short"], 1);
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
    let mut table = plain(names, 1);
    for (name, count) in counts {
        table.add_row([name.clone(), count.to_string()]);
    }
    table
}

/// A table whose columns are numbers from `numbers` on.
fn plain(names: &[&str], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(names);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The object of `--format json`.
#[derive(Serialize)]
struct Report<'r> {
    seed: u64,
    next: u64,
    #[serde(flatten)]
    tally: &'r Tally,
    found: Option<FoundReport<'r>>,
}

#[derive(Serialize)]
struct FoundReport<'r> {
    index: u64,
    channel: &'static str,
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
pub fn json(
    out: &mut dyn Write,
    campaign: &Campaign,
    outcome: &Outcome,
    written: Option<&Path>,
) -> io::Result<()> {
    let found = outcome.found.as_ref().map(|found| FoundReport {
        index: found.index,
        channel: campaign.ground(found.index).name,
        steps: found.steps,
        shrunk_to: found.shrunk.script.steps(),
        again: found.shrunk.again,
        tries: found.shrunk.tries,
        file: written,
        scenario: &found.regression.text,
    });
    let report = Report { seed: campaign.seed, next: outcome.next, tally: &outcome.tally, found };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}
