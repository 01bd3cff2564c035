//! The cases of a scenario on a machine: all checked, each made when it is asked
//! for, so that a hundred thousand take no more room than ten.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    MAX_CASES, Overrides, Problems, Scenario, Symbols, actor,
    bind::{Binder, Found, too_many},
    case::{Case, Machine},
    merge::Merged,
    place::Text,
    problem::Problem,
};
use crate::driver::{Catalog, DriverInfo, Spec, Version};

/// The cases of a scenario, in the order of its parameters' product.
#[derive(Clone, Debug)]
pub struct Cases {
    scenario: Arc<Scenario>,
    symbols: Symbols,
    catalog: Arc<Catalog>,
    recorded: Vec<(String, String)>,
    orders: (Option<usize>, u64),
    /// Of each parameter.
    values: Vec<Arc<Vec<Text>>>,
    places: Vec<Place>,
    /// Where the plays of each case begin; empty where each has one.
    starts: Vec<usize>,
}

/// Which combination of values a case comes from, and which of the alternatives
/// that `@all` makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    combination: u32,
    alternative: u32,
    /// The orders in which it is played.
    plays: u32,
}

impl Cases {
    pub(super) fn of(
        scenario: &Arc<Scenario>,
        symbols: &Symbols,
        catalog: &Arc<Catalog>,
        overrides: &Overrides,
    ) -> Result<Cases, Problems> {
        let fail = |problems| Err(Problems::new(scenario.path.clone(), scenario.text.clone(), problems));
        let unknown = scenario.unknown_overrides(overrides);
        if !unknown.is_empty() {
            return fail(unknown);
        }
        let orders = (overrides.orders, overrides.seed);
        let machine = Machine { symbols, catalog, recorded: &overrides.recorded, orders };
        let values: Vec<Arc<Vec<Text>>> =
            (0..scenario.params.len()).map(|param| values(scenario, param, &machine, overrides)).collect();
        let expansion = expand(scenario, &values, BTreeSet::new(), Some(machine));
        if !expansion.problems.is_empty() {
            return fail(expansion.problems);
        }
        Ok(Cases {
            scenario: scenario.clone(),
            symbols: *symbols,
            catalog: catalog.clone(),
            recorded: overrides.recorded.clone(),
            orders,
            values,
            starts: starts(&expansion.places),
            places: expansion.places,
        })
    }

    /// How many there are, skipped ones included.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Each parameter with its values, `@all` replaced by the versions that there are.
    pub fn values(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let names = self.scenario.params.iter().map(|param| param.name.value.as_str());
        names.zip(self.values.iter().map(|list| list.iter().map(|text| text.value.as_str()).collect()))
    }

    /// How often a stage plays one of them: each once, or once for each of its orders.
    pub fn plays(&self) -> usize {
        let last = self.starts.last().zip(self.places.last());
        last.map_or(self.len(), |(start, place)| start + place.plays as usize)
    }

    /// What makes the cases, fastest in their order.
    pub fn maker(&self) -> Maker<'_> {
        let Cases { symbols, catalog, recorded, orders, .. } = self;
        let machine = Machine { symbols, catalog, recorded, orders: *orders };
        let binder = Binder::new(&self.scenario, &self.values, BTreeSet::new(), Some(machine));
        Maker { binder, cases: self, in_orders: None }
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Case> {
        let mut maker = self.maker();
        (0..self.len()).map(move |index| maker.case(index))
    }
}

/// Makes one case after the other.
pub struct Maker<'a> {
    binder: Binder<'a>,
    cases: &'a Cases,
    /// The case whose plays were last asked for, and its orders.
    in_orders: Option<(usize, Case, Vec<Vec<usize>>)>,
}

impl Maker<'_> {
    /// The case with this index, from 0.
    ///
    /// # Panics
    /// There are not so many.
    pub fn case(&mut self, index: usize) -> Case {
        let Place { combination, alternative, .. } = self.cases.places[index];
        self.binder.case(combination as usize, alternative as usize).expect("it was checked")
    }

    /// The play with this index, from 0: a case in one of its orders.
    ///
    /// # Panics
    /// There are not so many.
    pub fn play(&mut self, index: usize) -> Case {
        let starts = &self.cases.starts;
        if starts.is_empty() {
            return self.case(index);
        }
        let case = starts.partition_point(|start| *start <= index) - 1;
        let order = index - starts[case];
        let known = self.in_orders.take().filter(|(known, ..)| *known == case);
        let (_, whole, orders) = known.unwrap_or_else(|| {
            let whole = self.case(case);
            let orders = whole.orders.as_ref().map_or_else(Vec::new, |orders| orders.played());
            (case, whole, orders)
        });
        let play = orders.get(order).map_or_else(|| whole.clone(), |order| whole.in_order(order.clone()));
        self.in_orders = Some((case, whole, orders));
        play
    }
}

