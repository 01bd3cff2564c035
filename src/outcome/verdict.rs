//! What a transcript means: held against the scenario's expectations and the
//! snapshot. Nothing is run here.

use std::sync::Arc;

use similar::TextDiff;

use super::{
    ChannelLedger, Count, End, ErrorAt, Explored, Ledger, Outcome, Recorded, Transcript, Verb, error_at,
    error_at_of_all, ledger::Origin, snapshot,
};
use crate::{
    scenario::{Case, EndKind, ExpectedBytes, ExpectedOfSome, Quantity},
    stage::Fault,
};

/// How a case stands. The names are those of `--format jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// As every expectation and the snapshot say.
    Ok,
    /// Not so.
    Differs,
    /// The expectations hold, and no snapshot knows this case.
    Unrecorded,
    /// It came to a stop that the scenario doesn't expect.
    Stuck,
    /// This machine can't play it.
    Skipped,
    /// A driver or the harness failed.
    Error,
}

impl Status {
    pub const ALL: [Status; 6] =
        [Status::Ok, Status::Differs, Status::Unrecorded, Status::Stuck, Status::Skipped, Status::Error];

    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Differs => "differs",
            Status::Unrecorded => "unrecorded",
            Status::Stuck => "stuck",
            Status::Skipped => "skipped",
            Status::Error => "error",
        }
    }
}

/// A case with what came of it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub case: Arc<Case>,
    pub status: Status,
    /// What was recorded; `None` for a case that was skipped or failed, or that leaves orders open.
    pub played: Option<Played>,
    /// What was recorded of a case that leaves orders open, once all of them were played.
    pub orders: Option<Explored>,
    /// Where it isn't as expected; one entry a finding, maybe of several lines.
    pub differences: Vec<String>,
    /// Why it was skipped, or what failed, with the way out.
    pub reason: Option<String>,
}

/// A transcript and what is made of it.
#[derive(Clone, Debug)]
pub struct Played {
    pub transcript: Transcript,
    pub ledgers: Vec<ChannelLedger>,
    pub error_at: Option<ErrorAt>,
}

impl Played {
    pub fn of(case: &Case, transcript: Transcript) -> Played {
        let ledgers = Ledger::of(&case.plan, &transcript);
        let error_at = error_at_of_all(&case.plan, &transcript);
        Played { transcript, ledgers, error_at }
    }

    /// Whether a channel is worth a word: it was declared, or carried something.
    pub fn shows(&self, case: &Case, channel: usize) -> bool {
        snapshot::shows(case, &self.ledgers[channel])
    }

    /// Its block in a snapshot.
    pub fn block(&self, case: &Case) -> String {
        snapshot::block(case, &self.transcript, &self.ledgers)
    }

    /// The scenario has a program traced that couldn't be, here.
    pub(super) fn lacks_trace(&self, case: &Case) -> bool {
        let untraced = self.transcript.untraced.iter().enumerate();
        untraced.clone().any(|(actor, why)| !why.is_empty() && case.plan.traces(actor))
    }
}

impl Judged {
    /// Its block in a snapshot, if it was played, and all that belongs there was seen.
    pub fn block(&self) -> Option<String> {
        if let Some(explored) = &self.orders {
            let lacks = explored.outcomes.iter().any(|outcome| outcome.played.lacks_trace(&self.case));
            return snapshot::block_of_orders(&self.case, explored).filter(|_| !lacks);
        }
        let played = self.played.as_ref().filter(|played| !played.lacks_trace(&self.case))?;
        Some(played.block(&self.case))
    }

    /// Per actor, why its calls weren't seen though somebody wanted it; empty else.
    pub fn untraced(&self) -> &[String] {
        let first = self.orders.iter().flat_map(|explored| &explored.outcomes).map(|outcome| &outcome.played);
        self.played.iter().chain(first).next().map_or(&[], |played| &played.transcript.untraced)
    }

