//! A plan and a transcript, told step by step.

use std::sync::Arc;

use crate::{
    channel::Kind,
    outcome::{
        Access, Action, Amount, Bytes, ChannelCount, ChannelLedger, Count, End, Failure, Ledger, Offer,
        Outcome, Peeked, Resumed, StepRecord, Transcript, payload,
    },
    setting::Setting,
    stage::{Condition, Launch, Plan, PlannedActor, PlannedChannel, PlannedStep},
};

/// Actors are numbered as they are named; there is one channel.
pub struct Scene {
    pub plan: Plan,
    pub transcript: Transcript,
    offsets: Vec<u64>,
    accepted: u64,
    taken: u64,
    dropped: u64,
}

pub fn ok(bytes: u64) -> Outcome {
    Outcome::Ok { bytes: Some(bytes) }
}

pub fn done() -> Outcome {
    Outcome::Ok { bytes: None }
}

pub fn blocked() -> Outcome {
    Outcome::Blocked { call: "write".to_owned() }
}

pub fn epipe(bytes: u64) -> Outcome {
    Outcome::Failed(Failure {
        errno: "EPIPE".to_owned(),
        error: Some("BrokenPipeError".to_owned()),
        message: "[Errno 32] Broken pipe".to_owned(),
        bytes,
    })
}

impl Scene {
    pub fn of(actors: &[&str]) -> Scene {
        let actor = |name: &&str| PlannedActor {
            name: (*name).to_owned(),
            launch: Launch::BuiltIn("raw".to_owned()).into(),
            mode: vec![],
            ignores_sigpipe: true,
        };
        Scene {
            plan: Plan {
                channels: vec![PlannedChannel::declared("log", Kind::Fifo)].into(),
                actors: Arc::new(actors.iter().map(actor).collect()),
                steps: vec![],
                order: Default::default(),
                setting: Setting::default().into(),
            },
            transcript: Transcript {
                steps: vec![],
                end: End::Played,
                holds: vec![vec![false]; actors.len()],
                programs: vec![],
                words: vec![],
                untraced: vec![],
                unmet: vec![],
            },
            offsets: vec![0; actors.len()],
            accepted: 0,
            taken: 0,
            dropped: 0,
        }
    }

    fn step(
        mut self,
        actor: usize,
        action: Action,
        outcome: Outcome,
        offered: Option<Offer>,
        data: Option<Vec<u8>>,
    ) -> Self {
        self.transcript.steps.push(StepRecord {
            step: self.plan.steps.len(),
            attempt: 1,
            actor,
            verb: action.verb(),
            channel: Some(0),
            outcome,
            resumed: None,
            offered,
            passed: None,
            data: data.map(Bytes),
            peeked: None,
            several: vec![],
            held: None,
            resting: vec![],
            calls: vec![],
            counts: vec![ChannelCount {
                queued: Count::Known(self.accepted - self.taken - self.dropped),
                accepted: Count::Known(self.accepted),
                taken: Count::Known(self.taken),
            }],
        });
        let condition = Condition::Always;
        let step = PlannedStep { actor, action, condition, attempts: 1, joined: false };
        self.plan.steps.push(step.into());
        self
    }

    /// The bytes that the kernel takes, and drops, during the next step.
    pub fn kernel(mut self, accepts: u64, drops: u64) -> Self {
        self.accepted += accepts;
        self.dropped += drops;
        self
    }

    /// A runtime's read-ahead, during the next step.
    pub fn takes(mut self, bytes: u64) -> Self {
        self.taken += bytes;
        self
    }

    pub fn write(self, actor: usize, bytes: u64, outcome: Outcome) -> Self {
        self.offer(actor, bytes, bytes, false, outcome)
    }

    /// A call with characters of two bytes.
    pub fn wide(mut self, actor: usize, bytes: u64, outcome: Outcome) -> Self {
        let offer =
            Offer { offset: self.offsets[actor], len: bytes, piece: bytes, newline: false, wide: true };
        self.offsets[actor] += bytes;
        let action = Action::Write { channel: 0, bytes, wide: true, newline: false, pieces: None };
        self.step(actor, action, outcome, Some(offer), None)
    }

    pub fn offer(mut self, actor: usize, bytes: u64, piece: u64, newline: bool, outcome: Outcome) -> Self {
        let offer = Offer { offset: self.offsets[actor], len: bytes, piece, newline, wide: false };
        self.offsets[actor] += bytes;
        let action = Action::Write { channel: 0, bytes, wide: false, newline, pieces: Some(piece) };
        self.step(actor, action, outcome, Some(offer), None)
    }

    pub fn flush(self, actor: usize, outcome: Outcome) -> Self {
        self.step(actor, Action::Flush { channel: 0 }, outcome, None, None)
    }

    pub fn close(self, actor: usize) -> Self {
        self.step(actor, Action::Close { channel: 0 }, done(), None, None)
    }

    pub fn open(self, actor: usize, access: Access) -> Self {
        self.step(actor, Action::Open { channel: 0, access, nonblock: false }, done(), None, None)
    }

    pub fn read(mut self, actor: usize, data: &[u8]) -> Self {
        self.taken += data.len() as u64;
        let action = Action::Read { channel: 0, amount: Amount::ToEof };
        self.step(actor, action, ok(data.len() as u64), None, Some(data.to_vec()))
    }

    /// A call that only looks, `offset` bytes into the queue.
    pub fn peek(self, actor: usize, offset: u64, data: &[u8]) -> Self {
        let action = Action::Read { channel: 0, amount: Amount::Available };
        let mut scene = self.step(actor, action, ok(data.len() as u64), None, None);
        let last = scene.transcript.steps.last_mut().expect("just made");
        last.peeked = Some(Peeked { offset, data: Bytes(data.to_vec()) });
        scene
    }

    /// The last step but `back` was released by the last one.
    pub fn resumed(mut self, back: usize, outcome: Outcome) -> Self {
        let by = self.transcript.steps.len() - 1;
        self.transcript.steps[by - back].resumed = Some(Resumed { by, outcome });
        self
    }

    pub fn holds(mut self, actor: usize) -> Self {
        self.transcript.holds[actor][0] = true;
        self
    }

    pub fn ledger(&self) -> ChannelLedger {
        Ledger::of(&self.plan, &self.transcript).remove(0)
    }

    pub fn lines(&self) -> Vec<String> {
        self.ledger().lines(&self.plan)
    }
}

pub fn stream(writer: usize, start: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    payload::fill(writer, start, &mut bytes);
    bytes
}
