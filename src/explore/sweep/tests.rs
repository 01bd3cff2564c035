//! Bands, folds and names, of behaviours that are made up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Band, Bands, Behaviour, Naming, Relation, fold,
    reducer::Reducer,
    search::{self, Samples},
};

/// A case with one count.
fn one(count: u64) -> Behaviour {
    let mut reducer = Reducer::default();
    reducer.line("arrived").count(count);
    reducer.finish()
}

fn bands(counts: impl IntoIterator<Item = (u64, u64)>) -> Vec<Band> {
    let mut bands = Bands::default();
    counts.into_iter().for_each(|(n, count)| bands.push(n, one(count)));
    bands.finish()
}

/// The bands as a person would say them.
fn told(bands: &[Band]) -> Vec<String> {
    let naming = Naming::default();
    let told = |band: &Band| {
        let relation = band.relations.first();
        let count = relation.map_or("0".to_owned(), |relation| naming.relation("n", *relation));
        format!("{}..{}: {count}", band.from, band.to)
    };
    bands.iter().map(told).collect()
}

#[test]
fn a_band_is_as_long_as_one_relation_explains_it() {
    let full = bands((1..=9).map(|n| (n, n.min(5))));
    assert_eq!(told(&full), ["1..5: n", "6..9: 5"]);
    let rest = bands((1..=9_u64).map(|n| (n, n.saturating_sub(4))));
    assert_eq!(told(&rest), ["1..4: 0", "5..9: n-4"]);
    let double = bands((1..=3).map(|n| (n, 2 * n)));
    assert_eq!(told(&double), ["1..3: 2*n"]);
    let left = bands((1..=3).map(|n| (n, 9 - n)));
    assert_eq!(told(&left), ["1..3: 9-n"]);
}

#[test]
fn two_sizes_alone_dont_take_one_from_the_band_that_follows() {
    // Between 1 and 2 it grows by 3, which would be a relation of these two.
    let alone = bands([(1, 7), (2, 10), (3, 10), (4, 10)]);
    assert_eq!(told(&alone), ["1..1: 7", "2..4: 10"]);
    // But who has nowhere else to go stays.
    let together = bands([(1, 7), (2, 10), (3, 10_000), (4, 10_000)]);
    assert_eq!(together[0].to, 2);
}

#[test]
fn nothing_differs_from_something() {
    let bands = bands([(4, 0), (5, 1), (6, 2)]);
    assert_eq!(told(&bands), ["4..4: 0", "5..6: n-4"]);
}

#[test]
fn pages_are_folded_and_named() {
    let page = 16;
    let whole = bands((0..100).map(|n| (n, n / page * page)));
    let stretches = fold(&whole);
    assert_eq!((stretches.len(), stretches[1].first, stretches[1].bands), (2, 1, 6));
    let stair = stretches[1].stair(&whole, 0, 0);
    assert_eq!(Naming::default().stair("n", stair), "n/16*16");

    let rest = bands((1..100).map(|n| (n, n % page)));
    let stretches = fold(&rest);
    // The first page has no size 0; what follows is two bands a page: nothing, and the rest.
    let stretch = stretches.iter().find(|stretch| stretch.fold.is_some()).expect("a fold");
    let named: Vec<String> = (0..stretch.parts())
        .filter(|part| !rest[stretch.first + part].relations.is_empty())
        .map(|part| Naming::default().stair("n", stretch.stair(&rest, part, 0)))
        .collect();
    assert_eq!(named, ["n%16"]);
    // Nor does a period need to begin at a multiple of its own.
    let shifted = bands((7..100).map(|n| (n, (n - 7) / page * page + 1)));
    let stretches = fold(&shifted);
    assert_eq!(Naming::default().stair("n", stretches[0].stair(&shifted, 0, 0)), "(n-7)/16*16+1");
    assert!(fold(&bands((1..=9).map(|n| (n, n.min(5))))).iter().all(|stretch| stretch.fold.is_none()));
}

#[test]
fn numbers_have_the_names_of_sizes() {
    let sizes = [("page", 4096), ("blksize", 4096), ("capacity", 65_536), ("writer.buffer", 8192)];
    let naming = Naming::of(&sizes.map(|(name, bytes)| (name.to_owned(), bytes)).into());
    let named = [4096, 4097, 8192, 8191, 12_288, 65_536, 69_632, 1, 5000].map(|number| naming.number(number));
    let expected = [
        "page",
        "page+1",
        "writer.buffer",
        "writer.buffer-1",
        "3*page",
        "capacity",
        "capacity+page",
        "1",
        "5000",
    ];
    assert_eq!(named, expected);
    let relation = |slope, constant| naming.relation("n", Relation { slope, constant });
    assert_eq!(relation(1, -65_536), "n-capacity");
    assert_eq!(relation(-1, 65_536), "capacity-n");
    assert_eq!(relation(1, -4097), "n-4097");
    assert_eq!(naming.legend(), "page = blksize = 4096; writer.buffer = 8192; capacity = 65536");
}