    /// A case that can't be played here, if it can't.
    pub fn skipped(case: &Arc<Case>) -> Option<Judged> {
        let skip = case.skip.as_ref()?;
        Some(Judged::without(case, Status::Skipped, format!("{}: {}", skip.reason, skip.remedy)))
    }

    /// A case without a transcript, because of its driver or for want of its setting.
    /// `None`: its stage is at fault, or gone.
    pub fn failed(case: &Arc<Case>, fault: &Fault) -> Option<Judged> {
        let status = match fault {
            Fault::Driver { .. } => Status::Error,
            Fault::Missing { .. } => Status::Skipped,
            Fault::Harness { .. } => return None,
        };
        Some(Judged::without(case, status, fault.to_string()))
    }

    fn without(case: &Arc<Case>, status: Status, reason: String) -> Judged {
        let case = case.clone();
        Judged { case, status, played: None, orders: None, differences: vec![], reason: Some(reason) }
    }

    /// A case that was played; `recorded` is the snapshot of its runtimes. Of one that leaves orders
    /// open this is one play, which only all others together hold against a snapshot ([`Gather`](super::Gather)).
    pub fn of(case: &Arc<Case>, transcript: Transcript, recorded: Option<&Recorded>) -> Judged {
        let played = Played::of(case, transcript);
        let mut differences = Vec::new();
        steps(case, &played, &mut differences);
        unmet(case, &played, &mut differences);
        ledgers(case, &played, &mut differences);
        streams(case, &played, &mut differences);
        let stuck = matches!(played.transcript.end, End::Stuck { .. });
        let whole = recorded.filter(|_| case.orders.is_none());
        let known = whole.and_then(|recorded| recorded.block(&snapshot::heading(case)));
        let comparable = |block: &str| match played.lacks_trace(case) {
            true => snapshot::without_trace(block),
            false => block.to_owned(),
        };
        if let Some((known, block)) = known.map(|known| (comparable(known), comparable(&played.block(case))))
        {
            held_against(&known, &block, &mut differences);
        }
        let status = if stuck && !case.expect.may_be_stuck() {
            Status::Stuck
        } else if !differences.is_empty() {
            Status::Differs
        } else if known.is_none() {
            Status::Unrecorded
        } else {
            Status::Ok
        };
        let case = case.clone();
        Judged { case, status, played: Some(played), orders: None, differences, reason: None }
    }
}

/// What was seen against what is recorded.
pub(super) fn held_against(known: &str, seen: &str, differences: &mut Vec<String>) {
    if known.trim_end() != seen.trim_end() {
        let diff = TextDiff::from_lines(known, seen);
        let text = diff.unified_diff().context_radius(2).header("snapshot", "seen").to_string();
        differences.push(text.trim_end().to_owned());
    }
}

/// An order is as `[expect.some]` wants one to be.
pub(super) fn shows(some: &ExpectedOfSome, case: &Case, played: &Played) -> bool {
    let as_expected = |expected: &Arc<ExpectedBytes>| {
        let ledger = &played.ledgers[expected.channel];
        expected.wanted.allows(&quantity(ledger, expected.quantity), &|other| quantity(ledger, other))
    };
    let first_error = error_at(&case.plan, &played.transcript);
    let first_error = first_error.as_ref().map_or("none", |error| error.verb.name());
    some.bytes.iter().all(as_expected)
        && some.error_at.is_none_or(|wanted| wanted.name() == first_error)
        && some.end.is_none_or(|wanted| wanted == end_of(played))
}

fn end_of(played: &Played) -> EndKind {
    match played.transcript.end {
        End::Played => EndKind::Played,
        End::Stuck { .. } => EndKind::Stuck,
    }
}

/// What helps whoever computes for long.
const OVER_BUDGET: &str = ": it has used up its CPU time; if it needs more, raise `setting.cpu_budget`";

