//! What `[expect]` wants of a count: `4096`, `> 0`, `<= capacity`, `1 to 4096`,
//! `accepted`. Other counts of the channel are known when the case was played.

use std::ops::Range;

use super::{
    args::COMPARISONS,
    expr::Expr,
    lexer::substitute,
    parts::{ByteKey, Quantity},
    problem::Problem,
    symbols::Scope,
};
use crate::outcome::Count;

/// What a count should be.
#[derive(Clone, Debug)]
pub struct Wanted(Form);

#[derive(Clone, Debug)]
enum Form {
    Is(Side),
    /// With the sign that stands before it.
    Compares(&'static str, Side),
    Range(Side, Side),
}

/// An expression over numbers and the channel's counts.
#[derive(Clone, Debug)]
struct Side {
    /// As the scenario writes it, the parameters' texts put in.
    text: String,
    expr: Expr,
}

impl Wanted {
    /// Reads the value of a key.
    pub(super) fn read(key: &ByteKey, scope: &Scope<'_>) -> Result<Wanted, Problem> {
        let text = key.value.value.as_str();
        let whole = 0..text.len();
        let lead = text.len() - text.trim_start().len();
        if let Some((sign, _)) = COMPARISONS.iter().find(|(sign, _)| text[lead..].starts_with(sign)) {
            return Ok(Wanted(Form::Compares(sign, Side::read(key, lead + sign.len()..text.len(), scope)?)));
        }
        let Some(to) = text.find(" to ") else { return Ok(Wanted(Form::Is(Side::read(key, whole, scope)?))) };
        let (from, to) =
            (Side::read(key, 0..to, scope)?, Side::read(key, to + " to ".len()..text.len(), scope)?);
        if let (Some(least), Some(most)) = (from.number(), to.number())
            && least > most
        {
            return Err(Problem::new("range", format!("no count is {least} to {most}"))
                .at(key.value.span.clone(), "ends before it begins")
                .help("the smaller number stands first"));
        }
        Ok(Wanted(Form::Range(from, to)))
    }

    /// As the scenario writes it, the parameters' texts put in.
    pub fn text(&self) -> String {
        match &self.0 {
            Form::Is(side) => side.text.clone(),
            Form::Compares(sign, side) => format!("{sign} {}", side.text),
            Form::Range(from, to) => format!("{} to {}", from.text, to.text),
        }
    }

    /// The number of bytes that it must be, whatever the others are.
    pub fn exactly(&self) -> Option<u64> {
        match &self.0 {
            Form::Is(side) => u64::try_from(side.number()?).ok(),
            _ => None,
        }
    }

    /// Whether the count is as wanted; `of` tells the others. No count that isn't known is.
    pub fn allows(&self, seen: &Count, of: &dyn Fn(Quantity) -> Count) -> bool {
        let Count::Known(seen) = seen else { return false };
        let seen = i128::from(*seen);
        let is = |side: &Side, holds: fn(std::cmp::Ordering) -> bool| {
            side.value(of).is_ok_and(|value| holds(seen.cmp(&value)))
        };
        match &self.0 {
            Form::Is(side) => is(side, std::cmp::Ordering::is_eq),
            Form::Compares(sign, side) => {
                COMPARISONS.iter().any(|(known, holds)| known == sign && is(side, *holds))
            }
            Form::Range(from, to) => is(from, std::cmp::Ordering::is_ge) && is(to, std::cmp::Ordering::is_le),
        }
    }

    /// What is wanted and what that comes to: `blksize+1 = 4097`.
    pub fn told(&self, of: &dyn Fn(Quantity) -> Count) -> String {
        let value = |side: &Side| side.value(of).map_or_else(|why| why, |value| value.to_string());
        let (text, comes_to) = (
            self.text(),
            match &self.0 {
                Form::Is(side) | Form::Compares(_, side) => value(side),
                Form::Range(from, to) => format!("{} to {}", value(from), value(to)),
            },
        );
        let plain = match &self.0 {
            Form::Compares(sign, _) => format!("{sign} {comes_to}"),
            _ => comes_to.clone(),
        };
        if text == plain { text } else { format!("{text} = {comes_to}") }
    }
}

impl Side {
    fn read(key: &ByteKey, range: Range<usize>, scope: &Scope<'_>) -> Result<Side, Problem> {
        let text = &key.value.value[range.clone()];
        let place = |part: Range<usize>| key.value.place(range.start + part.start..range.start + part.end);
        let expr = Expr::parse(text, &place)?;
        let is_count = |name: &str| Quantity::named(name).filter(|_| scope.text(name).is_none());
        for (name, span) in expr.names() {
            if is_count(name) == Some(key.quantity) {
                return Err(Problem::new("itself", format!("`{name}` compared with itself"))
                    .at(span.clone(), "says nothing")
                    .help("compare it with a number or with another count of the channel"));
            }
        }
        let expr = expr.resolved(&|name, span| match is_count(name) {
            Some(_) => Ok(None),
            None => scope.lookup(name, span),
        })?;
        let side = Side { text: substitute(text, &|name| scope.expanded(name)), expr };
        match side.expr.value(&|_, _| Ok(None))? {
            Some(number) if u64::try_from(number).is_err() => {
                Err(Problem::new("size", format!("`{}` can't be {number} bytes", key.quantity.name()))
                    .at(key.value.span.clone(), if number < 0 { "negative" } else { "more than 64 bits" })
                    .help("a count of bytes is 0 or more"))
            }
            _ => Ok(side),
        }
    }

    /// Its value, if no count is in it, and no size that only a machine knows.
    fn number(&self) -> Option<i128> {
        self.expr.value(&|_, _| Ok(None)).ok().flatten()
    }

    /// Its value; or why there is none.
    fn value(&self, of: &dyn Fn(Quantity) -> Count) -> Result<i128, String> {
        let unknown = std::cell::RefCell::new(None);
        let value = self.expr.value(&|name, _| {
            Ok(match Quantity::named(name).map(of) {
                Some(Count::Known(bytes)) => Some(i128::from(bytes)),
                Some(Count::Unknown(why)) => {
                    unknown.replace(Some(format!("unknown ({why})")));
                    None
                }
                None => None,
            })
        });
        match value {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(unknown.take().unwrap_or_else(|| "unknown".to_owned())),
            Err(problem) => Err(problem.message),
        }
    }
}
