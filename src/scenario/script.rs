//! One line of the script: `actor verb args… [if failed|unless failed]
//! [repeat N until ok] [-> expectation]`.

use super::{
    Scenario,
    actor::BoundActor,
    expect::{self, Expectation},
    names,
    parts::Line,
    problem::Problem,
    suggest::{listed, nearest, way_out},
    symbols::Scope,
    template::Place,
    words::Words,
};
use crate::{
    driver::DRIVERS,
    outcome::{Action, Amount, Doer, VERBS, Verb},
    stage::Condition,
};

/// Words that end a size.
pub(super) const KEYWORDS: &[&str] = &["newline", "pieces", "if", "unless", "repeat"];
pub(super) const MODIFIERS: &[&str] = &["if", "unless", "repeat"];

/// A step with its arguments bound, and where its parts stand.
pub(super) struct Step {
    pub actor: usize,
    pub action: Action,
    pub size_text: Option<String>,
    pub condition: Condition,
    pub attempts: u32,
    pub expectation: Option<Expectation>,
    pub verb_place: Place,
    pub channel_place: Option<Place>,
    pub whole: Place,
}

/// What became of a line.
pub(super) enum Parsed {
    Step(Box<Step>),
    /// Its parameters are empty: no step in this case.
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
        let mut reader = LineReader { cx: self, words: &words, problems };
        let arrow = words.until(0..words.len(), &["->"]);
        let modifiers = words.until(2.min(arrow)..arrow, MODIFIERS);
        let actor = reader.actor(arrow);
        let verb = reader.verb(arrow, actor);
        let step = verb.and_then(|verb| reader.action(verb, 2..modifiers));
        if let Some((Action::Read { amount: Amount::Available, .. }, _)) = &step {
            reader.reads_available(actor, 2..modifiers);
        }
        let (condition, attempts) = reader.modifiers(modifiers..arrow);
        let expectation = (arrow < words.len()).then(|| expect::read(&words, arrow, reader.problems));
        match (actor, step) {
            (Some(Some(actor)), Some((action, size_text))) if problems.len() == before => {
                Parsed::Step(Box::new(Step {
                    actor,
                    size_text,
                    condition,
                    attempts,
                    expectation: expectation.flatten(),
                    verb_place: words.place(1..2),
                    channel_place: action.channel().map(|_| words.place(2..3)),
                    whole: words.place(0..arrow),
                    action,
                }))
            }
            (actor, _) => Parsed::Fault(actor.flatten()),
        }
    }
}

/// A line on its way to a step; what it finds wrong goes to `problems`.
pub(super) struct LineReader<'a, 'w> {
    pub cx: &'a Context<'a>,
    pub words: &'w Words<'w>,
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
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "declare it in [actors]".to_owned(),
            None => format!("the actors are {}; declare others in [actors]", listed(&names)),
        };
        self.problems.push(
            Problem::new("actor", format!("no actor is called `{name}`"))
                .at_place(&self.words.place(0..1), "unknown actor")
                .help(help),
        );
        None
    }

    fn verb(&mut self, end: usize, actor: Option<Option<usize>>) -> Option<Verb> {
        let name = self.words.get(1);
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
        let Some(verb) = Verb::named(name) else {
            self.problems.push(
                Problem::new("verb", format!("no verb is called `{name}`"))
                    .at_place(&self.words.place(1..2), "unknown verb")
                    .help(way_out(name, "verb", VERBS.iter().map(|verb| verb.name))),
            );
            return None;
        };
        let bound = actor.flatten().and_then(|index| self.cx.actors[index].as_ref());
        if let Some(bound) = bound
            && !bound.can(verb)
        {
            let others: Vec<&str> =
                DRIVERS.iter().filter(|info| info.verbs.contains(&verb)).map(|info| info.name).collect();
            let declaration = actor.flatten().map(|index| self.cx.scenario.actors[index].driver.span.clone());
            self.problems.push(
                Problem::new("verb-lacking", format!("`{}` can't `{name}`", bound.spec))
                    .at_place(&self.words.place(1..2), format!("`{}` has no such verb", bound.spec))
                    .at(declaration.unwrap_or(0..0), "its driver is chosen here")
                    .help(format!("a driver that can: {}", listed(&others))),
            );
        }
        Some(verb)
    }

    /// Not every mode can read without blocking.
    fn reads_available(&mut self, actor: Option<Option<usize>>, rest: std::ops::Range<usize>) {
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
        verb.info().doer == Doer::Stage || self.info.is_none_or(|info| info.verbs.contains(&verb))
    }
}
