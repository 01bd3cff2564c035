//! For a person: a table for each combination, and what changes at each boundary.

use std::io::{self, Write};

use comfy_table::CellAlignment;

use super::view::{BandView, View, alike, views};
use crate::{
    explore::sweep::{SUMMARY, Sweep, Values},
    report::{
        Cost,
        human::{plain, show},
    },
    scenario::Scenario,
};

/// Tables and sentences.
///
/// # Errors
/// As writing does.
pub fn human(out: &mut dyn Write, scenario: &Scenario, sweep: &Sweep, cost: &Cost) -> io::Result<()> {
    let about = scenario.about.as_ref().map_or(String::new(), |about| format!(": {about}"));
    writeln!(out, "{}{about}", scenario.name)?;
    let param = &sweep.axis.param;
    if let Values::Range { from, to } = sweep.axis.values {
        writeln!(out, "  {param} from {from} to {to}")?;
    }
    let views = views(sweep);
    for (view, title, versions) in alike(&views) {
        writeln!(out)?;
        let row = view.map.row.iter().zip(&sweep.rows).map(|((text, value), rows)| {
            let value = if *text == value.to_string() { String::new() } else { format!(" = {value}") };
            format!("{} = {text}{value}", rows.param)
        });
        let versions = if versions.is_empty() { String::new() } else { format!(" ({})", versions.join(" ")) };
        let title = Some(format!("{title}{versions}")).filter(|title| !title.is_empty());
        let title = Vec::from_iter(title.into_iter().chain(row)).join(", ");
        if !title.is_empty() {
            writeln!(out, "{title}")?;
        }
        match &view.map.skipped {
            Some(reason) => writeln!(out, "  skipped: {reason}")?,
            None => map(out, view, param)?,
        }
    }
    let cases: u64 = sweep.maps.iter().map(|map| map.cases).sum();
    let maps = sweep.maps.len();
    let maps = if maps == 1 { "1 map".to_owned() } else { format!("{maps} maps") };
    writeln!(out, "\n{maps}, {cases} cases; {cost}")
}

fn map(out: &mut dyn Write, view: &View<'_>, param: &str) -> io::Result<()> {
    let mut table = plain();
    // A case that ends as all do needs no column for it.
    let all = || view.stretches.iter().flat_map(|(_, parts)| parts);
    let columns = if all().all(|part| part.summary[SUMMARY.len() - 1] == "played") {
        SUMMARY.len() - 1
    } else {
        SUMMARY.len()
    };
    let header = [param, "kind"].into_iter().chain(SUMMARY.into_iter().take(columns));
    table.set_header(header);
    for (stretch, parts) in &view.stretches {
        for part in parts {
            let sizes = sizes(view, part);
            let sizes = match &stretch.fold {
                None => sizes,
                Some(fold) if parts.len() == 1 => {
                    let last = view.map.bands[stretch.first + stretch.bands - 1].to;
                    let (period, from) = (view.naming.number(fold.period as i64), fold.from);
                    format!("{from}..{last}, a band for each {period}")
                }
                Some(fold) => {
                    let last = view.map.bands[stretch.first + stretch.bands - 1].to;
                    format!("{sizes}, and every {} up to {last}", view.naming.number(fold.period as i64))
                }
            };
            let cells =
                [sizes, part.kind.clone()].into_iter().chain(part.summary.iter().take(columns).cloned());
            table.add_row(cells);
        }
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    show(out, &table)?;
    for boundary in &view.boundaries {
        let (after, before) = (boundary.after, boundary.before);
        let name =
            boundary.name(&view.naming).map_or(String::new(), |(size, name)| format!(" ({size} = {name})"));
        writeln!(out, "  {after} | {before}{name}:")?;
        for change in &boundary.changes {
            writeln!(out, "    step {}: {} -> {}", change.place, change.was, change.is)?;
        }
        if boundary.more > 0 {
            writeln!(out, "    and {} more", boundary.more)?;
        }
    }
    if let Some((count, first)) = view.map.unexpected {
        writeln!(out, "  not as the scenario expects: {count} of the cases, {param} = {first} the first")?;
    }
    writeln!(out, "  {}", view.method())?;
    writeln!(out, "  {}", view.naming.legend())
}

fn sizes(view: &View<'_>, part: &BandView) -> String {
    let last = match view.naming.name(part.to as i64) {
        Some(name) => format!(" ({name})"),
        None => String::new(),
    };
    match part.from == part.to {
        true => format!("{}{last}", part.to),
        false => format!("{}..{}{last}", part.from, part.to),
    }
}
