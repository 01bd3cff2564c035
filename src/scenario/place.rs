//! Where a value stands in the file: byte spans, and strings that can say which
//! bytes of the file each of their own bytes came from.

use std::ops::Range;

/// Bytes of a scenario's text.
pub type Span = Range<usize>;

/// A string of the file. It knows its place even through TOML's escapes.
#[derive(Clone, Debug)]
pub struct Text {
    pub value: String,
    /// The whole literal, quotes included.
    pub span: Span,
    offsets: Offsets,
}

/// Where the bytes of a value stand.
#[derive(Clone, Debug)]
enum Offsets {
    /// Only the whole literal can be named.
    Unknown,
    /// The value stands there as it is, from this byte on.
    Verbatim(usize),
    /// Each byte's place, and the end's.
    Each(Box<[usize]>),
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.value
    }
}

impl Text {
    /// A string literal that TOML decoded to `value` and that stands at `span`.
    pub(super) fn literal(value: &str, file: &str, span: Span) -> Text {
        let raw = file.get(span.clone()).unwrap_or("");
        let offsets = [false, true].into_iter().find_map(|lf_only| {
            let (decoded, mut offsets) = decode(raw, lf_only)?;
            offsets.iter_mut().for_each(|offset| *offset += span.start);
            (decoded == value).then_some(offsets)
        });
        let offsets = match offsets {
            None => Offsets::Unknown,
            Some(each) if each.windows(2).all(|pair| pair[1] == pair[0] + 1) => Offsets::Verbatim(each[0]),
            Some(each) => Offsets::Each(each.into()),
        };
        Text { value: value.to_owned(), span, offsets }
    }

    /// A value whose parts have no place of their own, only `span` as a whole.
    pub(super) fn whole(value: String, span: Span) -> Text {
        Text { value, span, offsets: Offsets::Unknown }
    }

    /// A word that stands in the file as it is.
    pub(super) fn word(value: &str, span: Span) -> Text {
        let verbatim = value.len() == span.len();
        let offsets = if verbatim { Offsets::Verbatim(span.start) } else { Offsets::Unknown };
        Text { value: value.to_owned(), span, offsets }
    }

    /// Where these bytes of `value` stand in the file.
    pub(super) fn place(&self, range: Range<usize>) -> Span {
        let at = |byte: usize| match &self.offsets {
            Offsets::Unknown => None,
            Offsets::Verbatim(from) => Some(from + byte.min(self.value.len())),
            Offsets::Each(each) => each.get(byte).or(each.last()).copied(),
        };
        match (at(range.start), at(range.end)) {
            (Some(start), Some(end)) => start..end.max(start),
            _ => self.span.clone(),
        }
    }
}

/// Reads a TOML string literal again, to learn where each byte came from. TOML
/// lets a parser turn CR LF into LF: `lf_only` reads it that way.
fn decode(raw: &str, lf_only: bool) -> Option<(String, Vec<usize>)> {
    let (quotes, escapes) = match raw.as_bytes() {
        [b'"', b'"', b'"', _, _, _, ..] => (3, true),
        [b'\'', b'\'', b'\'', _, _, _, ..] => (3, false),
        [b'"', _, ..] => (1, true),
        [b'\'', _, ..] => (1, false),
        _ => return None,
    };
    let mut body = raw.get(quotes..raw.len() - quotes)?;
    let mut at = quotes;
    if quotes == 3 {
        // A newline right after the opening quotes isn't part of the string.
        let rest = body.strip_prefix("\r\n").or_else(|| body.strip_prefix('\n')).unwrap_or(body);
        at += body.len() - rest.len();
        body = rest;
    }
    let (mut text, mut offsets) = (String::new(), Vec::new());
    let mut push = |c: char, at: usize, literal: bool| {
        text.push(c);
        offsets.extend((0..c.len_utf8()).map(|byte| if literal { at + byte } else { at }));
    };
    let mut chars = body.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let here = at + index;
        if c == '\r' && lf_only && chars.peek().is_some_and(|&(_, next)| next == '\n') {
            continue;
        }
        if c != '\\' || !escapes {
            push(c, here, true);
            continue;
        }
        let (_, kind) = chars.next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c if c.is_ascii_whitespace() => {
                while chars.next_if(|(_, next)| next.is_ascii_whitespace()).is_some() {}
                continue;
            }
            _ => {
                let c = match kind {
                    'b' => '\u{8}',
                    't' => '\t',
                    'n' => '\n',
                    'f' => '\u{c}',
                    'r' => '\r',
                    'e' => '\u{1b}',
                    other => other,
                };
                push(c, here, false);
                continue;
            }
        };
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + chars.next()?.1.to_digit(16)?;
        }
        push(char::from_u32(code)?, here, false);
    }
    offsets.push(at + body.len());
    Some((text, offsets))
}

/// The line (from 1) and column (from 1, in characters) of a byte of the text.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..char_boundary(text, offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The byte itself, or the start of the character that it is inside of.
pub(super) fn char_boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literal's value, and the file's text at each of its characters.
    #[rstest::rstest]
    #[case("'a\\n'", &["a", "\\", "n"])]
    #[case("\"a\\té\"", &["a", "\\t", "é"])]
    #[case("\"\\x65\\u00e9\\U0001F600!\"", &["\\x65", "\\u00e9", "\\U0001F600", "!"])]
    #[case("\"\"\"\na\\\n  b\"\"\"", &["a\\\n  ", "b"])]
    #[case("\'\'\'\r\na\'b\'\'\'", &["a", "'", "b"])]
    #[case("\"\\\\\\\"\"", &["\\\\", "\\\""])]
    fn each_character_knows_where_it_stands(#[case] literal: &str, #[case] places: &[&str]) {
        let file = format!("x = {literal}");
        let value: toml::Table = file.parse().expect("the literal is TOML");
        let value = value["x"].as_str().expect("and a string").to_owned();
        let text = Text::literal(&value, &file, 4..file.len());
        let found: Vec<&str> =
            value.char_indices().map(|(at, c)| &file[text.place(at..at + c.len_utf8())]).collect();
        assert_eq!(found, places);
    }
}
