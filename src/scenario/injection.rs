//! Which call of a program a step is about, and what it comes to: `2nd write out EAGAIN`.

use std::{ops::Range, str::FromStr};

use super::{
    names,
    problem::Problem,
    script::LineReader,
    suggest::{nearest, way_out},
};
use crate::{
    outcome::Verb,
    trace::{Effect, Injection, Nth, TRACED, Watched},
};

/// A number in a row: `2nd`.
struct Ordinal(u64);

impl FromStr for Ordinal {
    type Err = ();

    fn from_str(word: &str) -> Result<Ordinal, ()> {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let number = digits.parse().map_err(|_| ())?;
        if number == 0 || word != ordinal(number) { Err(()) } else { Ok(Ordinal(number)) }
    }
}

/// `1st`, `12th`, `23rd`.
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl LineReader<'_, '_> {
    /// `NTH CALL CHANNEL`.
    pub(super) fn nth(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<Nth> {
        if rest.len() < 3 {
            self.missing(verb, "which call on which channel");
            return None;
        }
        let (word, call) = (self.words.get(rest.start), self.words.get(rest.start + 1));
        let ordinal_place = self.words.place(rest.start..rest.start + 1);
        let call_place = self.words.place(rest.start + 1..rest.start + 2);
        rest.start += 2;
        let nth = word.parse().map(|Ordinal(number)| number);
        if nth.is_err() {
            let digits: String = word.chars().filter(char::is_ascii_digit).collect();
            let meant = digits.parse().ok().filter(|number| *number > 0).map_or(1, |number: u64| number);
            self.problems.push(
                Problem::new("ordinal", format!("`{word}` isn't a place in a row"))
                    .at_place(&ordinal_place, "which of its calls?")
                    .help(format!("calls are counted from the program's start: `{}`", ordinal(meant))),
            );
        }
        let watched = Watched::named(call);
        if watched.is_none() {
            self.problems.push(
                Problem::new("traced-call", format!("no call that is traced is called `{call}`"))
                    .at_place(&call_place, "unknown call")
                    .help(way_out(call, "call", TRACED.iter().map(|call| call.name))),
            );
        }
        let channel = self.channel(verb, rest)?;
        Some(Nth { nth: nth.ok()?, call: watched?, channel })
    }

    /// `NTH CALL CHANNEL`, and what becomes of it.
    pub(super) fn injection(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<Injection> {
        let call_at = rest.start + 1;
        let at = self.nth(verb, rest);
        let effect = match verb {
            Verb::Cut => {
                let size = self.size(verb, rest)?;
                let call = at?.call;
                if !call.info().can_be_cut() {
                    let can = TRACED.iter().filter(|call| call.can_be_cut()).map(|call| call.name);
                    self.problems.push(
                        Problem::new("cut", format!("`{}` can't be cut short", call.name()))
                            .at_place(&self.words.place(call_at..call_at + 1), "moves no number of bytes")
                            .help(way_out(call.name(), "call", can)),
                    );
                    return None;
                }
                Effect::Cut(size.bytes.unwrap_or(0))
            }
            Verb::Fault => Effect::Fails(self.errno(verb, rest)?),
            _ => Effect::Held,
        };
        Some(Injection { at: at?, effect })
    }

    fn errno(&mut self, verb: Verb, rest: &mut Range<usize>) -> Option<i32> {
        if rest.start == rest.end {
            self.missing(verb, "an errno");
            return None;
        }
        let word = self.words.get(rest.start);
        let place = self.words.place(rest.start..rest.start + 1);
        rest.start += 1;
        let number = names::errno_number(word);
        if number.is_none() {
            let errnos = names::errnos();
            self.problems.push(
                Problem::new("errno", format!("no errno is called `{word}`"))
                    .at_place(&place, "unknown errno")
                    .help(match nearest(word, errnos.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "the names are those of errno(3)".to_owned(),
                    }),
            );
        }
        number
    }
}
