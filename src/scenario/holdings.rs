//! Who holds which handle when: a step that can only fail is refused before anything
//! runs, unless it says that it does. Where branches of the script decide, nothing is
//! said.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Scenario,
    actor::BoundActor,
    ends::Sure,
    problem::Problem,
    script::{Parsed, Step},
};
use crate::{
    channel::Kind,
    outcome::{Action, Called, On},
    stage::Condition,
};

/// Checks the calls of one case, and the steps of actors that a step makes.
pub(super) fn check<'a>(
    scenario: &'a Scenario,
    actors: &'a [Option<BoundActor>],
    steps: impl Iterator<Item = &'a Parsed>,
    problems: &mut Vec<Problem>,
) {
    let forks = actors.iter().flatten().any(|actor| actor.made_by().is_some());
    let incomplete = scenario.script.as_ref().is_none_or(|script| script.incomplete);
    if incomplete || (scenario.handles.is_empty() && !forks) {
        return;
    }
    let mut all: Vec<&Step> = Vec::new();
    for parsed in steps {
        match parsed {
            Parsed::Steps(steps) => all.extend(steps),
            // It may have made or closed anything.
            Parsed::Fault(_) => return,
            Parsed::Nothing => {}
        }
    }
    let mut holdings = Holdings::new(scenario, actors, &all);
    for step in &all {
        holdings.step(step, problems);
    }
    holdings.never_forked(&all, problems);
}

/// A name that an actor has for a descriptor.
#[derive(Clone, Copy)]
pub(super) enum Hold<'a> {
    /// With the number of what it leads to.
    Surely(usize),
    Perhaps,
    /// The name stays, and stands for a number that is no descriptor.
    Closed(&'a Step),
}

/// What an actor is at a step.
#[derive(Clone, Copy)]
pub(super) enum Process<'a> {
    Runs,
    Unforked,
    Forked(&'a Step),
    Perhaps,
}

