//! The words of one line of the script, with the parameters put in.

use std::ops::Range;

use super::{
    args::COMPARISONS,
    expr::{Expr, Node},
    lexer::substitute,
    parts::{Line, Script},
    place::Span,
    problem::Problem,
    script::unknown_actor,
    symbols::Scope,
    template::{Filled, Place},
};
use crate::outcome::payload;

/// The most that a writer may write to a channel, and a read may ask for (bytes).
pub(super) const MAX_SIZE: u64 = payload::MOST_SENT;

/// What parts the steps of a sequence.
pub(super) const SEQUENCE: &str = ";";

/// A word parted at the signs that are words of their own, wherever they stand. (The arrow of an expectation is none.)
fn parts(text: &str, word: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (word.start, word.start);
    while at < word.end {
        let rest = &text[at..word.end];
        let mut signs = [SEQUENCE].into_iter().chain(COMPARISONS.iter().map(|(sign, _)| *sign));
        let sign = signs.find(|sign| rest.starts_with(sign));
        let len = match sign {
            _ if rest.starts_with("->") => 2,
            // What ends a part of a list.
            _ if rest == "," && at > word.start => {
                parts.push(start..at);
                start = at;
                1
            }
            Some(sign) => {
                parts.extend([start..at, at..at + sign.len()]);
                start = at + sign.len();
                sign.len()
            }
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += len;
    }
    parts.push(start..word.end);
    parts.retain(|part| !part.is_empty());
    parts
}

/// The words of a part of a text as they are written, before any parameter is put in.
pub(super) fn written(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let line = &text[part.clone()];
    let words = line.split_whitespace().flat_map(|word| {
        let start = part.start + (word.as_ptr() as usize - line.as_ptr() as usize);
        parts(text, start..start + word.len())
    });
    words.collect()
}

/// A size in a step.
#[derive(Clone, Debug)]
pub(super) struct Size {
    /// `None` if its value isn't known here.
    pub bytes: Option<u64>,
    /// The scenario's own expression, with the parameters' texts in it.
    pub text: String,
}

pub(super) struct Words<'a> {
    script: &'a Script,
    filled: Filled,
    ranges: Vec<Range<usize>>,
    scope: &'a Scope<'a>,
    line: &'a Line,
}

impl<'a> Words<'a> {
    pub fn new(script: &'a Script, line: &'a Line, scope: &'a Scope<'a>) -> Words<'a> {
        let filled = Filled::fill(&script.text, &line.pieces, None, &|name| scope.text(name));
        let ranges = filled.words().into_iter().flat_map(|word| parts(&filled.text, word));
        let ranges = ranges.collect();
        Words { script, filled, ranges, scope, line }
    }

    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The word at `index`; empty beyond the end.
    pub fn get(&self, index: usize) -> &str {
        self.ranges.get(index).map_or("", |range| &self.filled.text[range.clone()])
    }

    /// Where words stand; the end of the line for none.
    pub fn place(&self, words: Range<usize>) -> Place {
        match self.ranges.get(words.start).zip(self.ranges.get(words.end.saturating_sub(1))) {
            Some((first, last)) if !words.is_empty() => self.filled.place(first.start..last.end),
            _ => Place { span: self.line.span.end..self.line.span.end, via: None },
        }
    }

    /// The words' text, joined by single spaces.
    pub fn text(&self, words: Range<usize>) -> String {
        words.map(|index| self.get(index)).collect::<Vec<_>>().join(" ").replace(" ,", ",")
    }

    /// The first of `words` that is one of `stops`, or their end.
    pub fn until(&self, words: Range<usize>, stops: &[&str]) -> usize {
        words.clone().find(|index| stops.contains(&self.get(*index))).unwrap_or(words.end)
    }

    /// The number that these words spell; `None` if it isn't known here.
    pub fn number(&self, words: Range<usize>) -> Result<Option<i128>, Problem> {
        Ok(self.value(words)?.value)
    }

    /// The number that these words spell, of whatever size; its text as in [`Size`].
    pub fn any_number(&self, words: Range<usize>) -> Result<(Option<i128>, String), Problem> {
        let Value { value, text, .. } = self.value(words)?;
        Ok((value, text))
    }

    /// The index of the actor that a word names.
    pub fn actor(&self, index: usize) -> Result<usize, Box<Problem>> {
        let name = self.get(index);
        let known = || self.scope.actors().iter().map(|actor| actor.name);
        known().position(|known| known == name).ok_or_else(|| {
            Box::new(unknown_actor(name, &self.place(index..index + 1), &Vec::from_iter(known())))
        })
    }

    /// The size that these words spell.
    pub fn size(&self, words: Range<usize>) -> Result<Size, Problem> {
        let Value { value, text, expr, span } = self.value(words)?;
        let Some(value) = value else { return Ok(Size { bytes: None, text }) };
        match u64::try_from(value) {
            Ok(bytes) if bytes <= MAX_SIZE => Ok(Size { bytes: Some(bytes), text }),
            _ => {
                let label = if value < 0 { "negative" } else { "more than 256 MiB" };
                let problem = Problem::new("size", format!("a size of {value} bytes"))
                    .at(span, label)
                    .help("a size is between 0 and 256 MiB, as far as the position-coded streams reach");
                Err(match &expr.node {
                    Node::Name(name) => match self.scope.text(name) {
                        Some(text) => problem.at(text.span.clone(), "from here"),
                        None => problem,
                    },
                    _ => problem,
                })
            }
        }
    }

    fn value(&self, words: Range<usize>) -> Result<Value, Problem> {
        let range = self.ranges[words.start].start..self.ranges[words.end - 1].end;
        // Read as written if possible, so that `2*{n}` is twice the value of n
        // and not twice its first term.
        let raw = self.filled.raw(range.clone());
        let (source, start) = match &raw {
            Some(raw) => (&self.script.text.value[raw.clone()], raw.start),
            None => (&self.filled.text[range.clone()], range.start),
        };
        let place = |part: Range<usize>| {
            let part = start + part.start..start + part.end;
            if raw.is_some() { self.script.text.place(part) } else { self.filled.place(part).span }
        };
        let expr = Expr::parse(source, &place)?;
        Ok(Value {
            value: expr.value(&|name, span| self.scope.lookup(name, span))?,
            text: substitute(source, &|name| self.scope.expanded(name)),
            expr,
            span: place(0..source.len()),
        })
    }
}

/// What an expression in a step comes to.
struct Value {
    value: Option<i128>,
    /// As in [`Size`].
    text: String,
    expr: Expr,
    span: Span,
}
