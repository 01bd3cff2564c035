//! The casts of a scenario: actors and setting of a combination, and what is kept with
//! them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    actor::{BoundActor, all_versions},
    assemble::{Cast, Troupe},
    bind::Binder,
    case::{CaseExpect, CaseStep, ExpectedBytes},
    holes::mentioned,
    problem::Problem,
    script::Parsed,
    setting::{self, Surroundings},
    symbols::{Scope, ScopeActor},
};
use crate::{driver::Version, outcome::Action, stage::PlannedChannel};

/// More casts than that aren't kept.
const MOST_CASTS: usize = 64;

/// Actors and setting, bound.
pub(super) struct Casting<'a> {
    pub surroundings: Surroundings,
    /// For each actor, what `@all` stands for.
    pub alternatives: Vec<Vec<Option<BoundActor>>>,
    pub troupes: HashMap<usize, Bound<'a>>,
}

/// The actors of a case, and what was last read against them.
pub(super) struct Bound<'a> {
    pub troupe: Troupe,
    /// As the lines see them.
    pub names: Arc<[ScopeActor<'a>]>,
    pub untold: BTreeSet<String>,
    pub lines: Vec<Option<BoundLine>>,
    pub expect: Option<(Vec<usize>, Arc<CaseExpect>, BTreeSet<String>)>,
    /// Of each count that `[expect]` names.
    pub counts: Vec<Option<BoundCount>>,
    /// The channels of the steps of `lines`, once a case was made of them.
    pub channels: Option<Arc<Vec<PlannedChannel>>>,
}

/// What is expected of a count.
pub(super) struct BoundCount {
    /// The values that it was read with.
    pub at: Vec<usize>,
    pub expected: Arc<ExpectedBytes>,
    pub untold: BTreeSet<String>,
}

pub(super) struct BoundLine {
    /// The values that it was read with.
    pub at: Vec<usize>,
    pub parsed: Parsed,
    pub steps: Vec<Arc<CaseStep>>,
    pub untold: BTreeSet<String>,
}

impl BoundLine {
    /// A step of it may make channels.
    pub fn calls(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.planned.action, Action::Call(_)))
    }
}

impl<'a> Binder<'a> {
    /// Actors and setting of this combination: kept ones, or new ones.
    pub(super) fn casting(&mut self) -> Casting<'a> {
        if let Some(casting) = self.casts.remove(&self.at(&self.needs.cast)) {
            return casting;
        }
        let scope = self.scope();
        let scenario = self.scenario;
        let surroundings =
            self.item_of_cast(&scope, "", |problems| setting::bind(scenario, &scope, problems));
        let mut alternatives = Vec::new();
        for actor in &self.scenario.actors {
            let bound = self.item_of_cast(&scope, &actor.driver.value, |problems| {
                BoundActor::read(self.scenario, actor, &scope).map_err(|problem| problems.push(problem)).ok()
            });
            alternatives.push(self.versions(bound.flatten()));
        }
        let surroundings = surroundings.flatten().unwrap_or_default();
        Casting { surroundings, alternatives, troupes: HashMap::new() }
    }

    /// One part of the work, all that it used being what the cast depends on from now on.
    fn item_of_cast<T>(
        &mut self,
        scope: &Scope<'_>,
        text: &str,
        work: impl FnOnce(&mut Vec<Problem>) -> T,
    ) -> Option<T> {
        let (result, touched) = self.item(scope, text, work);
        // Values that were joined to the name of another parameter.
        if touched.iter().any(|param| !self.needs.cast.contains(param)) {
            self.needs.cast = (0..self.params.len()).collect();
        }
        result
    }

    pub(super) fn keep(&mut self, casting: Casting<'a>) {
        // One with mistakes shows them in each combination.
        if self.problems.is_empty() {
            if self.casts.len() >= MOST_CASTS {
                self.casts.clear();
            }
            self.casts.insert(self.at(&self.needs.cast), casting);
        }
    }

    /// An actor with `@all` as one with each version.
    fn versions(&self, actor: Option<BoundActor>) -> Vec<Option<BoundActor>> {
        match (actor, self.machine) {
            (Some(actor), Some(machine)) if actor.spec.version == Version::All => {
                let versions = all_versions(&actor.spec.driver, &machine);
                match versions.is_empty() {
                    true => vec![Some(actor)],
                    false => versions.iter().map(|version| Some(actor.with_version(version))).collect(),
                }
            }
            (actor, _) => vec![actor],
        }
    }

    /// Everything that the cast alone decides.
    pub(super) fn bound(&mut self, actors: Vec<Option<BoundActor>>, surroundings: Surroundings) -> Bound<'a> {
        let scenario = self.scenario;
        let mut runtimes = Vec::new();
        for (declared, actor) in scenario.actors.iter().zip(&actors) {
            let Some(program) = &declared.program else {
                runtimes
                    .push(self.machine.and_then(|machine| Some(actor.as_ref()?.runtime(scenario, &machine))));
                continue;
            };
            let words = program.texts().map(|(text, _)| text.value.as_str());
            self.used.extend(words.flat_map(|text| mentioned(&scenario.params, text)));
            let scope = self.scope().in_setting(&surroundings.setting);
            let filled = self.item_of_cast(&scope, program.name(), |problems| {
                program.filled(&declared.name.value, &scope).map_err(|problem| problems.push(problem)).ok()
            });
            let run = filled.flatten().zip(self.machine);
            let runtime = run.map(|(filled, machine)| {
                program.runtime(filled, &scenario.channels, &surroundings, &machine)
            });
            runtimes.push(runtime);
        }
        let cast = scenario.actors.iter().zip(&actors).zip(&runtimes);
        let names = cast.map(|((declared, actor), runtime)| ScopeActor {
            name: &declared.name.value,
            driver: actor.as_ref().map_or_else(String::new, |actor| actor.spec.driver.clone()),
            info: actor.as_ref().and_then(|actor| actor.info),
            sizes: runtime.as_ref().and_then(|runtime| Some(runtime.as_ref().ok()?.symbols.clone())),
        });
        let names: Arc<[ScopeActor<'_>]> = names.collect();
        let scope = self.scope().with_actors(&names, &scenario.declared.actors);
        let mut modes = Vec::new();
        for (declared, actor) in scenario.actors.iter().zip(&actors) {
            let words = self.item_of_cast(&scope, &declared.driver.value, |problems| {
                actor.as_ref()?.mode_words(&scope).map_err(|problem| problems.push(problem)).ok()
            });
            modes.push(words.flatten().unwrap_or_default());
        }
        let cast = actors.iter().zip(runtimes).zip(modes);
        let cast: Option<Vec<Cast>> = cast
            .map(|((actor, runtime), mode)| Some(Cast { actor: actor.clone()?, runtime: runtime?, mode }))
            .collect();
        let lines = scenario.script.as_ref().map_or(0, |script| script.lines.len());
        Bound {
            troupe: Troupe::new(scenario, actors, cast, surroundings),
            names,
            untold: scope.untold.take(),
            lines: Vec::from_iter((0..lines).map(|_| None)),
            expect: None,
            counts: Vec::from_iter(self.needs.counts.iter().map(|_| None)),
            channels: None,
        }
    }
}