pub(super) struct Holdings<'a> {
    pub scenario: &'a Scenario,
    /// Per actor: which of `held` is its own, which threads share.
    pub tables: Vec<usize>,
    pub held: Vec<BTreeMap<&'a str, Hold<'a>>>,
    /// Per actor: the step that makes it.
    pub made_by: Vec<Option<&'static str>>,
    /// Per actor.
    pub drivers: Vec<&'static str>,
    pub processes: Vec<Process<'a>>,
    /// What descriptors lead to, and the step that made each.
    kinds: Vec<(On, &'a Step)>,
    /// The steps that make a handle of this name.
    makers: BTreeMap<&'a str, Vec<&'a Step>>,
    made: BTreeSet<&'a str>,
    pub reported: BTreeSet<(usize, &'a str)>,
}

/// The call of a step.
fn called(step: &Step) -> Option<&Called> {
    match &step.action {
        Action::Call(called) => Some(called),
        _ => None,
    }
}

/// The step is carried out in any case.
fn is_certain(step: &Step) -> bool {
    // What stands before it in a sequence may fail.
    step.condition == Condition::Always && !step.joined
}

pub(super) fn succeeds(step: &Step) -> Sure {
    match step.expectation.as_ref().map_or(Sure::Yes, |expectation| expectation.succeeds()) {
        Sure::Yes if !is_certain(step) => Sure::Perhaps,
        sure => sure,
    }
}

impl<'a> Holdings<'a> {
    fn new(scenario: &'a Scenario, actors: &[Option<BoundActor>], steps: &[&'a Step]) -> Holdings<'a> {
        let mut makers: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
        for step in steps {
            for name in called(step).into_iter().flat_map(Called::makes) {
                makers.entry(name).or_default().push(step);
            }
        }
        let made_by: Vec<_> = actors.iter().map(|actor| actor.as_ref()?.made_by()).collect();
        let driver = |actor: &Option<BoundActor>| {
            actor.as_ref().and_then(|actor| actor.info).map_or("raw", |info| info.name)
        };
        let process = |made_by: &Option<_>| made_by.map_or(Process::Runs, |_| Process::Unforked);
        Holdings {
            scenario,
            tables: (0..actors.len()).collect(),
            held: vec![BTreeMap::new(); actors.len()],
            processes: made_by.iter().map(process).collect(),
            made_by,
            drivers: actors.iter().map(driver).collect(),
            kinds: Vec::new(),
            makers,
            made: BTreeSet::new(),
            reported: BTreeSet::new(),
        }
    }

    pub(super) fn name(&self, actor: usize) -> &'a str {
        &self.scenario.actors[actor].name.value
    }

    pub(super) fn held(&self, actor: usize) -> &BTreeMap<&'a str, Hold<'a>> {
        &self.held[self.tables[actor]]
    }

    fn held_mut(&mut self, actor: usize) -> &mut BTreeMap<&'a str, Hold<'a>> {
        &mut self.held[self.tables[actor]]
    }

    fn step(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        self.is_there(step, problems);
        if matches!(self.processes[step.actor], Process::Unforked) {
            return;
        }
        let channel = |channel: usize| self.scenario.channels[channel].name.value.as_str();
        match &step.action {
            Action::Open { channel: opened, .. } => {
                let kind = match self.scenario.channels[*opened].kind {
                    Kind::Fifo | Kind::Pipe => On::Pipe,
                    _ => On::Any,
                };
                self.make(step, channel(*opened), kind);
            }
            Action::Close { channel: closed } => {
                let name = channel(*closed);
                match succeeds(step) {
                    Sure::Yes => drop(self.held_mut(step.actor).remove(name)),
                    Sure::No => {}
                    Sure::Perhaps => drop(self.held_mut(step.actor).insert(name, Hold::Perhaps)),
                }
            }
            Action::Call(called) => self.call(step, called, problems),
            _ => {}
        }
    }

    fn call(&mut self, step: &'a Step, called: &'a Called, problems: &mut Vec<Problem>) {
        let before = problems.len();
        for name in called.handles() {
            self.is_held(step, called, name, problems);
        }
        if problems.len() == before {
            self.is_of_its_kind(step, called, problems);
        }
        let first = called.handle().and_then(|name| self.held(step.actor).get(name)).copied();
        match called.call.name() {
            "close" => self.close(step, called),
            "listen" => self.listen(step, first),
            "dup2" => self.replace(step, called, first),
            "exec" => self.exec(step, problems),
            "fork" | "thread" => self.make_actor(step, called, problems),
            _ => {}
        }
        for name in called.makes() {
            match (called.call.name(), first) {
                // The same thing by another name.
                ("dup", Some(Hold::Surely(same))) if succeeds(step) == Sure::Yes => {
                    self.made(step, name, Hold::Surely(same));
                }
                _ => self.make(step, name, called.call.info().makes),
            }
        }
    }

    /// The step gives its actor a handle.
    fn make(&mut self, step: &'a Step, name: &'a str, kind: On) {
        let hold = match succeeds(step) {
            Sure::Yes => Hold::Surely(self.kinds.len()),
            Sure::Perhaps => Hold::Perhaps,
            Sure::No => return,
        };
        self.kinds.push((kind, step));
        self.made(step, name, hold);
    }

    fn made(&mut self, step: &'a Step, name: &'a str, hold: Hold<'a>) {
        let held = self.held_mut(step.actor);
        // The new descriptor may have the number of a closed one.
        for old in held.values_mut().filter(|old| matches!(old, Hold::Closed(_))) {
            *old = Hold::Perhaps;
        }
        held.insert(name, hold);
        self.made.insert(name);
    }

    fn close(&mut self, step: &'a Step, called: &'a Called) {
        let Some(name) = called.handle() else { return };
        match succeeds(step) {
            Sure::Yes => drop(self.held_mut(step.actor).insert(name, Hold::Closed(step))),
            Sure::Perhaps => drop(self.held_mut(step.actor).insert(name, Hold::Perhaps)),
            Sure::No => {}
        }
    }

    /// The second handle is a copy of the first.
    fn replace(&mut self, step: &'a Step, called: &'a Called, first: Option<Hold<'a>>) {
        let Some(name) = called.needed().nth(1) else { return };
        let hold = match (succeeds(step), first) {
            (Sure::Yes, Some(hold)) => hold,
            (Sure::No, _) => return,
            _ => Hold::Perhaps,
        };
        self.held_mut(step.actor).insert(name, hold);
    }

    fn listen(&mut self, step: &Step, socket: Option<Hold<'a>>) {
        let known = match socket {
            Some(Hold::Surely(socket)) if self.kinds[socket].0 != On::Any => Some(socket),
            _ => None,
        };
        match (known, succeeds(step)) {
            (_, Sure::No) => {}
            (Some(socket), Sure::Yes) => self.kinds[socket].0 = On::Listening,
            (Some(socket), Sure::Perhaps) => self.kinds[socket].0 = On::Any,
            // It may be any of them, which came here in a message.
            (None, _) => {
                for (kind, _) in self.kinds.iter_mut().filter(|(kind, _)| *kind == On::Socket) {
                    *kind = On::Any;
                }
            }
        }
    }

    /// The step's actor can use a handle that it names.
    fn is_held(&mut self, step: &'a Step, called: &Called, name: &'a str, problems: &mut Vec<Problem>) {
        let actor = self.name(step.actor);
        let place = step.place_of(name);
        let problem = match self.held(step.actor).get(name) {
            Some(Hold::Surely(_) | Hold::Perhaps) => return,
            Some(Hold::Closed(close)) => {
                let told = step.expectation.as_ref().is_some_and(|known| known.fails_with("EBADF"));
                // A call of many handles says so of one of them.
                if told || !called.needed().any(|needed| needed == name) {
                    return;
                }
                Problem::new("closed", format!("`{actor}` has closed `{name}`"))
                    .at_place(place, "no descriptor any more")
                    .at(close.whole.span.clone(), "closed here")
                    .help("if the step is to show that, say so: `-> EBADF`")
            }
            None => self.never_held(step, name),
        };
        if self.reported.insert((step.actor, name)) {
            problems.push(problem);
        }
    }

    fn never_held(&self, step: &Step, name: &str) -> Problem {
        let (actor, place) = (self.name(step.actor), step.place_of(name));
        let declared = self.scenario.channels.iter().any(|channel| channel.name.value == name);
        let makers = self.makers.get(name).map(Vec::as_slice).unwrap_or_default();
        match makers {
            [] if declared => Problem::new("never-opened", format!("`{actor}` hasn't `{name}` open"))
                .at_place(place, "not open here")
                .help(format!("write `{actor} open {name} read|write|both` above")),
            [maker, ..] if self.made.contains(name) => {
                Problem::new("not-held", format!("`{actor}` doesn't hold `{name}`"))
                    .at_place(place, "not a handle of this actor")
                    .at(maker.whole.span.clone(), "made here")
                    .help(format!(
                        "let `{}` do this, or fork `{actor}` from it after `{name}` is made",
                        self.name(maker.actor)
                    ))
            }
            [maker, ..] if succeeds(maker) != Sure::No => {
                Problem::new("not-made", format!("`{name}` isn't made yet"))
                    .at_place(place, "used here")
                    .at(maker.whole.span.clone(), "made here")
                    .help("move one of the two steps")
            }
            _ => Problem::new("not-made", format!("no step of this case makes `{name}`"))
                .at_place(place, "used here")
                .help("make it above, by a step that succeeds"),
        }
    }

    /// The call can work on handles of these kinds.
    fn is_of_its_kind(&self, step: &Step, called: &Called, problems: &mut Vec<Problem>) {
        let held = |name: &str| match self.held(step.actor).get(name) {
            Some(Hold::Surely(known)) => Some(self.kinds[*known]),
            _ => None,
        };
        let names: Vec<&str> = called.needed().collect();
        let kinds: Vec<On> = names.iter().map(|name| held(name).map_or(On::Any, |(kind, _)| kind)).collect();
        let Some((at, errno)) = called.call.info().refuses(&kinds) else { return };
        // A handle of the wrong direction is refused before its kind is looked at.
        let told = format!("{errno}|EBADF");
        if step.expectation.as_ref().is_some_and(|known| known.fails_with(&told)) {
            return;
        }
        let (verb, name, need) = (called.call.name(), names[at], called.call.info().on.0);
        let errno = errno.split('|').next().unwrap_or(errno);
        let mut problem = Problem::new(
            "wrong-kind",
            format!("`{verb}` can't work on `{name}`: it is {}, not {}", kinds[at].name(), need.name()),
        )
        .at_place(step.place_of(name), format!("gives {errno}"));
        if let Some((_, maker)) = held(name) {
            problem = problem.at(maker.whole.span.clone(), "made here");
        }
        problems.push(problem.help(format!("if the step is to show that, say so: `-> {errno}`")));
    }
}
