//! A script for one writer and one reader on a FIFO: what the stage plays, what a policy
//! predicts, and whether that is what was seen.

use std::{fmt, sync::Arc};

use crate::{
    channel::Kind,
    model::{
        Geometry,
        writer::{End, Extents, NoSay, Policy, Step, Told, Used, Writer},
    },
    outcome::{Access, Action, Amount, Offer, Outcome, Transcript, payload},
    setting::{Setting, Sigpipe},
    stage::{Condition, Launch, Order, Plan, PlannedActor, PlannedChannel, PlannedStep},
};

/// The writer's index in plans; its stream is told apart by it.
const WRITER: usize = 0;
const READER: usize = 1;
/// Steps of a plan before the script's own: both open.
const OPENS: usize = 2;

/// One step of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The writer does this.
    Writer(Step),
    /// The reader closes.
    Leave,
    /// It opens the FIFO again.
    Return,
    /// It reads up to so many bytes, or all that there is.
    Read(Option<u64>),
}

/// Both have opened the FIFO, the reader first; then these moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    /// The writer's end has O_NONBLOCK.
    pub nonblock: bool,
    /// What the pipe holds (bytes, whole pages).
    pub pipe: u64,
    pub moves: Vec<Move>,
}

/// What was seen of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    moves: Vec<Seen>,
    /// All that the writer offered, in order.
    stream: Vec<u8>,
}

/// What was seen of one move.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    outcome: Outcome,
    /// Bytes which the kernel had accepted so far, if that is known.
    accepted: Option<u64>,
    data: Vec<u8>,
}

/// What a policy says of what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The same; these rules had a say.
    Agrees(Used),
    /// Something else, from this move on.
    Differs { at: usize, predicted: String, seen: String },
    /// It can't say what comes of this move.
    NoSay { at: usize, why: NoSay },
}

impl Script {
    /// What the stage plays, if `writer` is the writer.
    pub fn plan(&self, writer: &PlannedActor) -> Plan {
        let capacity = Some(self.pipe);
        let open = |actor, access, nonblock| (actor, Action::Open { channel: 0, access, nonblock });
        let opens = [open(READER, Access::Read, true), open(WRITER, Access::Write, self.nonblock)];
        let step = |(actor, action)| PlannedStep {
            actor,
            action,
            condition: Condition::Always,
            attempts: 1,
            joined: false,
        };
        Plan {
            channels: vec![PlannedChannel { capacity, ..PlannedChannel::declared("log", Kind::Fifo) }].into(),
            actors: vec![writer.clone(), reader()].into(),
            steps: opens
                .into_iter()
                .chain(self.moves.iter().map(Move::action))
                .map(step)
                .map(Arc::new)
                .collect(),
            order: Order::default(),
            setting: Setting { sigpipe: Sigpipe::Ignore, ..Setting::default() }.into(),
        }
    }

    /// What the transcript of [`Script::plan`] shows.
    pub fn observed(&self, transcript: &Transcript) -> Observed {
        let records = transcript.steps.iter().skip(OPENS);
        let moves = records.map(|record| Seen {
            outcome: record.last().clone(),
            accepted: record.counts.first().and_then(|count| count.accepted.known()),
            data: record.data.as_ref().map_or_else(Vec::new, |data| data.0.clone()),
        });
        Observed { moves: moves.collect(), stream: self.stream() }
    }

    fn stream(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        for it in &self.moves {
            if let Move::Writer(Step::Write { bytes, newline }) = *it {
                let offset = stream.len() as u64;
                let offer = Offer { offset, len: bytes, piece: bytes, newline, wide: false };
                stream.extend(payload::offer_bytes(WRITER, &offer));
            }
        }
        stream
    }

    /// Follows the policy, and stops where it says something else than was seen. `page`:
    /// bytes in a page of the machine.
    pub fn check(&self, policy: Policy, page: u64, observed: &Observed) -> Check {
        let mut follower = Follower::new(self, policy, page);
        for (at, it) in self.moves.iter().enumerate() {
            let predicted = match follower.follow(*it) {
                Ok(predicted) => predicted,
                Err(why) => return Check::NoSay { at, why },
            };
            let seen = observed.moves.get(at);
            if !seen.is_some_and(|seen| predicted.agrees(seen, &observed.stream)) {
                let seen =
                    seen.map_or("nothing: the move before never came to an end".to_owned(), Seen::text);
                return Check::Differs { at, predicted: predicted.text(), seen };
            }
        }
        Check::Agrees(follower.writer.used())
    }

    /// What the policy says of each move, up to the first one of which it has no say. `page`:
    /// bytes in a page of the machine.
    pub fn predicted(&self, policy: Policy, page: u64) -> Vec<Predicted> {
        let mut follower = Follower::new(self, policy, page);
        self.moves.iter().map_while(|it| follower.follow(*it).ok()).collect()
    }
}

/// What a policy says of one move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// What the writer is told; `None` of the reader's moves.
    pub told: Option<Told>,
    /// Bytes which the kernel has accepted so far.
    pub accepted: u64,
    data: Extents,
}

/// A policy on its way through a script.
struct Follower {
    writer: Writer,
    end: End,
    accepted: u64,
    closed: bool,
}

impl Follower {
    fn new(script: &Script, policy: Policy, page: u64) -> Follower {
        let geometry = Geometry { page, slots: (script.pipe / page) as usize };
        let end = End::new(geometry, script.nonblock);
        Follower { writer: Writer::new(policy), end, accepted: 0, closed: false }
    }

