//! Mistakes that only the script as a whole shows.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Scenario,
    children::Children,
    ends::Sure,
    holdings::succeeds,
    problem::Problem,
    script::{Parsed, Step},
    words::MAX_SIZE,
};
use crate::{
    driver::THREAD,
    outcome::{Action, Called, Verb, payload::WRITERS},
    stage::Condition,
};

/// Checks the steps of one case in their order.
pub(super) fn flow<'a>(
    scenario: &'a Scenario,
    steps: impl Iterator<Item = &'a Parsed>,
    problems: &mut Vec<Problem>,
) {
    let mut flow = Flow::new(scenario);
    let mut named: Vec<(usize, &Step)> = Vec::new();
    for parsed in steps {
        if let Parsed::Steps(steps) = parsed {
            flow.writers.extend(steps.iter().filter(|step| step.action.offers()).map(|step| step.actor));
            let expectations = steps.iter().filter_map(|step| Some((step, step.expectation.as_ref()?)));
            named
                .extend(expectations.flat_map(|(step, expected)| expected.writers().map(move |w| (w, step))));
        }
        match parsed {
            Parsed::Steps(steps) => steps.iter().for_each(|step| flow.step(step, problems)),
            // It may have been the step that opened a channel.
            Parsed::Fault(Some(actor)) => flow.unsure.extend([*actor]),
            Parsed::Fault(None) => flow.unsure.extend(0..scenario.actors.len()),
            Parsed::Nothing => {}
        }
    }
    for (writer, step) in named {
        if !flow.writers.contains(&writer) && !flow.unsure.contains(&writer) {
            let name = &scenario.actors[writer].name.value;
            problems.push(
                Problem::new("from", format!("`{name}` writes nothing, so nobody has bytes from it"))
                    .at_place(&step.whole, "expects some")
                    .help(format!("let it write above: `{name} write CHANNEL 100`")),
            );
        }
    }
}

pub(super) struct Flow<'a> {
    pub(super) scenario: &'a Scenario,
    /// Actor and channel of every `open`, whether its condition held or not.
    pub(super) opened: BTreeSet<(usize, usize)>,
    pub(super) unsure: BTreeSet<usize>,
    /// Actors that write, or may.
    writers: BTreeSet<usize>,
    /// Per actor, the first thread of its process.
    processes: Vec<usize>,
    /// Per process, the step that surely ended it.
    ended: BTreeMap<usize, &'a Step>,
    /// Bytes of each actor's last message on each channel.
    messages: BTreeMap<(usize, usize), u64>,
    offered: BTreeMap<(usize, usize), u64>,
    pub(super) reported: BTreeSet<(&'static str, usize, usize)>,
    pub(super) children: Children<'a>,
    /// Per program, the first step that starts it.
    pub(super) started: BTreeMap<usize, &'a Step>,
}

