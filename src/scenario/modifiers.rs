//! When a step is given, and how often: `if failed`, `repeat N until ok`.

use std::ops::Range;

use super::{
    problem::Problem,
    script::{LineReader, MODIFIERS},
};
use crate::stage::Condition;

/// More attempts than that are an endless loop in disguise.
const MAX_ATTEMPTS: u32 = 1_000;

impl LineReader<'_, '_> {
    /// The condition and the number of attempts that these words spell.
    pub(super) fn modifiers(&mut self, mut rest: Range<usize>) -> (Condition, u32) {
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
                        // None at all: the step isn't in the case.
                        Ok(count) if (0..=MAX_ATTEMPTS).contains(&count) => attempts = count,
                        _ => self.problems.push(
                            Problem::new("repeat", format!("`repeat {count}`"))
                                .at_place(
                                    &self.words.place(rest.start + 1..rest.start + 2),
                                    "not a number of attempts",
                                )
                                .help(format!("between 0 and {MAX_ATTEMPTS}, as a plain number")),
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
}
