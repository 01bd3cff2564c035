//! A map in words, from which each form is made.

use std::collections::HashMap;

use crate::{
    explore::sweep::{Band, Found, Map, Naming, Row, SUMMARY, Stair, Stretch, Sweep, fold, lines},
    outcome::snapshot,
};

/// Steps that are told of a boundary, at most.
const MOST: usize = 2;

/// One map in words.
pub(super) struct View<'m> {
    pub map: &'m Map,
    pub naming: Naming,
    /// A row for each band of a stretch: of one that repeats, those of its first period.
    pub stretches: Vec<(Stretch, Vec<BandView>)>,
    /// Between a band and the next.
    pub boundaries: Vec<Boundary>,
}

/// A band in words.
#[derive(Clone, Debug)]
pub(super) struct BandView {
    pub from: u64,
    pub to: u64,
    /// The same for all bands of the sweep that are described alike: `A`, `B`, ...
    pub kind: String,
    /// As [`SUMMARY`] has them.
    pub summary: Vec<String>,
    /// Everything else: label and text.
    pub details: Vec<(String, String)>,
}

/// Where behaviour changes.
pub(super) struct Boundary {
    /// The last size before, and the first behind: neighbours, unless the search was given up.
    pub after: u64,
    pub before: u64,
    /// What differs: the step, what it gave, and what it gives.
    pub changes: Vec<Change>,
    /// Steps that differ too and aren't told.
    pub more: usize,
}

impl Boundary {
    /// The one of its two sizes that has a name, and the name; the plainer one if both have.
    pub fn name(&self, naming: &Naming) -> Option<(u64, String)> {
        let named = [self.after, self.before].map(|size| Some((size, naming.name(size as i64)?)));
        let is_plain = |name: &str| !name.ends_with("+1") && !name.ends_with("-1");
        named.into_iter().flatten().min_by_key(|(_, name)| !is_plain(name))
    }
}

pub(super) struct Change {
    pub place: String,
    pub was: String,
    pub is: String,
}

/// The kinds of a sweep, numbered as they come.
#[derive(Default)]
pub(super) struct Kinds(HashMap<Vec<String>, usize>);

impl Kinds {
    fn letter(&mut self, band: &[(&str, String)]) -> String {
        let key = band.iter().map(|(label, text)| format!("{label} {text}")).collect();
        let next = self.0.len();
        letters(*self.0.entry(key).or_insert(next))
    }
}

/// `A` to `Z`, then `AA`.
fn letters(index: usize) -> String {
    let last = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letters(more - 1)),
    }
}

