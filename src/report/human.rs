//! For a person: a table a scenario, the steps of each case if asked for. What it
//! will show is kept until the scenario's end, in words; transcripts aren't.

mod orders;

use std::{
    collections::HashMap,
    io::{self, Write},
    mem,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Cost, Report, Summary};
use crate::{
    driver::{Spec, Version},
    outcome::{ChannelLedger, Judged, Played, Status, resting, snapshot, words},
    runner::Loaded,
    trace,
};

/// Of a program's last words, so many lines are shown.
const MOST_LINES: usize = 5;

/// Tables and sentences.
#[derive(Debug, Default)]
pub struct Human {
    /// Show every step of every case.
    pub steps: bool,
    rows: Rows,
    /// What comes below the table.
    below: Vec<u8>,
}

impl Human {
    /// `steps`: show every step of every case.
    pub fn new(steps: bool) -> Human {
        Human { steps, ..Human::default() }
    }
}

/// A row a case; cases that differ only in a runtime's version and gave the same
/// share one.
#[derive(Debug, Default)]
struct Rows {
    /// The names of the parameters.
    names: Vec<String>,
    /// Some cases leave orders open.
    with_orders: bool,
    /// Cells, and the versions that share them.
    rows: Vec<(Vec<String>, Vec<String>)>,
    places: HashMap<Vec<String>, usize>,
}

impl Report for Human {
    fn case(&mut self, _out: &mut dyn Write, _loaded: &Loaded, judged: &Judged) -> io::Result<()> {
        self.rows.add(judged);
        let mut below = mem::take(&mut self.below);
        let result = self.details(&mut below, judged);
        self.below = below;
        result
    }

    fn scenario(&mut self, out: &mut dyn Write, loaded: &Loaded) -> io::Result<()> {
        let scenario = &loaded.scenario;
        writeln!(
            out,
            "{}{}",
            scenario.name,
            scenario.about.as_ref().map_or(String::new(), |about| format!(": {about}"))
        )?;
        if let Some(source) = &scenario.source {
            writeln!(out, "  ({source})")?;
        }
        let rows = mem::take(&mut self.rows);
        if !rows.rows.is_empty() {
            show(out, &rows.table())?;
        }
        out.write_all(&mem::take(&mut self.below))?;
        writeln!(out)
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary, cost: &Cost) -> io::Result<()> {
        for reason in &summary.reasons {
            writeln!(out, "{reason}")?;
        }
        if summary.count(Status::Unrecorded) > 0 {
            writeln!(out, "unrecorded: in no snapshot yet; `--update` writes what was seen")?;
        }
        writeln!(out, "{}; {cost}", summary.line())
    }
}

impl Human {
    fn details(&self, out: &mut dyn Write, judged: &Judged) -> io::Result<()> {
        let title = judged.case.title();
        let title = if title.is_empty() { "its only case" } else { &title };
        if let Some(explored) = &judged.orders {
            orders::outcomes(out, judged, explored, self.steps)?;
        }
        if self.steps
            && let Some(played) = &judged.played
        {
            writeln!(out, "{title}:")?;
            steps(out, judged, played)?;
        }
        if let Some(played) = &judged.played
            && judged.status == Status::Stuck
            && let crate::outcome::End::Stuck { step, waits } = &played.transcript.end
        {
            let step = &judged.case.steps[*step];
            writeln!(out, "{title}: stuck at line {}, `{}`:", step.line, step.text)?;
            for wait in waits {
                writeln!(out, "  {}", snapshot::wait_text(&judged.case, &played.transcript, wait))?;
            }
        }
        if let Some(played) = &judged.played
            && (self.steps || judged.status != Status::Ok)
        {
            for (actor, words) in judged.case.actors.iter().zip(&played.transcript.words) {
                let lines: Vec<&str> = words.lines().collect();
                if let Some(last) = lines.len().checked_sub(1) {
                    let shown = lines[last.saturating_sub(MOST_LINES - 1)..].join("\n    ");
                    writeln!(out, "{title}: {} said: {shown}", actor.name)?;
                }
            }
        }
        for (actor, why) in judged.case.actors.iter().zip(judged.untraced()) {
            if !why.is_empty() {
                writeln!(out, "{title}: {} isn't traced here: {why}", actor.name)?;
            }
        }
        for difference in &judged.differences {
            writeln!(out, "{title}: {difference}")?;
        }
        // It has no row, and the reasons at the end don't say whose they are.
        if let Some(reason) = judged.reason.as_ref().filter(|_| judged.status == Status::Error) {
            writeln!(out, "{title}: {reason}")?;
        }
        Ok(())
    }
}

/// Every record: what was asked, what came of it, what the layers of the actor's runtime
/// held back then if it tells, what the channels held.
fn steps(out: &mut dyn Write, judged: &Judged, played: &Played) -> io::Result<()> {
    let mut table = plain();
    let layers = played.transcript.steps.iter().any(|record| record.held.is_some());
    for (index, record) in played.transcript.steps.iter().enumerate() {
        let mut outcome = words(&record.outcome);
        let name = |channel: usize| judged.case.plan.channels[channel].name.clone();
        if !record.resting.is_empty() {
            outcome = resting(record, name);
        }
        if let Some(resumed) = &record.resumed {
            outcome.push_str(&format!(", by {}: {}", resumed.by + 1, words(&resumed.outcome)));
        }
        let counts: Vec<String> = record
            .counts
            .iter()
            .zip(judged.case.plan.channels.iter())
            .enumerate()
            .filter(|(at, _)| played.shows(&judged.case, *at))
            .map(|(_, (count, channel))| {
                let [accepted, queued] = [&count.accepted, &count.queued].map(|count| number(count.known()));
                format!("{}: {accepted} in, {queued} queued", channel.name)
            })
            .collect();
        let mut row = vec![(index + 1).to_string(), judged.case.steps[record.step].text.clone(), outcome];
        if layers {
            let held = record.held.iter().flatten();
            let held: Vec<String> =
                held.map(|layer| format!("{} {}", layer.name, number(layer.bytes))).collect();
            row.push(held.join(", "));
        }
        row.push(counts.join("; "));
        table.add_row(row);
        for calls in &record.calls {
            for line in trace::lines(calls, &name) {
                table.add_row(vec![String::new(), format!("  {line}")]);
            }
        }
    }
    show(out, &table)?;
    for (ledger, channel) in played.ledgers.iter().zip(judged.case.plan.channels.iter()) {
        if !played.shows(&judged.case, ledger.channel) {
            continue;
        }
        writeln!(out, "  {}: {}", channel.name, fate(judged, ledger))?;
    }
    Ok(())
}

