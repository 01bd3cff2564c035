//! Actors that a step makes, `fork` or `thread`: each is made once, before its own steps.

use super::{
    actor::BoundActor,
    ends::Sure,
    holdings::{Hold, Holdings, Process, succeeds},
    problem::Problem,
    script::Step,
    suggest::listed,
    words,
};
use crate::{
    driver::{FORK, THREAD},
    outcome::Called,
};

impl BoundActor {
    /// The step that makes it, if one does.
    pub(super) fn made_by(&self) -> Option<&'static str> {
        let mode = self.info.and(self.mode)?;
        [FORK, THREAD].into_iter().find(|step| *step == mode.name)
    }
}

/// What a step is said to do to the actor that it makes.
fn does(step: &str) -> &'static str {
    if step == FORK { "forks" } else { "starts" }
}

fn done(step: &str) -> &'static str {
    if step == FORK { "forked" } else { "started" }
}

impl<'a> Holdings<'a> {
    /// The step makes another actor.
    pub fn make_actor(&mut self, step: &'a Step, called: &'a Called, problems: &mut Vec<Problem>) {
        let Some(name) = called.actor() else { return };
        let Some(child) = self.scenario.actors.iter().position(|actor| actor.name.value == name) else {
            return;
        };
        let (place, verb) = (step.place_of(name), called.call.name());
        let driver = self.drivers[step.actor];
        let declared = self.scenario.actors[child].driver.span.clone();
        match (self.processes[child], succeeds(step)) {
            (Process::Runs, _) => {
                let what = if verb == FORK { "be forked" } else { "be a thread" };
                problems.push(
                    Problem::new("fork", format!("`{name}` can't {what}: it has a process of its own"))
                        .at_place(place, "not made by a step")
                        .at(declared, "declared here")
                        .help(format!("declare it as `{name} = \"{driver}:{verb}\"`")),
                );
            }
            _ if self.made_by[child] != Some(verb) => {
                let other = self.made_by[child].unwrap_or(FORK);
                problems.push(
                    Problem::new("fork", format!("`{name}` isn't a `{verb}`: a step `{other}` makes it"))
                        .at_place(place, "not made by this step")
                        .at(declared, "declared here")
                        .help(format!(
                            "declare it as `{name} = \"{driver}:{verb}\"`, or write `{} {other} {name}`",
                            self.name(step.actor)
                        )),
                );
            }
            _ if self.drivers[child] != driver => {
                problems.push(
                    Problem::new("fork", format!("`{name}` can't be a copy: it is to run another driver"))
                        .at_place(place, format!("a copy of this one runs `{driver}`"))
                        .at(declared, "declared here")
                        .help(format!("declare it as `{name} = \"{driver}:{verb}\"`")),
                );
            }
            (Process::Forked(first), _) => {
                let one = if verb == FORK { "process" } else { "thread" };
                problems.push(
                    Problem::new("fork", format!("`{name}` is {} twice", done(verb)))
                        .at_place(place, "again")
                        .at(first.whole.span.clone(), "first here")
                        .help(format!("an actor is one {one}: declare another for this one")),
                );
            }
            (_, Sure::No) => {}
            (Process::Unforked, sure) => {
                match (verb == THREAD, sure) {
                    (true, Sure::Yes) => self.tables[child] = self.tables[step.actor],
                    (true, _) => self.perhaps_share(step.actor, child),
                    (false, _) => self.held[child] = self.held(step.actor).clone(),
                }
                self.processes[child] = match sure {
                    Sure::Yes => Process::Forked(step),
                    _ => Process::Perhaps,
                };
            }
            (Process::Perhaps, _) if verb == THREAD => self.perhaps_share(step.actor, child),
            // A copy of this one or of that one.
            (Process::Perhaps, _) => {
                let names = self.held(step.actor).keys().chain(self.held[child].keys());
                self.held[child] = names.map(|name| (*name, Hold::Perhaps)).collect();
            }
        }
    }

    /// A thread of this process or of another one: nothing is said of either any more.
    fn perhaps_share(&mut self, maker: usize, child: usize) {
        let (one, other) = (self.tables[maker], self.tables[child]);
        let names = self.held[one].keys().chain(self.held[other].keys());
        self.held[one] = names.map(|name| (*name, Hold::Perhaps)).collect();
        self.tables.iter_mut().filter(|table| **table == other).for_each(|table| *table = one);
    }

    /// The actor replaces its program, and which handles are left then isn't known.
    pub fn exec(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        let others = (0..self.tables.len()).filter(|&other| other != step.actor);
        let sharing = others.filter(|&other| {
            let surely = !matches!(self.processes[other], Process::Perhaps);
            surely && self.tables[other] == self.tables[step.actor]
        });
        let names: Vec<String> = sharing.map(|other| self.name(other).to_owned()).collect();
        if !names.is_empty() {
            let name = self.name(step.actor);
            problems.push(
                Problem::new("exec", format!("`{name}` can't be replaced: it would end {}", listed(&names)))
                    .at_place(&step.verb_place, "in a process with several threads")
                    .help("let a process of one thread do this, as a `fork` of this one is"),
            );
        }
        self.held[self.tables[step.actor]].values_mut().for_each(|hold| *hold = Hold::Perhaps);
    }

    /// The step's actor has a process.
    pub fn is_there(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        let name = self.name(step.actor);
        if matches!(self.processes[step.actor], Process::Unforked) && self.reported.insert((step.actor, name))
        {
            let verb = self.made_by[step.actor].unwrap_or(FORK);
            let maker =
                if verb == FORK { "that holds what it needs" } else { "whose process it is to be part of" };
            problems.push(
                Problem::new("unforked", format!("`{name}` isn't there before a step {} it", does(verb)))
                    .at_place(&step.whole, "no process has this part yet")
                    .at(self.scenario.actors[step.actor].driver.span.clone(), "declared here")
                    .help(format!("write `ACTOR {verb} {name}` above, of an actor {maker}")),
            );
        }
    }

    /// No step makes an actor that is declared to be made: its own steps have told of it, if
    /// it has any.
    pub fn never_forked(&self, steps: &[&Step], problems: &mut Vec<Problem>) {
        let lines = self.scenario.script.iter().flat_map(|script| &script.lines);
        for (actor, process) in self.processes.iter().enumerate() {
            let (name, verb) = (self.name(actor), self.made_by[actor].unwrap_or(FORK));
            let written = |text: &str| {
                let words = words::written(text, 0..text.len());
                words.windows(2).any(|pair| [&text[pair[0].clone()], &text[pair[1].clone()]] == [verb, name])
            };
            let has_steps = steps.iter().any(|step| step.actor == actor);
            // A case may leave the line out, and all of its steps.
            if matches!(process, Process::Unforked)
                && !has_steps
                && !lines.clone().any(|line| written(&line.text))
            {
                let what =
                    if verb == FORK { "a copy of another actor" } else { "a thread of another actor's" };
                problems.push(
                    Problem::new("unforked", format!("no step {} `{name}`", does(verb)))
                        .at(self.scenario.actors[actor].driver.span.clone(), what)
                        .help(format!("write `ACTOR {verb} {name}` into the script, or leave it out")),
                );
            }
        }
    }
}
