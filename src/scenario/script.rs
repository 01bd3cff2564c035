//! One line of the script: `actor verb args… [when condition] [; verb args…]
//! [if failed|unless failed] [repeat N until ok] [-> expectation]`.

use std::ops::Range;

use super::{
    Scenario,
    actor::BoundActor,
    expect::{self, Expectation},
    handles,
    lines::{END, TOGETHER},
    names,
    parts::Line,
    place::Text,
    problem::Problem,
    program::PROGRAM,
    suggest::{listed, nearest, way_out},
    symbols::Scope,
    template::Place,
    words::{SEQUENCE, Words},
};
use crate::{
    driver::DRIVERS,
    outcome::{Action, Amount, Call, Doer, VERBS, Verb},
    stage::Condition,
};

/// Words that end a size.
pub(super) const KEYWORDS: &[&str] = &["wide", "newline", "pieces", "when", "if", "unless", "repeat"];
pub(super) const MODIFIERS: &[&str] = &["if", "unless", "repeat"];

/// A step with its arguments bound, and where its parts stand.
pub(super) struct Step {
    pub actor: usize,
    pub action: Action,
    pub size_text: Option<String>,
    pub condition: Condition,
    pub attempts: u32,
    /// The case has it. (False: whether its `when` holds hangs on a size of a machine that isn't
    /// known yet.)
    pub decided: bool,
    /// It goes on with the sequence of the step before it.
    pub joined: bool,
    /// How records call it.
    pub text: String,
    pub expectation: Option<Expectation>,
    pub verb_place: Place,
    pub channel_place: Option<Place>,
    /// Where a call names handles and actors.
    pub name_places: Vec<(String, Place)>,
    pub whole: Place,
}

/// What became of a line.
pub(super) enum Parsed {
    /// One, or several in a sequence.
    Steps(Vec<Step>),
    /// Its parameters are empty, or its conditions don't hold: no step in this case.
    Nothing,
    /// At fault; the actor, if that much was clear.
    Fault(Option<usize>),
}

/// What a line is read against.
pub(super) struct Context<'a> {
    pub scenario: &'a Scenario,
    pub scope: &'a Scope<'a>,
    /// `None` where the actor's spec was at fault.
    pub actors: &'a [Option<BoundActor>],
}

