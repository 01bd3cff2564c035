//! Which scripts are played: some that set one question apart each, at all sizes of
//! interest, and random ones.

use fastrand::Rng;

use super::script::{Move, Script};
use crate::model::writer::Step;

const FLUSH: Move = Move::Writer(Step::Flush);
const CLOSE: Move = Move::Writer(Step::Close);
const ALL: Move = Move::Read(None);

/// What scripts are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Sizes of writes that are worth a try (bytes), sorted.
    pub sizes: Vec<u64>,
    /// Those of them that are worth a try in pairs.
    pub edges: Vec<u64>,
    /// Bytes in a page.
    pub page: u64,
    /// The largest pipe (bytes): no script without O_NONBLOCK offers more than half of it.
    pub largest: u64,
}

impl Shape {
    /// Around the sizes at which something changes.
    pub fn around(thresholds: &[u64], page: u64, largest: u64) -> Shape {
        let within = |sizes: &mut Vec<u64>| {
            sizes.retain(|size| (1..=largest / 8).contains(size));
            sizes.sort_unstable();
            sizes.dedup();
        };
        let (mut sizes, mut edges) = (vec![1, 2, 100], vec![1, 100]);
        for &at in thresholds.iter().chain([&page]) {
            for size in [at / 2, at, 2 * at, 3 * at] {
                sizes.extend([size.saturating_sub(1), size, size + 1]);
            }
            edges.extend([at.saturating_sub(1), at, at + 1]);
        }
        within(&mut sizes);
        within(&mut edges);
        Shape { sizes, edges, page, largest }
    }

    /// Scripts that set the questions apart, the simple ones first.
    pub(super) fn apart(&self) -> Vec<Script> {
        let mut scripts = Vec::new();
        for newline in [false, true] {
            for &first in &self.sizes {
                for moves in self.of_one(first, newline) {
                    scripts.push(Script { nonblock: false, pipe: self.largest, moves });
                }
            }
            for &first in &self.edges {
                for &second in &self.edges {
                    for (nonblock, moves) in of_two(first, second, newline) {
                        let pipe = if nonblock { self.page } else { self.largest };
                        scripts.push(Script { nonblock, pipe, moves });
                    }
                }
            }
        }
        scripts
    }

    fn of_one(&self, bytes: u64, newline: bool) -> Vec<Vec<Move>> {
        let it = write(bytes, newline);
        vec![
            vec![it, FLUSH, it, CLOSE, ALL],
            vec![Move::Leave, it, FLUSH, FLUSH, Move::Return, FLUSH, CLOSE, ALL],
            vec![Move::Leave, it, Move::Return, it, CLOSE, ALL],
            vec![it, Move::Leave, CLOSE],
        ]
    }

    /// The random script of this number; the same for ever.
    pub fn random(&self, seed: u64, index: u64, moves: usize) -> Script {
        let mut random = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index);
        let nonblock = random.bool();
        let pages = *random.choice(&[1, 1, 2, 4, 16]).expect("some");
        let pipe = if nonblock { pages * self.page } else { self.largest };
        let mut left = self.largest / 2;
        let (mut reader, mut held) = (true, 0);
        let mut script = Vec::with_capacity(moves + 3);
        while script.len() < moves {
            script.push(match random.u8(0..20) {
                0..=9 => {
                    let bytes = self.size(&mut random, held).min(left.max(1));
                    left = left.saturating_sub(bytes);
                    held += bytes;
                    write(bytes, random.u8(0..4) == 0)
                }
                10..=12 => {
                    held = 0;
                    FLUSH
                }
                13..=16 => {
                    reader = !reader;
                    if reader { Move::Return } else { Move::Leave }
                }
                _ if !reader => continue,
                17 => Move::Read(Some(self.size(&mut random, 0))),
                _ => ALL,
            });
        }
        if !reader && random.bool() {
            script.push(Move::Return);
            reader = true;
        }
        script.push(CLOSE);
        script.extend(reader.then_some(ALL));
        Script { nonblock, pipe, moves: script }
    }

    /// `held`: bytes that may be held back, up to which a size of interest may be filled.
    fn size(&self, random: &mut Rng, held: u64) -> u64 {
        let known = *random.choice(&self.sizes).expect("one byte at least");
        match random.u8(0..8) {
            0 => random.u64(1..=100),
            1 => random.u64(1..=known),
            2 | 3 if known > held => known - held,
            _ => known,
        }
    }
}

fn write(bytes: u64, newline: bool) -> Move {
    Move::Writer(Step::Write { bytes, newline })
}

fn of_two(first: u64, second: u64, newline: bool) -> Vec<(bool, Vec<Move>)> {
    let (one, two) = (write(first, false), write(second, newline));
    vec![
        (false, vec![one, two, FLUSH, two, CLOSE, ALL]),
        (false, vec![one, Move::Leave, two, Move::Return, FLUSH, two, CLOSE, ALL]),
        (true, vec![one, FLUSH, two, FLUSH, ALL, two, FLUSH, ALL, CLOSE, ALL]),
    ]
}
