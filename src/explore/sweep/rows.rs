//! Two parameters: a map for each value of the second one, and the values between which the maps
//! differ in kind.

use std::{collections::HashMap, sync::Arc};

use super::{
    Axis, Band, Behaviour, Map, Method, Stop, Values,
    play::{Player, Row},
    search::{self, Samples},
};

/// Up to so many rows are all played unless told.
const FEW: u64 = 32;
/// Samples of the grid that a search of rows begins with.
const GRID: u64 = 8;
/// So many rows are played at most, unless all are asked for.
const MOST: usize = 256;

/// The maps of all rows that were played, by combination of the other parameters.
pub(super) fn maps(player: &mut Player<'_>, rows: &Axis, method: Method) -> Result<Vec<Map>, Stop> {
    let mut found = match &rows.values {
        Values::List(list) => player.maps(&Vec::from_iter(list.iter().cloned().map(Some)))?,
        Values::Range { from, to } => {
            let all = method.exhaustive || to - from < FEW;
            let step = if all { 1 } else { (to - from).div_ceil(GRID) };
            let powers = (0..40).map(|power| 1 << power).filter(|_| !all).collect();
            let mut wanted = search::start(*from, *to, &powers, step);
            let mut found = Vec::new();
            let mut played = 0;
            while !wanted.is_empty() && (all || played < MOST) {
                played += wanted.len();
                let next: Vec<Option<Row>> = wanted.iter().map(|row| Some((row.to_string(), *row))).collect();
                found.extend(player.maps(&next)?);
                wanted = open(&found);
            }
            found
        }
    };
    found.sort_by(|(group, map), (other, its)| {
        let key = |group: usize, map: &Map| (group, map.params.clone(), map.row.as_ref().map(|row| row.1));
        key(*group, map).cmp(&key(*other, its))
    });
    Ok(found.into_iter().map(|(_, map)| map).collect())
}

/// The rows that would say more: between two whose maps differ in kind.
fn open(found: &[(usize, Map)]) -> Vec<u64> {
    let mut columns: HashMap<_, Samples> = HashMap::new();
    let mut seen = Vec::new();
    let mut shapes = HashMap::new();
    for (group, map) in found {
        let row = map.row.as_ref().map_or(0, |row| row.1);
        seen.push(row);
        columns.entry((*group, &map.params)).or_default().add(row, as_one(map, &mut shapes));
    }
    let mut wanted: Vec<u64> = columns.values().flat_map(Samples::wanted).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|row| !seen.contains(row));
    wanted
}

/// A whole map as if it were one case: where its bands begin, and their relations, are its counts.
pub(super) fn as_one<'m>(map: &'m Map, shapes: &mut HashMap<&'m Arc<str>, usize>) -> Behaviour {
    let mut shape = map.skipped.clone().unwrap_or_default();
    let mut counts = Vec::new();
    for (index, Band { from, shape: of_band, relations, .. }) in map.bands.iter().enumerate() {
        let next = shapes.len();
        let number = *shapes.entry(of_band).or_insert(next);
        let slopes = relations.iter().map(|relation| relation.slope.to_string());
        shape.push_str(&format!(";{number}:{}", Vec::from_iter(slopes).join(",")));
        counts.extend((index > 0).then_some(*from as i64));
        counts.extend(relations.iter().map(|relation| relation.constant));
    }
    Behaviour { shape: shape.into(), counts: counts.into() }
}
