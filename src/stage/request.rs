//! Cases on their way to a stage: of each, what isn't as in the case before.

use std::{io, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Launch, Order, Plan, PlannedActor, PlannedChannel, PlannedStep};
use crate::setting::Setting;

/// A case. `None`: as in the one before.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Request {
    /// Launches that weren't sent before; each gets the next number. (A driver's
    /// source is longer than all the rest.)
    launches: Vec<Arc<Launch>>,
    channels: Option<Arc<Vec<PlannedChannel>>>,
    /// Their launches left out, and the number of each one's.
    actors: Option<(Vec<PlannedActor>, Vec<usize>)>,
    steps: Vec<Option<Arc<PlannedStep>>>,
    order: Option<Order>,
    setting: Option<Arc<Setting>>,
}

/// The runner's side: what a stage knows by now.
#[derive(Debug, Default)]
pub(super) struct Sent {
    launches: Vec<Arc<Launch>>,
    last: Option<Plan>,
}

impl Sent {
    /// What a stage is sent of a plan.
    pub(super) fn request(&mut self, plan: &Plan) -> Request {
        let mut request = Request::default();
        let last = self.last.take();
        let last = last.as_ref();
        if last.is_none_or(|last| !Arc::ptr_eq(&last.channels, &plan.channels)) {
            request.channels = Some(plan.channels.clone());
        }
        if last.is_none_or(|last| !Arc::ptr_eq(&last.actors, &plan.actors)) {
            request.actors = Some(self.actors(plan, &mut request.launches));
        }
        let known = |at: usize| last.and_then(|last| last.steps.get(at));
        let new = |(at, step): (usize, &Arc<PlannedStep>)| {
            let is_known = known(at).is_some_and(|known| Arc::ptr_eq(known, step));
            (!is_known).then(|| step.clone())
        };
        request.steps = plan.steps.iter().enumerate().map(new).collect();
        request.order = last.is_none_or(|last| last.order != plan.order).then(|| plan.order.clone());
        if last.is_none_or(|last| !Arc::ptr_eq(&last.setting, &plan.setting)) {
            request.setting = Some(plan.setting.clone());
        }
        self.last = Some(plan.clone());
        request
    }

    fn actors(&mut self, plan: &Plan, new: &mut Vec<Arc<Launch>>) -> (Vec<PlannedActor>, Vec<usize>) {
        let nothing: Arc<Launch> = Launch::BuiltIn(String::new()).into();
        let one = |actor: &PlannedActor| {
            let same = |known: &Arc<Launch>| Arc::ptr_eq(known, &actor.launch) || *known == actor.launch;
            let number = self.launches.iter().position(same).unwrap_or_else(|| {
                self.launches.push(actor.launch.clone());
                new.push(actor.launch.clone());
                self.launches.len() - 1
            });
            (PlannedActor { launch: nothing.clone(), ..actor.clone() }, number)
        };
        plan.actors.iter().map(one).unzip()
    }
}

/// The stage's side: what it was sent.
#[derive(Default)]
pub(super) struct Received {
    launches: Vec<Arc<Launch>>,
    plan: Option<Plan>,
}

