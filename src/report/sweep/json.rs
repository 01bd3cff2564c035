//! `--format json`: one object a sweep. The names are stable; `v` counts their versions.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map as Object, Value, json};

use super::view::{View, views};
use crate::{
    explore::sweep::{Band, Found, SUMMARY, Sweep, Values, lines},
    scenario::Scenario,
};

/// Version of the names and their meaning.
const VERSION: u32 = 1;

/// One object.
///
/// # Errors
/// As writing does.
pub fn json(out: &mut dyn Write, scenario: &Scenario, sweep: &Sweep) -> io::Result<()> {
    let Values::Range { from, to } = sweep.axis.values else { unreachable!("the first axis has a range") };
    let whole = json!({
        "v": VERSION,
        "scenario": scenario.name,
        "param": sweep.axis.param,
        "from": from,
        "to": to,
        "rows": sweep.rows.as_ref().map(|rows| &rows.param),
        "maps": views(sweep).iter().map(|view| map(view, &sweep.axis.param)).collect::<Vec<Value>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}

fn map(view: &View<'_>, param: &str) -> Value {
    let map = view.map;
    let (method, step, candidates) = match map.found {
        Found::Exhaustively => ("exhaustive", None, None),
        Found::Searching { step, candidates } => ("search", Some(step), Some(candidates)),
    };
    json!({
        "params": map.params.iter().cloned().map(|(name, value)| (name, value.into())).collect::<Object<_, _>>(),
        "row": map.row.as_ref().map(|(_, value)| value),
        "skipped": map.skipped,
        "method": method,
        "step": step,
        "candidates": candidates,
        "cases": map.cases,
        "exact": map.is_exact(),
        "gap": map.gap(),
        "unexpected": map.unexpected.map(|(cases, first)| json!({ "cases": cases, "first": first })),
        "sizes": map.named,
        "bands": bands(view, param),
        "repeats": repeats(view),
        "boundaries": view.boundaries.iter().map(|boundary| json!({
            "after": boundary.after,
            "before": boundary.before,
            "name": boundary.name(&view.naming).map(|(size, name)| json!({ "size": size, "is": name })),
            "changes": boundary.changes.iter().map(|change| json!({
                "step": change.place,
                "was": change.was,
                "is": change.is,
            })).collect::<Vec<Value>>(),
            "more": boundary.more,
        })).collect::<Vec<Value>>(),
    })
}

#[derive(Serialize)]
struct BandLine {
    from: u64,
    to: u64,
    samples: u64,
    gap: u64,
    /// Of one that repeats, the kind of its like in the first period.
    kind: String,
    summary: Object<String, Value>,
    details: Object<String, Value>,
}

/// Each band with its own relations, also those of a stretch that repeats.
fn bands(view: &View<'_>, param: &str) -> Vec<BandLine> {
    let of = |(band, kind): (&Band, &String)| {
        let lines = lines(&band.shape, |count| view.naming.relation(param, band.relations[count]));
        let object = |lines: &[(&str, String)]| {
            lines.iter().map(|(label, text)| ((*label).to_owned(), text.as_str().into())).collect()
        };
        BandLine {
            from: band.from,
            to: band.to,
            samples: band.samples,
            gap: band.gap,
            kind: kind.clone(),
            summary: object(&lines[..SUMMARY.len().min(lines.len())]),
            details: object(&lines[SUMMARY.len().min(lines.len())..]),
        }
    };
    let kinds = view
        .stretches
        .iter()
        .flat_map(|(stretch, parts)| (0..stretch.bands).map(move |band| &parts[band % parts.len()].kind));
    view.map.bands.iter().zip(kinds).map(of).collect()
}

/// The stretches whose bands come over and over.
fn repeats(view: &View<'_>) -> Vec<Value> {
    let stretches = view.stretches.iter();
    stretches
        .filter_map(|(stretch, parts)| {
            let fold = stretch.fold.as_ref()?;
            let details = |part: &super::view::BandView| -> Object<String, Value> {
                part.details.iter().map(|(label, text)| (label.clone(), text.as_str().into())).collect()
            };
            Some(json!({
                "from": fold.from,
                "to": view.map.bands[stretch.first + stretch.bands - 1].to,
                "period": fold.period,
                "first": stretch.first,
                "bands": stretch.bands,
                "parts": parts.iter().map(details).collect::<Vec<_>>(),
            }))
        })
        .collect()
}
