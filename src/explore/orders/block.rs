//! One block, and its arrangements: its lines (their indices) in an order that keeps each actor's
//! own.

use std::{collections::BTreeMap, ops::Range};

/// Lines of the script whose order is open. It has at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub lines: Vec<Line>,
}

/// A line of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose steps they are.
    pub actor: usize,
    /// The steps of the case that the line makes: those of a sequence, or one.
    pub steps: Range<usize>,
}

impl Block {
    /// Its steps; its lines' follow each other.
    pub fn steps(&self) -> Range<usize> {
        let first = self.lines.first().map_or(0, |line| line.steps.start);
        first..self.lines.last().map_or(first, |line| line.steps.end)
    }

    /// How many lines each actor has.
    pub(super) fn shares(&self) -> BTreeMap<usize, usize> {
        let mut shares = BTreeMap::new();
        self.lines.iter().for_each(|line| *shares.entry(line.actor).or_default() += 1);
        shares
    }

    /// The number of arrangements, a multinomial coefficient.
    pub(super) fn count(&self) -> Option<u128> {
        let mut placed = 0;
        let mut count = 1_u128;
        for share in self.shares().into_values() {
            for own in 1..=share as u128 {
                placed += 1;
                // A binomial coefficient once more: it divides without a rest.
                count = count.checked_mul(placed)? / own;
            }
        }
        Some(count)
    }

    /// The first arrangement.
    pub(super) fn as_written(&self) -> Vec<usize> {
        (0..self.lines.len()).collect()
    }

    /// Turns an arrangement into the next one; after the last, into the first, and false.
    pub(super) fn advance(&self, lines: &mut [usize]) -> bool {
        for at in (0..lines.len()).rev() {
            let mut left = lines[at..].to_vec();
            left.sort_unstable();
            let next = left.iter().position(|line| *line > lines[at] && self.leads(*line, &left));
            if let Some(next) = next {
                lines[at] = left.remove(next);
                lines[at + 1..].copy_from_slice(&left);
                return true;
            }
        }
        lines.sort_unstable();
        false
    }

    /// It is its actor's next among those that are left.
    fn leads(&self, line: usize, left: &[usize]) -> bool {
        let actor = self.lines[line].actor;
        !left.iter().any(|other| *other < line && self.lines[*other].actor == actor)
    }
}
