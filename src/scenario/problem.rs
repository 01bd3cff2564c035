//! A mistake in a scenario, shown in the file: what is wrong, where, and the
//! way out.

use std::{fmt, path::PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::place::{Span, char_boundary, line_and_column};

/// A place in the file and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The rule that is broken, in a word or two (`unknown-key`): with the
    /// first label's place it tells problems apart.
    pub rule: &'static str,
    pub message: String,
    /// The parameter values with which it happens, if not with all.
    pub when: Option<String>,
    /// The first is where the mistake is; the others explain. Empty if it isn't
    /// in the file (an unknown name after `--set`).
    pub labels: Vec<Label>,
    /// The way out.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(rule: &'static str, message: impl Into<String>) -> Problem {
        Problem { rule, message: message.into(), when: None, labels: Vec::new(), help: None }
    }

    /// Adds a label; the first one is where the mistake is.
    pub(super) fn at(mut self, span: Span, text: impl Into<String>) -> Problem {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Problem {
        self.help = Some(text.into());
        self
    }

    /// Where it is; the start of the file if it has no place.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(0..0, |label| label.span.clone())
    }
}

/// All mistakes of one file, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    pub path: PathBuf,
    /// The file's text, into which the spans point.
    pub text: String,
    pub list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(path: PathBuf, text: String, mut list: Vec<Problem>) -> Problems {
        list.sort_by_key(|problem| (problem.span().start, problem.span().end));
        Problems { path, text, list }
    }

    /// Line and column (both from 1, the column in characters) of a problem.
    pub fn position(&self, problem: &Problem) -> (usize, usize) {
        line_and_column(&self.text, problem.span().start)
    }

    /// All of them, each with the lines of the file that it is about; with
    /// ANSI colours if `styled`.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let path = self.path.display().to_string();
        // A carriage return or another control character would move the marks:
        // each is shown as a space, which has the same width and length.
        let source: String =
            self.text.chars().map(|c| if c.is_ascii_control() && c != '\n' { ' ' } else { c }).collect();
        let rendered: Vec<String> = self
            .list
            .iter()
            .map(|problem| {
                let title = match &problem.when {
                    Some(when) => format!("{} (with {when})", problem.message),
                    None => problem.message.clone(),
                };
                let mut snippet = Snippet::source(&source).path(&path);
                for (index, label) in problem.labels.iter().enumerate() {
                    let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    snippet = snippet.annotation(kind.span(self.visible(&label.span)).label(&label.text));
                }
                let mut group = Group::with_title(Level::ERROR.primary_title(title));
                if !problem.labels.is_empty() {
                    group = group.element(snippet);
                }
                if let Some(help) = &problem.help {
                    group = group.element(Level::HELP.message(help));
                }
                renderer.render(&[group])
            })
            .collect();
        rendered.join("\n\n")
    }

    /// The span cut to whole characters of the text, and to its first line.
    fn visible(&self, span: &Span) -> Span {
        let start = char_boundary(&self.text, span.start);
        let end = span.end.clamp(start, self.text.len());
        let end = (end..).find(|&at| self.text.is_char_boundary(at)).unwrap_or(start);
        let first_line = self.text[start..end].find('\n').map_or(end, |newline| start + newline);
        start..first_line
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
