//! What is drawn: small numbers, of which 0 is always the simplest.

use proptest::{
    array::{uniform4, uniform5},
    collection::{SizeRange, vec},
    num::u8::ANY,
    strategy::{SBoxedStrategy, Strategy},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Draws of one script. About half of them make a step, on the average some twenty.
const DRAWS: std::ops::RangeInclusive<usize> = 4..=76;

/// One step to be: what it means is the menu's business ([`super::Ground`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Who, if it can; else the next one who can.
    pub actor: u8,
    /// Which line of the menu.
    pub verb: u8,
    /// Which size a size is near to.
    pub around: u8,
    /// Just that, or one less, or one more.
    pub delta: u8,
    /// Flags and the like.
    pub extra: u8,
}

/// A script to be: what its scene is like, then its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    pub scene: [u8; 4],
    pub steps: Vec<Draw>,
}

/// How all draws come to be.
pub fn strategy() -> SBoxedStrategy<Draws> {
    let step = uniform5(ANY).prop_map(|[verb, actor, around, delta, extra]| Draw {
        actor,
        verb,
        around,
        delta,
        extra,
    });
    (vec(step, SizeRange::from(DRAWS)), uniform4(ANY))
        .prop_map(|(steps, scene)| Draws { scene, steps })
        .sboxed()
}

/// Where the draws of one script come from: a pure function of both numbers.
pub fn runner(seed: u64, index: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&index.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;

    use super::*;

    fn draws(seed: u64, index: u64) -> Draws {
        strategy().new_tree(&mut runner(seed, index)).expect("nothing is filtered").current()
    }

    #[test]
    fn a_seed_and_an_index_always_give_the_same_draws() {
        assert_eq!(draws(7, 3), draws(7, 3));
        assert_ne!(draws(7, 3), draws(7, 4));
        assert_ne!(draws(7, 3), draws(8, 3));
    }

    #[test]
    fn draws_shrink_to_as_few_and_small_ones_as_there_may_be() {
        let mut tree = strategy().new_tree(&mut runner(1, 1)).expect("nothing is filtered");
        while tree.simplify() {}
        let least = tree.current();
        assert_eq!((least.steps.len(), least.scene), (*DRAWS.start(), [0; 4]));
        let zero = Draw { actor: 0, verb: 0, around: 0, delta: 0, extra: 0 };
        assert!(least.steps.iter().all(|draw| *draw == zero), "{least:?}");
    }
}
