//! The script's text cut into lines with steps, and the blocks that they stand in.

mod blocks;

use super::{
    parts::{Line, Script},
    place::{Text, line_and_column},
    problem::Problem,
    template,
};
use blocks::Blocks;
pub(super) use blocks::{END, TOGETHER};

/// Leaves out comments and blank lines. A line whose braces are at fault is
/// reported and left out.
pub(super) fn split(text: Text, file: &str) -> (Script, Vec<Problem>) {
    let (mut lines, mut problems, mut start) = (Vec::new(), Vec::new(), 0);
    let mut blocks = Blocks::default();
    let mut incomplete = false;
    for line in text.value.split('\n') {
        let code = &line[..line.find('#').unwrap_or(line.len())];
        let lead = code.len() - code.trim_start().len();
        let range = start + lead..start + lead + code.trim().len();
        start += line.len() + 1;
        if range.is_empty() {
            continue;
        }
        let span = text.place(range.clone());
        if blocks.mark(code.trim(), &span, (&lines, incomplete), &mut problems) {
            continue;
        }
        match template::pieces(&text, range.clone()) {
            Ok(pieces) => lines.push(Line {
                number: line_and_column(file, span.start).0,
                text: code.split_whitespace().collect::<Vec<_>>().join(" "),
                span,
                range: range.clone(),
                pieces,
                unbound: Vec::new(),
            }),
            Err(problem) => {
                problems.push(problem);
                incomplete = true;
            }
        }
    }
    let together = blocks.end(&mut problems);
    (Script { text, lines, together, incomplete }, problems)
}
