//! Which parameters a part of the scenario depends on: while their values stay, it
//! needs no second reading.

use std::{collections::BTreeSet, sync::Arc};

use super::{Scenario, holes::mentioned, place::Text};

/// Indices of parameters, for each part.
#[derive(Debug)]
pub(super) struct Needs {
    /// Actors and setting.
    pub cast: Vec<usize>,
    /// Each line of the script, beside the cast.
    pub lines: Vec<Vec<usize>>,
    /// `[expect]`, beside the cast.
    pub expect: Vec<usize>,
    /// Each count of it, those of `[expect.some]` last.
    pub counts: Vec<Vec<usize>>,
}

impl Needs {
    pub fn of(scenario: &Scenario, values: &[Arc<Vec<Text>>]) -> Needs {
        let params = &scenario.params;
        let in_values = |list: &Arc<Vec<Text>>| -> BTreeSet<usize> {
            // Numbers, mostly, and many of them.
            let named =
                list.iter().filter(|text| text.value.contains(|c: char| c.is_alphabetic() || c == '_'));
            named.flat_map(|text| mentioned(params, &text.value)).collect()
        };
        let within: Vec<BTreeSet<usize>> = values.iter().map(in_values).collect();
        let all = |texts: &mut dyn Iterator<Item = &str>| -> Vec<usize> {
            let mut needs = BTreeSet::new();
            let mut new: Vec<usize> = texts.flat_map(|text| mentioned(params, text)).collect();
            while let Some(param) = new.pop() {
                if needs.insert(param) {
                    new.extend(&within[param]);
                }
            }
            Vec::from_iter(needs)
        };
        let capacities = scenario.channels.iter().filter_map(|channel| channel.capacity.as_ref());
        let setting = scenario.setting.templates().chain(capacities);
        let programs = scenario.actors.iter().flat_map(|actor| &actor.program);
        let words = programs.flat_map(|program| program.texts().map(|(text, _)| text.value.as_str()));
        let drivers = scenario.actors.iter().map(|actor| actor.driver.value.as_str()).chain(words);
        let lines = scenario.script.iter().flat_map(|script| &script.lines);
        let streams = scenario.expect.streams.iter().map(|(_, text)| text.value.as_str());
        let counts = || scenario.expect.counts().map(|key| key.value.value.as_str());
        Needs {
            cast: all(&mut setting.map(|(text, _)| text.value.as_str()).chain(drivers)),
            lines: lines.map(|line| all(&mut std::iter::once(line.text.as_str()))).collect(),
            expect: all(&mut counts().chain(streams)),
            counts: counts().map(|text| all(&mut std::iter::once(text))).collect(),
        }
    }
}
