//! The orders that a case leaves open, and what can't stand in a block of them.

use std::sync::Arc;

use super::{
    bind::Binder,
    casting::{Bound, BoundLine},
    parts::Together,
    problem::Problem,
    script::{Parsed, Step},
};
use crate::{
    explore::orders::{Block, Line, Orders},
    outcome::{Action, Verb},
};

/// So many orders of a case are played unless somebody says another number.
const USUAL_ORDERS: usize = 1_000;

impl Binder<'_> {
    /// The open orders of a case whose lines were read; `None` if its script leaves none open.
    pub(super) fn orders(&mut self, bound: &Bound<'_>, check: bool) -> Option<Arc<Orders>> {
        let script = self.scenario.script.as_ref().filter(|script| !script.together.is_empty())?;
        let lines: Vec<&BoundLine> = bound.lines.iter().flatten().collect();
        if lines.len() != script.lines.len() {
            // Some are at fault.
            return None;
        }
        if check {
            let made = script.together.iter().filter_map(|block| self.made_within(block, &lines));
            let made: Vec<Problem> = made.collect();
            self.problems.extend(made.into_iter().map(|problem| (problem, Default::default())));
        }
        let (most, seed) = self.machine.map_or((None, 0), |machine| machine.orders);
        let most = most.or(self.scenario.orders);
        let mut steps = 0;
        let starts: Vec<usize> = lines
            .iter()
            .map(|line| {
                steps += line.steps.len();
                steps - line.steps.len()
            })
            .collect();
        let line = |at: usize| {
            let own = &lines[at].steps;
            let actor = own.first()?.planned.actor;
            Some(Line { actor, steps: starts[at]..starts[at] + own.len() })
        };
        let blocks = script
            .together
            .iter()
            .map(|block| Block { lines: block.lines.clone().filter_map(line).collect() });
        let blocks = blocks.filter(|block| !block.lines.is_empty()).collect();
        let orders = Orders::new(steps, blocks, most.unwrap_or(USUAL_ORDERS), seed);
        let count = orders.count();
        // How many there are may hang on a size that only a machine knows.
        if check
            && self.machine.is_some()
            && most.is_none()
            && count.is_none_or(|it| it > USUAL_ORDERS as u128)
        {
            let problem = too_many(&script.together, count);
            self.problems.push((problem, Default::default()));
        }
        Some(Arc::new(orders))
    }

    /// A step of the block makes an actor that has steps in it too: it can't take them before.
    fn made_within(&self, block: &Together, lines: &[&BoundLine]) -> Option<Problem> {
        let steps = |line: &usize| match &lines[*line].parsed {
            Parsed::Steps(steps) => steps.as_slice(),
            _ => &[],
        };
        let all = || block.lines.clone().flat_map(|line| steps(&line).iter());
        let index = |name: &str| self.scenario.actors.iter().position(|actor| actor.name.value == name);
        let made = |step: &Step| match &step.action {
            Action::Call(called) => index(called.actor()?),
            action if action.verb() == Verb::Spawn => action.child(),
            _ => None,
        };
        let (maker, own) = all().find_map(|maker| {
            let made = made(maker)?;
            Some((maker, all().find(|step| step.actor == made)?))
        })?;
        let name = &self.scenario.actors[own.actor].name.value;
        Some(
            Problem::new("together", format!("`{name}` isn't there in some of these orders"))
                .at_place(&own.whole, "may come first")
                .at(maker.whole.span.clone(), "makes it")
                .help("put the step that makes it above the block"),
        )
    }
}

fn too_many(blocks: &[Together], count: Option<u128>) -> Problem {
    let count = count.map_or("more than 2^128".to_owned(), |count| count.to_string());
    let last = blocks.last().expect("there are orders");
    let mut problem = Problem::new("orders", format!("{count} orders, and {USUAL_ORDERS} are played unless told"))
        .at(last.span.clone(), "the steps of this block in any order")
        .help(format!(
            "`orders = {USUAL_ORDERS}`, or `--orders {USUAL_ORDERS}`, plays a sample; a greater number plays more; or take out of \
             the block what needn't be there"
        ));
    for block in &blocks[..blocks.len() - 1] {
        problem = problem.at(block.span.clone(), "times those of this one");
    }
    problem
}
