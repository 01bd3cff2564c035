//! One line of the script: `actor verb args… [if failed|unless failed]
//! [repeat N until ok] [-> expectation]`.

use std::ops::Range;

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
    words::{Size, Words},
};
use crate::{
    driver::DRIVERS,
    outcome::{Access, Action, Amount, Doer, Readiness, VERBS, Verb},
    stage::Condition,
};

/// Words that end a size.
pub(super) const KEYWORDS: &[&str] = &["newline", "pieces", "if", "unless", "repeat"];
const MODIFIERS: &[&str] = &["if", "unless", "repeat"];
/// More attempts than that are an endless loop in disguise.
const MAX_ATTEMPTS: u32 = 1_000;

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

struct LineReader<'a, 'w> {
    cx: &'a Context<'a>,
    words: &'w Words<'w>,
    problems: &'a mut Vec<Problem>,
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

    fn action(&mut self, verb: Verb, args: Range<usize>) -> Option<(Action, Option<String>)> {
        let info = verb.info();
        let mut rest = args.clone();
        let channel = if info.on_channel { self.channel(verb, &mut rest) } else { Some(0) };
        let mut size_text = None;
        let channel_or_any = channel.unwrap_or(0);
        let action = match verb {
            Verb::Open => {
                let access = self.choice(
                    verb,
                    &mut rest,
                    &[("read", Access::Read), ("write", Access::Write), ("both", Access::Both)],
                );
                let nonblock = self.take(&mut rest, "nonblock");
                access.map(|access| Action::Open { channel: channel_or_any, access, nonblock })
            }
            Verb::Close => Some(Action::Close { channel: channel_or_any }),
            Verb::Flush => Some(Action::Flush { channel: channel_or_any }),
            Verb::Write => {
                let size = self.size(verb, &mut rest);
                let (mut newline, mut pieces) = (false, Some(None));
                loop {
                    if !newline && self.take(&mut rest, "newline") {
                        newline = true;
                    } else if pieces == Some(None) && self.take(&mut rest, "pieces") {
                        pieces = self.piece(verb, &mut rest).map(Some);
                    } else {
                        break;
                    }
                }
                size_text = size.as_ref().map(|size| size.text.clone());
                size.zip(pieces).map(|(size, pieces)| Action::Write {
                    channel: channel_or_any,
                    bytes: size.bytes,
                    newline,
                    pieces,
                })
            }
            Verb::Read => {
                let amount = match self.words.get(rest.start) {
                    "available" if !rest.is_empty() => {
                        self.take(&mut rest, "available").then_some(Amount::Available)
                    }
                    "to-eof" if !rest.is_empty() => self.take(&mut rest, "to-eof").then_some(Amount::ToEof),
                    word => {
                        let slip = nearest(word, ["available", "to-eof"]).filter(|_| !rest.is_empty());
                        if let Some(near) = slip {
                            self.problems.push(
                                Problem::new("argument", format!("unexpected `{word}`"))
                                    .at_place(&self.words.place(rest.clone()), "unknown word")
                                    .help(format!("did you mean `{near}`?")),
                            );
                            return None;
                        }
                        let size = self.size(verb, &mut rest);
                        size_text = size.as_ref().map(|size| size.text.clone());
                        size.map(|size| Amount::Bytes(size.bytes))
                    }
                };
                amount.map(|amount| Action::Read { channel: channel_or_any, amount })
            }
            Verb::Await => self
                .choice(verb, &mut rest, &[("read", Readiness::Read), ("write", Readiness::Write)])
                .map(|readiness| Action::Await { channel: channel_or_any, readiness }),
            Verb::Sleep => Some(Action::Sleep),
            Verb::Spin => Some(Action::Spin),
            Verb::Exit => self.status(&mut rest).map(|status| Action::Exit { status }),
            Verb::Kill => self.signal(&mut rest).map(|signal| Action::Kill { signal }),
        };
        if action.is_some() && !rest.is_empty() {
            self.extra(verb, rest);
            return None;
        }
        channel.and(action).map(|action| (action, size_text))
    }

    fn channel(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<usize> {
        if rest.start == rest.end {
            self.missing(verb, "a channel");
            return None;
        }
        let name = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        rest.start += 1;
        let channels = &self.cx.scenario.channels;
        let found = channels.iter().position(|channel| channel.name.value == name);
        if found.is_none() && self.cx.scenario.declared.channels.iter().all(|declared| declared != name) {
            let names: Vec<&str> = channels.iter().map(|channel| channel.name.value.as_str()).collect();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "declare it in [channels]".to_owned(),
                None => format!("the channels are {}; declare others in [channels]", listed(&names)),
            };
            self.problems.push(
                Problem::new("channel", format!("no channel is called `{name}`"))
                    .at_place(&place, "unknown channel")
                    .help(help),
            );
        }
        found
    }

