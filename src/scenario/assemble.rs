//! Puts the parts of a case together once nothing is wrong with them.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Scenario,
    actor::BoundActor,
    case::{Case, CaseActor, CaseExpect, CaseStep, Skip},
    holes::mentioned,
    place::Text,
    setting::Surroundings,
};
use crate::{
    channel::Kind,
    driver::{Runtime, SPAWNS, Version},
    explore::orders::Orders,
    outcome::Action,
    setting::{Setting, privilege},
    stage::{Launch, Order, Plan, PlannedActor, PlannedChannel},
};

/// An actor and what plays it.
pub(super) struct Cast {
    pub actor: BoundActor,
    pub runtime: Result<Runtime, Skip>,
    pub mode: Vec<String>,
}

/// The actors of a case, in the order of the scenario's, and what is made of them
/// alone.
pub(super) struct Troupe {
    actors: Vec<Option<BoundActor>>,
    /// `None` if one is at fault, or without a machine.
    cast: Option<Vec<Cast>>,
    surroundings: Surroundings,
    planned: Arc<Vec<PlannedActor>>,
    in_case: Arc<[CaseActor]>,
    snapshot_key: Arc<str>,
}

impl Troupe {
    pub fn new(
        scenario: &Scenario,
        actors: Vec<Option<BoundActor>>,
        cast: Option<Vec<Cast>>,
        surroundings: Surroundings,
    ) -> Troupe {
        let names = || scenario.actors.iter().map(|actor| actor.name.value.clone());
        let known = cast.as_deref().unwrap_or_default();
        let in_case = names().zip(known).map(|(name, cast)| CaseActor {
            name,
            spec: cast.actor.spec.clone(),
            runtime: cast.runtime.as_ref().ok().cloned(),
        });
        let planned = names().zip(known).filter_map(|(name, cast)| {
            let spawns = scenario.actors.iter().any(|child| child.by().is_some_and(|by| by.value == name));
            let mut mode = cast.mode.clone();
            mode.extend(spawns.then(|| SPAWNS.to_owned()));
            Some(PlannedActor {
                name,
                launch: cast.runtime.as_ref().ok()?.launch.clone(),
                mode,
                ignores_sigpipe: cast.actor.info.is_some_and(|info| info.ignores_sigpipe),
            })
        });
        Troupe {
            planned: Arc::new(planned.collect()),
            in_case: in_case.collect(),
            snapshot_key: snapshot_key(known).into(),
            actors,
            cast,
            surroundings,
        }
    }

    /// It makes no case.
    pub fn is_incomplete(&self) -> bool {
        self.cast.is_none()
    }

    /// `None` where the actor's spec was at fault.
    pub fn actors(&self) -> &[Option<BoundActor>] {
        &self.actors
    }

    pub fn setting(&self) -> &Setting {
        &self.surroundings.setting
    }

    fn cast(&self) -> &[Cast] {
        self.cast.as_deref().unwrap_or_default()
    }
}

/// A runtime that is missing goes by the name that its key would have.
fn snapshot_key(cast: &[Cast]) -> String {
    let keys: BTreeSet<String> = cast
        .iter()
        .filter_map(|cast| match (&cast.runtime, &cast.actor.spec.version) {
            (Ok(runtime), _) => runtime.snapshot_key.clone(),
            (Err(_), Version::Named(version)) => Some(format!("{}-{version}", cast.actor.spec.driver)),
            (Err(_), _) => Some(cast.actor.spec.driver.clone()),
        })
        .collect();
    if keys.is_empty() { "raw".to_owned() } else { Vec::from_iter(keys).join("+") }
}

/// The bound parts of a case.
pub(super) struct Parts<'a> {
    pub scenario: &'a Scenario,
    pub params: &'a [(&'a str, &'a Text)],
    pub troupe: &'a Troupe,
    pub steps: Vec<Arc<CaseStep>>,
    pub expect: Arc<CaseExpect>,
    /// The orders that it leaves open.
    pub orders: Option<Arc<Orders>>,
    /// The channels of the case before, if these steps make the same ones.
    pub channels: &'a mut Option<Arc<Vec<PlannedChannel>>>,
    /// A size that the case needs and no runtime tells.
    pub untold: Option<String>,
    /// The largest pipe that this machine gives (bytes).
    pub largest_pipe: u64,
}