impl Context<'_> {
    /// Reads a line; all its mistakes go to `problems`.
    pub fn read(&self, line: &Line, problems: &mut Vec<Problem>) -> Parsed {
        let script = self.scenario.script.as_ref().expect("a line comes from the script");
        let words = Words::new(script, line, self.scope);
        if words.len() == 0 {
            return Parsed::Nothing;
        }
        let before = problems.len();
        let mut reader = LineReader { cx: self, words: &words, verb_at: 1, problems };
        let arrow = words.until(0..words.len(), &["->"]);
        let modifiers = words.until(2.min(arrow)..arrow, MODIFIERS);
        let actor = reader.actor(arrow);
        let whole = reader.no_sequence_behind(modifiers..arrow);
        let parts = reader.sequence(1.min(modifiers)..modifiers);
        let mut actions = Vec::new();
        for part in &parts {
            let when = words.until(part.clone(), &["when"]);
            let verb = reader.verb(part.start, arrow, actor);
            let action = verb.and_then(|verb| reader.action(verb, part.start..when));
            if let Some((Action::Read { amount: Amount::Available, .. }, _)) = &action {
                reader.reads_available(actor, part.start + 1..when);
            }
            let holds = if when == part.end { Some(true) } else { reader.when(when..part.end) };
            actions.push((action, holds));
        }
        let (condition, attempts) = reader.modifiers(modifiers..if whole { arrow } else { modifiers });
        let expectation = (arrow < words.len()).then(|| expect::read(&words, arrow, reader.problems));
        let reads = actions.iter().flat_map(|(action, _)| action).all(|(action, _)| action.delivers());
        let asks_whose = expectation.iter().flatten().any(|expected| expected.writers().next().is_some());
        if asks_whose && !reads {
            let from = words.until(arrow..words.len(), &["from"]);
            reader.problems.push(
                Problem::new("from", "a step that hands out no bytes has them from nobody")
                    .at_place(&words.place(from..words.len()), "whose bytes?")
                    .help("only a read or a receive that doesn't peek is given a writer's bytes"),
            );
        }
        if parts.len() > 1 && expectation.is_some() {
            reader.problems.push(
                Problem::new("sequence", "an expectation of a sequence")
                    .at_place(&words.place(arrow..words.len()), "of which of its steps?")
                    .help("leave it to [expect] and the snapshot, or give its steps lines of their own"),
            );
        }
        let (Some(Some(actor)), true) = (actor, problems.len() == before) else {
            return Parsed::Fault(actor.flatten());
        };
        let texts = texts(line, &words, &parts);
        let mut steps: Vec<Step> = Vec::new();
        for (index, ((action, holds), part)) in actions.into_iter().zip(&parts).enumerate() {
            let Some((action, size_text)) = action else { return Parsed::Fault(Some(actor)) };
            if holds == Some(false) || attempts == 0 {
                continue;
            }
            let name = words.get(0);
            let text = match &texts {
                None => line.before_arrow().to_owned(),
                Some(texts) if !steps.is_empty() => format!("{name} then {}", texts[index]),
                // What holds for the whole stands at the first that the case has.
                Some(texts) => {
                    let modifiers = words.text(modifiers..arrow);
                    format!("{name} {} {modifiers}", texts[index]).trim_end().to_owned()
                }
            };
            steps.push(Step {
                actor,
                size_text,
                condition,
                attempts,
                decided: holds.is_some(),
                joined: !steps.is_empty(),
                text,
                expectation: expectation.clone().flatten(),
                verb_place: words.place(part.start..part.start + 1),
                name_places: match &action {
                    Action::Call(_) => self.names(&words, part.start + 1..part.end),
                    _ => Vec::new(),
                },
                channel_place: action.channel().map(|_| words.place(part.start + 1..part.start + 2)),
                whole: words.place(0..arrow),
                action,
            });
        }
        if steps.is_empty() { Parsed::Nothing } else { Parsed::Steps(steps) }
    }

    /// Where handles and actors are named.
    fn names(&self, words: &Words<'_>, range: Range<usize>) -> Vec<(String, Place)> {
        let handles = || self.scenario.all_channels().map(|channel| &channel.name.value);
        let actors = || self.scenario.actors.iter().map(|actor| &actor.name.value);
        let named = range.filter(|at| handles().chain(actors()).any(|name| name == words.get(*at)));
        named.map(|at| (words.get(at).to_owned(), words.place(at..at + 1))).collect()
    }
}

impl Step {
    /// Where a call names a handle or an actor.
    pub fn place_of(&self, name: &str) -> &Place {
        let place = self.name_places.iter().find(|(known, _)| known == name);
        place.map_or(&self.verb_place, |(_, place)| place)
    }
}

/// The steps of a line as the scenario writes them, without actor and modifiers; `None`
/// for a line of one step, which records call as it is.
fn texts(line: &Line, words: &Words<'_>, parts: &[Range<usize>]) -> Option<Vec<String>> {
    let [_, _, ..] = parts else { return None };
    let whole = line.before_arrow();
    let body = whole.strip_prefix(words.get(0)).unwrap_or(whole);
    let body = body.split_inclusive(' ').scan(false, |ended, word| {
        *ended |= MODIFIERS.contains(&word.trim());
        (!*ended).then_some(word)
    });
    let body: String = body.collect();
    let written: Vec<&str> = body.split(SEQUENCE).map(str::trim).collect();
    Some(match written.len() == parts.len() {
        true => written.into_iter().map(str::to_owned).collect(),
        // A parameter holds several.
        false => parts.iter().map(|part| words.text(part.clone())).collect(),
    })
}

