//! The expressions of a scenario: sizes in bytes, made of integers, names and
//! `+ - * / %`. Division cuts towards zero. Every operation is checked.

use std::ops::Range;

use super::{
    lexer::{Token, lex},
    place::Span,
    problem::Problem,
    suggest::{listed, nearest},
};

/// Longer ones aren't read. With `MAX_DEPTH` it bounds the recursion below.
const MAX_LEN: usize = 1_000;
const MAX_DEPTH: usize = 50;

/// Suffixes of a number (IEC 80000-13). `K` and `kB` are left out: half of the
/// world reads them as thousands.
pub(super) const SUFFIXES: &[(&str, i128)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// An expression that was read; its parts know their places in the file.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub node: Node,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Number(i128),
    /// A parameter or symbol; dotted for a runtime's own (`python.buffer`).
    Name(String),
    Negate(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What a name stands for; `None` if only another machine knows.
pub(super) type Lookup<'a> = dyn Fn(&str, &Span) -> Result<Option<i128>, Problem> + 'a;

impl Expr {
    /// Reads an expression; `place` tells where its bytes stand in the file.
    /// Braces are parentheses, so that `2*{n}` means what it looks like.
    pub fn parse(text: &str, place: &dyn Fn(Range<usize>) -> Span) -> Result<Expr, Problem> {
        if text.len() > MAX_LEN {
            return Err(Problem::new("expression", "an expression of absurd length")
                .at(place(0..text.len()), format!("{} bytes", text.len()))
                .help(format!("an expression has at most {MAX_LEN} bytes")));
        }
        let tokens = lex(text, place)?;
        let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, place };
        let expr = parser.sum()?;
        match parser.tokens.get(parser.at) {
            None => Ok(expr),
            Some(_) => Err(parser.unexpected("expected an operator or the end")),
        }
    }

    /// Its value; `None` if a name's value isn't known here.
    ///
    /// # Errors
    /// What `lookup` says of a name, division by zero, overflow of 128 bits.
    pub fn value(&self, lookup: &Lookup<'_>) -> Result<Option<i128>, Problem> {
        match &self.node {
            Node::Number(number) => Ok(Some(*number)),
            Node::Name(name) => lookup(name, &self.span),
            Node::Negate(inner) => match inner.value(lookup)? {
                Some(value) => Ok(Some(value.checked_neg().ok_or_else(|| self.overflow())?)),
                None => Ok(None),
            },
            Node::Binary(op, left, right) => {
                let (left, divisor, right) = (left.value(lookup)?, right, right.value(lookup)?);
                if matches!(op, Op::Divide | Op::Remainder) && right == Some(0) {
                    return Err(Problem::new("division", "division by zero")
                        .at(divisor.span.clone(), "this is 0")
                        .help("leave out the parameter value that makes it 0, or add 1"));
                }
                let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
                let value = match op {
                    Op::Add => left.checked_add(right),
                    Op::Subtract => left.checked_sub(right),
                    Op::Multiply => left.checked_mul(right),
                    Op::Divide => left.checked_div(right),
                    Op::Remainder => left.checked_rem(right),
                };
                value.map(Some).ok_or_else(|| self.overflow())
            }
        }
    }

    /// The same with those names replaced that `lookup` knows.
    ///
    /// # Errors
    /// What `lookup` says of a name.
    pub fn resolved(self, lookup: &Lookup<'_>) -> Result<Expr, Problem> {
        let Expr { node, span } = self;
        let node = match node {
            Node::Name(name) => match lookup(&name, &span)? {
                Some(number) => Node::Number(number),
                None => Node::Name(name),
            },
            Node::Negate(inner) => Node::Negate(Box::new(inner.resolved(lookup)?)),
            Node::Binary(op, left, right) => {
                Node::Binary(op, Box::new(left.resolved(lookup)?), Box::new(right.resolved(lookup)?))
            }
            number => number,
        };
        Ok(Expr { node, span })
    }

    /// All names in it, with their places.
    pub fn names(&self) -> Vec<(&str, &Span)> {
        match &self.node {
            Node::Number(_) => Vec::new(),
            Node::Name(name) => vec![(name, &self.span)],
            Node::Negate(inner) => inner.names(),
            Node::Binary(_, left, right) => [left.names(), right.names()].concat(),
        }
    }

    fn overflow(&self) -> Problem {
        Problem::new("overflow", "a number beyond 128 bits")
            .at(self.span.clone(), "too large to compute")
            .help("sizes go up to 256 MiB")
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [(Token, Range<usize>)],
    at: usize,
    depth: usize,
    place: &'a dyn Fn(Range<usize>) -> Span,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Expr, Problem> {
        let mut left = self.product()?;
        while let Some(op) = self.operator(&[('+', Op::Add), ('-', Op::Subtract)]) {
            left = binary(op, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expr, Problem> {
        let mut left = self.factor()?;
        while let Some(op) = self.operator(&[('*', Op::Multiply), ('/', Op::Divide), ('%', Op::Remainder)]) {
            left = binary(op, left, self.factor()?);
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expr, Problem> {
        let Some((token, range)) = self.tokens.get(self.at).cloned() else {
            return Err(self.unexpected("expected a number or a name"));
        };
        if self.depth == MAX_DEPTH {
            return Err(Problem::new("expression", "parentheses nested too deep")
                .at((self.place)(range), format!("more than {MAX_DEPTH} levels"))
                .help("write it flatter"));
        }
        let span = (self.place)(range);
        match token {
            Token::Number(number) => {
                self.at += 1;
                let Some((Token::Name(suffix), range)) = self.tokens.get(self.at) else {
                    return Ok(Expr { node: Node::Number(number), span });
                };
                let Some((_, factor)) = SUFFIXES.iter().find(|(name, _)| name == suffix) else {
                    return Err(self.unexpected("expected an operator, or KiB, MiB or GiB"));
                };
                let span = span.start..(self.place)(range.clone()).end;
                self.at += 1;
                let value = number.checked_mul(*factor).ok_or_else(|| {
                    Problem::new("overflow", "a number beyond 128 bits")
                        .at(span.clone(), "too large to compute")
                })?;
                Ok(Expr { node: Node::Number(value), span })
            }
            Token::Name(name) => {
                self.at += 1;
                Ok(Expr { node: Node::Name(name), span })
            }
            Token::Sign('-') => {
                self.at += 1;
                self.depth += 1;
                let inner = self.factor()?;
                self.depth -= 1;
                Ok(Expr {
                    span: span.start..inner.span.end.max(span.start),
                    node: Node::Negate(Box::new(inner)),
                })
            }
            Token::Sign(open @ ('(' | '{')) => {
                self.at += 1;
                self.depth += 1;
                let inner = self.sum()?;
                self.depth -= 1;
                let close = if open == '(' { ')' } else { '}' };
                match self.tokens.get(self.at) {
                    Some((Token::Sign(sign), range)) if *sign == close => {
                        let end = (self.place)(range.clone()).end;
                        self.at += 1;
                        Ok(Expr { node: inner.node, span: span.start..end.max(span.start) })
                    }
                    _ => Err(self
                        .unexpected(&format!("expected an operator or `{close}`"))
                        .at(span, "opened here")),
                }
            }
            Token::Sign(_) => Err(self.unexpected("expected a number or a name")),
        }
    }

    fn operator(&mut self, ops: &[(char, Op)]) -> Option<Op> {
        let (Token::Sign(sign), _) = self.tokens.get(self.at)? else { return None };
        let (_, op) = ops.iter().find(|(name, _)| name == sign)?;
        self.at += 1;
        Some(*op)
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let Some((token, range)) = self.tokens.get(self.at) else {
            let end = self.text.trim_end().len();
            let from = self.text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
            let message =
                if self.tokens.is_empty() { "an empty expression" } else { "an unfinished expression" };
            return Problem::new("expression", message)
                .at((self.place)(from..end), expected.to_owned())
                .help("for example `2*blksize+1`");
        };
        let word = &self.text[range.clone()];
        let problem = Problem::new("expression", format!("unexpected `{word}` in an expression"))
            .at((self.place)(range.clone()), expected.to_owned());
        match token {
            Token::Name(name) => problem.help(name_help(name)),
            _ => problem.help("for example `2*blksize+1`"),
        }
    }
}

/// The way out for a word that follows a whole expression.
fn name_help(name: &str) -> String {
    let suffixes: Vec<&str> = SUFFIXES.iter().map(|(suffix, _)| *suffix).collect();
    let unit = suffixes.iter().find(|suffix| {
        let first = name.chars().next().map(|c| c.to_ascii_uppercase());
        first == suffix.chars().next() && name.len() <= 2
    });
    match unit
        .copied()
        .or_else(|| nearest(name, suffixes.iter().copied().chain(super::script::KEYWORDS.iter().copied())))
    {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("a number may be followed by {}", listed(&suffixes)),
    }
}

fn binary(op: Op, left: Expr, right: Expr) -> Expr {
    let span = left.span.start.min(right.span.start)..right.span.end.max(left.span.end);
    Expr { node: Node::Binary(op, Box::new(left), Box::new(right)), span }
}
