//! Orders against all permutations.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// Blocks of lines of these actors, one step each; a step in no block stands around each block.
fn orders(blocks: &[&[usize]], most: usize, seed: u64) -> Orders {
    let mut step = 0;
    let blocks = blocks.iter().map(|actors| {
        step += 1;
        let line = |actor: &usize| {
            step += 1;
            Line { actor: *actor, steps: step - 1..step }
        };
        Block { lines: actors.iter().map(line).collect() }
    });
    let blocks: Vec<Block> = blocks.collect();
    Orders::new(step + 1, blocks, most, seed)
}

/// All orders of a block by trying every permutation.
fn by_trying(block: &Block) -> BTreeSet<Vec<usize>> {
    fn extend(block: &Block, begun: &mut Vec<usize>, all: &mut BTreeSet<Vec<usize>>) {
        if begun.len() == block.lines.len() {
            all.insert(begun.clone());
        }
        for line in 0..block.lines.len() {
            if !begun.contains(&line) {
                begun.push(line);
                extend(block, begun, all);
                begun.pop();
            }
        }
    }
    let mut all = BTreeSet::new();
    extend(block, &mut Vec::new(), &mut all);
    let own = |order: &[usize], actor: usize| -> Vec<usize> {
        order.iter().copied().filter(|line| block.lines[*line].actor == actor).collect()
    };
    all.retain(|order| block.lines.iter().all(|line| own(order, line.actor).is_sorted()));
    all
}

/// Each digit is an actor's line.
#[rstest]
#[case("01", 2)]
#[case("001", 3)]
#[case("0122", 12)]
#[case("0011222", 210)]
#[case("01 001 123", 36)]
#[case("555", 1)]
#[case("", 1)]
fn the_number_is_the_multinomial(#[case] blocks: &str, #[case] count: u128) {
    let actors = |block: &str| block.bytes().map(|digit| usize::from(digit - b'0')).collect();
    let blocks: Vec<Vec<usize>> = blocks.split_whitespace().map(actors).collect();
    let blocks: Vec<&[usize]> = blocks.iter().map(Vec::as_slice).collect();
    let orders = orders(&blocks, 1_000, 0);
    assert_eq!(orders.count(), Some(count));
    assert_eq!(orders.choice, Choice::All);
    assert_eq!(orders.played().len() as u128, count);
}

#[test]
fn a_number_beyond_all_bounds_is_no_number() {
    let many: Vec<usize> = (0..200).map(|line| line % 4).collect();
    let orders = orders(&[&many], 5, 0);
    assert_eq!(orders.count(), None);
    assert_eq!(orders.played().len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sorted, each once, none missing, and each actor's lines in their order.
    #[test]
    fn each_order_once(actors in proptest::collection::vec(0_usize..4, 1..7)) {
        let orders = orders(&[&actors], 10_000, 0);
        let all: Vec<Vec<usize>> = orders.all().map(|mut blocks| blocks.remove(0)).collect();
        let tried: Vec<Vec<usize>> = by_trying(&orders.blocks[0]).into_iter().collect();
        prop_assert_eq!(&all, &tried);
        prop_assert_eq!(orders.count(), Some(tried.len() as u128));
        prop_assert!(all[0].is_sorted(), "the first is the one that is written");
    }

    /// A sample is of these, the written one first, and none twice.
    #[test]
    fn a_sample_is_a_part(actors in proptest::collection::vec(0_usize..4, 3..7), seed: u64) {
        let all: BTreeSet<Vec<usize>> = orders(&[&actors], 10_000, 0).played().into_iter().collect();
        prop_assume!(all.len() > 2);
        for size in [1, 2, all.len() - 1] {
            let sample = orders(&[&actors], size, seed);
            prop_assert_eq!(sample.choice, Choice::Sample { size, seed });
            let drawn = sample.played();
            prop_assert_eq!(drawn.len(), size);
            prop_assert!(drawn.is_sorted() && drawn[0].is_sorted());
            prop_assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), size);
            prop_assert!(drawn.iter().all(|order| all.contains(order)));
            prop_assert_eq!(orders(&[&actors], size, seed).played(), drawn);
        }
    }
}

#[test]
fn another_seed_draws_others() {
    let drawn = |seed| orders(&[&[0, 0, 0, 1, 1, 1, 2, 2, 2]], 20, seed).played();
    let different: BTreeSet<Vec<Vec<usize>>> = (0..10).map(drawn).collect();
    assert_eq!(different.len(), 10);
}

/// Of six orders, each of the five that aren't written is drawn as often as any other.
#[test]
fn all_are_equally_likely() {
    let all = orders(&[&[0, 0, 1, 1]], 10, 0).played();
    let mut drawn = vec![0; all.len()];
    for seed in 0..5_000 {
        for order in orders(&[&[0, 0, 1, 1]], 2, seed).played() {
            drawn[all.iter().position(|known| *known == order).expect("one of them")] += 1;
        }
    }
    assert_eq!(drawn[0], 5_000);
    // 1,000 of each: four standard deviations are 113.
    assert!(drawn[1..].iter().all(|count| (887..=1_113).contains(count)), "{drawn:?}");
}

/// What stands in no block stays, the steps of a sequence stay together, the last block changes
/// fastest.
#[test]
fn steps_around_and_in_a_line() {
    let line = |actor, steps| Line { actor, steps };
    let first = Block { lines: vec![line(0, 1..3), line(1, 3..4)] };
    let second = Block { lines: vec![line(1, 5..6), line(0, 6..7)] };
    let orders = Orders::new(8, vec![first, second], 10, 0);
    let played: Vec<Vec<usize>> = vec![
        vec![0, 1, 2, 3, 4, 5, 6, 7],
        vec![0, 1, 2, 3, 4, 6, 5, 7],
        vec![0, 3, 1, 2, 4, 5, 6, 7],
        vec![0, 3, 1, 2, 4, 6, 5, 7],
    ];
    assert_eq!(orders.played(), played);
    assert_eq!(orders.together(), [1..4, 5..7]);
}
