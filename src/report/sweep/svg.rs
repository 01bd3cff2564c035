//! `--format svg`: a row a map, its bands coloured by kind over an axis of sizes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use minijinja::Environment;
use serde::Serialize;

use super::view::{BandView, View, alike, views};
use crate::{
    explore::sweep::{Sweep, Values},
    scenario::Scenario,
};

const TEMPLATE: &str = include_str!("map.svg.jinja");

/// All lengths are in pixels.
const LEFT: f64 = 330.0;
const PLOT: f64 = 820.0;
const TOP: f64 = 40.0;
const ROW: f64 = 48.0;
const LEGEND: f64 = 20.0;
/// Labels of boundaries keep this distance; a character of theirs takes so much, about.
const APART: f64 = 10.0;
const CHARACTER: f64 = 6.2;
/// Beside the plot.
const MARGIN: f64 = 40.0;
/// A letter needs so much room.
const LETTER: f64 = 14.0;
/// Kinds that the legend tells, at most.
const MOST: usize = 40;

/// Dark enough for a white letter, and told apart by those who see red and green alike (after
/// Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#b34700", "#007a5a", "#a3527f", "#4b4b9b", "#7a6a00", "#555555", "#2f7fa5"];

#[derive(Serialize)]
struct Picture {
    title: String,
    axis: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    axis_y: f64,
    rows: Vec<RowLine>,
    ticks: Vec<Tick>,
    legend: Vec<Entry>,
}

