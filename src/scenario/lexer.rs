//! The tokens of an expression.

use std::ops::Range;

use super::{place::Span, problem::Problem};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(i128),
    Name(String),
    Sign(char),
}

/// The expression's text with each name replaced by what `replace` says, in
/// parentheses where it needs them. Text that isn't an expression stays.
pub(super) fn substitute(text: &str, replace: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if inner.contains(['{', '}']) {
            break;
        }
        text = inner.trim();
    }
    let Ok(tokens) = lex(text, &|range| range) else { return text.to_owned() };
    let alone = tokens.len() == 1;
    let (mut out, mut end) = (String::new(), 0);
    let sign = |index: usize, signs: [char; 2]| matches!(tokens.get(index), Some((Token::Sign(sign), _)) if signs.contains(sign));
    for (index, (token, range)) in tokens.iter().enumerate() {
        let enclosed = index > 0 && sign(index - 1, ['(', '{']) && sign(index + 1, [')', '}']);
        out.push_str(&text[end..range.start]);
        end = range.end;
        match token {
            Token::Sign('{') => out.push('('),
            Token::Sign('}') => out.push(')'),
            Token::Name(name) => match replace(name) {
                Some(value) if alone || enclosed || is_atom(&value) => out.push_str(&value),
                Some(value) => out.push_str(&format!("({value})")),
                None => out.push_str(name),
            },
            _ => out.push_str(&text[range.clone()]),
        }
    }
    out
}

/// One number or name: binds tighter than any operator.
pub(super) fn is_atom(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

/// Cuts an expression into tokens; `place` tells where its bytes stand in the file.
pub(super) fn lex(
    text: &str,
    place: &dyn Fn(Range<usize>) -> Span,
) -> Result<Vec<(Token, Range<usize>)>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let start = text.len() - rest.len();
        let len = match c {
            c if c.is_whitespace() => c.len_utf8(),
            '0'..='9' => run(rest, |c| c.is_ascii_digit() || c == '_'),
            c if c.is_alphabetic() || c == '_' => {
                run(rest, |c| c.is_alphanumeric() || matches!(c, '_' | '.'))
            }
            _ => c.len_utf8(),
        };
        let range = start..start + len;
        let (word, tail) = rest.split_at(len);
        rest = tail;
        if c.is_whitespace() {
            continue;
        }
        let token = match c {
            '0'..='9' => Token::Number(word.replace('_', "").parse().map_err(|_| {
                Problem::new("overflow", "a number beyond 128 bits")
                    .at(place(range.clone()), "too large to read")
                    .help("sizes go up to 256 MiB")
            })?),
            '+' | '-' | '*' | '/' | '%' | '(' | ')' | '{' | '}' => Token::Sign(c),
            c if c.is_alphabetic() || c == '_' => Token::Name(word.to_owned()),
            _ => {
                return Err(Problem::new("expression", format!("`{}` in an expression", c.escape_debug()))
                    .at(place(range), "not part of any expression")
                    .help("an expression is made of integers, names, `+ - * / %` and parentheses"));
            }
        };
        tokens.push((token, range));
    }
    Ok(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}