/// The expectations behind the arrows.
fn steps(case: &Case, played: &Played, differences: &mut Vec<String>) {
    for (index, record) in played.transcript.steps.iter().enumerate() {
        let step = &case.steps[record.step];
        let Some(expectation) = &step.expectation else { continue };
        // With `repeat`, only the last attempt counts.
        let later = |other: &&super::StepRecord| other.step == record.step && other.attempt > record.attempt;
        if played.transcript.steps.iter().any(|other| later(&other)) {
            continue;
        }
        let whose = match (expectation.writers().next(), record.channel) {
            (Some(_), Some(channel)) => Ledger::origins(&played.transcript, channel, index),
            _ => vec![],
        };
        if let (Some(then), true) = (&expectation.then, record.outcome.is_outstanding()) {
            let resumed = record.resumed.as_ref().map(|resumed| {
                let by = &case.steps[played.transcript.steps[resumed.by].step];
                (&resumed.outcome, by.text.as_str())
            });
            if !then.allows(resumed, &whose) {
                let became = match resumed {
                    None => "nothing".to_owned(),
                    Some((outcome, by)) => format!("{}{} by {by}", super::words(outcome), from(case, &whose)),
                };
                let (line, text) = (step.line, &step.text);
                differences
                    .push(format!("line {line}: `{text}` expected {}, then gave {became}", expectation.text));
            }
        }
        let channel = |index: usize| case.plan.channels[index].name.clone();
        if !expectation.allows(&record.outcome, &whose, &record.resting, record.channel, channel) {
            let gave = match record.resting.is_empty() {
                true => super::words(&record.outcome),
                false => super::resting(record, channel),
            };
            let from = match record.outcome {
                Outcome::Spinning => OVER_BUDGET.to_owned(),
                _ if record.outcome.is_outstanding() => String::new(),
                _ => from(case, &whose),
            };
            let (line, text) = (step.line, &step.text);
            differences
                .push(format!("line {line}: `{text}` expected {}, gave {gave}{from}", expectation.text));
        }
    }
    if let End::Stuck { .. } = played.transcript.end
        && !case.expect.some_may_be_stuck()
    {
        let given = |at: usize| played.transcript.steps.iter().any(|record| record.step == at);
        let unreached =
            case.steps.iter().enumerate().filter(|(at, step)| step.expectation.is_some() && !given(*at));
        for (_, step) in unreached {
            differences.push(format!("line {}: `{}` was never reached", step.line, step.text));
        }
    }
}

/// Faults and stops at calls that never came, unless a step ended the program before. (What a
/// `run until` comes to instead may be expected.)
fn unmet(case: &Case, played: &Played, differences: &mut Vec<String>) {
    let steps = &played.transcript.steps;
    for &at in &played.transcript.unmet {
        let (record, step) = (&steps[at], &case.steps[steps[at].step]);
        let name = &case.plan.actors[record.actor].name;
        let own = || steps.iter().filter(|other| other.actor == record.actor);
        let killed = own().any(|other| {
            let by = other.resumed.as_ref().map_or(other, |resumed| &steps[resumed.by]);
            let ended = matches!(other.last(), Outcome::Killed { .. } | Outcome::Exited { .. });
            ended && by.verb == Verb::Kill && by.actor == record.actor
        });
        let expected = record.verb == Verb::Run && step.expectation.is_some();
        if killed || expected {
            continue;
        }
        let why = match own().any(|other| other.verb == Verb::Start) {
            true => format!("`{name}` never made it (`--steps` shows those that it made)"),
            false => format!("`{name}` was never started"),
        };
        differences.push(format!("line {}: `{}` met no call: {why}", step.line, step.text));
    }
}

/// What should repeat over and over.
fn streams(case: &Case, played: &Played, differences: &mut Vec<String>) {
    for (channel, text, line) in &case.expect.streams {
        let seen = super::ledger::delivered(&played.transcript, *channel);
        let wanted = text.as_bytes().iter().cycle();
        let Some(at) = seen.iter().zip(wanted).position(|(seen, wanted)| seen != wanted) else { continue };
        let around = &seen[at..(at + 24).min(seen.len())];
        differences.push(format!(
            "line {line}: what came over {} isn't {text:?} over and over: from byte {at} on it is {:?}",
            case.plan.channels[*channel].name,
            String::from_utf8_lossy(around),
        ));
    }
}