#[derive(Serialize)]
struct RowLine {
    label: String,
    y: f64,
    bands: Vec<Block>,
    marks: Vec<Mark>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Block {
    x: f64,
    middle: f64,
    width: f64,
    fill: &'static str,
    about: String,
    letter: Option<String>,
}

#[derive(Serialize)]
struct Mark {
    x: f64,
    anchor: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Tick {
    x: f64,
    text: String,
}

#[derive(Serialize)]
struct Entry {
    y: f64,
    fill: &'static str,
    text: String,
}

/// Where sizes stand.
struct Scale {
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Scale {
    /// Logarithmic where small sizes would be lost otherwise.
    fn of(from: u64, to: u64) -> Scale {
        Scale { from: from as f64, to: to as f64 + 1.0, logarithmic: from > 0 && to / from >= 64 }
    }

    /// Of a size's lower edge.
    fn x(&self, size: f64) -> f64 {
        let part = match self.logarithmic {
            true => (size / self.from).ln() / (self.to / self.from).ln(),
            false => (size - self.from) / (self.to - self.from),
        };
        round(LEFT + part * PLOT)
    }

    fn ticks(&self) -> Vec<Tick> {
        let sizes: Vec<f64> = match self.logarithmic {
            true => (0..64).step_by(2).map(|power| 2_f64.powi(power)).collect(),
            false => {
                let raw = (self.to - self.from) / 8.0;
                let step = 2_f64.powf(raw.log2().ceil()).max(1.0);
                (0..20).map(|at| (self.from / step).ceil() * step + step * f64::from(at)).collect()
            }
        };
        let inside = sizes.into_iter().filter(|size| (self.from..self.to).contains(size));
        inside.map(|size| Tick { x: self.x(size), text: format!("{size}") }).collect()
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A picture.
///
/// # Errors
/// As writing does.
pub fn svg(out: &mut dyn Write, scenario: &Scenario, sweep: &Sweep) -> io::Result<()> {
    let picture = picture(scenario, sweep);
    let mut environment = Environment::new();
    environment.add_template("map.svg", TEMPLATE).map_err(io::Error::other)?;
    let template = environment.get_template("map.svg").map_err(io::Error::other)?;
    writeln!(
        out,
        "{}",
        template
            .render(minijinja::Value::from(minijinja::value::Serde(picture)))
            .map_err(io::Error::other)?
    )
}

fn picture(scenario: &Scenario, sweep: &Sweep) -> Picture {
    let Values::Range { from, to } = sweep.axis.values else { unreachable!("the first axis has a range") };
    let scale = Scale::of(from, to);
    let param = &sweep.axis.param;
    let views = views(sweep);
    let mut kinds: BTreeMap<usize, (String, Vec<String>, &'static str)> = BTreeMap::new();
    let mut colours: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (view, title, versions) in alike(&views) {
        let label = label(sweep, view, title, &versions);
        let mut bands = Vec::new();
        let mut marks: Vec<Mark> = Vec::new();
        // Where the last one ends.
        let mut taken = 0.0;
        for (stretch, parts) in &view.stretches {
            for band in 0..stretch.bands {
                let part = &parts[band % parts.len()];
                let whole = &view.map.bands[stretch.first + band];
                let colour = match colours.iter().position(|kind| *kind == part.kind) {
                    Some(at) => at,
                    None => {
                        colours.push(part.kind.clone());
                        kinds.insert(colours.len(), (part.kind.clone(), part.summary.clone(), ""));
                        colours.len() - 1
                    }
                };
                let fill = COLOURS[colour % COLOURS.len()];
                if let Some(kind) = kinds.get_mut(&(colour + 1)) {
                    kind.2 = fill;
                }
                let (x, end) = (scale.x(whole.from as f64), scale.x(whole.to as f64 + 1.0));
                let width = round((end - x).max(0.5));
                let about = format!("{}..{}: {}", whole.from, whole.to, told(part));
                let letter = (width >= LETTER).then(|| part.kind.clone());
                bands.push(Block { x, middle: round(x + width / 2.0), width, fill, about, letter });
                let name = view.naming.name(whole.from as i64);
                let text =
                    format!("{}{}", whole.from, name.map_or(String::new(), |name| format!(" ({name})")));
                let wide = CHARACTER * text.len() as f64;
                let fits = x + wide <= LEFT + PLOT + MARGIN;
                let (anchor, start) = if fits { ("start", x) } else { ("end", x - wide) };
                if whole.from > from && start >= taken {
                    taken = start + wide + APART;
                    marks.push(Mark { x, anchor, text });
                }
            }
        }
        let y = TOP + ROW * rows.len() as f64;
        rows.push(RowLine { label, y, bands, marks, note: view.map.skipped.clone() });
    }
    let axis_y = TOP + ROW * rows.len() as f64 + 4.0;
    let left_out = kinds.len().saturating_sub(MOST);
    let mut legend: Vec<Entry> = kinds
        .values()
        .take(MOST)
        .map(|(letter, summary, fill)| (*fill, format!("{letter}: {}", words(summary))))
        .chain((left_out > 0).then(|| ("white", format!("and {left_out} kinds more (`--format json`)"))))
        .zip(0_u32..)
        .map(|((fill, text), at)| Entry { y: axis_y + 64.0 + LEGEND * f64::from(at), fill, text })
        .collect();
    let methods = views.iter().filter(|view| view.map.skipped.is_none()).map(View::method);
    let lines = methods.flat_map(|method| Vec::from_iter(method.split("; ").map(str::to_owned)));
    for method in lines.collect::<BTreeSet<String>>() {
        let y = axis_y + 64.0 + LEGEND * legend.len() as f64;
        legend.push(Entry { y, fill: "white", text: method });
    }
    let scale_name = if scale.logarithmic { ", logarithmic" } else { "" };
    Picture {
        title: format!("{}: {param} from {from} to {to}", scenario.name),
        axis: format!("{param}{scale_name}"),
        width: LEFT + PLOT + MARGIN,
        height: axis_y + 64.0 + LEGEND * legend.len() as f64,
        left: LEFT,
        right: LEFT + PLOT,
        axis_y,
        rows,
        ticks: scale.ticks(),
        legend,
    }
}

/// A row's name: the combination, its versions, the second parameter's value.
fn label(sweep: &Sweep, view: &View<'_>, title: String, versions: &[String]) -> String {
    let row =
        view.map.row.iter().zip(&sweep.rows).map(|((text, _), rows)| format!("{} = {text}", rows.param));
    let versions = match versions {
        [] => String::new(),
        [one] => format!(" {one}"),
        [first, .., last] => format!(" {first} .. {last} ({})", versions.len()),
    };
    let title = Some(format!("{title}{versions}")).filter(|title| !title.is_empty());
    Vec::from_iter(title.into_iter().chain(row)).join(", ")
}

fn told(part: &BandView) -> String {
    format!("{}: {}", part.kind, words(&part.summary))
}

/// A kind in a sentence.
fn words(summary: &[String]) -> String {
    let [at, error, arrived, rest, end] = summary else { return summary.join(", ") };
    let error = if at == "-" { "no error".to_owned() } else { format!("{error} at {at}") };
    let end = if end == "played" { String::new() } else { format!("; {end}") };
    format!("{error}; arrived {arrived}; {rest}{end}")
}
