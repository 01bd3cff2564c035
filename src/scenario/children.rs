//! Steps about programs that an actor starts: which one, and which of its streams.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Scenario,
    check::Flow,
    problem::Problem,
    script::{LineReader, Step},
    suggest::way_out,
    template::Place,
};
use crate::{
    outcome::{Action, Verb},
    stage::{Condition, Std},
};

impl LineReader<'_, '_> {
    /// The child that the next word names: a program that this step's actor starts.
    pub(super) fn child(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<usize> {
        if rest.start == rest.end {
            self.missing(verb, "a program");
            return None;
        }
        let maker = self.words.get(0);
        let name = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        rest.start += 1;
        let scenario = self.cx.scenario;
        let declared = scenario.actors.iter().position(|actor| actor.name.value == name);
        let Some(child) = declared else {
            // What is wrong with it was said where it stands.
            if !scenario.declared.actors.iter().any(|declared| declared == name) {
                let children = scenario.actors.iter().filter(|actor| actor.by().is_some());
                let children: Vec<&str> = children.map(|actor| actor.name.value.as_str()).collect();
                let help = match children.is_empty() {
                    true => format!(
                        "declare it in [actors]: `{name} = {{ command = [\"cat\"], by = \"{maker}\", stdout = \"pipe\" }}`"
                    ),
                    false => way_out(name, "program", children),
                };
                self.problems.push(
                    Problem::new("child", format!("no program is called `{name}`"))
                        .at_place(&place, "unknown program")
                        .help(help),
                );
            }
            return None;
        };
        let actor = &scenario.actors[child];
        let (why, help) = match (&actor.program, actor.by()) {
            (None, _) => (
                format!("`{name}` isn't a program, but an actor with a driver"),
                "a child is declared with its `command`, and `by` whom it is started".to_owned(),
            ),
            (Some(_), None) => (
                format!("`{name}` is started by nobody but itself"),
                format!("declare it with `by = \"{maker}\"`, or write `{name} start`"),
            ),
            (Some(_), Some(by)) if by.value != maker => (
                format!("`{name}` is a child of `{}`", by.value),
                format!("let `{}` do this, or declare it with `by = \"{maker}\"`", by.value),
            ),
            _ => return Some(child),
        };
        let declared = actor.name.span.clone();
        self.problems.push(
            Problem::new("child", why)
                .at_place(&place, "no child of this actor")
                .at(declared, "declared here")
                .help(help),
        );
        None
    }

    /// The channel that a child's stream is.
    pub(super) fn pipe(&mut self, child: usize, stream: Std, place: &Place) -> Option<usize> {
        let name = format!("{}.{}", self.cx.scenario.actors[child].name.value, stream.name());
        let found = self.cx.scenario.channels.iter().position(|channel| channel.name.value == name);
        if found.is_none() {
            self.unpiped(&name, place);
        }
        found
    }

    /// Says so if this would be the name of a child's stream that isn't a pipe.
    pub(super) fn unpiped(&mut self, name: &str, place: &Place) -> bool {
        let Some((child, stream)) = name.split_once('.') else { return false };
        let actor = self.cx.scenario.actors.iter().find(|actor| actor.name.value == child);
        let Some(actor) = actor.filter(|actor| actor.by().is_some()) else { return false };
        let Some(stream) = Std::ALL.iter().find(|known| known.name() == stream) else {
            self.problems.push(
                Problem::new("channel", format!("`{child}` has no stream `{stream}`"))
                    .at_place(place, "unknown stream")
                    .help(way_out(stream, "stream", Std::ALL.map(Std::name))),
            );
            return true;
        };
        let stream = stream.name();
        self.problems.push(
            Problem::new("unpiped", format!("`{stream}` of `{child}` is no pipe to `{}`", self.words.get(0)))
                .at_place(place, "nobody has the other side")
                .at(actor.name.span.clone(), "declared here")
                .help(format!("declare `{child}` with `{stream} = \"pipe\"`")),
        );
        true
    }
}

/// The children of a case, as far as the script as a whole tells.
#[derive(Default)]
pub(super) struct Children<'a> {
    /// The step that starts each.
    spawned: BTreeMap<usize, &'a Step>,
}

impl<'a> Flow<'a> {
    /// A child is started once, and before anything is done with it.
    pub(super) fn child(&mut self, step: &'a Step, child: usize, problems: &mut Vec<Problem>) {
        let name = &self.scenario.actors[child].name.value;
        let sure = step.condition == Condition::Always && !step.joined && step.attempts <= 1 && step.decided;
        if let Action::Spawn { .. } = step.action {
            for (at, channel) in self.scenario.channels.iter().enumerate() {
                if channel.child.as_ref().is_some_and(|(of, _)| of == name) {
                    self.opened.insert((step.actor, at));
                }
            }
            let first = self.children.spawned.get(&child).copied();
            if let Some(first) = first.filter(|_| sure) {
                problems.push(
                    Problem::new("spawned", format!("`{name}` is started twice"))
                        .at_place(&step.whole, "again")
                        .at(first.whole.span.clone(), "first here")
                        .help("an actor is one process: declare another program for this one"),
                );
            }
            self.children.spawned.entry(child).or_insert(step);
        } else {
            self.is_spawned(step, child, problems);
        }
    }

    /// The step is about a program that a step before it starts.
    pub(super) fn is_spawned(&mut self, step: &'a Step, child: usize, problems: &mut Vec<Problem>) {
        let Some(by) = self.scenario.actors[child].by() else { return };
        let maker = self.scenario.actors.iter().position(|actor| actor.name.value == by.value);
        let known = self.children.spawned.contains_key(&child)
            || maker.is_none_or(|maker| self.unsure.contains(&maker));
        if known || !self.reported.insert(("spawned", child, 0)) {
            return;
        }
        let name = &self.scenario.actors[child].name.value;
        problems.push(
            Problem::new("unspawned", format!("`{name}` isn't there before `{}` starts it", by.value))
                .at_place(&step.whole, "no process has this part yet")
                .at(self.scenario.actors[child].name.span.clone(), "declared here")
                .help(format!("write `{} spawn {name}` above", by.value)),
        );
    }
}

/// Who starts a program is an actor with steps.
pub(super) fn check_makers(scenario: &Scenario, problems: &mut Vec<Problem>) {
    for actor in &scenario.actors {
        let Some(by) = actor.by() else { continue };
        let Some(maker) = scenario.actors.iter().find(|maker| maker.name.value == by.value) else {
            if !scenario.declared.actors.contains(&by.value) {
                let names = scenario.actors.iter().filter(|actor| actor.program.is_none());
                problems.push(
                    Problem::new("actor", format!("no actor is called `{}`", by.value))
                        .at(by.span.clone(), "unknown actor")
                        .help(way_out(&by.value, "actor", names.map(|actor| actor.name.value.as_str()))),
                );
            }
            continue;
        };
        if maker.program.is_some() {
            problems.push(
                Problem::new("maker", format!("`{}` is a program itself", by.value))
                    .at(by.span.clone(), "takes no steps")
                    .help("a program is started by an actor with a driver, or by its own step `start`"),
            );
        }
    }
}
