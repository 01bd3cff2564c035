//! A policy in short, for tables.

use crate::model::writer::{
    Policy,
    rules::{
        ChunkBefore, ChunkError, Close, Direct, FlushError, Lines, OnFull, Overflow, Rule, Start, Through,
    },
};

/// What a table says of a policy. What isn't known of it is `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Bytes that can be held back: `4096`, `8192 over 4096`, `none`.
    pub capacity: String,
    /// The shortest write that goes to write(2) while nothing is held.
    pub through: String,
    pub failed_flush: String,
    pub failed_write: String,
    pub close: String,
    /// The policy's name.
    pub name: String,
}

impl Words {
    pub fn of(policy: &Policy) -> Words {
        Words {
            capacity: capacity(policy),
            through: through(policy),
            failed_flush: failed_flush(policy).to_owned(),
            failed_write: failed_write(policy).to_owned(),
            close: close(policy).to_owned(),
            name: name(policy),
        }
    }
}

const UNKNOWN: &str = "?";

fn layers(policy: &Policy) -> (Option<u64>, Option<u64>) {
    (policy.get(Rule::Chunk), policy.get(Rule::Capacity))
}

fn capacity(policy: &Policy) -> String {
    match layers(policy) {
        (Some(0), Some(0)) => "none".to_owned(),
        (Some(0), Some(buffer)) => buffer.to_string(),
        (Some(chunk), Some(buffer)) => format!("{chunk} over {buffer}"),
        _ => UNKNOWN.to_owned(),
    }
}

/// A whole first write of `bytes` into empty layers goes on, as far as is known.
fn through(policy: &Policy) -> String {
    let known = || {
        let (chunk, buffer) = (policy.get(Rule::Chunk)?, policy.get(Rule::Capacity)?);
        let beyond = match policy.choice::<Overflow>() {
            _ if buffer == 0 => 1,
            Some(Overflow::FillFirst) if policy.choice::<Start>()? == Start::NoRoom => buffer,
            Some(Overflow::FillFirst) => buffer + 1,
            _ => buffer + u64::from(policy.choice::<Through>()? == Through::Above),
        };
        let collected = match chunk {
            0 => 1,
            _ => chunk + u64::from(policy.word(Rule::ChunkAt)? == "above"),
        };
        Some(beyond.max(collected).to_string())
    };
    known().unwrap_or_else(|| UNKNOWN.to_owned())
}

fn failed_flush(policy: &Policy) -> &'static str {
    match (layers(policy), policy.choice::<FlushError>(), policy.choice::<ChunkError>()) {
        ((Some(0), Some(0)), ..) => "nothing to lose",
        ((Some(0), _), Some(FlushError::Keeps), _) => "keeps all",
        (_, Some(FlushError::Drops), _) => "drops all",
        (_, Some(FlushError::Keeps), Some(ChunkError::Forgets)) => {
            "keeps what fits the buffer, drops the rest"
        }
        (_, Some(FlushError::Keeps), Some(ChunkError::Keeps)) => "keeps all",
        _ => UNKNOWN,
    }
}

fn failed_write(policy: &Policy) -> &'static str {
    let collects = policy.get(Rule::Chunk) != Some(0);
    match (policy.choice::<Overflow>(), policy.choice::<OnFull>()) {
        _ if policy.get(Rule::Capacity) == Some(0) => "refuses it",
        (Some(Overflow::FillFirst), _) if policy.choice::<FlushError>() == Some(FlushError::Drops) => {
            "counts what was in the buffer, drops that, refuses the rest"
        }
        (Some(Overflow::FillFirst), _) => "keeps what filled the buffer, refuses the rest",
        (Some(Overflow::FlushFirst), Some(OnFull::Nothing)) => "refuses it",
        (Some(Overflow::FlushFirst), Some(OnFull::WhatFits)) if collects => {
            "EPIPE: drops it with all that was collected; EAGAIN: keeps what fits"
        }
        (Some(Overflow::FlushFirst), Some(OnFull::WhatFits)) => "EPIPE: refuses it; EAGAIN: keeps what fits",
        _ => UNKNOWN,
    }
}

fn close(policy: &Policy) -> &'static str {
    match (layers(policy), policy.choice::<Close>()) {
        ((Some(0), Some(0)), _) => "nothing to flush",
        (_, Some(Close::Tells)) => "flushes once, tells",
        (_, Some(Close::Silent)) => "flushes once, doesn't tell",
        (_, Some(Close::Drops)) => "drops",
        _ => UNKNOWN,
    }
}

/// What becomes of bytes at an error, then what else sets the policy apart.
fn name(policy: &Policy) -> String {
    let fate = match (layers(policy), policy.choice::<FlushError>(), policy.choice::<ChunkError>()) {
        ((Some(0), Some(0)), ..) => return "holds nothing".to_owned(),
        ((Some(0), _), Some(FlushError::Keeps), _) => "keeps and retries",
        (_, Some(FlushError::Drops), _) => "drops on error",
        (_, Some(FlushError::Keeps), Some(ChunkError::Forgets)) => {
            "forgets what it collected, retries what fitted"
        }
        (_, Some(FlushError::Keeps), Some(ChunkError::Keeps)) => "keeps and retries, in both layers",
        _ => return UNKNOWN.to_owned(),
    };
    let mut name = fate.to_owned();
    if policy.choice::<Direct>() == Some(Direct::Blocks) {
        name.push_str("; writes whole blocks");
    } else if policy.choice::<Through>() == Some(Through::At) {
        name.push_str("; a full buffer's worth goes through");
    }
    match policy.choice::<ChunkBefore>() {
        Some(ChunkBefore::Before) => name.push_str("; never collects past a chunk"),
        Some(ChunkBefore::Large) => name.push_str("; doesn't collect large writes"),
        Some(ChunkBefore::Together) | None => {}
    }
    match policy.choice::<Lines>() {
        Some(Lines::Flushes) => name.push_str("; flushes lines"),
        Some(Lines::Through) => name.push_str("; lets lines through"),
        Some(Lines::InPlace) => name.push_str("; flushes lines, and hides their errors"),
        Some(Lines::Ignored) | None => {}
    }
    name
}
