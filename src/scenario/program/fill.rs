//! Texts of a program with a case's parameters put in.

use std::ops::Range;

use crate::scenario::{
    expr::Expr,
    parts::Template,
    place::{Span, Text},
    problem::Problem,
    symbols::Scope,
    template::{self, Piece},
};

/// A text with its parameters put in, as [`filled`] does.
///
/// # Errors
/// As [`filled`].
pub(in crate::scenario) fn fill(text: &Text, scope: &Scope<'_>) -> Result<String, Problem> {
    filled(&(text.clone(), template::pieces_of_words(text)), scope)
}

/// A text that was parted before, with its parameters put in: of a parameter its text, of a size
/// (`page+1`) its number. What no machine tells yet stays as it is written.
///
/// # Errors
/// An expression that can't be read or computed, or has a name that nobody knows.
pub(super) fn filled((text, pieces): &Template, scope: &Scope<'_>) -> Result<String, Problem> {
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(range) => filled.push_str(&text.value[range.clone()]),
            Piece::Hole { whole, inner } => {
                let place = |part: Range<usize>| text.place(inner.start + part.start..inner.start + part.end);
                let content = &text.value[inner.clone()];
                let value = match scope.text(content) {
                    Some(value) => of_param(content, value, &place(0..content.len()), scope)?,
                    None => {
                        let value = Expr::parse(content, &place)?;
                        let value = value.value(&|name, span| scope.lookup(name, span))?;
                        value.map(|number| number.to_string())
                    }
                };
                filled.push_str(value.as_deref().unwrap_or(&text.value[whole.clone()]));
            }
        }
    }
    Ok(filled)
}

/// A parameter's text; of one that is a size, its number, if that is known here.
fn of_param(name: &str, text: &Text, place: &Span, scope: &Scope<'_>) -> Result<Option<String>, Problem> {
    // A date is no difference, and keeps its zeros.
    let plain = text.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let expr = Expr::parse(&text.value, &|range| range).ok().filter(|_| !plain);
    let is_size = expr.is_some_and(|expr| expr.names().iter().all(|(name, _)| scope.knows(name)));
    if !is_size {
        return Ok(Some(text.value.clone()));
    }
    Ok(scope.lookup(name, place)?.map(|number| number.to_string()))
}
