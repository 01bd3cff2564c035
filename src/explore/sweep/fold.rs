//! Bands that repeat: a count such as "whole pages of n" makes a band of each page.
//!
//! A stretch is folded if its bands come over and over, at least three times: each time the same
//! shapes, of the same widths, and each count as the first time but for a step that is the same
//! each time. The last time may be cut short. So what is said of a folded stretch holds for each of
//! its sizes as it did band by band.

use super::{Band, Relation};

/// Bands of a period, at most.
const PARTS: usize = 4;
/// Fewer repetitions are no period.
const TIMES: usize = 3;

/// Bands that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first band, and how many there are.
    pub first: usize,
    pub bands: usize,
    /// How they repeat, if they do; a stretch that doesn't is one band.
    pub fold: Option<Fold>,
}

/// How bands repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Where the first period begins.
    pub from: u64,
    /// Sizes from one repetition to the next.
    pub period: u64,
    /// For each band of the first period, what each of its counts grows by with each repetition.
    pub steps: Vec<Box<[i64]>>,
}

/// How a count hangs on the parameter in a stretch: `relation + step * ((n - from) / period)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stair {
    pub relation: Relation,
    /// Step, from and period; `None` for a single band.
    pub stairs: Option<(i64, u64, u64)>,
}

impl Stretch {
    /// How many bands stand for all: those of a period.
    pub fn parts(&self) -> usize {
        self.fold.as_ref().map_or(self.bands, |fold| fold.steps.len())
    }

    /// A count of the band `part` of a period.
    pub fn stair(&self, bands: &[Band], part: usize, count: usize) -> Stair {
        let band = &bands[self.first + part];
        let stairs = self.fold.as_ref().map(|fold| {
            let (step, period) = (fold.steps[part][count], fold.period);
            // Between two multiples of the period, its sizes count from the lower one just as well,
            // which reads better.
            let is_between = band.from / period == band.to / period;
            let from = if is_between { band.from / period * period } else { fold.from };
            (step, from, period)
        });
        Stair { relation: band.relations[count], stairs: stairs.filter(|(step, ..)| *step != 0) }
    }
}

/// Folds what repeats.
pub fn fold(bands: &[Band]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut first = 0;
    while first < bands.len() {
        let folds = (1..=PARTS).filter_map(|parts| repeats(&bands[first..], parts));
        let stretch = match folds.max_by_key(|(bands, fold)| (*bands, PARTS - fold.steps.len())) {
            Some((bands, fold)) => Stretch { first, bands, fold: Some(fold) },
            None => Stretch { first, bands: 1, fold: None },
        };
        first += stretch.bands;
        stretches.push(stretch);
    }
    stretches
}

/// How many bands repeat the first so many, these included.
fn repeats(bands: &[Band], parts: usize) -> Option<(usize, Fold)> {
    let from = bands.first()?.from;
    let period = bands.get(parts)?.from - from;
    let step = |part: usize| {
        let (band, next) = (&bands[part], bands.get(part + parts)?);
        let at = next.from as i64;
        let pairs = band.relations.iter().zip(next.relations.iter());
        Some(pairs.map(|(relation, next)| next.at(at) - relation.at(at)).collect::<Box<[i64]>>())
    };
    let steps = (0..parts).map(step).collect::<Option<Vec<Box<[i64]>>>>()?;
    let mut count = parts;
    while let Some(band) = bands.get(count) {
        let (part, times) = (count % parts, (count / parts) as u64);
        let known = &bands[part];
        let width = |band: &Band| band.to - band.from;
        let is_there = band.shape == known.shape
            && band.from == known.from + times * period
            && bands[count - 1].to + 1 == band.from
            && width(band) <= width(known);
        let as_known = |(at, relation): (usize, &Relation)| {
            let slope = known.relations[at].slope;
            let value = known.relations[at].at(band.from as i64) + times as i64 * steps[part][at];
            relation.at(band.from as i64) == value && (band.samples == 1 || relation.slope == slope)
        };
        if !is_there || !band.relations.iter().enumerate().all(as_known) {
            break;
        }
        count += 1;
        if width(band) < width(known) {
            break;
        }
    }
    (count >= TIMES * parts).then_some((count, Fold { from, period, steps }))
}