    /// The size at the start of `rest`, up to a keyword.
    fn size(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<Size> {
        let end = self.words.until(rest.clone(), KEYWORDS);
        if rest.start == end {
            self.missing(verb, "a size");
            return None;
        }
        let size = self.words.size(rest.start..end);
        rest.start = end;
        size.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn piece(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<u64> {
        let start = rest.start;
        let size = self.size(verb, rest)?;
        if size.bytes == 0 && size.text.trim() == "0" {
            self.problems.push(
                Problem::new("size", "pieces of 0 bytes")
                    .at_place(&self.words.place(start..rest.start), "would never end")
                    .help("a piece has at least 1 byte"),
            );
            return None;
        }
        Some(size.bytes.max(1))
    }

    fn choice<T: Copy>(&mut self, verb: Verb, rest: &mut Range<usize>, options: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        if rest.start == rest.end {
            self.missing(verb, &listed(&names).replace(" and ", " or "));
            return None;
        }
        let word = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        let found = options.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            self.problems.push(
                Problem::new("argument", format!("unexpected `{word}`"))
                    .at_place(&place, format!("expected {}", listed(&names).replace(" and ", " or ")))
                    .help(match nearest(word, names) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the form is `{}`", verb.info().form),
                    }),
            );
        }
        rest.start += 1;
        found
    }

    fn status(&mut self, rest: &mut Range<usize>) -> Option<u8> {
        if rest.start == rest.end {
            return Some(0);
        }
        let word = self.words.get(rest.start);
        let status = word.parse().ok();
        if status.is_none() {
            self.problems.push(
                Problem::new("argument", format!("`{word}` can't be an exit status"))
                    .at_place(&self.words.place(rest.start..rest.start + 1), "expected an integer")
                    .help("an exit status is between 0 and 255"),
            );
        }
        rest.start += 1;
        status
    }

    fn signal(&mut self, rest: &mut Range<usize>) -> Option<i32> {
        if rest.start == rest.end {
            return Some(libc::SIGKILL);
        }
        let word = self.words.get(rest.start);
        let signal = names::signal(word);
        if signal.is_none() {
            self.problems.push(unknown_signal(word, &self.words.place(rest.start..rest.start + 1)));
        }
        rest.start += 1;
        signal.map(|signal| signal as i32)
    }

    fn modifiers(&mut self, mut rest: Range<usize>) -> (Condition, u32) {
        let (mut condition, mut attempts) = (Condition::Always, 1);
        let (mut conditions, mut repeats) = (0, 0);
        while !rest.is_empty() {
            let (len, form) = match self.words.get(rest.start) {
                "repeat" => (4, "repeat N until ok"),
                "if" => (2, "if failed"),
                _ => (2, "unless failed"),
            };
            let here = rest.start..(rest.start + len).min(rest.end);
            let text = self.words.text(here.clone());
            let words: Vec<&str> = text.split(' ').collect();
            let place = self.words.place(here);
            match words.as_slice() {
                ["if", "failed"] => (condition, conditions) = (Condition::IfFailed, conditions + 1),
                ["unless", "failed"] => (condition, conditions) = (Condition::UnlessFailed, conditions + 1),
                ["repeat", count, "until", "ok"] => {
                    repeats += 1;
                    match count.parse() {
                        Ok(count) if (1..=MAX_ATTEMPTS).contains(&count) => attempts = count,
                        _ => self.problems.push(
                            Problem::new("repeat", format!("`repeat {count}`"))
                                .at_place(
                                    &self.words.place(rest.start + 1..rest.start + 2),
                                    "not a number of attempts",
                                )
                                .help(format!("between 1 and {MAX_ATTEMPTS}, as a plain number")),
                        ),
                    }
                }
                _ => {
                    self.problems.push(
                        Problem::new("modifier", format!("unexpected `{text}`"))
                            .at_place(&place, "neither a condition nor a repeat")
                            .help(format!("the form is `{form}`")),
                    );
                    break;
                }
            }
            if conditions > 1 || repeats > 1 {
                self.problems.push(
                    Problem::new("modifier", format!("a second `{}`", words[0]))
                        .at_place(&place, "one is enough")
                        .help("a step has at most one condition and one repeat"),
                );
                break;
            }
            rest.start += len;
            if !rest.is_empty() && !MODIFIERS.contains(&self.words.get(rest.start)) {
                self.problems.push(
                    Problem::new("modifier", format!("unexpected `{}`", self.words.text(rest.clone())))
                        .at_place(&self.words.place(rest.clone()), "nothing goes here")
                        .help("what a step should give stands after `->`"),
                );
                break;
            }
        }
        (condition, attempts)
    }

    /// Takes the word if it is next.
    fn take(&mut self, rest: &mut Range<usize>, word: &str) -> bool {
        let next = rest.start < rest.end && self.words.get(rest.start) == word;
        rest.start += usize::from(next);
        next
    }

    fn missing(&mut self, verb: Verb, what: &str) {
        self.problems.push(
            Problem::new("argument", format!("`{}` without {what}", verb.name()))
                .at_place(&self.words.place(1..2), format!("needs {what}"))
                .help(format!("the form is `{}`", verb.info().form)),
        );
    }

    fn extra(&mut self, verb: Verb, rest: Range<usize>) {
        let word = self.words.get(rest.start);
        let known: Vec<&str> = KEYWORDS
            .iter()
            .copied()
            .filter(|word| MODIFIERS.contains(word))
            .chain(["nonblock", "newline", "pieces"])
            .collect();
        self.problems.push(
            Problem::new("argument", format!("unexpected `{word}`"))
                .at_place(&self.words.place(rest.clone()), "nothing goes here")
                .help(match nearest(word, known).filter(|near| *near != word) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the form is `{}`", verb.info().form),
                }),
        );
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
    /// Its driver has the verb in its mode, or the stage carries it out.
    fn can(&self, verb: Verb) -> bool {
        let in_mode = self.mode.is_none_or(|mode| !mode.lacks.contains(&verb));
        verb.info().doer == Doer::Stage || self.info.is_none_or(|info| info.verbs.contains(&verb) && in_mode)
    }
}
