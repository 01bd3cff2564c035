//! `--format jsonl`: one object a case. The names are stable; `v` counts their
//! versions.

mod calls;
mod orders;

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{Cost, Report, Summary};
use crate::{
    outcome::{
        ChannelLedger, End, Judged, Outcome, Played, Resting, Sides, StepRecord,
        ledger::{Duplicate, Foreign, Loss, Mispeek, Reorder, Torn, Unplaced},
        snapshot,
    },
    runner::Loaded,
    scenario::Case,
};
use calls::CallsLine;

/// Version of the names and their meaning.
const VERSION: u32 = 1;

/// One object a line, one line a case.
#[derive(Debug, Default)]
pub struct Jsonl {
    /// Room for a line, kept.
    line: Vec<u8>,
}

impl Report for Jsonl {
    fn case(&mut self, out: &mut dyn Write, loaded: &Loaded, judged: &Judged) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &line(&loaded.scenario.name, judged))?;
        self.line.push(b'\n');
        out.write_all(&self.line)
    }

    fn scenario(&mut self, _out: &mut dyn Write, _loaded: &Loaded) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write, _summary: &Summary, _cost: &Cost) -> io::Result<()> {
        Ok(())
    }
}

/// Pairs as an object, in their order.
struct Object<Pairs>(Pairs);

impl<'a, Value: Serialize, Pairs: Clone + Iterator<Item = (&'a str, Value)>> Serialize for Object<Pairs> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}

/// Values as an array, made one by one.
struct Array<Values>(Values);

impl<Value: Serialize, Values: Clone + Iterator<Item = Value>> Serialize for Array<Values> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

#[derive(Serialize)]
struct Line<'a, Params, Rest, Orders> {
    v: u32,
    scenario: &'a str,
    params: Params,
    runtimes: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differences: &'a [String],
    #[serde(flatten)]
    played: Option<Rest>,
    /// Of a case that leaves orders open, in place of what was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Orders>,
}

fn line<'a>(scenario: &'a str, judged: &'a Judged) -> impl Serialize + 'a {
    Line {
        v: VERSION,
        scenario,
        params: Object(judged.case.params.iter().map(|(name, value)| (name.as_str(), value))),
        runtimes: &judged.case.snapshot_key,
        status: judged.status.name(),
        reason: judged.reason.as_deref(),
        differences: &judged.differences,
        played: judged.played.as_ref().map(|played| rest(&judged.case, played)),
        orders: judged.orders.as_ref().map(|explored| orders::orders(&judged.case, explored)),
    }
}

#[derive(Serialize)]
struct Rest<'a, Steps, Ledgers, Untraced> {
    steps: Steps,
    error_at: Option<ErrorAt<'a>>,
    ledger: Ledgers,
    stuck: Option<Stuck>,
    /// Why a program's calls weren't seen, by its actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    untraced: Option<Untraced>,
}

#[derive(Serialize)]
struct ErrorAt<'a> {
    step: usize,
    verb: &'a str,
    errno: &'a str,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Stuck {
    line: usize,
    waits: Vec<String>,
}

fn rest<'a>(case: &'a Case, played: &'a Played) -> impl Serialize + 'a {
    let transcript = &played.transcript;
    let name = |channel: usize| case.plan.channels[channel].name.as_str();
    Rest {
        steps: Array(
            transcript.steps.iter().enumerate().map(|(index, record)| step(case, played, index, record)),
        ),
        error_at: played.error_at.as_ref().map(|error| ErrorAt {
            step: error.record + 1,
            verb: error.place(),
            errno: &error.errno,
            error: error.error.as_deref(),
        }),
        ledger: Object({
            let shown = played.ledgers.iter().filter(|entry| played.shows(case, entry.channel));
            shown.map(move |entry| (name(entry.channel), ledger(entry)))
        }),
        stuck: match &transcript.end {
            End::Played => None,
            End::Stuck { step, waits } => Some(Stuck {
                line: case.steps[*step].line,
                waits: waits.iter().map(|wait| snapshot::wait_text(case, transcript, wait)).collect(),
            }),
        },
        untraced: transcript.untraced.iter().any(|why| !why.is_empty()).then(|| {
            let actors = case.actors.iter().map(|actor| actor.name.as_str());
            Object(actors.zip(&transcript.untraced).filter(|(_, why)| !why.is_empty()))
        }),
    }
}

#[derive(Serialize)]
struct LedgerLine<'a> {
    offered: Option<u64>,
    accepted: Option<u64>,
    kernel: Option<u64>,
    queued: Option<u64>,
    delivered: u64,
    passed_on: u64,
    held: Option<u64>,
    read_ahead: Option<u64>,
    refused: u64,
    unanswered: u64,
    uncredited: u64,
    lost: Option<u64>,
    unplaced: Option<&'a Unplaced>,
    duplicated: Option<u64>,
    reordered: Option<u64>,
    torn: Option<u64>,
    foreign: Option<u64>,
    extents: Option<Extents<'a>>,
    /// What was passed on can't be told apart.
    unjudged: bool,
    /// The sides that programs had open, if they had any.
    #[serde(skip_serializing_if = "Option::is_none")]
    programs: Option<Sides>,
    /// Of a channel that programs read.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_by_programs: Option<Option<u64>>,
}

#[derive(Serialize)]
struct Extents<'a> {
    lost: &'a [Loss],
    duplicated: &'a [Duplicate],
    reordered: &'a [Reorder],
    torn: &'a [Torn],
    foreign: &'a [Foreign],
    mispeeks: &'a [Mispeek],
}