/// Where the plays of each case begin, if any has several.
fn starts(places: &[Place]) -> Vec<usize> {
    if places.iter().all(|place| place.plays == 1) {
        return Vec::new();
    }
    let begins = |next: &mut usize, place: &Place| {
        *next += place.plays as usize;
        Some(*next - place.plays as usize)
    };
    places.iter().scan(0, begins).collect()
}

/// The values of a parameter: as overridden, with all versions.
fn values(scenario: &Scenario, param: usize, machine: &Machine<'_>, overrides: &Overrides) -> Arc<Vec<Text>> {
    let param = &scenario.params[param];
    let set = overrides.set.iter().find(|(name, values)| *name == param.name.value && !values.is_empty());
    if set.is_none() && !param.values.iter().any(|text| text.value.contains("@all")) {
        return param.values.clone();
    }
    let whole = |value: &String| Text::whole(value.clone(), param.name.span.clone());
    let values: Vec<Text> = match set {
        Some((_, values)) => values.iter().map(whole).collect(),
        None => param.values.to_vec(),
    };
    let mut values: Vec<Text> =
        values.into_iter().flat_map(|value| with_all_versions(value, machine)).collect();
    // `@all` may bring a version that is listed as well.
    let mut seen = BTreeSet::new();
    values.retain(|text| seen.insert(text.value.clone()));
    values.into()
}

/// A value such as `python@all:text` as one value for each version.
fn with_all_versions(value: Text, machine: &Machine<'_>) -> Vec<Text> {
    let spec = Spec::parse(&value.value).ok().filter(|spec| spec.version == Version::All);
    let Some(spec) = spec.filter(|spec| DriverInfo::named(&spec.driver).is_some_and(|info| info.versioned))
    else {
        return vec![value];
    };
    let versions = actor::all_versions(&spec.driver, machine);
    if versions.is_empty() {
        return vec![value];
    }
    let named = |version: String| Spec { version: Version::Named(version), ..spec.clone() }.to_string();
    versions.into_iter().map(|version| Text::whole(named(version), value.span.clone())).collect()
}

/// What the parameters' product gave.
#[derive(Default)]
pub(super) struct Expansion {
    pub places: Vec<Place>,
    pub problems: Vec<Problem>,
    pub used: BTreeSet<usize>,
    /// Every combination was looked at.
    pub complete: bool,
}

/// Checks every combination.
pub(super) fn expand(
    scenario: &Scenario,
    values: &[Arc<Vec<Text>>],
    poisoned: BTreeSet<usize>,
    machine: Option<Machine<'_>>,
) -> Expansion {
    let mut expansion = Expansion::default();
    let product = values.iter().try_fold(1_usize, |product, list| product.checked_mul(list.len()));
    let Some(product) = product.filter(|product| *product <= MAX_CASES) else {
        expansion.problems.push(too_many(scenario));
        return expansion;
    };
    let varies: Vec<bool> = values.iter().map(|list| list.len() > 1).collect();
    let mut merged = Merged::default();
    let mut skipped = BTreeSet::new();
    let mut binder = Binder::new(scenario, values, poisoned, machine);
    for combination in 0..product {
        let found = binder.check(combination, MAX_CASES - expansion.places.len().min(MAX_CASES));
        for (alternative, found) in found.into_iter().enumerate() {
            let plays = match found {
                Found::Nothing => None,
                Found::Playable(plays) => Some(plays as u32),
                // One runtime that is missing is one skip, however many cases need it.
                Found::Skipped(params, reason) => skipped.insert((params, reason)).then_some(1),
            };
            if let Some(plays) = plays {
                let (combination, alternative) = (combination as u32, alternative as u32);
                expansion.places.push(Place { combination, alternative, plays });
            }
        }
        merged.add(scenario, binder.problems.drain(..), &binder.params, &varies);
    }
    expansion.used = binder.used;
    expansion.problems = merged.into_problems();
    expansion.complete = true;
    expansion
}