impl<'m> View<'m> {
    pub fn of(map: &'m Map, param: &str, kinds: &mut Kinds) -> View<'m> {
        let naming = Naming::of(&map.named);
        let folded = fold(&map.bands);
        let view = |stretch: Stretch| {
            let parts = (0..stretch.parts()).map(|part| {
                let band = &map.bands[stretch.first + part];
                let stair = |count| stretch.stair(&map.bands, part, count);
                describe(band, kinds, |stair: Stair| naming.stair(param, stair), stair)
            });
            let parts = parts.collect();
            (stretch, parts)
        };
        let stretches: Vec<(Stretch, Vec<BandView>)> = folded.into_iter().map(view).collect();
        let boundaries = boundaries(map, &stretches);
        View { map, naming, stretches, boundaries }
    }

    /// How it was found, and what could hide.
    pub fn method(&self) -> String {
        let cases = self.map.cases;
        let gap = self.map.gap();
        match self.map.found {
            Found::Exhaustively => format!("every size was played ({cases} cases)"),
            Found::Searching { step, candidates } => {
                let from = if candidates { "candidates and " } else { "" };
                let exact = match self.map.is_exact() {
                    true => "each boundary is exact",
                    false => "not each boundary is exact: too many bands; sweep a part of the range",
                };
                let hidden = match gap {
                    0 => String::new(),
                    gap => format!("; a band of up to {gap} sizes between two of one kind could hide"),
                };
                format!("searched ({cases} cases, from {from}a grid of step {step}): {exact}{hidden}")
            }
        }
    }

    /// All its rows without the sizes' places: what makes two maps the same.
    pub fn text(&self) -> String {
        let all = self.stretches.iter().flat_map(|(stretch, parts)| {
            parts
                .iter()
                .map(move |part| format!("{} {} {} {:?}", part.from, part.to, part.kind, stretch.fold))
        });
        let all = Vec::from_iter(all).join("\n");
        format!("{all}\n{}\n{:?}\n{:?}", self.method(), self.map.skipped, self.map.unexpected)
    }
}

fn describe(
    band: &Band,
    kinds: &mut Kinds,
    name: impl Fn(Stair) -> String,
    stair: impl Fn(usize) -> Stair,
) -> BandView {
    let lines = lines(&band.shape, |count| name(stair(count)));
    let kind = kinds.letter(&lines);
    let summary = lines.iter().take(SUMMARY.len()).map(|(_, text)| text.clone()).collect();
    let details =
        lines.iter().skip(SUMMARY.len()).map(|(label, text)| ((*label).to_owned(), text.clone())).collect();
    BandView { from: band.from, to: band.to, kind, summary, details }
}

/// The boundaries of a map; within a stretch that repeats, those of its first period.
fn boundaries(map: &Map, stretches: &[(Stretch, Vec<BandView>)]) -> Vec<Boundary> {
    let parts = stretches.iter().flat_map(|(_, parts)| parts);
    // The band below ends where its stretch does.
    let ends = stretches.iter().flat_map(|(stretch, parts)| {
        let last = map.bands[stretch.first + stretch.bands - 1].to;
        (0..parts.len()).map(move |part| if part + 1 == parts.len() { last } else { parts[part].to })
    });
    let parts: Vec<(&BandView, u64)> = parts.zip(ends).collect();
    parts.windows(2).map(|pair| boundary(pair[0].0, pair[0].1, pair[1].0)).collect()
}

fn boundary(one: &BandView, after: u64, next: &BandView) -> Boundary {
    let mut changes = Vec::new();
    for (label, text) in &next.details {
        let Some(step) = label.strip_prefix("step ") else { continue };
        let was = one.details.iter().find(|(known, _)| known == label).map(|(_, text)| text);
        match was {
            Some(was) if was == text => {}
            Some(was) => {
                let (was, is) = differing(was, text);
                changes.push(Change { place: step.to_owned(), was, is });
            }
            None => changes.push(Change {
                place: step.to_owned(),
                was: "not reached".to_owned(),
                is: first(text).to_owned(),
            }),
        }
    }
    for (label, text) in &one.details {
        let gone = !next.details.iter().any(|(known, _)| known == label);
        if let Some(step) = label.strip_prefix("step ").filter(|_| gone) {
            let (was, is) = (first(text).to_owned(), "not reached".to_owned());
            changes.push(Change { place: step.to_owned(), was, is });
        }
    }
    let more = changes.len().saturating_sub(MOST);
    changes.truncate(MOST);
    Boundary { after, before: next.from, changes, more }
}

fn first(text: &str) -> &str {
    text.split("; ").next().unwrap_or(text)
}

/// What two texts of a step don't have in common: its outcome if that differs, or else the first
/// of the counts that do.
fn differing(one: &str, other: &str) -> (String, String) {
    let mut pairs = one.split("; ").zip(other.split("; "));
    let (was, is) = pairs.find(|(one, other)| one != other).unwrap_or((one, other));
    (was.to_owned(), is.to_owned())
}

/// How a combination is called: its values without their versions; and the versions.
pub(super) fn title(map: &Map) -> (String, Option<String>) {
    let text = |(name, value): &(String, String)| format!("{name} = {}", snapshot::without_version(value));
    let mut versions: Vec<String> =
        map.params.iter().filter_map(|(_, value)| snapshot::version(value)).collect();
    versions.dedup();
    let version = (!versions.is_empty()).then(|| versions.join("+"));
    (Vec::from_iter(map.params.iter().map(text)).join(", "), version)
}

/// The rows of maps that say the same, with the versions of their runtimes.
pub(super) fn alike<'v, 'm>(views: &'v [View<'m>]) -> Vec<(&'v View<'m>, String, Vec<String>)> {
    let mut groups: Vec<(&View<'_>, String, Vec<String>, String)> = Vec::new();
    for view in views {
        let ((title, version), text) = (title(view.map), view.text());
        let row: Option<&Row> = view.map.row.as_ref();
        let same = groups.iter_mut().find(|(known, name, _, its)| {
            known.map.row.as_ref() == row && *name == title && *its == text && version.is_some()
        });
        match same {
            Some((_, _, versions, _)) => versions.extend(version),
            None => groups.push((view, title, version.into_iter().collect(), text)),
        }
    }
    groups.into_iter().map(|(view, title, versions, _)| (view, title, versions)).collect()
}

/// All maps of a sweep, with their kinds.
pub(super) fn views(sweep: &Sweep) -> Vec<View<'_>> {
    let mut kinds = Kinds::default();
    sweep.maps.iter().map(|map| View::of(map, &sweep.axis.param, &mut kinds)).collect()
}