/// A line on its way to a step; what it finds wrong goes to `problems`.
pub(super) struct LineReader<'a, 'w> {
    pub cx: &'a Context<'a>,
    pub words: &'w Words<'w>,
    /// Where the verb stands whose arguments are being read.
    pub verb_at: usize,
    pub problems: &'a mut Vec<Problem>,
}

impl LineReader<'_, '_> {
    /// The actor; `Some(None)` if it is declared, but at fault itself.
    fn actor(&mut self, end: usize) -> Option<Option<usize>> {
        if end == 0 {
            self.problems.push(
                Problem::new("step", "a step without an actor")
                    .at_place(&self.words.place(0..1), "expected an actor before it")
                    .help("for example `writer flush log -> EPIPE`"),
            );
            return None;
        }
        let name = self.words.get(0);
        let actors = &self.cx.scenario.actors;
        let found = actors.iter().position(|actor| actor.name.value == name);
        if found.is_some() {
            return Some(found);
        }
        if self.cx.scenario.declared.actors.iter().any(|declared| declared == name) {
            return Some(None);
        }
        let names: Vec<&str> = actors.iter().map(|actor| actor.name.value.as_str()).collect();
        self.problems.push(unknown_actor(name, &self.words.place(0..1), &names));
        None
    }

    /// The parts of a sequence, each a step.
    fn sequence(&mut self, words: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = words.start;
        loop {
            let end = self.words.until(start..words.end, &[SEQUENCE]);
            if start == end && (end < words.end || !parts.is_empty()) {
                self.problems.push(
                    Problem::new("sequence", "nothing beside a `;`")
                        .at_place(
                            &self.words.place(end.saturating_sub(1)..(end + 1).min(words.end)),
                            "a step is missing here",
                        )
                        .help("for example `writer write log 1; flush log`"),
                );
                return parts;
            }
            parts.push(start..end);
            if end == words.end {
                return parts;
            }
            start = end + 1;
        }
    }

    /// What holds for a sequence stands behind it.
    fn no_sequence_behind(&mut self, modifiers: Range<usize>) -> bool {
        let at = self.words.until(modifiers.clone(), &[SEQUENCE]);
        if at < modifiers.end {
            self.problems.push(
                Problem::new(
                    "sequence",
                    format!("`{}` in the middle of a sequence", self.words.get(modifiers.start)),
                )
                .at_place(&self.words.place(modifiers.start..at), "holds for the whole of it")
                .help("put it behind the last step; only `when` may stand behind any"),
            );
        }
        at == modifiers.end
    }

    fn verb(&mut self, at: usize, end: usize, actor: Option<Option<usize>>) -> Option<Verb> {
        let name = self.words.get(at);
        if end == 0 {
            return None;
        }
        if end < 2 {
            self.problems.push(
                Problem::new("step", "a step without a verb")
                    .at_place(&self.words.place(0..1), "what does it do?")
                    .help(format!(
                        "the verbs are {}",
                        listed(&Vec::from_iter(VERBS.iter().map(|verb| verb.name)))
                    )),
            );
            return None;
        }
        let on_channel = self.cx.scenario.handles.is_empty() || self.is_channel(at + 1);
        let Some(verb) = handles::means(name, on_channel) else {
            self.problems.push(
                Problem::new("verb", format!("no verb is called `{name}`"))
                    .at_place(&self.words.place(at..at + 1), "unknown verb")
                    .help(way_out(name, "verb", verbs())),
            );
            return None;
        };
        if let Some(by) = actor.flatten().and_then(|index| self.cx.scenario.actors[index].by())
            && self.is_refused_by_child(verb, at, by)
        {
            return None;
        }
        let bound = actor.flatten().and_then(|index| self.cx.actors[index].as_ref());
        if let Some(bound) = bound
            && !bound.can(verb)
        {
            let others: Vec<&str> =
                DRIVERS.iter().filter(|info| info.can(verb)).map(|info| info.name).collect();
            let declaration = actor.flatten().map(|index| self.cx.scenario.actors[index].driver.span.clone());
            self.problems.push(
                Problem::new("verb-lacking", format!("`{}` can't `{name}`", bound.spec))
                    .at_place(&self.words.place(at..at + 1), format!("`{}` has no such verb", bound.spec))
                    .at(declaration.unwrap_or(0..0), "its driver is chosen here")
                    .help(format!("a driver that can: {}", listed(&others))),
            );
        }
        Some(verb)
    }

