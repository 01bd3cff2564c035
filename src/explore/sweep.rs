//! The map of a parameter: which sizes of a range behave alike, and at which exact sizes behaviour
//! changes.
//!
//! Each case is reduced to its behaviour by the shard that played it, and put into bands
//! (`sweep/bands.rs`). A range is played whole, or searched: from a start of sizes (candidates, a
//! grid) into every gap whose two sides differ (`sweep/search.rs`).

mod axis;
mod bands;
mod behaviour;
mod candidates;
mod fold;
mod naming;
mod play;
mod reducer;
mod relation;
mod rows;
mod search;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use axis::{Axis, AxisText, Values};
pub use bands::{Band, Bands};
pub use behaviour::{Behaviour, SUMMARY};
pub use fold::{Fold, Stair, Stretch, fold};
pub use naming::Naming;
pub use play::Row;
pub use reducer::lines;
pub use relation::Relation;

use crate::{
    runner::{Lab, Reading},
    scenario::{Overrides, Problems},
    stage::Fault,
};

/// Up to so many sizes a range is played whole unless told: a search plays some hundreds too.
pub const FEW: u64 = 512;

/// A mistake on the command line, as a text for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(pub String);

/// Why there is no map.
#[derive(Debug)]
pub enum Stop {
    Mistake(Mistake),
    /// Mistakes of the scenario that show with a value of the range.
    Problems(Problems),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// How a range is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Method {
    /// Play every size, however many there are.
    pub exhaustive: bool,
    /// Begin a search without the sizes at which something is likely to change.
    pub no_candidates: bool,
    /// The step of the grid that a search begins with.
    pub step: Option<u64>,
}

/// How a map was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Every size was played.
    Exhaustively,
    /// A search that began with a grid of this step, and candidates if so.
    Searching { step: u64, candidates: bool },
}

/// The map of one combination of the other parameters.
#[derive(Clone, Debug)]
pub struct Map {
    /// The other parameters, but for that of the rows.
    pub params: Vec<(String, String)>,
    /// The second axis's value: as it was given, and in numbers.
    pub row: Option<(String, u64)>,
    /// Why no size could be played.
    pub skipped: Option<String>,
    pub bands: Vec<Band>,
    pub found: Found,
    /// Cases that were played, or skipped.
    pub cases: u64,
    /// Cases that aren't as the scenario expects, and the smallest size of one. The map doesn't
    /// mind.
    pub unexpected: Option<(u64, u64)>,
    /// Cases in which a driver failed.
    pub faults: u64,
    /// What sizes are called in it.
    pub named: BTreeMap<String, u64>,
}

impl Map {
    /// So many sizes in a row, at most, lie between two that were played and behave alike.
    pub fn gap(&self) -> u64 {
        self.bands.iter().map(|band| band.gap).max().unwrap_or(0)
    }

    /// Every boundary lies between two neighbours.
    pub fn is_exact(&self) -> bool {
        self.bands.windows(2).all(|pair| pair[0].to + 1 == pair[1].from)
    }
}

/// All maps of a sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The parameter whose sizes are in bands.
    pub axis: Axis,
    /// The parameter of the rows, if there is one.
    pub rows: Option<Axis>,
    /// By the other parameters in the order of the scenario's product, then by row.
    pub maps: Vec<Map>,
}

/// Sweeps a scenario over one axis or two, one of which has a range. `progress` is told how many
/// cases were played, and of how many if that is known.
///
/// # Errors
/// See [`Stop`].
pub fn sweep(
    lab: &mut Lab,
    reading: &Reading,
    overrides: &Overrides,
    axes: &[AxisText],
    method: Method,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Sweep, Stop> {
    let (axis, rows) = axes_of(reading, overrides, axes).map_err(Stop::Mistake)?;
    let mut play = play::Player::new(lab, reading, overrides, (&axis, rows.as_ref()), method, progress)?;
    let maps = match &rows {
        None => play.maps(&[None])?.into_iter().map(|(_, map)| map).collect(),
        Some(rows) => rows::maps(&mut play, rows, method)?,
    };
    Ok(Sweep { axis, rows, maps })
}

/// The axis of the bands, and that of the rows.
fn axes_of(
    reading: &Reading,
    overrides: &Overrides,
    texts: &[AxisText],
) -> Result<(Axis, Option<Axis>), Mistake> {
    for (index, text) in texts.iter().enumerate() {
        let param = &text.param;
        if texts[..index].iter().any(|other| other.param == *param) {
            return Err(Mistake(format!("--param {param} stands there twice")));
        }
        if overrides.set.iter().any(|(name, _)| name == param) {
            return Err(Mistake(format!("--param {param} and --set {param}: one of them sets its values")));
        }
    }
    let read = |text: &AxisText| Axis::read(text, &reading.scenario, &reading.symbols);
    let mut axes = texts.iter().map(read).collect::<Result<Vec<Axis>, Mistake>>()?;
    let ranged = axes.iter().position(|axis| matches!(axis.values, Values::Range { .. }));
    let Some(ranged) = ranged else {
        return Err(Mistake("no parameter has a range: `--param n --range 1..=3*capacity`".to_owned()));
    };
    let axis = axes.remove(ranged);
    if axes.len() > 1 {
        return Err(Mistake("a map has two axes at most: `--set` gives a parameter one value".to_owned()));
    }
    Ok((axis, axes.pop()))
}
