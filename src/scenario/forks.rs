//! Actors that a step `fork` makes: each is made once, before its own steps.

use super::{
    actor::BoundActor,
    ends::Sure,
    holdings::{Hold, Holdings, Process, succeeds},
    problem::Problem,
    script::Step,
};
use crate::{driver::FORK, outcome::Called};

impl BoundActor {
    /// A step makes its process.
    pub(super) fn is_made_by_step(&self) -> bool {
        self.info.is_some_and(|info| info.name == "raw") && self.mode.is_some_and(|mode| mode.name == FORK)
    }
}

impl<'a> Holdings<'a> {
    /// The step makes another actor.
    pub fn fork(&mut self, step: &'a Step, called: &'a Called, problems: &mut Vec<Problem>) {
        let Some(name) = called.actor() else { return };
        let Some(child) = self.scenario.actors.iter().position(|actor| actor.name.value == name) else {
            return;
        };
        let place = step.place_of(name);
        match (self.processes[child], succeeds(step)) {
            (Process::Runs, _) => problems.push(
                Problem::new("fork", format!("`{name}` can't be forked: it has a process of its own"))
                    .at_place(place, "not made by a step")
                    .at(self.scenario.actors[child].driver.span.clone(), "declared here")
                    .help(format!("declare it as `{name} = \"raw:{FORK}\"`")),
            ),
            (Process::Forked(first), _) => problems.push(
                Problem::new("fork", format!("`{name}` is forked twice"))
                    .at_place(place, "again")
                    .at(first.whole.span.clone(), "first here")
                    .help("an actor is one process: declare another for this one"),
            ),
            (_, Sure::No) => {}
            (Process::Unforked, sure) => {
                self.held[child] = self.held[step.actor].clone();
                self.processes[child] = match sure {
                    Sure::Yes => Process::Forked(step),
                    _ => Process::Perhaps,
                };
            }
            // A copy of this one or of that one.
            (Process::Perhaps, _) => {
                let names = self.held[step.actor].keys().chain(self.held[child].keys());
                self.held[child] = names.map(|name| (*name, Hold::Perhaps)).collect();
            }
        }
    }

    /// The step's actor has a process.
    pub fn is_there(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        let name = self.name(step.actor);
        if matches!(self.processes[step.actor], Process::Unforked) && self.reported.insert((step.actor, name))
        {
            problems.push(
                Problem::new("unforked", format!("`{name}` isn't there before a step forks it"))
                    .at_place(&step.whole, "no process has this part yet")
                    .at(self.scenario.actors[step.actor].driver.span.clone(), "declared here")
                    .help(format!("write `ACTOR {FORK} {name}` above, of an actor that holds what it needs")),
            );
        }
    }

    /// No step forks an actor that is declared to be: its own steps have told of it, if
    /// it has any.
    pub fn never_forked(&self, steps: &[&Step], problems: &mut Vec<Problem>) {
        let lines = self.scenario.script.iter().flat_map(|script| &script.lines);
        for (actor, process) in self.processes.iter().enumerate() {
            let name = self.name(actor);
            let written =
                |text: &str| text.split(' ').collect::<Vec<_>>().windows(2).any(|pair| pair == [FORK, name]);
            let has_steps = steps.iter().any(|step| step.actor == actor);
            // A case may leave the line out, and all of its steps.
            if matches!(process, Process::Unforked)
                && !has_steps
                && !lines.clone().any(|line| written(&line.text))
            {
                problems.push(
                    Problem::new("unforked", format!("no step forks `{name}`"))
                        .at(self.scenario.actors[actor].driver.span.clone(), "a copy of another actor")
                        .help(format!("write `ACTOR {FORK} {name}` into the script, or leave it out")),
                );
            }
        }
    }
}