/// ` from v 12, w 8`; nothing where nobody asked, or nothing came.
fn from(case: &Case, whose: &[Origin]) -> String {
    let share = |origin: &Origin| match origin.writer {
        Some(writer) => format!("{} {}", case.plan.actors[writer].name, origin.len),
        None => format!("who can't be told {}", origin.len),
    };
    let shares: Vec<String> = whose.iter().map(share).collect();
    if shares.is_empty() { String::new() } else { format!(" from {}", shares.join(", ")) }
}

/// `[expect]`.
fn ledgers(case: &Case, played: &Played, differences: &mut Vec<String>) {
    for expected in &case.expect.bytes {
        let ledger = &played.ledgers[expected.channel];
        let of = |other: Quantity| quantity(ledger, other);
        let seen = of(expected.quantity);
        if !expected.wanted.allows(&seen, &of) {
            let wanted = expected.wanted.told(&of);
            let seen = match seen {
                Count::Known(bytes) => bytes.to_string(),
                Count::Unknown(why) => format!("unknown ({why})"),
            };
            differences.push(format!(
                "line {}: {} of {} expected {wanted}, is {seen}",
                expected.line,
                expected.quantity.name(),
                case.plan.channels[expected.channel].name,
            ));
        }
    }
    // The first error may be a call that nobody saw.
    if let Some(expected) = case.expect.error_at.filter(|_| !played.lacks_trace(case)) {
        // What is traced only because somebody looks changes no verdict.
        let seen = error_at(&case.plan, &played.transcript);
        let seen = seen.as_ref().map_or("none", |error| error.verb.name());
        if seen != expected.name() {
            let line = case.expect.error_at_line;
            differences.push(format!("line {line}: error_at expected {}, is {seen}", expected.name()));
        }
    }
    if let Some(expected) = case.expect.end {
        let seen = end_of(played);
        if seen != expected {
            let line = case.expect.end_line;
            differences.push(format!("line {line}: end expected {}, is {}", expected.name(), seen.name()));
        }
    }
}

/// A quantity of the ledger, as `[expect]` names it; for `torn`, records.
pub fn quantity(ledger: &ChannelLedger, quantity: Quantity) -> Count {
    let unless = |unknown: Option<&str>, number: u64| match unknown {
        Some(why) => Count::Unknown(why.to_owned()),
        None => Count::Known(number),
    };
    let written = ledger.programs.writes.then_some("a program wrote, and doesn't say what");
    let judged = match ledger.programs.any() {
        true => Some("a program had the channel, and whose bytes are whose can't be told"),
        false => ledger.unjudged.then_some("whose bytes were passed on can't be told"),
    };
    match quantity {
        Quantity::Offered => unless(written, ledger.offered),
        Quantity::Accepted => unless(written, ledger.accepted),
        Quantity::Kernel => ledger.kernel.clone(),
        Quantity::Queued => ledger.queued.clone(),
        Quantity::Delivered => Count::Known(ledger.delivered),
        Quantity::Lost => match &ledger.unplaced {
            Some(unplaced) if unplaced.least < unplaced.most => {
                let certain = ledger.lost_bytes() - unplaced.least;
                let (least, most) = (certain + unplaced.least, certain + unplaced.most);
                Count::Unknown(format!("{least} to {most} bytes"))
            }
            _ => unless(judged, ledger.lost_bytes()),
        },
        Quantity::Duplicated => unless(judged, ledger.duplicated_bytes()),
        Quantity::Reordered => unless(judged, ledger.reordered_bytes()),
        Quantity::Torn => unless(judged, ledger.torn_records()),
    }
}