    /// A program that another actor starts isn't started by a step of its own, and what it calls
    /// isn't seen.
    fn is_refused_by_child(&mut self, verb: Verb, at: usize, by: &Text) -> bool {
        let name = self.words.get(0);
        let mut refuse = |label, help| {
            self.problems.push(
                Problem::new("child", format!("`{name}` is started by `{}`", by.value))
                    .at_place(&self.words.place(at..at + 1), label)
                    .at(by.span.clone(), "says so here")
                    .help(help),
            );
            true
        };
        match verb {
            Verb::Start => refuse("not by itself", format!("write `{} spawn {name}`", by.value)),
            Verb::Fault | Verb::Cut | Verb::Hold | Verb::Release => refuse(
                "nobody is between its calls and the kernel",
                format!("`{name}` takes `kill` and `run`; a program without `by` takes the others too"),
            ),
            Verb::Run if at + 1 < self.words.len() && self.words.get(at + 1) == "until" => refuse(
                "its calls aren't counted",
                format!("write `{name} run`; a program without `by` runs up to a call"),
            ),
            _ => false,
        }
    }

    /// The word names a declared channel.
    fn is_channel(&self, at: usize) -> bool {
        let name = self.words.get(at);
        self.cx.scenario.declared.channels.iter().any(|declared| declared == name)
    }

    /// Not every mode can read without blocking.
    fn reads_available(&mut self, actor: Option<Option<usize>>, rest: Range<usize>) {
        let Some(index) = actor.flatten() else { return };
        if let Some(bound) = &self.cx.actors[index]
            && bound.mode.is_some_and(|mode| !mode.reads_available)
        {
            self.problems.push(
                Problem::new("verb-lacking", format!("`{}` can't `read available`", bound.spec))
                    .at_place(
                        &self.words.place(rest),
                        format!("`{}` can't read without blocking", bound.spec),
                    )
                    .at(self.cx.scenario.actors[index].driver.span.clone(), "its driver is chosen here")
                    .help("read a number of bytes or to-eof, or let a `raw` actor read"),
            );
        }
    }
}

/// All words that may stand for a verb.
fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.name).chain(Call::all().map(Call::name))
}

pub(super) fn unknown_actor(name: &str, place: &Place, actors: &[&str]) -> Problem {
    let help = match nearest(name, actors.iter().copied()) {
        _ if [TOGETHER, END].contains(&name) => format!("`{name}` stands alone in its line"),
        Some(near) => format!("did you mean `{near}`?"),
        None if actors.is_empty() => "declare it in [actors]".to_owned(),
        None => format!("the actors are {}; declare others in [actors]", listed(actors)),
    };
    Problem::new("actor", format!("no actor is called `{name}`")).at_place(place, "unknown actor").help(help)
}

pub(super) fn unknown_signal(word: &str, place: &Place) -> Problem {
    let prefixed = format!("SIG{}", word.to_uppercase());
    let near = names::signal(&prefixed).map(|signal| signal.as_str());
    Problem::new("signal", format!("no signal is called `{word}`")).at_place(place, "unknown signal").help(
        match near.or_else(|| nearest(word, names::signals())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "signals are called as in signal(7): `SIGTERM`".to_owned(),
        },
    )
}

impl BoundActor {
    /// Its driver has the verb, or the stage carries it out.
    fn can(&self, verb: Verb) -> bool {
        let is_program = self.spec.driver == PROGRAM;
        match verb.doer() {
            Doer::Stage => verb == Verb::Kill || is_program,
            Doer::Driver => self.info.map_or(!verb.of_programs(), |info| info.can(verb)),
        }
    }
}
