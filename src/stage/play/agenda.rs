//! Which step comes next.
//!
//! 1. The next one in the plan's order, if its actor can take it.
//! 2. If it can't, and its block leaves the order open: the first of the block's other steps whose
//!    actor can, each actor's own in their order.
//! 3. If there is none, nothing comes next: the case is stuck.

use std::ops::Range;

use crate::stage::{Plan, PlannedStep};

/// The steps that are still to be given.
pub(in crate::stage) struct Agenda {
    /// All, in their order.
    steps: Vec<usize>,
    /// So many have been given.
    given: usize,
}

impl Agenda {
    pub(super) fn of(plan: &Plan) -> Agenda {
        let as_they_stand = || (0..plan.steps.len()).collect();
        let order = &plan.order.steps;
        Agenda { steps: if order.is_empty() { as_they_stand() } else { order.clone() }, given: 0 }
    }

    /// Those that haven't been given, as they would come.
    pub fn left(&self) -> &[usize] {
        &self.steps[self.given..]
    }

    /// The steps (indices of `left`) that come next as things are, one line of the script;
    /// `None` if nobody can take a step.
    pub(super) fn first(&self, plan: &Plan, can_take: impl Fn(&PlannedStep) -> bool) -> Option<Range<usize>> {
        let left = self.left();
        let block = plan.order.together.iter().find(|block| block.contains(&left[0]));
        let others = block.map_or(1, |block| left.iter().take_while(|step| block.contains(step)).count());
        let mut passed = Vec::new();
        let first = (0..others).find(|&at| {
            let step = &plan.steps[left[at]];
            let own_turn = !passed.contains(&step.actor);
            passed.push(step.actor);
            own_turn && can_take(step)
        })?;
        let joined = |index: &&usize| plan.steps[**index].joined;
        Some(first..first + 1 + left[first + 1..].iter().take_while(joined).count())
    }

    /// Moves these steps of `left` to its front, and gives the first one.
    pub(super) fn bring(&mut self, steps: Range<usize>) -> usize {
        self.steps[self.given..self.given + steps.end].rotate_right(steps.len());
        self.steps[self.given]
    }

    /// So many have been given.
    pub(super) fn done(&mut self, count: usize) {
        self.given += count;
    }
}
