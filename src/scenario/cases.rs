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
    /// Of each parameter.
    values: Vec<Arc<Vec<Text>>>,
    places: Vec<Place>,
}

/// Which combination of values a case comes from, and which of the alternatives
/// that `@all` makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    combination: u32,
    alternative: u32,
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
        let machine = Machine { symbols, catalog, recorded: &overrides.recorded };
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
            values,
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

    /// What makes the cases, fastest in their order.
    pub fn maker(&self) -> Maker<'_> {
        let machine = Machine { symbols: &self.symbols, catalog: &self.catalog, recorded: &self.recorded };
        let binder = Binder::new(&self.scenario, &self.values, BTreeSet::new(), Some(machine));
        Maker { binder, places: &self.places }
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
    places: &'a [Place],
}

impl Maker<'_> {
    /// The case with this index, from 0.
    ///
    /// # Panics
    /// There are not so many.
    pub fn case(&mut self, index: usize) -> Case {
        let Place { combination, alternative } = self.places[index];
        self.binder.case(combination as usize, alternative as usize).expect("it was checked")
    }
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
            let is_case = match found {
                Found::Nothing => false,
                Found::Playable => true,
                // One runtime that is missing is one skip, however many cases need it.
                Found::Skipped(params, reason) => skipped.insert((params, reason)),
            };
            if is_case {
                let (combination, alternative) = (combination as u32, alternative as u32);
                expansion.places.push(Place { combination, alternative });
            }
        }
        merged.add(scenario, binder.problems.drain(..), &binder.params, &varies);
    }
    expansion.used = binder.used;
    expansion.problems = merged.into_problems();
    expansion.complete = true;
    expansion
}
