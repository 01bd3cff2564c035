//! What the stage recorded of one case: every step in order, and what could be
//! counted on the channels after each. Execution only records; the ledger and
//! the verdict are made from this without running anything.

use serde::{Deserialize, Serialize};

use super::{Layer, Outcome, Resting, Verb};
use crate::trace::Calls;

/// A count of bytes, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    Known(u64),
    Unknown(String),
}

impl Count {
    pub fn known(&self) -> Option<u64> {
        match self {
            Count::Known(bytes) => Some(*bytes),
            Count::Unknown(_) => None,
        }
    }
}

/// How an outstanding call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Index in `Transcript::steps` of the record whose step released it.
    pub by: usize,
    pub outcome: Outcome,
}

/// One attempt at one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Index into the plan's steps.
    pub step: usize,
    /// 1, and more only under `repeat`.
    pub attempt: u32,
    /// Index into the plan's actors.
    pub actor: usize,
    pub verb: Verb,
    pub channel: Option<usize>,
    /// At the moment when everything had settled.
    pub outcome: Outcome,
    /// For an outstanding outcome that a later step released.
    pub resumed: Option<Resumed>,
    /// Write steps: what was offered, as an extent of the actor's stream on
    /// this channel.
    pub offered: Option<Offer>,
    /// Steps that hand bytes from one channel to another, unseen: `channel` is the one
    /// that they go into.
    pub passed: Option<Passed>,
    /// Read steps: the bytes delivered by this call, lossless (see `Bytes`).
    pub data: Option<Bytes>,
    /// Calls that only look (MSG_PEEK): what they were shown.
    pub peeked: Option<Peeked>,
    /// A step that reads several channels (`communicate`): what it got from each.
    pub several: Vec<(usize, Bytes)>,
    /// What the layers of its runtime held back once the call had answered, the
    /// outermost first; `None` where nobody asked (`layers`) or there was nothing to ask.
    pub held: Option<Vec<Layer>>,
    /// After this step had settled: each channel's count.
    pub counts: Vec<ChannelCount>,
    /// Steps of a program: what each of its processes rests in.
    pub resting: Vec<Resting>,
    /// What programs that are traced have called since the step before had settled.
    pub calls: Vec<Calls>,
}

impl StepRecord {
    /// The last word on this step: how it was resumed, or what it gave at once.
    pub fn last(&self) -> &Outcome {
        self.resumed.as_ref().map_or(&self.outcome, |resumed| &resumed.outcome)
    }
}

/// What one write step offered: `len` bytes from `offset` of the actor's stream
/// on that channel, made of calls of `piece` bytes (the last may be shorter),
/// each ending in a line feed if `newline`. If `wide`, each two bytes are a character,
/// and the first three numbers are even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub offset: u64,
    pub len: u64,
    pub piece: u64,
    pub newline: bool,
    pub wide: bool,
}

/// Where a splice(2) or the like takes its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// `None`: out of something that isn't counted.
    pub from: Option<usize>,
    /// It leaves them there as well (tee(2)).
    pub copied: bool,
}

/// What a call was shown of a socket's queue, and left there (MSG_PEEK).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peeked {
    /// Bytes of the queue that it skipped (SO_PEEK_OFF).
    pub offset: u64,
    pub data: Bytes,
}

/// What could be counted on one channel once a step had settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCount {
    /// Bytes in the kernel, not yet read.
    pub queued: Count,
    /// Bytes which the kernel had accepted from all writers so far.
    pub accepted: Count,
    /// Bytes which readers had taken out of the kernel so far (a buffered
    /// reader takes more than it delivers).
    pub taken: Count,
}

/// Delivered bytes. In JSON: text where they are printable ASCII or line feeds
/// (position-coded data always is), base-16 otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        if self.0.iter().all(|&byte| byte == b'\n' || (0x20..0x7f).contains(&byte)) {
            serializer.collect_str(&format_args!("text:{}", String::from_utf8_lossy(&self.0)))
        } else {
            let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
            serializer.collect_str(&format_args!("hex:{hex}"))
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if !deserializer.is_human_readable() {
            return <&[u8]>::deserialize(deserializer).map(|bytes| Bytes(bytes.to_vec()));
        }
        let text = String::deserialize(deserializer)?;
        if let Some(text) = text.strip_prefix("text:") {
            return Ok(Bytes(text.as_bytes().to_vec()));
        }
        let hex = text.strip_prefix("hex:").ok_or_else(|| D::Error::custom("neither text: nor hex:"))?;
        if !hex.is_ascii() || hex.len() % 2 != 0 {
            return Err(D::Error::custom("hex: wants pairs of digits"));
        }
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(D::Error::custom))
            .collect::<Result<_, _>>()
            .map(Bytes)
    }
}

/// How a case came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The script was played to its last line.
    Played,
    /// The next step's actor was still blocked when everything had settled.
    Stuck {
        /// Index of the plan's step that could not be given.
        step: usize,
        /// Who waits for what, one line an outstanding call.
        waits: Vec<Wait>,
    },
}

/// One outstanding call when a case was stuck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub actor: usize,
    /// The record (index in `Transcript::steps`) whose call is outstanding.
    pub record: usize,
    pub channel: Option<usize>,
    /// Bytes queued there.
    pub queued: Option<Count>,
    /// Capacity in bytes as F_GETPIPE_SZ gives it.
    pub capacity: Option<u64>,
    /// The actors that hold a read end, and a write end.
    pub readers: Vec<usize>,
    pub writers: Vec<usize>,
}

/// All that was recorded of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    pub steps: Vec<StepRecord>,
    pub end: End,
    /// Per actor and channel (`[actor][channel]`): the actor held an end when
    /// the script was over, so bytes may still sit in its runtime's buffer.
    pub holds: Vec<Vec<bool>>,
    /// Per channel: which sides a program had open, whose bytes nobody knows.
    pub programs: Vec<Sides>,
    /// Per actor: the last of what a program wrote to standard streams that lead to no
    /// channel. For people; never part of a snapshot.
    pub words: Vec<String>,
    /// Per actor: why its calls aren't seen though somebody wants it; empty else.
    pub untraced: Vec<String>,
    /// Records (indexes in `steps`) of steps about a call of a program that never came: a fault,
    /// a `hold`, a `run until`.
    pub unmet: Vec<usize>,
}

/// The sides of a channel that a program has had open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides {
    pub reads: bool,
    pub writes: bool,
}

impl Sides {
    pub fn any(self) -> bool {
        self.reads || self.writes
    }
}