impl Received {
    /// The plan of which this is what is new.
    ///
    /// # Errors
    /// It leaves out what was never sent.
    pub(super) fn plan(&mut self, request: Request) -> io::Result<&Plan> {
        let unsent = || io::Error::other("a case leaves out what was never sent");
        self.launches.extend(request.launches);
        let last = self.plan.take();
        let last = last.as_ref();
        let actors = match request.actors {
            Some((mut actors, numbers)) => {
                for (actor, number) in actors.iter_mut().zip(numbers) {
                    actor.launch = self.launches.get(number).ok_or_else(unsent)?.clone();
                }
                Some(Arc::new(actors))
            }
            None => last.map(|last| last.actors.clone()),
        };
        let mut steps = last.map_or_else(Vec::new, |last| last.steps.clone());
        steps.truncate(request.steps.len());
        for (at, new) in request.steps.into_iter().enumerate() {
            match (new, steps.get_mut(at)) {
                (Some(new), Some(known)) => *known = new,
                (Some(new), None) => steps.push(new),
                (None, Some(_)) => {}
                (None, None) => return Err(unsent()),
            }
        }
        let plan = Plan {
            channels: request
                .channels
                .or_else(|| last.map(|last| last.channels.clone()))
                .ok_or_else(unsent)?,
            actors: actors.ok_or_else(unsent)?,
            steps,
            order: request.order.or_else(|| last.map(|last| last.order.clone())).ok_or_else(unsent)?,
            setting: request.setting.or_else(|| last.map(|last| last.setting.clone())).ok_or_else(unsent)?,
        };
        Ok(self.plan.insert(plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        channel::Kind,
        outcome::{Access, Action},
        setting::Sigpipe,
        stage::Condition,
    };

    fn step(action: Action) -> Arc<PlannedStep> {
        let condition = Condition::Always;
        PlannedStep { actor: 0, action, condition, attempts: 1, joined: false }.into()
    }

    fn plan() -> Plan {
        let launch = Launch::BuiltIn("raw".into()).into();
        let actor = PlannedActor { name: "one".into(), launch, mode: vec![], ignores_sigpipe: false };
        let open = Action::Open { channel: 0, access: Access::Read, nonblock: true };
        Plan {
            channels: vec![PlannedChannel::declared("log", Kind::Fifo)].into(),
            actors: vec![actor].into(),
            steps: vec![step(open), step(Action::Close { channel: 0 })],
            order: Order::default(),
            setting: Setting::default().into(),
        }
    }

    /// Sends plans as they are encoded. How many bytes each took.
    fn sent(plans: &[Plan]) -> Vec<usize> {
        let (mut runner, mut stage) = (Sent::default(), Received::default());
        let one = |plan: &Plan| {
            let bytes = postcard::to_stdvec(&runner.request(plan)).unwrap();
            assert_eq!(stage.plan(postcard::from_bytes(&bytes).unwrap()).unwrap(), plan);
            bytes.len()
        };
        plans.iter().map(one).collect()
    }

    #[test]
    fn whatever_changes_arrives() {
        let first = plan();
        let mut plans = vec![first.clone()];
        let mut change = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plans[plans.len() - 1].clone();
            change(&mut plan);
            plans.push(plan);
        };
        change(&|plan| Arc::make_mut(&mut plan.channels)[0].name = "other".into());
        change(&|plan| plan.steps[1] = step(Action::Sleep));
        change(&|plan| plan.steps.push(step(Action::Spin)));
        change(&|plan| plan.steps.truncate(1));
        change(&|plan| Arc::make_mut(&mut plan.actors)[0].mode.push("line".into()));
        change(&|plan| Arc::make_mut(&mut plan.actors)[0].launch = Launch::BuiltIn("stdio".into()).into());
        change(&|plan| Arc::make_mut(&mut plan.setting).sigpipe = Sigpipe::Ignore);
        change(&|plan| plan.order.steps = vec![0]);
        change(&|plan| *plan = first.clone());
        sent(&plans);
    }

    #[test]
    fn what_stays_isnt_sent_again() {
        let plan = plan();
        let other = Plan { steps: vec![plan.steps[0].clone(), step(Action::Sleep)], ..plan.clone() };
        let sizes = sent(&[plan.clone(), plan.clone(), other]);
        assert!(sizes[1] < 10 && sizes[2] < 20 && sizes[0] > 30, "{sizes:?} bytes");
    }

    #[test]
    fn what_was_never_sent_is_an_error() {
        assert!(Received::default().plan(Request::default()).is_err());
        let plan = plan();
        let mut stage = Received::default();
        stage.plan(Sent::default().request(&plan)).unwrap();
        assert!(stage.plan(Request { steps: vec![None; 3], ..Request::default() }).is_err());
    }
}
