//! Which sizes to play next, where not all are.
//!
//! 1. Between two bands whose edges aren't neighbours: the middle, until they are. So each
//!    boundary that shows at all is exact.
//! 2. In a band of more than two sizes that only two of them vouch for: the middle. Two sizes alone
//!    always have some relation.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bands::{Band, Bands},
    behaviour::Behaviour,
};

/// So many cases of one map are played at most, before what isn't exact stays so.
const MOST: usize = 100_000;

/// The sizes that were played, and what came of them.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<u64, Behaviour>);

impl Samples {
    pub fn add(&mut self, n: u64, behaviour: Behaviour) {
        self.0.insert(n, behaviour);
    }

    pub fn bands(&self) -> Vec<Band> {
        let mut bands = Bands::default();
        for (n, behaviour) in &self.0 {
            bands.push(*n, behaviour.clone());
        }
        bands.finish()
    }

    /// What to play next; nothing if all is exact, or enough was played.
    pub fn wanted(&self) -> Vec<u64> {
        if self.0.len() >= MOST {
            return Vec::new();
        }
        let mut wanted = wanted(&self.bands());
        wanted.retain(|n| !self.0.contains_key(n));
        wanted
    }
}

/// The sizes that these bands leave open.
pub fn wanted(bands: &[Band]) -> Vec<u64> {
    let middle = |low: u64, high: u64| low + (high - low) / 2;
    let between = bands.windows(2).filter(|pair| pair[1].from - pair[0].to > 1);
    let between = between.map(|pair| middle(pair[0].to, pair[1].from));
    let doubtful = bands.iter().filter(|band| band.samples == 2 && band.gap > 0);
    let mut wanted: Vec<u64> =
        between.chain(doubtful.map(|band| middle(band.widest.0, band.widest.1))).collect();
    wanted.sort_unstable();
    wanted
}

/// Where a search begins: both ends, these sizes with their neighbours, and a grid of this step
/// between.
pub fn start(from: u64, to: u64, candidates: &BTreeSet<u64>, step: u64) -> Vec<u64> {
    let near = |n: &u64| [n.saturating_sub(1), *n, n.saturating_add(1)];
    let mut sizes: BTreeSet<u64> = candidates.iter().flat_map(near).collect();
    sizes.extend((from..=to).step_by(usize::try_from(step.max(1)).unwrap_or(usize::MAX)));
    sizes.insert(to);
    sizes.into_iter().filter(|n| (from..=to).contains(n)).collect()
}
