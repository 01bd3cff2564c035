//! Puts the parts of a case together once nothing is wrong with them.

use std::collections::BTreeSet;

use super::{
    Scenario,
    actor::BoundActor,
    case::{Case, CaseActor, CaseExpect, CaseStep, Skip},
    holes::mentioned,
    place::Text,
};
use crate::{
    driver::{Runtime, Version},
    setting::Setting,
    stage::{Plan, PlannedActor, PlannedChannel},
};

/// An actor and what plays it.
pub(super) struct Cast {
    pub actor: BoundActor,
    pub runtime: Result<Runtime, Skip>,
    pub mode: Vec<String>,
}

/// The bound parts of a case.
pub(super) struct Parts<'a> {
    pub scenario: &'a Scenario,
    pub params: &'a [(&'a str, &'a Text)],
    pub setting: Setting,
    /// In the order of the scenario's actors.
    pub cast: Vec<Cast>,
    pub steps: Vec<CaseStep>,
    pub expect: CaseExpect,
    /// A size that the case needs and no runtime tells.
    pub untold: Option<String>,
}

impl Parts<'_> {
    /// The case; skipped if a runtime is missing.
    pub fn assemble(self) -> Case {
        let mut params = self.own_params();
        let missing: Vec<usize> =
            (0..self.cast.len()).filter(|index| self.cast[*index].runtime.is_err()).collect();
        let mut skip = missing.first().and_then(|index| self.cast[*index].runtime.as_ref().err().cloned());
        if skip.is_some() {
            let about = self.params_of(&missing);
            params.retain(|(name, _)| about.contains(name));
        } else if let Some(untold) = &self.untold {
            skip = Some(Skip {
                reason: format!("the runtime here tells no size `{untold}`"),
                remedy: "use a size that every runtime of the scenario tells".to_owned(),
            });
        }
        let channels = self.scenario.channels.iter();
        let channels =
            channels.map(|channel| PlannedChannel { name: channel.name.value.clone(), kind: channel.kind });
        let mut plan = Plan {
            channels: channels.collect(),
            actors: Vec::new(),
            steps: Vec::new(),
            setting: self.setting.clone(),
        };
        if skip.is_none() {
            plan.actors = self.planned_actors();
            plan.steps = self.steps.iter().map(|step| step.planned.clone()).collect();
        }
        let names = self.scenario.actors.iter().map(|actor| actor.name.value.clone());
        let actors = names.zip(&self.cast).map(|(name, cast)| CaseActor {
            name,
            spec: cast.actor.spec.clone(),
            runtime: cast.runtime.as_ref().ok().cloned(),
        });
        Case {
            params,
            actors: actors.collect(),
            plan,
            skip,
            snapshot_key: self.snapshot_key(),
            steps: self.steps,
            expect: self.expect,
            snapshot: self.scenario.snapshot,
        }
    }

    /// The parameters, then the actors whose version makes the case.
    fn own_params(&self) -> Vec<(String, String)> {
        let mut params: Vec<(String, String)> =
            self.params.iter().map(|(name, text)| ((*name).to_owned(), text.value.clone())).collect();
        for (index, cast) in self.cast.iter().enumerate().filter(|(_, cast)| cast.actor.every_version) {
            params.push((self.actor_param(index), cast.actor.spec.to_string()));
        }
        params
    }

    /// How an actor is called among the parameters.
    fn actor_param(&self, index: usize) -> String {
        let name = &self.scenario.actors[index].name.value;
        let taken = self.params.iter().any(|(param, _)| param == name);
        if taken { format!("actors.{name}") } else { name.clone() }
    }

    /// The parameters that the specs of these actors depend on.
    fn params_of(&self, actors: &[usize]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for &index in actors {
            if self.cast[index].actor.every_version {
                names.insert(self.actor_param(index));
            }
            let mentioned = mentioned(&self.scenario.params, &self.scenario.actors[index].driver.value);
            names.extend(mentioned.into_iter().map(|param| self.scenario.params[param].name.value.clone()));
        }
        names
    }

    fn planned_actors(&self) -> Vec<PlannedActor> {
        let names = self.scenario.actors.iter().map(|actor| actor.name.value.clone());
        names
            .zip(&self.cast)
            .filter_map(|(name, cast)| {
                Some(PlannedActor {
                    name,
                    launch: cast.runtime.as_ref().ok()?.launch.clone(),
                    mode: cast.mode.clone(),
                    ignores_sigpipe: cast.actor.info.is_some_and(|info| info.ignores_sigpipe),
                })
            })
            .collect()
    }

    /// A runtime that is missing goes by the name that its key would have.
    fn snapshot_key(&self) -> String {
        let keys: BTreeSet<String> = self
            .cast
            .iter()
            .filter_map(|cast| match (&cast.runtime, &cast.actor.spec.version) {
                (Ok(runtime), _) => runtime.snapshot_key.clone(),
                (Err(_), Version::Named(version)) => Some(format!("{}-{version}", cast.actor.spec.driver)),
                (Err(_), _) => Some(cast.actor.spec.driver.clone()),
            })
            .collect();
        if keys.is_empty() { "raw".to_owned() } else { Vec::from_iter(keys).join("+") }
    }
}
