//! The mistakes of all cases, each said once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scenario, place::Text, problem::Problem};

/// Mistakes of all rounds, each once.
#[derive(Default)]
pub(super) struct Merged {
    found: BTreeMap<(&'static str, usize, usize), (Problem, usize, bool)>,
    rounds: usize,
}

impl Merged {
    /// Takes in a round; a mistake that was seen is only counted.
    pub fn add(
        &mut self,
        scenario: &Scenario,
        round: impl Iterator<Item = (Problem, BTreeSet<usize>)>,
        params: &[(&str, &Text)],
        varies: &[bool],
    ) {
        self.rounds += 1;
        let mut seen = BTreeSet::new();
        for (mut problem, touched) in round {
            let span = problem.span();
            let key = (problem.rule, span.start, span.end);
            let first_in_round = seen.insert(key);
            if let Some((known, count, differs)) = self.found.get_mut(&key) {
                *count += usize::from(first_in_round);
                *differs |= known.message != problem.message;
                continue;
            }
            // A mistake in a value is shown there: no need to name the value.
            let in_value = scenario.params.iter().flat_map(|param| param.values.iter());
            let in_value =
                in_value.into_iter().any(|text| text.span.start <= span.start && span.end <= text.span.end);
            let touched = if touched.is_empty() { (0..params.len()).collect() } else { touched };
            let when: Vec<String> = touched
                .into_iter()
                .filter(|index| varies[*index])
                .map(|index| format!("{} = {}", params[index].0, params[index].1.value))
                .collect();
            problem.when = (!when.is_empty() && !in_value).then(|| when.join(", "));
            self.found.insert(key, (problem, 1, false));
        }
    }

    /// All mistakes; those of every round alike don't name a binding.
    pub fn into_problems(self) -> Vec<Problem> {
        let rounds = self.rounds;
        self.found
            .into_values()
            .map(|(mut problem, count, differs)| {
                if count == rounds && !differs {
                    problem.when = None;
                }
                problem
            })
            .collect()
    }
}
