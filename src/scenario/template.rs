//! Text with `{name}` in it, and what it becomes once the parameters are bound.

use std::ops::Range;

use super::{
    lexer::is_atom,
    place::{Span, Text},
    problem::Problem,
};

/// A part of a text, as a range of its `value`.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(Range<usize>),
    /// `whole` with the braces, `inner` without braces and outer spaces.
    Hole {
        whole: Range<usize>,
        inner: Range<usize>,
    },
}

/// Splits `range` of a text at its braces.
pub(super) fn pieces(text: &Text, range: Range<usize>) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let rest = &text.value[at..range.end];
        let Some(brace) = rest.find(['{', '}']) else {
            pieces.push(Piece::Literal(at..range.end));
            break;
        };
        if brace > 0 {
            pieces.push(Piece::Literal(at..at + brace));
        }
        at += brace;
        let close = text.value[at + 1..range.end].find(['{', '}']).map(|offset| at + 1 + offset);
        match close {
            Some(close) if text.value[at..].starts_with('{') && text.value[close..].starts_with('}') => {
                let inside = &text.value[at + 1..close];
                let lead = inside.len() - inside.trim_start().len();
                let inner = at + 1 + lead..at + 1 + lead + inside.trim().len();
                pieces.push(Piece::Hole { whole: at..close + 1, inner });
                at = close + 1;
            }
            _ => {
                let (message, label) = match text.value[at..].starts_with('{') {
                    true => ("`{` without its `}`", "opened here"),
                    false => ("`}` without its `{`", "closed here"),
                };
                return Err(Problem::new("brace", message)
                    .at(text.place(at..at + 1), label)
                    .help("a parameter stands as `{name}`"));
            }
        }
    }
    Ok(pieces)
}

/// The same for the words of a program, in whose own language braces mean other things:
/// only what reads as a name or an expression is a hole, and not behind a `$`.
pub(super) fn pieces_of_words(text: &Text) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (value, mut start, mut at) = (&text.value, 0, 0);
    while let Some(open) = value[at..].find('{').map(|offset| at + offset) {
        let inside = value[open + 1..].find('}').map(|length| &value[open + 1..open + 1 + length]);
        let is_expression = |inside: &str| {
            inside.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && inside.chars().all(|c| c.is_ascii_alphanumeric() || "_ +-*/().".contains(c))
        };
        let doubled = value[open..].starts_with("{{");
        match inside {
            // `{{name}}` stands for `{name}`.
            _ if doubled => {
                let close = value[open..].find("}}").map(|offset| open + offset);
                pieces.push(Piece::Literal(start..open));
                let end = close.map_or(value.len(), |close| close + 2);
                pieces.push(Piece::Literal(open + 1..close.map_or(value.len(), |close| close + 1)));
                (start, at) = (end, end);
            }
            // A number alone is part of the program's own words: `a{3}`.
            Some(inside) if inside.bytes().all(|byte| byte.is_ascii_digit()) => at = open + 1,
            Some(inside) if is_expression(inside) && !value[..open].ends_with('$') => {
                let end = open + inside.len() + 2;
                pieces.push(Piece::Literal(start..open));
                pieces.push(Piece::Hole { whole: open..end, inner: open + 1..end - 1 });
                (start, at) = (end, end);
            }
            _ => at = open + 1,
        }
    }
    pieces.push(Piece::Literal(start..value.len()));
    pieces
}

/// A text with its parameters put in, which still knows where it came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Filled {
    pub text: String,
    /// One for each byte of `text`.
    bytes: Vec<Origin>,
    /// The holes that were filled: range in the template's text, place in the file.
    holes: Vec<(Range<usize>, Span)>,
}

#[derive(Clone, Debug)]
struct Origin {
    /// The byte of the template's text; unused in a hole.
    raw: usize,
    /// Its place in the file.
    at: Span,
    hole: Option<usize>,
}

/// Where a part of a filled text comes from.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub span: Span,
    /// The hole that a parameter's value was put in, if `span` is in the value.
    pub via: Option<Span>,
}