/// Searches the bands of a function.
fn searched(from: u64, to: u64, step: u64, count: impl Fn(u64) -> u64) -> (Vec<Band>, usize) {
    let (mut samples, mut played) = (Samples::default(), 0);
    let mut wanted = search::start(from, to, &BTreeSet::new(), step);
    while !wanted.is_empty() {
        played += wanted.len();
        wanted.iter().for_each(|n| samples.add(*n, one(count(*n))));
        wanted = samples.wanted();
    }
    (samples.bands(), played)
}

#[test]
fn a_search_finds_the_exact_boundaries_and_says_what_it_left_out() {
    let (bands, played) = searched(1, 100_000, 1000, |n| n.min(65_536));
    assert_eq!(told(&bands), ["1..65536: n", "65537..100000: 65536"]);
    assert!(played < 150, "{played} of 100,000 were played");
    assert!(bands.iter().all(|band| band.gap == 999), "{bands:?}");
    // From both ends alone, it is found as well.
    let (bands, played) = searched(1, 100_000, 1_000_000, |n| n.min(65_536));
    assert_eq!((told(&bands).len(), bands[0].to), (2, 65_536));
    assert!(played < 25, "{played}");
}

proptest! {
    /// What is said of a folded stretch holds for each of its sizes.
    #[test]
    fn stairs_say_every_count(
        from in 0_u64..40, period in 2_u64..20, up in 0_u64..30, slope in 0_u64..2, times in 3_u64..6, rest in 0_u64..20,
    ) {
        let count = |n: u64| 1000 + (n - from) / period * up + slope * ((n - from) % period);
        let sizes = from..from + times * period + rest.min(period - 1);
        let bands = bands(sizes.clone().map(|n| (n, count(n))));
        let mut next = from;
        for stretch in fold(&bands) {
            let (first, last) = (next, bands[stretch.first + stretch.bands - 1].to);
            for n in first..=last {
                let period = stretch.fold.as_ref().map_or(u64::MAX, |fold| fold.period);
                let begin = bands[stretch.first].from;
                let part = (0..stretch.parts()).rfind(|part| {
                    bands[stretch.first + part].from - begin <= (n - begin) % period
                });
                let stair = stretch.stair(&bands, part.expect("a part"), 0);
                let up = stair.stairs.map_or(0, |(step, from, period)| step * ((n - from) / period) as i64);
                prop_assert_eq!(stair.relation.at(n as i64) + up, count(n) as i64, "at {}", n);
            }
            next = last + 1;
        }
        prop_assert_eq!(next, sizes.end);
    }

    /// Whatever bands there are, if none is narrower than the step, a search finds just what playing
    /// every size does.
    #[test]
    fn a_search_agrees_with_all_sizes(
        widths in prop::collection::vec((20_u64..90, 0_u64..3, 0_u64..4), 1..8),
        step in 1_u64..10,
    ) {
        let to: u64 = widths.iter().map(|(width, ..)| width).sum();
        let count = |n: u64| {
            let mut end = 0;
            let (index, (_, slope, constant)) = widths.iter().enumerate().find(|(_, (width, ..))| {
                end += width;
                n <= end
            }).expect("within");
            // Steps that no small slope explains.
            slope * n + constant * 100_003 + 1_000_003 * index as u64
        };
        let whole = bands((1..=to).map(|n| (n, count(n))));
        let (found, _) = searched(1, to, step, count);
        prop_assert_eq!(told(&found), told(&whole));
    }

    /// Each count of each size is what its band says.
    #[test]
    fn bands_explain_every_size(counts in prop::collection::vec(0_u64..6, 1..60)) {
        let sizes: BTreeMap<u64, u64> = (1..).zip(counts).collect();
        let bands = bands(sizes.clone());
        let mut next = 1;
        for band in &bands {
            prop_assert_eq!(band.from, next);
            for n in band.from..=band.to {
                let told = band.relations.first().map_or(0, |relation| relation.at(n as i64));
                prop_assert_eq!(told, sizes[&n] as i64);
            }
            next = band.to + 1;
        }
        prop_assert_eq!(next, sizes.len() as u64 + 1);
    }
}
