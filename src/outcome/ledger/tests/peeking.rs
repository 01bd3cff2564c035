//! Calls that only look: they must be shown what comes next.

use proptest::{prelude::*, test_runner::RngSeed};

use super::scene::*;

/// Two writers' bytes in turn; the reader has had 30 of 100.
fn scene() -> Scene {
    let scene = Scene::of(&["a", "b", "r"]).kernel(100, 0).write(0, 60, ok(60)).write(1, 40, ok(40));
    scene.read(2, &stream(0, 0, 30))
}

/// What comes next then.
fn rest() -> Vec<u8> {
    [stream(0, 30, 30), stream(1, 0, 40)].concat()
}

fn wrong(scene: &Scene) -> Vec<(usize, u64)> {
    scene.ledger().mispeeks.iter().map(|mispeek| (mispeek.record, mispeek.at)).collect()
}

#[test]
fn what_comes_next_is_right_and_nothing_is_delivered_by_it() {
    let scene = scene().peek(2, 0, &rest()).peek(2, 0, &rest()[..5]).peek(2, 20, &rest()[20..60]);
    let unread = scene.ledger();
    assert_eq!((wrong(&scene), unread.delivered), (vec![], 30));
    let ledger = scene.read(2, &rest()).ledger();
    assert!(ledger.is_clean() && ledger.mispeeks.is_empty(), "{ledger:?}");
    assert_eq!(ledger.delivered, 100);
}

#[test]
fn other_bytes_are_named_whether_they_are_read_later_or_not() {
    for shown in [stream(0, 0, 30), stream(0, 31, 20), stream(1, 3, 37), b"nobody's bytes".to_vec()] {
        let scene = scene().peek(2, 0, &shown);
        assert_eq!(wrong(&scene), [(3, 0)], "{shown:?}");
        let scene = scene.read(2, &rest());
        assert_eq!(wrong(&scene), [(3, 0)], "{shown:?}");
        assert!(!scene.ledger().is_clean());
        assert_eq!(
            scene.lines(),
            ["a peek of r (step 4) showed other bytes than come next, from its byte 0 on"]
        );
    }
}

#[test]
fn whose_bytes_come_first_a_read_shows() {
    let scene = scene().peek(2, 0, &stream(1, 0, 40));
    assert_eq!(wrong(&scene), []);
    assert_eq!(wrong(&scene.read(2, &rest())), [(3, 0)]);
}

#[test]
fn the_offset_counts() {
    assert_eq!(wrong(&scene().peek(2, 10, &rest()[..10]).read(2, &rest())), [(3, 0)]);
    assert_eq!(wrong(&scene().peek(2, 10, &rest()[10..20]).read(2, &rest())), []);
}

#[test]
fn a_peek_of_what_was_cut_off_is_right() {
    // Of a datagram of 50 bytes a receive had room for 10.
    let scene = Scene::of(&["a", "r"]).kernel(70, 0).write(0, 50, ok(50)).write(0, 20, ok(20));
    let scene = scene.peek(1, 0, &stream(0, 0, 50)).kernel(0, 40).read(1, &stream(0, 0, 10));
    let scene = scene.peek(1, 0, &stream(0, 50, 20)).read(1, &stream(0, 50, 20));
    let cut = |mut scene: Scene| {
        // The socket's verb: a receive drops what it has no room for.
        scene.transcript.steps[3].verb = crate::outcome::Verb::Read;
        scene
    };
    let scene = cut(scene);
    assert_eq!(wrong(&scene), []);
    assert_eq!(scene.ledger().lost_bytes(), 40);
    assert_eq!(wrong(&cut(scene.peek(1, 0, &stream(0, 0, 50)))), [(6, 0)], "it was delivered before");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: super::cases(400),
        rng_seed: RngSeed::Fixed(super::seed()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// One byte of a peek is another one, at any place, whatever of it is read later.
    #[test]
    fn one_wrong_byte_is_named(
        (len, read, offset, shown, later, wrong_at) in (1u64..5000).prop_flat_map(|len| {
            (Just(len), 0..len).prop_flat_map(|(len, read)| {
                (Just(len), Just(read), 0..len - read).prop_flat_map(|(len, read, offset)| {
                    let left = len - read - offset;
                    (Just(len), Just(read), Just(offset), 1..=left, 0..=len - read)
                })
            })
        }).prop_flat_map(|(len, read, offset, shown, later)| {
            (Just(len), Just(read), Just(offset), Just(shown), Just(later), 0..shown)
        }),
        other in 1u8..94,
    ) {
        let right = stream(0, read + offset, shown);
        let play = |data: &[u8]| {
            let scene = Scene::of(&["a", "r"]).kernel(len, 0).write(0, len, ok(len)).read(1, &stream(0, 0, read));
            wrong(&scene.peek(1, offset, data).read(1, &stream(0, read, later)))
        };
        prop_assert_eq!(play(&right), vec![]);
        let mut broken = right.clone();
        let byte = &mut broken[wrong_at as usize];
        *byte = b'!' + (*byte - b'!' + other) % 94;
        let told = play(&broken);
        prop_assert_eq!(told.len(), 1, "{:?}", told);
        if wrong_at + offset < later {
            prop_assert_eq!(told[0].1, wrong_at);
        }
    }
}
