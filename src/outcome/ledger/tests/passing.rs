//! Bytes that go from one channel to another by splice(2) and the like.

use super::scene::stream;
use crate::outcome::{
    Bytes, ChannelCount, ChannelLedger, Count, End, Offer, Outcome, Passed, Resumed, StepRecord, Transcript,
    Verb,
};

const A: usize = 0;
const B: usize = 1;
const FROM: usize = 0;
const INTO: usize = 1;

/// Two channels, told call by call.
#[derive(Default)]
struct Relay {
    steps: Vec<StepRecord>,
    /// By channel and actor: what the actor has offered.
    offered: [[u64; 2]; 2],
    /// By channel: what went in, and out again.
    moved: [(u64, u64); 2],
}

impl Relay {
    fn record(mut self, actor: usize, channel: usize, bytes: u64) -> Self {
        let count = |(accepted, taken): (u64, u64)| ChannelCount {
            queued: Count::Known(accepted - taken),
            accepted: Count::Known(accepted),
            taken: Count::Known(taken),
        };
        self.steps.push(StepRecord {
            step: self.steps.len(),
            attempt: 1,
            actor,
            // Any: the ledger looks at what was moved.
            verb: Verb::Spin,
            channel: Some(channel),
            outcome: Outcome::Said { bytes: Some(bytes), words: vec![] },
            resumed: None,
            offered: None,
            passed: None,
            data: None,
            peeked: None,
            several: vec![],
            held: None,
            resting: vec![],
            calls: vec![],
            counts: self.moved.map(count).to_vec(),
        });
        self
    }

    fn last(&mut self) -> &mut StepRecord {
        self.steps.last_mut().expect("a record")
    }

    fn write(mut self, actor: usize, channel: usize, len: u64) -> Self {
        let offset = self.offered[channel][actor];
        self.offered[channel][actor] += len;
        self.moved[channel].0 += len;
        let mut relay = self.record(actor, channel, len);
        relay.last().offered = Some(Offer { offset, len, piece: len, newline: false, wide: false });
        relay
    }

    fn read(mut self, channel: usize, data: Vec<u8>) -> Self {
        self.moved[channel].1 += data.len() as u64;
        let mut relay = self.record(B, channel, data.len() as u64);
        relay.last().data = Some(Bytes(data));
        relay
    }

    fn pass(mut self, bytes: u64, copied: bool) -> Self {
        self.moved[FROM].1 += if copied { 0 } else { bytes };
        self.moved[INTO].0 += bytes;
        let mut relay = self.record(B, INTO, bytes);
        relay.last().passed = Some(Passed { from: Some(FROM), copied });
        relay
    }

    fn ledgers(self) -> [ChannelLedger; 2] {
        let transcript = self.transcript();
        [FROM, INTO].map(|channel| ChannelLedger::of(&transcript, channel))
    }

    fn transcript(self) -> Transcript {
        Transcript {
            steps: self.steps,
            end: End::Played,
            holds: vec![vec![false; 2]; 2],
            programs: vec![],
            words: vec![],
            untraced: vec![],
            unmet: vec![],
        }
    }
}

#[test]
fn what_is_passed_on_is_the_writers_next_extent() {
    let relay = Relay::default().write(A, FROM, 40).write(A, FROM, 60).read(FROM, stream(A, 0, 30));
    let relay = relay.pass(50, false).read(INTO, stream(A, 30, 50)).read(FROM, stream(A, 80, 20));
    let [from, into] = relay.ledgers();
    assert!(from.is_clean() && into.is_clean(), "{from:?}, {into:?}");
    assert_eq!((from.accepted, from.delivered, from.passed_on, from.credited), (100, 50, 50, 100));
    assert_eq!((into.offered, into.accepted, into.delivered, into.passed_on), (50, 50, 50, 0));
}

#[test]
fn other_bytes_than_these_are_told() {
    let relay = Relay::default().write(A, FROM, 100).pass(50, false).read(INTO, stream(A, 30, 50));
    let [from, into] = relay.ledgers();
    assert!(from.lost.is_empty() && !into.is_clean(), "{into:?}");
    assert_eq!((into.foreign_bytes(), into.lost_bytes()), (30, 30), "{into:?}");
}

#[test]
fn what_is_copied_stays() {
    let relay = Relay::default().write(A, FROM, 50).pass(50, true).read(INTO, stream(A, 0, 50));
    let [from, into] = relay.read(FROM, stream(A, 0, 50)).ledgers();
    assert!(from.is_clean() && into.is_clean(), "{from:?}, {into:?}");
    assert_eq!((from.delivered, from.passed_on, into.delivered), (50, 0, 50));
}

/// A splice that waited has what the write that woke it wrote.
#[test]
fn what_comes_of_a_later_write_is_that_writes() {
    let relay = Relay::default().write(A, FROM, 50).pass(50, false).read(INTO, stream(A, 0, 50));
    let mut transcript = relay.transcript();
    transcript.steps.swap(0, 1);
    let pass = &mut transcript.steps[0];
    let outcome = std::mem::replace(&mut pass.outcome, Outcome::Blocked { call: "splice".to_owned() });
    pass.resumed = Some(Resumed { by: 1, outcome });
    let into = ChannelLedger::of(&transcript, INTO);
    assert_eq!((into.unjudged, into.accepted, into.foreign_bytes()), (false, 50, 0), "{into:?}");
}

#[test]
fn where_two_have_written_nobody_is_judged() {
    let relay = Relay::default().write(A, FROM, 50).write(B, FROM, 50).pass(80, false);
    let [from, into] = relay.read(INTO, stream(A, 0, 80)).ledgers();
    assert!(from.unjudged && into.unjudged, "{from:?}, {into:?}");
    assert_eq!((from.passed_on, into.delivered, into.foreign_bytes()), (80, 80, 0));
}

#[test]
fn a_writers_bytes_of_two_channels_are_not_told_apart() {
    let relay = Relay::default().write(A, FROM, 50).write(A, INTO, 20).pass(50, false);
    let [from, into] = relay.ledgers();
    assert_eq!((from.unjudged, into.unjudged), (false, true));
}
