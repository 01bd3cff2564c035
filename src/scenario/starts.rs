//! Steps of a program, and the one that starts it.

use super::{check::Flow, problem::Problem, script::Step};
use crate::{outcome::Verb, stage::Condition};

impl<'a> Flow<'a> {
    /// A program is started once, and before anything is done with what runs. (A fault may
    /// stand above its start.)
    pub(super) fn start(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        let actor = &self.scenario.actors[step.actor];
        if actor.program.is_none() || actor.by().is_some() {
            return;
        }
        let name = &actor.name.value;
        let verb = step.action.verb();
        let first = self.started.get(&step.actor).copied();
        match (verb, first) {
            (Verb::Start, Some(first)) if step.condition == Condition::Always && step.decided => problems
                .push(
                    Problem::new("started", format!("`{name}` is started twice"))
                        .at_place(&step.verb_place, "again")
                        .at(first.verb_place.span.clone(), "first here")
                        .help("an actor is one process: declare another program for this one"),
                ),
            (Verb::Start, None) => drop(self.started.insert(step.actor, step)),
            (Verb::Run | Verb::Release | Verb::Kill, None)
                if !self.unsure.contains(&step.actor)
                    && self.reported.insert(("unstarted", step.actor, 0)) =>
            {
                problems.push(
                    Problem::new("unstarted", format!("`{name}` doesn't run before its step `start`"))
                        .at_place(&step.whole, "no process has this part yet")
                        .at(actor.name.span.clone(), "declared here")
                        .help(format!("write `{name} start` above")),
                );
            }
            _ => {}
        }
    }
}
