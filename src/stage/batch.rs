//! Which steps travel together to their actor.

use super::{Condition, play::Play};
use crate::outcome::{Action, Doer, Part as MessagePart, Verb};

/// More payload than that (bytes) doesn't travel with other steps: what its driver
/// does with it would be laid at their door.
const MOST_PAYLOAD: u64 = 1 << 20;

impl Play<'_> {
    /// How many steps from here on can travel together: the same actor's, each sure
    /// to be given whatever the one before it gave, and none but the last leaving
    /// the driver without the descriptor by which it counts.
    pub(super) fn batch_from(&self, index: usize) -> usize {
        let first = &self.plan.steps[index];
        let actor = &self.actors[first.actor];
        let order = &self.plan.order;
        // Behind a step that blocks, others of its block go first.
        if order.is_open(index)
            || !self.batches
            || !self.alone
            || !actor.abilities.counts
            || actor.ended.is_some()
        {
            return 1;
        }
        let mut count = 0;
        // Payload of the batch, and of its last message (bytes).
        let (mut payload, mut message) = (0_u64, 0);
        for (step, at) in self.plan.steps[index..].iter().zip(index..) {
            let plain = step.actor == first.actor
                && !order.is_open(at)
                && step.condition == Condition::Always
                && step.attempts <= 1
                && !step.joined;
            let verb = step.action.verb();
            // What is left of a message shows only when the step before is over.
            let rest = count > 0 && matches!(step.action, Action::Rewrite { part: MessagePart::Rest, .. });
            if let Action::Write { bytes, .. } = step.action {
                message = bytes;
            }
            if step.action.verb() == Verb::Write {
                payload = payload.saturating_add(message);
            }
            let heavy = count > 0 && payload > MOST_PAYLOAD;
            let acts = count > 0 && step.action.has_program_act();
            if !plain || rest || acts || heavy || verb.doer() == Doer::Stage || verb == Verb::Await {
                break;
            }
            count += 1;
            // The stage sizes a pipe right after its first end is there.
            let sized = verb == Verb::Open && self.plan.channels.iter().any(|it| it.capacity.is_some());
            if sized || !matches!(verb, Verb::Open | Verb::Write | Verb::Flush | Verb::Read) {
                break;
            }
        }
        // The first step of a sequence stands alone.
        match self.plan.steps.get(index + count) {
            Some(next) if next.joined => count.saturating_sub(1).max(1),
            _ => count.max(1),
        }
    }
}
