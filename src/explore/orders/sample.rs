//! A sample of the arrangements.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Block;

/// So many arrangements of the blocks, sorted, the one that is written among them. There must be
/// more than that.
pub(super) fn draw(blocks: &[Block], size: usize, seed: u64) -> Vec<Vec<Vec<usize>>> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut drawn: BTreeSet<Vec<Vec<usize>>> = BTreeSet::new();
    drawn.insert(blocks.iter().map(Block::as_written).collect());
    while drawn.len() < size {
        drawn.insert(blocks.iter().map(|block| one(block, &mut random)).collect());
    }
    drawn.into_iter().collect()
}

/// One arrangement: who comes next is as likely as there are lines of him left, which makes all
/// arrangements equally likely.
fn one(block: &Block, random: &mut Pcg64Mcg) -> Vec<usize> {
    let mut left = block.as_written();
    let mut lines = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let actor = block.lines[left[random.random_range(0..left.len())]].actor;
        let next = left.iter().position(|line| block.lines[*line].actor == actor);
        lines.push(left.remove(next.expect("one of his was chosen")));
    }
    lines
}
