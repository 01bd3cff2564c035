//! `together` ... `end`: lines whose order is open.

use super::super::{
    parts::{Line, Together},
    place::Span,
    problem::Problem,
};

/// Each alone in its line.
pub(in crate::scenario) const TOGETHER: &str = "together";
pub(in crate::scenario) const END: &str = "end";

/// The blocks of a script, as far as it has been read.
#[derive(Default)]
pub(super) struct Blocks {
    /// Where the open one begins, and how many lines stand above it.
    open: Option<(Span, usize)>,
    /// So many more were begun in it, by mistake.
    inside: usize,
    done: Vec<Together>,
}

impl Blocks {
    /// Takes a line that begins or ends a block; false if it does neither. `incomplete`: some lines
    /// were at fault and are left out.
    pub fn mark(
        &mut self,
        code: &str,
        span: &Span,
        (lines, incomplete): (&[Line], bool),
        problems: &mut Vec<Problem>,
    ) -> bool {
        match (code, &self.open) {
            (TOGETHER, None) => self.open = Some((span.clone(), lines.len())),
            (TOGETHER, Some((first, _))) => {
                self.inside += 1;
                problems.push(
                    Problem::new("together", "a block in a block")
                        .at(span.clone(), "again")
                        .at(first.clone(), "this one hasn't ended")
                        .help("all steps of a block are in any order already: leave the inner `together` and `end` out"),
                );
            }
            (END, Some(_)) if self.inside > 0 => self.inside -= 1,
            (END, Some(_)) => self.close(lines, incomplete, problems),
            (END, None) => problems.push(
                Problem::new("together", "an `end` of nothing")
                    .at(span.clone(), "no block is open here")
                    .help("a block of steps in any order begins with `together`, alone in its line"),
            ),
            _ => return false,
        }
        true
    }

    /// The blocks, once there are no more lines.
    pub fn end(mut self, problems: &mut Vec<Problem>) -> Vec<Together> {
        if let Some((span, _)) = self.open.take() {
            problems.push(
                Problem::new("together", "a block without an end")
                    .at(span, "begins here")
                    .help("write `end`, alone in its line, behind the last step whose order is open"),
            );
        }
        self.done
    }

    fn close(&mut self, lines: &[Line], incomplete: bool, problems: &mut Vec<Problem>) {
        let Some((span, first)) = self.open.take() else { return };
        // As written: a parameter may hold any actor.
        let actor = |line: &Line| line.text.split(' ').next().map(str::to_owned);
        match &lines[first..] {
            _ if incomplete => {}
            [] => problems.push(
                Problem::new("together", "an empty block")
                    .at(span, "nothing stands in it")
                    .help("write steps of several actors between `together` and `end`"),
            ),
            [one, others @ ..] if others.iter().all(|other| actor(other) == actor(one)) => problems.push(
                Problem::new("together", format!("a block of `{}` alone", actor(one).unwrap_or_default()))
                    .at(span, "has one order only")
                    .at(one.span.clone(), "the steps of an actor keep their order")
                    .help("put steps of other actors beside them, or leave `together` and `end` out"),
            ),
            _ => self.done.push(Together { span, lines: first..lines.len() }),
        }
    }
}