/// A count that can't be known is null.
fn ledger(ledger: &ChannelLedger) -> LedgerLine<'_> {
    let programs = ledger.programs;
    let judged = !ledger.unjudged && !programs.any();
    LedgerLine {
        // A program doesn't say what it offers.
        offered: (!programs.writes).then_some(ledger.offered),
        accepted: (!programs.writes).then_some(ledger.accepted),
        kernel: ledger.kernel.known(),
        queued: ledger.queued.known(),
        delivered: ledger.delivered,
        passed_on: ledger.passed_on,
        held: (!programs.any()).then_some(ledger.held),
        read_ahead: (!programs.any()).then_some(ledger.read_ahead),
        refused: ledger.refused,
        unanswered: ledger.unanswered,
        uncredited: ledger.uncredited,
        lost: judged.then(|| ledger.lost_bytes()),
        unplaced: ledger.unplaced.as_ref(),
        duplicated: judged.then(|| ledger.duplicated_bytes()),
        reordered: judged.then(|| ledger.reordered_bytes()),
        torn: judged.then(|| ledger.torn_records()),
        foreign: judged.then(|| ledger.foreign_bytes()),
        extents: judged.then(|| Extents {
            lost: &ledger.lost,
            duplicated: &ledger.duplicated,
            reordered: &ledger.reordered,
            torn: &ledger.torn,
            foreign: &ledger.foreign,
            mispeeks: &ledger.mispeeks,
        }),
        unjudged: ledger.unjudged,
        programs: Some(programs).filter(|programs| programs.any()),
        taken_by_programs: programs.reads.then_some(ledger.taken_by_programs),
    }
}

/// One process of a program.
#[derive(Serialize)]
struct RestingLine<'a> {
    process: &'a str,
    state: &'static str,
    call: &'a str,
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_side: Option<&'a str>,
}

impl<'a> RestingLine<'a> {
    fn of(case: &'a Case, process: &'a Resting) -> RestingLine<'a> {
        RestingLine {
            process: &process.process,
            state: process.state.name(),
            call: &process.call,
            channel: process.channel.map(|channel| case.plan.channels[channel].name.as_str()),
            other_side: process.other_side.as_deref(),
        }
    }
}

/// A step's record. Its index counts records from 1, as `resumed_by` does.
#[derive(Serialize)]
struct Step<'a, Held, Counts> {
    index: usize,
    line: usize,
    actor: &'a str,
    verb: &'a str,
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(flatten)]
    outcome: OutcomeFields<'a>,
    /// Of a program: what each of its processes rests in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resting: Vec<RestingLine<'a>>,
    /// What programs that are traced called in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<CallsLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_by: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    then: Option<OutcomeFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    counts: Counts,
}

#[derive(Serialize)]
struct Counts {
    queued: Option<u64>,
    accepted: Option<u64>,
    taken: Option<u64>,
}

fn step<'a>(case: &'a Case, played: &'a Played, index: usize, record: &'a StepRecord) -> impl Serialize + 'a {
    let name = |channel: usize| case.plan.channels[channel].name.as_str();
    let counts = record.counts.iter().enumerate().filter(|(channel, _)| played.shows(case, *channel));
    let counts = counts.map(move |(channel, counts)| {
        let (queued, accepted, taken) =
            (counts.queued.known(), counts.accepted.known(), counts.taken.known());
        (name(channel), Counts { queued, accepted, taken })
    });
    let held = record.held.as_ref();
    let held = held.map(|layers| Object(layers.iter().map(|layer| (layer.name.as_str(), layer.bytes))));
    Step {
        index: index + 1,
        line: case.steps[record.step].line,
        actor: &case.actors[record.actor].name,
        verb: record.verb.name(),
        channel: record.channel.map(name),
        attempt: (record.attempt > 1).then_some(record.attempt),
        outcome: OutcomeFields::of(&record.outcome),
        resting: record.resting.iter().map(|process| RestingLine::of(case, process)).collect(),
        calls: record.calls.iter().map(|calls| CallsLine::of(case, calls)).collect(),
        resumed_by: record.resumed.as_ref().map(|resumed| resumed.by + 1),
        then: record.resumed.as_ref().map(|resumed| OutcomeFields::of(&resumed.outcome)),
        held,
        counts: Object(counts),
    }
}

#[derive(Default, Serialize)]
struct OutcomeFields<'a> {
    outcome: &'a str,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<&'a str>,
    /// Null for an error without a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    /// What a call said beside a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_status: Option<i32>,
    /// Of a child that has ended: how its maker's runtime says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<&'a str>,
}

impl OutcomeFields<'_> {
    fn of(outcome: &Outcome) -> OutcomeFields<'_> {
        let mut fields =
            OutcomeFields { outcome: outcome.kind(), bytes: outcome.bytes(), ..OutcomeFields::default() };
        match outcome {
            Outcome::Failed(failure) => {
                fields.errno = Some(&failure.errno);
                fields.error = Some(failure.error.as_deref());
            }
            Outcome::Blocked { call }
            | Outcome::Waiting { call }
            | Outcome::Pending { call }
            | Outcome::Held { call } => {
                fields.call = Some(call);
            }
            Outcome::Said { words, .. } => fields.says = Some(words),
            Outcome::Killed { signal } => fields.signal = Some(signal),
            Outcome::Exited { status } => fields.exit_status = Some(*status),
            Outcome::Reaped { status, signal, told } => {
                fields.exit_status = *status;
                fields.signal = signal.as_deref();
                fields.told = Some(told);
            }
            _ => {}
        }
        fields
    }
}