impl Filled {
    /// Puts values in. A hole that `value` doesn't know stays as it is. After
    /// the literal `sized`, values are put in parentheses where they need them.
    pub fn fill<'v>(
        text: &Text,
        pieces: &[Piece],
        sized: Option<&str>,
        value: &dyn Fn(&str) -> Option<&'v Text>,
    ) -> Filled {
        let mut filled = Filled::default();
        for piece in pieces {
            let (whole, inner) = match piece {
                Piece::Literal(range) => (range, None),
                Piece::Hole { whole, inner } => (whole, value(&text.value[inner.clone()])),
            };
            let Some(inner) = inner else {
                for raw in whole.clone() {
                    filled.bytes.push(Origin { raw, at: text.place(raw..raw + 1), hole: None });
                }
                filled.text.push_str(&text.value[whole.clone()]);
                continue;
            };
            let hole = filled.holes.len();
            filled.holes.push((whole.clone(), text.place(whole.clone())));
            let parenthesised =
                sized.is_some_and(|word| filled.text.contains(word)) && !is_atom(&inner.value);
            let around = Origin { raw: whole.start, at: inner.span.clone(), hole: Some(hole) };
            if parenthesised {
                filled.text.push('(');
                filled.bytes.push(around.clone());
            }
            filled.text.push_str(&inner.value);
            for byte in 0..inner.value.len() {
                filled.bytes.push(Origin { at: inner.place(byte..byte + 1), ..around.clone() });
            }
            if parenthesised {
                filled.text.push(')');
                filled.bytes.push(around);
            }
        }
        filled
    }

    /// Where these bytes come from.
    pub fn place(&self, range: Range<usize>) -> Place {
        let last = self.bytes.len().saturating_sub(1);
        let range =
            range.start.min(last)..range.end.clamp(range.start.min(last) + 1, self.bytes.len().max(1));
        let Some(bytes) = self.bytes.get(range) else { return Place { span: 0..0, via: None } };
        let hole = bytes.first().and_then(|byte| byte.hole);
        let one_source = bytes.iter().all(|byte| byte.hole == hole);
        let span_of = |byte: &Origin| match byte.hole {
            Some(hole) if !one_source => self.holes[hole].1.clone(),
            _ => byte.at.clone(),
        };
        let start = bytes.iter().map(|byte| span_of(byte).start).min().unwrap_or(0);
        let end = bytes.iter().map(|byte| span_of(byte).end).max().unwrap_or(start);
        Place { span: start..end, via: hole.filter(|_| one_source).map(|hole| self.holes[hole].1.clone()) }
    }

    /// The range of the template's text that became `range`, unless a hole's
    /// value lies only in part in `range`.
    pub fn raw(&self, range: Range<usize>) -> Option<Range<usize>> {
        let inside = self.bytes.get(range.clone())?;
        let outside = self.bytes[..range.start].iter().chain(&self.bytes[range.end..]);
        if outside
            .into_iter()
            .any(|out| out.hole.is_some() && inside.iter().any(|byte| byte.hole == out.hole))
        {
            return None;
        }
        let extent =
            |byte: &Origin| byte.hole.map_or(byte.raw..byte.raw + 1, |hole| self.holes[hole].0.clone());
        let start = inside.iter().map(|byte| extent(byte).start).min()?;
        let end = inside.iter().map(|byte| extent(byte).end).max()?;
        Some(start..end)
    }

    /// The words, as ranges of `text`. Spaces between braces part nothing.
    pub fn words(&self) -> Vec<Range<usize>> {
        let mut words = Vec::new();
        let (mut start, mut braces) = (None, 0_usize);
        for (at, c) in self.text.char_indices() {
            match c {
                '{' => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                _ => {}
            }
            match start {
                Some(from) if c.is_whitespace() && braces == 0 => {
                    words.push(from..at);
                    start = None;
                }
                None if !c.is_whitespace() => start = Some(at),
                _ => {}
            }
        }
        words.extend(start.map(|from| from..self.text.len()));
        words
    }
}

impl Problem {
    /// Labels a part of a filled text, and the hole that it came through.
    pub(super) fn at_place(self, place: &Place, text: impl Into<String>) -> Problem {
        let problem = self.at(place.span.clone(), text);
        match &place.via {
            Some(via) => problem.at(via.clone(), "put in here"),
            None => problem,
        }
    }
}