impl<'a> Flow<'a> {
    fn new(scenario: &'a Scenario) -> Flow<'a> {
        let incomplete = scenario.script.as_ref().is_some_and(|script| script.incomplete);
        Flow {
            scenario,
            opened: BTreeSet::new(),
            unsure: if incomplete { (0..scenario.actors.len()).collect() } else { BTreeSet::new() },
            processes: (0..scenario.actors.len()).collect(),
            ended: BTreeMap::new(),
            writers: BTreeSet::new(),
            messages: BTreeMap::new(),
            offered: BTreeMap::new(),
            reported: BTreeSet::new(),
            children: Children::default(),
            started: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: &'a Step, problems: &mut Vec<Problem>) {
        let name = &self.scenario.actors[step.actor].name.value;
        let looks = step.action.verb() == Verb::Run;
        if let Some(end) = self.ended.get(&self.processes[step.actor]).filter(|_| !looks) {
            problems.push(
                Problem::new("after-end", format!("`{name}` has ended before this step"))
                    .at_place(&step.verb_place, "never carried out")
                    .at(end.whole.span.clone(), "ends here")
                    .help("move the step up, or leave it out"),
            );
            return;
        }
        self.start(step, problems);
        match step.action.child() {
            Some(child) => self.child(step, child, problems),
            None => self.is_spawned(step, step.actor, problems),
        }
        match step.action {
            Action::Communicate { input: Some((channel, bytes)), .. } => {
                self.write(step, channel, bytes, problems);
            }
            Action::Open { channel, .. } => {
                self.opened.insert((self.processes[step.actor], channel));
            }
            Action::Call(ref called) => self.make_actor(step, called),
            Action::Exit { .. } | Action::Kill { signal: libc::SIGKILL }
                // What stands before it in a sequence may fail.
                if step.condition == Condition::Always && !step.joined && step.decided =>
            {
                self.ended.insert(self.processes[step.actor], step);
            }
            Action::Write { channel, bytes, .. } => {
                self.messages.insert((step.actor, channel), bytes);
                self.write(step, channel, bytes, problems);
            }
            Action::Rewrite { channel, .. } if self.messages.contains_key(&(step.actor, channel)) => {
                self.write(step, channel, self.messages[&(step.actor, channel)], problems);
            }
            Action::Rewrite { channel, .. } if !self.unsure.contains(&step.actor) => {
                let channel = &self.scenario.channels[channel].name.value;
                problems.push(
                    Problem::new("no-message", format!("`{name}` hasn't written anything to `{channel}`"))
                        .at_place(&step.whole, "nothing to write once more")
                        .help(format!("write a message above: `{name} write {channel} 100`")),
                );
            }
            _ => {}
        }
        let Some(channel) = step.action.channel() else { return };
        let never_opened = step.action.verb() != Verb::Open
            && !self.opened.contains(&(self.processes[step.actor], channel))
            && !self.unsure.contains(&step.actor);
        if never_opened && self.reported.insert(("never-opened", step.actor, channel)) {
            let (channel, verb) = (&self.scenario.channels[channel].name.value, step.action.verb().name());
            let access = match step.action.verb() {
                Verb::Read => "read",
                Verb::Write | Verb::Flush => "write",
                _ => "read|write|both",
            };
            let place = step.channel_place.as_ref().unwrap_or(&step.verb_place);
            if let Some((child, _)) = &self.scenario.channels[step.action.channel().unwrap_or(0)].child {
                let maker = self.scenario.actors.iter().find(|actor| actor.name.value == *child);
                let maker = maker.and_then(|actor| actor.by()).map_or("ACTOR", |by| by.value.as_str());
                problems.push(
                    Problem::new(
                        "never-opened",
                        format!("`{name}` can't {verb} `{channel}`: it doesn't hold it"),
                    )
                    .at_place(place, "not open here")
                    .help(format!("`{maker}` holds it from its step `{maker} spawn {child}` on")),
                );
                return;
            }
            problems.push(
                Problem::new(
                    "never-opened",
                    format!("`{name}` can't {verb} `{channel}`: it never opened it"),
                )
                .at_place(place, "not open here")
                .help(format!("write `{name} open {channel} {access}` above")),
            );
        }
    }

    /// Another actor has from now on what this one has.
    fn make_actor(&mut self, step: &Step, called: &Called) {
        let made = called.actor();
        let is_it = |name: &str| made == Some(name);
        let Some(made) = self.scenario.actors.iter().position(|actor| is_it(&actor.name.value)) else {
            return;
        };
        let process = self.processes[step.actor];
        if succeeds(step) != Sure::Yes || self.unsure.contains(&step.actor) {
            self.unsure.insert(made);
        } else if called.call.name() == THREAD {
            self.processes[made] = process;
        } else {
            let copies = self.opened.range((process, 0)..=(process, usize::MAX));
            let copies: Vec<_> = copies.map(|(_, channel)| (made, *channel)).collect();
            self.opened.extend(copies);
        }
    }

    fn write(&mut self, step: &Step, channel: usize, bytes: u64, problems: &mut Vec<Problem>) {
        let (name, channel_name) =
            (&self.scenario.actors[step.actor].name.value, &self.scenario.channels[channel].name.value);
        let offered = self.offered.entry((step.actor, channel)).or_default();
        *offered = offered.saturating_add(bytes.saturating_mul(step.attempts.into()));
        if *offered > MAX_SIZE && self.reported.insert(("sum", step.actor, channel)) {
            problems.push(
                Problem::new("sum", format!("`{name}` writes {offered} bytes to `{channel_name}` in all"))
                    .at_place(&step.whole, "with this step, more than 256 MiB")
                    .help("one actor writes up to 256 MiB to a channel, repeats counted"),
            );
        }
        // An actor's place among the actors is its key in the position-coded words.
        if step.actor >= WRITERS && self.reported.insert(("writers", 0, channel)) {
            problems.push(
                Problem::new("writers", format!("too many writers on `{channel_name}`"))
                    .at_place(&step.whole, format!("`{name}` is actor number {}", step.actor + 1))
                    .help(format!(
                        "the first {WRITERS} actors can be told apart: declare writers before readers"
                    )),
            );
        }
    }
}
