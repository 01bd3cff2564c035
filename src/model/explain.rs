//! What the model expects of a plan, step by step, without playing anything.

use super::{Machine, Model, NotModelled, Rules, Settled, Used};
use crate::stage::{Condition, Plan};

/// What the model says of one step.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Index into the plan's steps.
    pub step: usize,
    /// What may be seen once it has settled, with the rules that have a say.
    pub allowed: Vec<(Settled, Used)>,
}

/// How far the model gets with a plan.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The steps that it has something to say of, from the first on.
    pub steps: Vec<Explained>,
    /// The step that it doesn't cover, and why; nothing is said from there on.
    pub ends: Option<(usize, NotModelled)>,
}

/// Explains the steps of a plan, in their order, as far as the model covers them.
pub fn explain(plan: &Plan, machine: &Machine, rules: Rules) -> Explanation {
    let mut model = Model::of(plan, machine, rules);
    let mut explanation = Explanation { steps: Vec::new(), ends: None };
    for (step, planned) in plan.steps.iter().enumerate() {
        let in_order = !plan.order.together.iter().any(|block| block.contains(&step));
        let plain = planned.condition == Condition::Always && planned.attempts == 1 && !planned.joined;
        let allowed = match () {
            () if !in_order => Err(NotModelled("steps whose order is open aren't explained".to_owned())),
            () if !plain => {
                Err(NotModelled("a step that is conditional or repeated isn't explained".to_owned()))
            }
            () if !model.can(planned.actor, &planned.action) => {
                match model.allowed(planned.actor, &planned.action) {
                    Err(why) => Err(why),
                    Ok(_) => Err(NotModelled("its actor may still be blocked here".to_owned())),
                }
            }
            () => model.allowed(planned.actor, &planned.action),
        };
        let next = match allowed {
            Ok(allowed) => {
                let says = allowed.iter().map(|allowed| (allowed.settled.clone(), allowed.rules)).collect();
                explanation.steps.push(Explained { step, allowed: says });
                Model::union(allowed.into_iter().map(|allowed| allowed.next))
                    .ok_or_else(|| NotModelled("too much may have happened before it".to_owned()))
            }
            Err(why) => {
                explanation.ends = Some((step, why));
                return explanation;
            }
        };
        match next {
            Ok(next) => model = next,
            Err(why) => {
                explanation.ends = (step + 1 < plan.steps.len()).then_some((step + 1, why));
                return explanation;
            }
        }
    }
    explanation
}
