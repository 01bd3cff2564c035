//! What stands between a verb and its conditions: channel, size, and so on.

use std::{cmp::Ordering, ops::Range};

use super::{
    names,
    problem::Problem,
    script::{KEYWORDS, LineReader, MODIFIERS, unknown_signal},
    suggest::{either, listed, near_or_form, nearest},
    words::{MAX_SIZE, Size},
};
use crate::{
    outcome::{Access, Action, Amount, Part, Readiness, Verb, payload::WIDE},
    stage::Std,
};

pub(super) type Holds = fn(Ordering) -> bool;

/// The comparisons of `when`; one that begins another stands behind it.
pub(super) const COMPARISONS: &[(&str, Holds)] = &[
    ("<=", Ordering::is_le),
    ("<", Ordering::is_lt),
    (">=", Ordering::is_ge),
    (">", Ordering::is_gt),
    ("==", Ordering::is_eq),
    ("!=", Ordering::is_ne),
];

/// The signals that stop a process (signal(7)).
const STOPS: &[i32] = &[libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

impl LineReader<'_, '_> {
    /// The verb (at the start of `step`) with its arguments, and the scenario's own
    /// expression for its size.
    pub(super) fn action(&mut self, verb: Verb, step: Range<usize>) -> Option<(Action, Option<String>)> {
        self.verb_at = step.start;
        let mut rest = step.start + 1..step.end;
        let channel = if verb.on_channel() { self.channel(verb, &mut rest) } else { Some(0) };
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
            Verb::Write if self.take(&mut rest, "again") => {
                Some(Action::Rewrite { channel: channel_or_any, part: Part::Whole })
            }
            Verb::Write if self.take(&mut rest, "rest") => {
                Some(Action::Rewrite { channel: channel_or_any, part: Part::Rest })
            }
            Verb::Write => {
                let size = self.size(verb, &mut rest);
                let (mut wide, mut newline, mut pieces) = (false, false, Some(None));
                loop {
                    if !newline && self.take(&mut rest, "newline") {
                        newline = true;
                    } else if !wide && self.take(&mut rest, "wide") {
                        wide = true;
                    } else if pieces == Some(None) && self.take(&mut rest, "pieces") {
                        pieces = self.piece(verb, &mut rest).map(Some);
                    } else {
                        break;
                    }
                }
                let size = size.and_then(|size| self.wide(size, wide, newline, step.clone()));
                size_text = size.as_ref().map(|size| size.text.clone());
                size.zip(pieces).map(|(size, pieces)| Action::Write {
                    channel: channel_or_any,
                    bytes: size.bytes.unwrap_or(0),
                    wide,
                    newline,
                    pieces: pieces.map(|piece| if wide { piece * WIDE as u64 } else { piece }),
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
                        size.map(|size| Amount::Bytes(size.bytes.unwrap_or(0)))
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
            Verb::Start => Some(Action::Start),
            Verb::Run if self.take(&mut rest, "until") => {
                self.nth(verb, &mut rest).map(|until| Action::Run { until: Some(until) })
            }
            Verb::Run => Some(Action::Run { until: None }),
            Verb::Fault | Verb::Cut | Verb::Hold => self.injection(verb, &mut rest).map(Action::Inject),
            Verb::Release => Some(Action::Release),
            Verb::Spawn => self.child(verb, &mut rest).map(|child| Action::Spawn { child }),
            Verb::Wait => {
                let child = self.child(verb, &mut rest);
                let nonblock = self.take(&mut rest, "nonblock");
                child.map(|child| Action::Wait { child, nonblock })
            }
            Verb::Communicate => {
                let child = self.child(verb, &mut rest);
                let size = (!rest.is_empty()).then(|| self.size(verb, &mut rest));
                let place = self.words.place(step.start..rest.start);
                match (child, size) {
                    (Some(child), None) => Some(Action::Communicate { child, input: None }),
                    (Some(child), Some(Some(size))) => {
                        size_text = Some(size.text);
                        let input = self.pipe(child, Std::In, &place);
                        input.map(|at| Action::Communicate {
                            child,
                            input: Some((at, size.bytes.unwrap_or(0))),
                        })
                    }
                    _ => None,
                }
            }
            Verb::Call(call) => return self.call(call, step),
        };
        if action.is_some() && !rest.is_empty() {
            self.extra(verb, rest);
            return None;
        }
        channel.and(action).map(|action| (action, size_text))
    }

    pub(super) fn channel(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<usize> {
        if rest.start == rest.end {
            self.missing(verb, "a channel");
            return None;
        }
        let name = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        rest.start += 1;
        let channels = &self.cx.scenario.channels;
        let found = channels.iter().position(|channel| channel.name.value == name);
        if found.is_none() && self.unpiped(name, &place) {
            return None;
        }
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
    pub(super) fn size(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<Size> {
        let end = self.words.until(rest.clone(), KEYWORDS);
        if rest.start == end {
            self.missing(verb, "a size");
            return None;
        }
        let size = self.words.size(rest.start..end);
        rest.start = end;
        size.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A size that counts characters of two bytes, in bytes.
    fn wide(&mut self, size: Size, wide: bool, newline: bool, step: Range<usize>) -> Option<Size> {
        if !wide {
            return Some(size);
        }
        let bytes = size.bytes.map(|characters| characters * WIDE as u64);
        let problem = if newline {
            Problem::new("argument", "`wide` and `newline` together")
                .help("a line feed is a character of one byte: leave out one of them")
        } else if bytes.is_some_and(|bytes| bytes > MAX_SIZE) {
            Problem::new("size", format!("{} characters of two bytes", size.text))
                .help("a size is between 0 and 256 MiB, as far as the position-coded streams reach")
        } else {
            return Some(Size { bytes, text: format!("{} wide", size.text) });
        };
        self.problems.push(problem.at_place(&self.words.place(step), "can't be"));
        None
    }

    /// `when A < B`: whether the step belongs to the case; `None` where that isn't known.
    pub(super) fn when(&mut self, words: Range<usize>) -> Option<bool> {
        let signs: Vec<&str> = COMPARISONS.iter().map(|(sign, _)| *sign).collect();
        let sign = self.words.until(words.clone(), &signs);
        let (left, right) = (words.start + 1..sign, sign.saturating_add(1)..words.end);
        let form = "the form is `when EXPRESSION < EXPRESSION`, with `<`, `<=`, `>`, `>=`, `==` or `!=`";
        if left.is_empty() || right.is_empty() {
            self.problems.push(
                Problem::new("when", format!("`{}` compares nothing", self.words.text(words.clone())))
                    .at_place(&self.words.place(words), "expected a comparison")
                    .help(form),
            );
            return None;
        }
        let values = [left, right].map(|side| {
            self.words.number(side).map_err(|problem| self.problems.push(problem)).ok().flatten()
        });
        let (_, holds) = COMPARISONS.iter().find(|(name, _)| *name == self.words.get(sign)).expect("found");
        match values {
            [Some(left), Some(right)] => Some(holds(left.cmp(&right))),
            _ => None,
        }
    }

    fn piece(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<u64> {
        let start = rest.start;
        let size = self.size(verb, rest)?;
        if size.bytes == Some(0) {
            self.problems.push(
                Problem::new("size", "pieces of 0 bytes")
                    .at_place(&self.words.place(start..rest.start), "would never end")
                    .help("a piece has at least 1 byte"),
            );
            return None;
        }
        Some(size.bytes.unwrap_or(1))
    }

    fn choice<T: Copy>(&mut self, verb: Verb, rest: &mut Range<usize>, options: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        if rest.start == rest.end {
            self.missing(verb, &either(&names));
            return None;
        }
        let word = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        let found = options.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            self.problems.push(
                Problem::new("argument", format!("unexpected `{word}`"))
                    .at_place(&place, format!("expected {}", either(&names)))
                    .help(near_or_form(nearest(word, names), verb.form())),
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
        if let Some(signal) = signal
            && STOPS.contains(&(signal as i32))
        {
            self.problems.push(
                Problem::new("signal", format!("{word} stops the actor, and a stopped actor never settles"))
                    .at_place(&self.words.place(rest.start..rest.start + 1), "a stop signal")
                    .help("to end the actor, SIGKILL or SIGTERM; to keep it idle, give it no steps"),
            );
        }
        rest.start += 1;
        signal.map(|signal| signal as i32)
    }

    /// Takes the word if it is next.
    fn take(&mut self, rest: &mut Range<usize>, word: &str) -> bool {
        let next = rest.start < rest.end && self.words.get(rest.start) == word;
        rest.start += usize::from(next);
        next
    }

    pub(super) fn missing(&mut self, verb: Verb, what: &str) {
        self.problems.push(
            Problem::new("argument", format!("`{}` without {what}", verb.name()))
                .at_place(&self.words.place(self.verb_at..self.verb_at + 1), format!("needs {what}"))
                .help(format!("the form is `{}`", verb.form())),
        );
    }

    pub(super) fn extra(&mut self, verb: Verb, rest: Range<usize>) {
        let word = self.words.get(rest.start);
        let known: Vec<&str> = KEYWORDS
            .iter()
            .copied()
            .filter(|word| MODIFIERS.contains(word))
            .chain(["nonblock", "wide", "newline", "pieces"])
            .collect();
        self.problems.push(
            Problem::new("argument", format!("unexpected `{word}`"))
                .at_place(&self.words.place(rest.clone()), "nothing goes here")
                .help(near_or_form(nearest(word, known).filter(|near| *near != word), verb.form())),
        );
    }
}