    fn follow(&mut self, it: Move) -> Result<Predicted, NoSay> {
        let (mut told, mut data) = (None, Extents::default());
        match it {
            Move::Writer(step) => {
                let end = &mut self.end;
                told = Some(self.writer.step(step, |bytes| end.write(bytes))?);
                self.accepted += self.writer.took().len();
                self.end.queue(self.writer.took().clone());
                self.closed |= step == Step::Close;
            }
            Move::Leave => self.end.reader = false,
            Move::Return => self.end.reader = true,
            Move::Read(bytes) => data = self.end.read(bytes.unwrap_or(u64::MAX)),
        }
        if self.closed && !self.end.reader {
            // Nobody holds the FIFO any more.
            self.end.read(u64::MAX);
        }
        Ok(Predicted { told, accepted: self.accepted, data })
    }
}

impl Predicted {
    /// Bytes that the reader gets by this move.
    pub fn delivered(&self) -> u64 {
        self.data.len()
    }

    fn agrees(&self, seen: &Seen, stream: &[u8]) -> bool {
        let told = self.told.is_none_or(|told| match (told, &seen.outcome) {
            (Told::Ok { bytes }, Outcome::Ok { bytes: Some(seen) }) => bytes == *seen,
            (Told::Done, Outcome::Ok { bytes: None }) => true,
            (Told::Failed { errno, bytes }, Outcome::Failed(failure)) => {
                failure.errno == errno.name() && failure.bytes == bytes
            }
            _ => false,
        });
        told && seen.accepted.is_none_or(|accepted| accepted == self.accepted)
            && seen.data.len() as u64 == self.data.len()
            && self.holds_in(&seen.data, stream)
    }

    /// The bytes are those of these places in the stream.
    fn holds_in(&self, data: &[u8], stream: &[u8]) -> bool {
        let mut rest = data;
        self.data.iter().all(|(offset, len)| {
            let (part, behind) = rest.split_at(len as usize);
            rest = behind;
            part == &stream[offset as usize..(offset + len) as usize]
        })
    }

    fn text(&self) -> String {
        let told = match self.told {
            None => format!("{} bytes", self.data.len()),
            Some(Told::Ok { bytes }) => format!("ok {bytes}"),
            Some(Told::Done) => "ok".to_owned(),
            Some(Told::Failed { errno, bytes }) => format!("{} after {bytes}", errno.name()),
        };
        format!("{told}, {} in the kernel so far", self.accepted)
    }
}

impl Seen {
    fn text(&self) -> String {
        let told = match &self.outcome {
            Outcome::Ok { bytes: Some(bytes) } => format!("ok {bytes}"),
            Outcome::Failed(failure) => format!("{} after {}", failure.errno, failure.bytes),
            other => other.kind().to_owned(),
        };
        let accepted = self.accepted.map_or("unknown".to_owned(), |bytes| bytes.to_string());
        format!("{told}, {accepted} in the kernel so far")
    }
}

impl Observed {
    /// What the kernel had accepted after the last move, in bytes; 0 if that isn't known.
    pub fn accepted(&self) -> u64 {
        self.moves.last().and_then(|seen| seen.accepted).unwrap_or(0)
    }

    /// What was seen of each move that was played.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.moves.iter().map(|seen| &seen.outcome)
    }

    /// Bytes that the reader got in all.
    pub fn delivered(&self) -> u64 {
        self.moves.iter().map(|seen| seen.data.len() as u64).sum()
    }
}

fn reader() -> PlannedActor {
    PlannedActor {
        name: "reader".to_owned(),
        launch: Arc::new(Launch::BuiltIn("raw".to_owned())),
        mode: vec![],
        ignores_sigpipe: false,
    }
}

impl Move {
    fn action(&self) -> (usize, Action) {
        match *self {
            Move::Writer(Step::Write { bytes, newline }) => {
                (WRITER, Action::Write { channel: 0, bytes, wide: false, newline, pieces: None })
            }
            Move::Writer(Step::Flush) => (WRITER, Action::Flush { channel: 0 }),
            Move::Writer(Step::Close) => (WRITER, Action::Close { channel: 0 }),
            Move::Leave => (READER, Action::Close { channel: 0 }),
            Move::Return => (READER, Action::Open { channel: 0, access: Access::Read, nonblock: true }),
            Move::Read(None) => (READER, Action::Read { channel: 0, amount: Amount::Available }),
            Move::Read(Some(bytes)) => (READER, Action::Read { channel: 0, amount: Amount::Bytes(bytes) }),
        }
    }
}

impl fmt::Display for Move {
    /// As a line of a scenario.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Move::Writer(Step::Write { bytes, newline }) => {
                write!(out, "writer write log {bytes}{}", if *newline { " newline" } else { "" })
            }
            Move::Writer(Step::Flush) => out.write_str("writer flush log"),
            Move::Writer(Step::Close) => out.write_str("writer close log"),
            Move::Leave => out.write_str("reader close log"),
            Move::Return => out.write_str("reader open log read nonblock"),
            Move::Read(None) => out.write_str("reader read log available"),
            Move::Read(Some(bytes)) => write!(out, "reader read log {bytes}"),
        }
    }
}

impl fmt::Display for Script {
    /// Its script as a scenario's, without the pipe's size.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nonblock = if self.nonblock { " nonblock" } else { "" };
        write!(out, "reader open log read nonblock\nwriter open log write{nonblock}")?;
        self.moves.iter().try_for_each(|it| write!(out, "\n{it}"))
    }
}
