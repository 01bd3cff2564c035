//! The arguments of a system call in a step.

use std::ops::Range;

use super::{
    names,
    problem::Problem,
    script::{LineReader, unknown_signal},
    suggest::{either, near_or_form, nearest, way_out},
};
use crate::outcome::{Action, Arg, Call, Called, Moves, TAKE, Verb};

impl LineReader<'_, '_> {
    /// The call with its arguments, and the scenario's own expression for its size.
    pub(super) fn call(&mut self, call: Call, step: Range<usize>) -> Option<(Action, Option<String>)> {
        self.verb_at = step.start;
        let mut rest = step.start + 1..step.end;
        let (mut words, mut size_text) = (Vec::new(), None);
        let args = call.info().args;
        for (at, arg) in args.iter().enumerate() {
            if rest.is_empty() && matches!(arg, Arg::Any { .. } | Arg::Take { .. }) {
                break;
            }
            let arg = *arg;
            if rest.is_empty() {
                self.missing(Verb::Call(call), what(arg));
                return None;
            }
            match arg {
                Arg::Payload | Arg::Room | Arg::Number => {
                    let end = rest.clone().find(|at_word| self.ends_number(&args[at + 1..], *at_word));
                    let end = end.unwrap_or(rest.end).max(rest.start + 1);
                    // What isn't bytes may be absurd.
                    let size = match arg {
                        Arg::Number if call.info().moves == Moves::Nothing => {
                            self.words.any_number(rest.start..end)
                        }
                        _ => self
                            .words
                            .size(rest.start..end)
                            .map(|size| (size.bytes.map(i128::from), size.text)),
                    };
                    rest.start = end;
                    let (value, text) = size.map_err(|problem| self.problems.push(problem)).ok()?;
                    words.push(value.unwrap_or(0).to_string());
                    size_text.get_or_insert(text);
                }
                Arg::Any { words: known, handles } => {
                    for at in rest.by_ref() {
                        if !self.any(call, at, known, handles) {
                            return None;
                        }
                        words.push(self.words.get(at).to_owned());
                    }
                }
                Arg::Take { words: known } => {
                    let given: Vec<String> = rest.clone().map(|at| self.words.get(at).to_owned()).collect();
                    let taken: Vec<&String> = call.info().taken(&given).collect();
                    for at in rest.by_ref() {
                        let word = self.words.get(at);
                        let fits = match taken.iter().any(|taken| *taken == word) {
                            true => self.fits(call, Arg::New, at),
                            false => word == TAKE || self.any(call, at, known, false),
                        };
                        if !fits {
                            return None;
                        }
                    }
                    words.extend(given);
                }
                arg => {
                    let word = self.words.get(rest.start).to_owned();
                    if !self.fits(call, arg, rest.start) {
                        return None;
                    }
                    words.push(word);
                    rest.start += 1;
                }
            }
        }
        if !rest.is_empty() {
            self.extra(Verb::Call(call), rest);
            return None;
        }
        Some((Action::Call(Called { call, words }), size_text))
    }

    /// A number goes on until one of the words that may follow it.
    fn ends_number(&self, later: &[Arg], at: usize) -> bool {
        let word = self.words.get(at);
        later.iter().any(|arg| match *arg {
            Arg::Any { words, handles } => words.contains(&word) || (handles && self.is_handle(word)),
            Arg::OneOf(words) => words.contains(&word),
            Arg::Take { words } => word == TAKE || words.contains(&word),
            Arg::Handle | Arg::New => self.is_handle(word),
            _ => false,
        })
    }

    /// A handle, or a channel, which an actor that opened it uses as a handle.
    fn is_handle(&self, word: &str) -> bool {
        self.cx.scenario.all_channels().any(|channel| channel.name.value == word)
    }

    fn fits(&mut self, call: Call, arg: Arg, at: usize) -> bool {
        let word = self.words.get(at);
        let place = self.words.place(at..at + 1);
        let problem = match arg {
            Arg::Handle if self.is_handle(word) => return true,
            Arg::Handle => Problem::new("handle", format!("no handle is called `{word}`"))
                .at_place(&place, "unknown handle")
                .help(way_out(word, "handle", self.handles())),
            Arg::New if self.cx.scenario.handles.iter().any(|handle| handle.name.value == word) => {
                return true;
            }
            Arg::New => Problem::new("handle", format!("`{word}` can't be the name of a handle"))
                .at_place(&place, "letters, digits, `_` and `-`, and no parameter")
                .help(format!("the form is `{}`", call.info().form)),
            Arg::OneOf(known) if known.contains(&word) => return true,
            Arg::OneOf(known) => Problem::new("argument", format!("unexpected `{word}`"))
                .at_place(&place, format!("expected {}", either(known)))
                .help(near_or_form(nearest(word, known.iter().copied()), call.info().form)),
            Arg::Signal if names::signal(word).is_some() => return true,
            Arg::Signal => unknown_signal(word, &place),
            Arg::Actor if self.cx.scenario.actors.iter().any(|actor| actor.name.value == word) => {
                return true;
            }
            Arg::Actor => {
                let actors = self.cx.scenario.actors.iter().map(|actor| actor.name.value.as_str());
                Problem::new("actor", format!("no actor is called `{word}`"))
                    .at_place(&place, "unknown actor")
                    .help(way_out(word, "actor", actors))
            }
            _ => return true,
        };
        self.problems.push(problem);
        false
    }

    fn any(&mut self, call: Call, at: usize, known: &[&str], handles: bool) -> bool {
        let word = self.words.get(at);
        if known.contains(&word) || (handles && self.is_handle(word)) {
            return true;
        }
        let near =
            nearest(word, known.iter().copied().chain(handles.then(|| self.handles()).into_iter().flatten()));
        self.problems.push(
            Problem::new("argument", format!("unexpected `{word}`"))
                .at_place(&self.words.place(at..at + 1), "no word of this call")
                .help(near_or_form(near, call.info().form)),
        );
        false
    }

    fn handles(&self) -> impl Iterator<Item = &str> {
        self.cx.scenario.all_channels().map(|channel| channel.name.value.as_str())
    }
}

fn what(arg: Arg) -> &'static str {
    match arg {
        Arg::New => "a name for the handle that it makes",
        Arg::Handle => "a handle",
        Arg::Payload | Arg::Room => "a size",
        Arg::Number => "a number",
        Arg::OneOf(_) | Arg::Any { .. } | Arg::Take { .. } => "a word",
        Arg::Name => "an address or a path",
        Arg::Signal => "a signal",
        Arg::Actor => "an actor",
    }
}