impl Parts<'_> {
    /// Why the case can't be played here, if it can't.
    pub fn skip(&self) -> Option<Skip> {
        let missing = self.troupe.cast().iter().find_map(|cast| cast.runtime.as_ref().err().cloned());
        let untold = || {
            self.untold.as_ref().map(|untold| Skip {
                reason: format!("the runtime here tells no size `{untold}`"),
                remedy: "use a size that every runtime of the scenario tells".to_owned(),
            })
        };
        let refused = || {
            self.steps.iter().find_map(|step| {
                let Action::Call(called) = &step.planned.action else { return None };
                let (reason, remedy) = privilege::missing(called)?;
                Some(Skip { reason, remedy })
            })
        };
        let unnamed = || self.troupe.surroundings.missing.clone();
        missing
            .or_else(untold)
            .or_else(unnamed)
            .or_else(|| self.lacking())
            .or_else(refused)
            .or_else(|| self.too_large())
    }

    /// What this user can't give the actors.
    fn lacking(&self) -> Option<Skip> {
        let setting = self.troupe.setting();
        let programs = self.troupe.planned.iter().filter_map(|actor| match &*actor.launch {
            Launch::Program { command, .. } => command.first(),
            // This binary was reached, and what a step puts into the case's folder will be.
            Launch::Command(command) => {
                Some(&command.path).filter(|path| path.starts_with('/') && !path.starts_with("/proc/"))
            }
            Launch::Child(child) => child.words.first(),
            Launch::BuiltIn(_) => None,
        });
        let (reason, remedy) = privilege::lacking(setting)
            .or_else(|| programs.into_iter().find_map(|program| privilege::unreachable(setting, program)))?;
        Some(Skip { reason, remedy })
    }

    /// A pipe that this user can't have.
    fn too_large(&self) -> Option<Skip> {
        let wanted = self.troupe.surroundings.capacities.iter().flatten();
        let wanted = wanted.copied().find(|bytes| *bytes > self.largest_pipe)?;
        Some(Skip {
            reason: format!("a pipe of {wanted} bytes, where {} are the most", self.largest_pipe),
            remedy: "run it with CAP_SYS_RESOURCE, or raise /proc/sys/fs/pipe-max-size".to_owned(),
        })
    }

    /// The case; skipped if a runtime is missing.
    pub fn assemble(self) -> Case {
        let cast = self.troupe.cast();
        let mut params = self.own_params();
        let missing: Vec<usize> = (0..cast.len()).filter(|index| cast[*index].runtime.is_err()).collect();
        if !missing.is_empty() {
            let about = self.params_of(&missing);
            params.retain(|(name, _)| about.contains(name));
        }
        let skip = self.skip();
        let channels = self.channels.take().unwrap_or_else(|| self.new_channels().into());
        *self.channels = Some(channels.clone());
        let mut plan = Plan {
            channels,
            actors: Arc::default(),
            steps: Vec::new(),
            order: Order::default(),
            setting: self.troupe.surroundings.setting.clone(),
        };
        if skip.is_none() {
            plan.actors = self.troupe.planned.clone();
            plan.steps = self.steps.iter().map(|step| step.planned.clone()).collect();
            plan.order.together = self.orders.iter().flat_map(|orders| orders.together()).collect();
        }
        Case {
            params,
            actors: self.troupe.in_case.clone(),
            plan,
            orders: self.orders.filter(|_| skip.is_none()),
            skip,
            snapshot_key: self.troupe.snapshot_key.clone(),
            steps: self.steps,
            expect: self.expect,
            snapshot: self.scenario.snapshot,
        }
    }

    /// The declared channels, and the handles, each of the kind that the first call that makes
    /// it gives.
    fn new_channels(&self) -> Vec<PlannedChannel> {
        let declared = self.scenario.channels.len();
        let capacities = &self.troupe.surroundings.capacities;
        let channels = self.scenario.all_channels().enumerate().map(|(at, channel)| PlannedChannel {
            declared: at < declared && channel.child.is_none(),
            child: channel.child.as_ref().and_then(|(child, stream)| {
                let actors = &self.scenario.actors;
                Some((actors.iter().position(|actor| actor.name.value == *child)?, *stream))
            }),
            capacity: capacities.get(at).copied().flatten(),
            ..PlannedChannel::declared(&channel.name.value, channel.kind)
        });
        let mut channels: Vec<PlannedChannel> = channels.collect();
        for step in &self.steps {
            let Action::Call(called) = &step.planned.action else { continue };
            for name in called.makes() {
                let kind_of = |name: &str| Some(channels.iter().find(|channel| channel.name == name)?.kind);
                let kind = Kind::made_by(called, kind_of);
                let mut made = channels.iter_mut().filter(|channel| channel.name == name);
                if let Some(channel) = made.find(|channel| channel.kind == Kind::Other) {
                    channel.kind = kind;
                }
            }
        }
        channels
    }

    /// The parameters, then the actors whose version makes the case.
    fn own_params(&self) -> Vec<(String, String)> {
        let mut params: Vec<(String, String)> =
            self.params.iter().map(|(name, text)| ((*name).to_owned(), text.value.clone())).collect();
        for (index, cast) in
            self.troupe.cast().iter().enumerate().filter(|(_, cast)| cast.actor.every_version)
        {
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
            if self.troupe.cast()[index].actor.every_version {
                names.insert(self.actor_param(index));
            }
            let mentioned = mentioned(&self.scenario.params, &self.scenario.actors[index].driver.value);
            names.extend(mentioned.into_iter().map(|param| self.scenario.params[param].name.value.clone()));
        }
        names
    }
}