fn number(bytes: Option<u64>) -> String {
    bytes.map_or("?".to_owned(), |bytes| bytes.to_string())
}

impl Rows {
    fn add(&mut self, judged: &Judged) {
        if self.rows.is_empty() {
            self.names = judged.case.params.iter().map(|(name, _)| name.clone()).collect();
        }
        self.with_orders |= judged.case.orders.is_some();
        for (row, version) in rows(judged) {
            match self.places.get(&row) {
                Some(&place) => self.rows[place].1.push(version),
                None => {
                    self.places.insert(row.clone(), self.rows.len());
                    self.rows.push((row, vec![version]));
                }
            }
        }
    }

    fn table(self) -> Table {
        let has_version =
            |(_, versions): &(_, Vec<String>)| versions.iter().any(|version| !version.is_empty());
        let with_versions = self.rows.iter().any(has_version);
        let columns = self.names.len();
        let mut table = plain();
        let mut header = self.names;
        if with_versions {
            header.push("versions".into());
        }
        header.extend(self.with_orders.then(|| "orders".to_owned()));
        header.extend(["error at", "error", "arrived", "and the rest", "status"].map(str::to_owned));
        table.set_header(header);
        for (mut row, mut versions) in self.rows {
            if with_versions {
                versions.retain(|version| !version.is_empty());
                row.insert(columns, versions.join(" "));
            }
            table.add_row(row);
        }
        let arrived = columns + usize::from(with_versions) + usize::from(self.with_orders) + 2;
        if let Some(column) = table.column_mut(arrived) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// Without the blanks that fill the last column.
pub(super) fn show(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

pub(super) fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The rows of a case: one, or, if it leaves orders open, one for each that they differ in.
fn rows(judged: &Judged) -> Vec<(Vec<String>, String)> {
    let Some(explored) = &judged.orders else {
        return judged.played.iter().map(|played| row(judged, played)).collect();
    };
    let columns = judged.case.params.len();
    let mut rows: Vec<(Vec<String>, String, usize)> = Vec::new();
    for outcome in &explored.outcomes {
        let (cells, version) = row(judged, &outcome.played);
        match rows.iter_mut().find(|(known, ..)| *known == cells) {
            Some((.., orders)) => *orders += outcome.orders,
            None => rows.push((cells, version, outcome.orders)),
        }
    }
    let with_orders = |(mut cells, version, orders): (Vec<String>, _, _)| {
        cells.insert(columns, format!("{orders} of {}", explored.orders));
        (cells, version)
    };
    rows.into_iter().map(with_orders).collect()
}

/// The cells of a case, and the versions of its runtimes.
fn row(judged: &Judged, played: &Played) -> (Vec<String>, String) {
    let case = &judged.case;
    let mut versions: Vec<&str> = Vec::new();
    let mut cells: Vec<String> = Vec::new();
    for (_, value) in &case.params {
        let version = Spec::parse(value).ok().map(|spec| spec.version);
        match version {
            Some(Version::Named(_)) => cells.push(snapshot::without_version(value)),
            _ => cells.push(value.clone()),
        }
    }
    for actor in case.actors.iter() {
        let version = actor.runtime.as_ref().map_or("", |runtime| runtime.version.as_str());
        if !version.is_empty() && !versions.contains(&version) {
            versions.push(version);
        }
    }
    let (at, error) = match &played.error_at {
        None => ("-".to_owned(), "-".to_owned()),
        Some(error) => (error.place().to_owned(), snapshot::named(&error.errno, error.error.as_deref())),
    };
    let shown = |ledger: &&ChannelLedger| played.shows(&judged.case, ledger.channel);
    let used: Vec<&ChannelLedger> = played.ledgers.iter().filter(shown).collect();
    let each = |text: &dyn Fn(&ChannelLedger) -> String| {
        let texts: Vec<String> = used.iter().map(|ledger| text(ledger)).collect();
        texts.join("; ")
    };
    cells.extend([
        at,
        error,
        each(&|ledger| match ledger.programs.writes {
            // A program doesn't say what it offers.
            true => format!("{} of ?", ledger.delivered),
            false => format!("{} of {}", ledger.delivered, ledger.offered),
        }),
        each(&|ledger| fate(judged, ledger)),
        judged.status.name().to_owned(),
    ]);
    (cells, versions.join("+"))
}

/// What became of the bytes that didn't arrive as they should.
fn fate(judged: &Judged, ledger: &ChannelLedger) -> String {
    let name = |writer: usize| judged.case.actors[writer].name.clone();
    let findings = ledger.findings(&name, &|_, bytes| bytes.to_string());
    match findings.is_empty() {
        // Nobody knows what it should be.
        true if ledger.programs.any() => "-".to_owned(),
        true => "all right".to_owned(),
        false => findings.join("; "),
    }
}
