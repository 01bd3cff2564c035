//! The orders of steps that a case leaves open (`together`): how many there are, all of them, or a
//! sample.
//!
//! 1. What is ordered is a line of the script: the steps of a sequence stay together.
//! 2. Lines of one actor keep their order; blocks stand one behind the other.
//! 3. So a block of lines n1, n2, ... of each actor has (n1 + n2 + ...)! / (n1! n2! ...) orders, and
//!    a case the product of those of its blocks.
//! 4. Orders are sorted by their lines: the first is the one that is written, the last block
//!    changes fastest.
//! 5. A sample is the order that is written and others, each as likely as any other, none twice.

mod block;
mod sample;

use std::ops::Range;

pub use block::{Block, Line};

/// The open orders of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// Steps of the case, those in no block too.
    steps: usize,
    blocks: Vec<Block>,
    /// Which of them are played.
    pub choice: Choice,
}

/// Which orders of a case are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    Sample {
        /// So many, fewer than there are.
        size: usize,
        /// The same seed draws the same orders.
        seed: u64,
    },
}

impl Orders {
    /// The open orders of a case of so many steps, of which at most so many are played. The blocks
    /// stand in the order of their steps.
    pub fn new(steps: usize, blocks: Vec<Block>, most: usize, seed: u64) -> Orders {
        let mut orders = Orders { steps, blocks, choice: Choice::All };
        if orders.count().is_none_or(|count| count > most as u128) {
            orders.choice = Choice::Sample { size: most, seed };
        }
        orders
    }

    /// How many there are (rule 3); `None`: more than 128 bits say.
    pub fn count(&self) -> Option<u128> {
        self.blocks.iter().try_fold(1_u128, |product, block| product.checked_mul(block.count()?))
    }

    /// How many are played.
    pub fn len(&self) -> usize {
        match self.choice {
            Choice::All => self.count().and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX),
            Choice::Sample { size, .. } => size,
        }
    }

    /// There is always one.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The blocks, as ranges of steps.
    pub fn together(&self) -> Vec<Range<usize>> {
        self.blocks.iter().map(Block::steps).collect()
    }

    /// Those that are played, sorted (rule 4), each as all steps of the case in their order.
    pub fn played(&self) -> Vec<Vec<usize>> {
        let arrangements = match self.choice {
            Choice::All => self.all().collect(),
            Choice::Sample { size, seed } => sample::draw(&self.blocks, size, seed),
        };
        arrangements.iter().map(|arrangement| self.steps_of(arrangement)).collect()
    }

    /// All arrangements: for each block, its lines in their order.
    fn all(&self) -> impl Iterator<Item = Vec<Vec<usize>>> + '_ {
        let first: Vec<Vec<usize>> = self.blocks.iter().map(Block::as_written).collect();
        std::iter::successors(Some(first), |arrangement| {
            let mut next = arrangement.clone();
            let turned = self.blocks.iter().zip(&mut next).rev().any(|(block, lines)| block.advance(lines));
            turned.then_some(next)
        })
    }

    fn steps_of(&self, arrangement: &[Vec<usize>]) -> Vec<usize> {
        let mut steps: Vec<usize> = (0..self.steps).collect();
        for (block, lines) in self.blocks.iter().zip(arrangement) {
            let ordered = lines.iter().flat_map(|line| block.lines[*line].steps.clone());
            block.steps().zip(ordered.collect::<Vec<_>>()).for_each(|(at, step)| steps[at] = step);
        }
        steps
    }
}

#[cfg(test)]
mod tests;
