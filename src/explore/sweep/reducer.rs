//! Writes shapes: lines of text with a hole for each count.

use std::fmt::{Display, Write};

use super::behaviour::Behaviour;

/// Stands in a shape for a count.
const HOLE: char = '\u{1}';
/// Around a number in a text that other code has made.
const MARK: char = '\u{2}';
/// Between a line's label and its text.
const LABEL: char = '\u{3}';

/// A shape that is being written.
#[derive(Debug, Default)]
pub(super) struct Reducer {
    text: String,
    counts: Vec<i64>,
}

impl Reducer {
    /// Begins a line.
    pub fn line(&mut self, label: impl Display) -> &mut Reducer {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.word(label);
        self.text.push(LABEL);
        self
    }

    /// Text that is the same for cases that are alike.
    pub fn word(&mut self, text: impl Display) -> &mut Reducer {
        // Writing into a string can't fail.
        let _ = write!(self.text, "{text}");
        self
    }

    /// A count, of which only the relation to the parameter matters.
    pub fn count(&mut self, count: u64) -> &mut Reducer {
        match i64::try_from(count) {
            Ok(0) | Err(_) => self.word(count),
            Ok(count) => {
                self.counts.push(count);
                self.text.push(HOLE);
                self
            }
        }
    }

    /// Text of which the numbers are counts.
    pub fn phrase(&mut self, text: &str) -> &mut Reducer {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            let len = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(len);
            self.word(before);
            match digits.parse() {
                Ok(number) if !digits.starts_with('0') => self.count(number),
                _ => self.word(digits),
            };
            rest = after;
        }
        self.word(rest)
    }

    /// A count for a text that [`Reducer::marked`] takes.
    pub fn mark(count: u64) -> String {
        format!("{MARK}{count}{MARK}")
    }

    /// A text with counts that were marked.
    pub fn marked(&mut self, text: &str) -> &mut Reducer {
        for (index, part) in text.split(MARK).enumerate() {
            match part.parse() {
                Ok(count) if index % 2 == 1 => self.count(count),
                _ => self.word(part),
            };
        }
        self
    }

    pub fn finish(self) -> Behaviour {
        Behaviour { shape: self.text.into(), counts: self.counts.into() }
    }
}

/// The lines of a shape, label and text, with `number` for each hole.
pub fn lines<'s>(shape: &'s str, mut number: impl FnMut(usize) -> String) -> Vec<(&'s str, String)> {
    let mut hole = 0;
    let line = |line: &'s str| {
        let (label, text) = line.split_once(LABEL).unwrap_or(("", line));
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                HOLE => {
                    shown.push_str(&number(hole));
                    hole += 1;
                }
                other => shown.push(other),
            }
        }
        (label, shown)
    };
    shape.split('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reduce: impl Fn(&mut Reducer)) -> (Vec<(String, String)>, Vec<i64>) {
        let mut reducer = Reducer::default();
        reduce(&mut reducer);
        let Behaviour { shape, counts } = reducer.finish();
        let lines = lines(&shape, |hole| format!("<{}>", counts[hole]));
        (lines.into_iter().map(|(label, text)| (label.to_owned(), text)).collect(), counts.into())
    }

    #[test]
    fn each_count_has_its_hole_and_nothing_is_no_count() {
        let (lines, counts) = shown(|reducer| {
            reducer.line("a").word("ok ").count(12).word(" of ").count(0);
            reducer.line("b").phrase("fd=3, 007 of 40 bytes");
            reducer.line("c").marked(&format!("{} lost, {} twice", Reducer::mark(9), Reducer::mark(0)));
        });
        let line = |label: &str, text: &str| (label.to_owned(), text.to_owned());
        let expected = [
            line("a", "ok <12> of 0"),
            line("b", "fd=<3>, 007 of <40> bytes"),
            line("c", "<9> lost, 0 twice"),
        ];
        assert_eq!(lines, expected);
        assert_eq!(counts, [12, 3, 40, 9]);
    }
}
