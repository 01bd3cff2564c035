//! What holds whatever was delivered.

use proptest::prelude::*;

use super::scene::*;
use crate::outcome::{ChannelLedger, Count, Outcome};

/// The sums of the ledger's rules.
pub fn conserves(ledger: &ChannelLedger) -> bool {
    let lost: u64 = ledger.lost.iter().map(|loss| loss.len).sum();
    let unplaced: u64 =
        ledger.unplaced.iter().flat_map(|unplaced| &unplaced.among).map(|extent| extent.len).sum();
    ledger.offered == ledger.accepted + ledger.refused + ledger.unanswered
        && ledger.delivered
            == ledger.credited + ledger.uncredited + ledger.duplicated_bytes() + ledger.foreign_bytes()
        && ledger.accepted
            == ledger.credited + ledger.queued_accepted + ledger.read_ahead + ledger.held + lost + unplaced
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        (0u64..400).prop_map(ok),
        Just(done()),
        (0u64..400).prop_map(epipe),
        Just(blocked()),
        Just(Outcome::Killed { signal: "SIGPIPE".to_owned() }),
    ]
}

/// Pieces of what was sent, in any order and as often as they like, among other
/// bytes.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => (0usize..5, 0u64..1200, 1u64..60).prop_map(|(writer, start, len)| stream(writer, start, len)),
        1 => proptest::collection::vec(any::<u8>(), 1..40),
        1 => proptest::collection::vec(Just(b'\n'), 1..5),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn counts() -> impl Strategy<Value = Option<(u64, u64, u64)>> {
    proptest::option::of((0u64..2000, 0u64..2000, 0u64..2000))
}

type Write = (usize, u64, u64, bool, Outcome, Option<(u64, u64, u64)>);

fn writes() -> impl Strategy<Value = Vec<Write>> {
    proptest::collection::vec((1usize..5, 0u64..400, 0u64..60, any::<bool>(), outcomes(), counts()), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: super::cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_the_sums_are_right(
        writes in writes(),
        reads in proptest::collection::vec((garbage(), counts()), 0..4),
        holds in any::<u8>(),
    ) {
        let mut scene = Scene::of(&["reader", "a", "b", "c", "d"]);
        let mut counts = Vec::new();
        for (actor, len, piece, newline, outcome, count) in writes {
            scene = scene.kernel(10_000, 0).offer(actor, len, piece, newline, outcome);
            counts.push(count);
        }
        for (data, count) in reads {
            scene = scene.kernel(data.len() as u64, 0).read(0, &data);
            counts.push(count);
        }
        for (record, count) in scene.transcript.steps.iter_mut().zip(counts) {
            let known = |pick: fn((u64, u64, u64)) -> u64| {
                count.map(pick).map_or(Count::Unknown("nobody looked".to_owned()), Count::Known)
            };
            record.counts[0].accepted = known(|count| count.0);
            record.counts[0].queued = known(|count| count.1);
            record.counts[0].taken = known(|count| count.2);
        }
        for (actor, held) in scene.transcript.holds.iter_mut().enumerate() {
            held[0] = holds >> actor & 1 == 1;
        }
        let ledger = scene.ledger();
        prop_assert!(conserves(&ledger), "{:?}", ledger);
        prop_assert!(ledger.unplaced.iter().all(|unplaced| unplaced.least <= unplaced.most));
        prop_assert!(ledger.accepted >= ledger.lost_bytes());
        let _ = ledger.lines(&scene.plan);
    }
}
