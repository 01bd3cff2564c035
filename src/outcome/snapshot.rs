//! The text of a case in a snapshot.
//!
//! A snapshot holds one scenario with one set of runtimes: a block a case, under
//! the case's parameters in brackets. Sizes are the scenario's own expressions
//! where they are what was asked for or is expected (`ok blksize+1`), `all of 4`
//! where a read got just what step 4 wrote, `all` or `none` where a count is the
//! whole or nothing, and numbers otherwise: nothing is guessed back from a number. Messages, process ids and paths stay out.
//! On a channel where nothing is sure (TCP), what a step expects as a range stands for its outcome, and `some` for a count.
//!
//! Behind a step of an actor whose driver says `layers`, in brackets, the bytes that its
//! runtime's layers hold back and those in the kernel; behind its close, only these.
//!
//! Below a step, what a program that the scenario has traced called on channels.

mod files;
mod orders;

#[cfg(test)]
mod tests;

pub use files::{Recorded, content, path, propose};
pub use orders::{Differing, InOrder, differing, has_these, open};

use std::{borrow::Cow, sync::Arc};

use super::{
    Amount, ChannelLedger, Count, End, Explored, Offer, Outcome, Part, StepRecord, Transcript, Verb,
    error_at, offer_bytes, resting,
    words::{reaped, said},
};
use crate::{
    channel::Settles,
    driver::{DriverInfo, Spec, Version},
    outcome::Action,
    scenario::{Case, ExpectedBytes, Quantity, SnapshotKind},
    trace,
};

/// A count that isn't the same twice.
const SOME: &str = "some";

/// How a line of the trace begins.
const TRACE: &str = "       | ";

/// How the line of the first error begins, or stands for none, which a trace may know alone.
const ERROR: &str = "first error at ";
const NO_ERROR: &str = "no error";

/// A block as it is where the scenario's programs can't be traced.
pub(super) fn without_trace(block: &str) -> String {
    let traced = |line: &&str| line.starts_with(TRACE) || line.starts_with(ERROR) || *line == NO_ERROR;
    block.lines().filter(|line| !traced(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The line above a case's block. Versions stay out: the file's name says them. Only where two of a
/// driver have parts, it doesn't say whose part is whose.
pub fn heading(case: &Case) -> String {
    let specs: Vec<Option<Spec>> = case.params.iter().map(|(_, value)| versioned(value)).collect();
    let meets_another = |spec: &Spec| {
        let others = specs.iter().flatten().filter(|other| other.driver == spec.driver);
        others.into_iter().any(|other| other.version != spec.version)
    };
    let params = case.params.iter().zip(&specs).map(|((name, value), spec)| match spec {
        Some(spec) if !meets_another(spec) => format!("{name} = {}", unversioned(spec)),
        _ => format!("{name} = {}", in_line(value)),
    });
    format!("[{}]", Vec::from_iter(params).join(", "))
}

/// `python:text` for `python@3.6:text`; any other text as it is.
pub fn without_version(value: &str) -> String {
    versioned(value).map_or_else(|| value.to_owned(), |spec| unversioned(&spec))
}

/// The version in a text that names one of a driver: `3.6` of `python@3.6:text`.
pub fn version(value: &str) -> Option<String> {
    match versioned(value)?.version {
        Version::Named(version) => Some(version),
        _ => None,
    }
}

/// What a value names, if that is a version of a driver.
fn versioned(value: &str) -> Option<Spec> {
    let spec = Spec::parse(value).ok().filter(|_| value.contains('@'))?;
    DriverInfo::named(&spec.driver).is_some_and(|info| info.versioned).then_some(spec)
}

fn unversioned(spec: &Spec) -> String {
    Spec { version: Version::Newest, ..spec.clone() }.to_string()
}

/// A value as it may stand in one line.
fn in_line(value: &str) -> Cow<'_, str> {
    if !value.contains(char::is_control) {
        return Cow::Borrowed(value);
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(value.chars().map(escaped).collect())
}

/// The block of one case, its heading first.
pub fn block(case: &Case, transcript: &Transcript, ledgers: &[ChannelLedger]) -> String {
    let mut text = heading(case);
    text.push('\n');
    match case.snapshot {
        SnapshotKind::Steps => text.push_str(&steps_text(case, transcript)),
        SnapshotKind::Ledger => text.push_str(&error_text(case, transcript)),
    }
    if let End::Stuck { step, waits } = &transcript.end {
        let step = &case.steps[*step];
        text.push_str(&format!("stuck at `{}`\n", step.text));
        for wait in waits {
            text.push_str(&format!("  {}\n", wait_text(case, transcript, wait)));
        }
    }
    for ledger in ledgers.iter().filter(|ledger| shows(case, ledger)) {
        text.push_str(&ledger_text(case, transcript, ledger));
    }
    text
}

/// The block of a case that leaves orders open.
pub fn block_of_orders(case: &Case, explored: &Explored) -> Option<String> {
    let orders = case.orders.as_ref()?;
    Some(format!("{}\n{}", heading(case), orders::text(case, orders, explored)))
}

/// Handles that carry nothing are many.
pub(super) fn shows(case: &Case, ledger: &ChannelLedger) -> bool {
    let carried = || [ledger.offered, ledger.delivered, ledger.kernel.known().unwrap_or(0)];
    case.plan.channels[ledger.channel].declared || carried().iter().any(|bytes| *bytes > 0)
}

/// An errno and, if it has one, the runtime's own name for the error.
pub fn named(errno: &str, error: Option<&str>) -> String {
    let error = error.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{errno}{error}")
}

/// Where the first error surfaced.
fn error_text(case: &Case, transcript: &Transcript) -> String {
    match error_at(&case.plan, transcript) {
        None => format!("{NO_ERROR}\n"),
        Some(error) => {
            let name = named(&error.errno, error.error.as_deref());
            format!("{ERROR}{}: {name}\n", error.place())
        }
    }
}

/// Every record.
fn steps_text(case: &Case, transcript: &Transcript) -> String {
    let mut text = String::new();
    let width = case.steps.iter().map(|step| step.text.chars().count()).max().unwrap_or(0);
    for (index, record) in transcript.steps.iter().enumerate() {
        let step = &case.steps[record.step];
        let attempt =
            if record.attempt > 1 { format!(" (attempt {})", record.attempt) } else { String::new() };
        let names = Names { case, transcript, record };
        let held = names.held(index);
        let mut outcome = match record.resting.is_empty() {
            true => names.outcome(&record.outcome),
            false => resting(record, |channel| case.plan.channels[channel].name.clone()),
        };
        if let Some(resumed) = &record.resumed {
            outcome.push_str(&format!(", then by {}: {}", resumed.by + 1, names.outcome(&resumed.outcome)));
        }
        text.push_str(&format!("{:>3}  {:<width$}  {outcome}{attempt}{held}\n", index + 1, step.text));
        // What is traced only because somebody looks is in no snapshot.
        for calls in record.calls.iter().filter(|calls| case.plan.traces(calls.actor)) {
            let channel = |channel: usize| case.plan.channels[channel].name.clone();
            for line in trace::lines(calls, &channel) {
                text.push_str(&format!("{TRACE}{line}\n"));
            }
        }
    }
    text
}

/// What stands for numbers in the outcome of one record.
struct Names<'case> {
    case: &'case Case,
    transcript: &'case Transcript,
    record: &'case StepRecord,
}

impl Names<'_> {
    /// An outcome without anything that differs by machine.
    fn outcome(&self, outcome: &Outcome) -> String {
        self.outcome_sized(outcome, &|bytes| self.size(bytes))
    }

    /// The same, with these words for numbers of bytes.
    fn outcome_sized(&self, outcome: &Outcome, size: &dyn Fn(u64) -> String) -> String {
        match outcome {
            _ if is_unsure(self.case, self.record) => match &self.case.steps[self.record.step].expectation {
                Some(expectation) => expectation.text.clone(),
                None => SOME.to_owned(),
            },
            Outcome::Ok { bytes: None } => "ok".to_owned(),
            Outcome::Ok { bytes: Some(bytes) } => format!("ok {}", size(*bytes)),
            Outcome::Said { bytes, words } => said(bytes.map(size), words),
            Outcome::Failed(failure) => {
                let after =
                    if failure.bytes > 0 { format!(" after {}", size(failure.bytes)) } else { String::new() };
                format!("{}{after}", named(&failure.errno, failure.error.as_deref()))
            }
            Outcome::Killed { signal } => format!("killed {signal}"),
            Outcome::Reaped { told, .. } => reaped(outcome, told),
            Outcome::Exited { status } => format!("exited {status}"),
            other => other.kind().to_owned(),
        }
    }

    /// What the layers hold back after this record, the `index`th, beside what the
    /// kernel holds, where its driver tells.
    fn held(&self, index: usize) -> String {
        let record = self.record;
        let Some(channel) = record.channel else { return String::new() };
        let same = |other: &&StepRecord| (other.actor, other.channel) == (record.actor, record.channel);
        let earlier = || self.transcript.steps[..index].iter().rev().filter(same);
        let answered = matches!(record.last(), Outcome::Ok { .. } | Outcome::Failed(_));
        // Once it is closed there is nothing to ask any more.
        let closed = record.verb == Verb::Close && answered && {
            let before = earlier().find(|other| !matches!(other.outcome, Outcome::Skipped));
            before.is_some_and(|other| other.held.is_some())
        };
        if record.held.is_none() && !closed {
            return String::new();
        }
        let size = |bytes: Option<u64>| match bytes {
            None => "?".to_owned(),
            Some(0) => "0".to_owned(),
            // Just what a write asked for, under its name; any other number is a sum.
            Some(bytes) => std::iter::once(record)
                .chain(earlier())
                .find(|write| write.offered.is_some_and(|offer| offer.len == bytes))
                .and_then(|write| self.case.steps[write.step].size_text.clone())
                .unwrap_or_else(|| bytes.to_string()),
        };
        // A call that a later step released had its counts taken only then.
        let counted = record.resumed.as_ref().map_or(record, |resumed| &self.transcript.steps[resumed.by]);
        let kernel = counted.counts.get(channel).and_then(|count| count.queued.known());
        let layers = record.held.iter().flatten().map(|layer| (layer.name.as_str(), layer.bytes));
        let all: Vec<String> = layers
            .chain([("kernel", kernel)])
            .map(|(name, bytes)| format!("{name} {}", size(bytes)))
            .collect();
        format!("  [{}]", all.join(", "))
    }

    /// How so many bytes of this step are called: by the scenario, or by the writes that they are.
    fn size(&self, bytes: u64) -> String {
        let own = self.own_size(bytes);
        own.or_else(|| whole_writes(self.transcript, self.record)).unwrap_or_else(|| bytes.to_string())
    }

    /// The scenario's own expression for so many bytes of this step: the size
    /// that it asked for, or one that it expects of it.
    fn own_size(&self, bytes: u64) -> Option<String> {
        let step = &self.case.steps[self.record.step];
        let asked = match step.planned.action {
            Action::Write { bytes, .. } | Action::Read { amount: Amount::Bytes(bytes), .. } => Some(bytes),
            _ => None,
        };
        if let (Some(asked), Some(text)) = (asked, &step.size_text)
            && asked == bytes
        {
            return Some(text.clone());
        }
        if let Action::Rewrite { part, .. } = step.planned.action
            && self.record.offered.is_some_and(|offer| offer.len == bytes)
        {
            let rest = part == Part::Rest;
            return Some(if rest { "the rest".to_owned() } else { self.message().to_owned() });
        }
        let offers = |other: &&StepRecord| other.offered.is_some() && other.channel == self.record.channel;
        let only_write =
            self.record.offered.is_some() && self.transcript.steps.iter().filter(offers).count() == 1;
        let accepted = |expected: &&Arc<ExpectedBytes>| {
            Some(expected.channel) == self.record.channel && expected.quantity == Quantity::Accepted
        };
        let expected = self.case.expect.bytes.iter().find(accepted).filter(|_| only_write);
        expected.and_then(|expected| expected.name_of(bytes))
    }

    /// The size of the message that this record writes once more, as its own step says it.
    fn message(&self) -> &str {
        let is_first = |record: &&StepRecord| {
            let same = record.offered == self.record.offered && record.actor == self.record.actor;
            same && matches!(self.case.steps[record.step].planned.action, Action::Write { .. })
        };
        let first = self.transcript.steps.iter().find(is_first);
        first.and_then(|record| self.case.steps[record.step].size_text.as_deref()).unwrap_or("?")
    }
}

/// The write steps that this read delivered, if its data is theirs from the first
/// byte to the last: `all of 4`, `all of 4 to 6`. Compared byte by byte, so nothing
/// is read into a number.
fn whole_writes(transcript: &Transcript, read: &StepRecord) -> Option<String> {
    let data = read.data.as_ref().filter(|data| !data.0.is_empty())?;
    let writes: Vec<(usize, usize, &Offer)> = (transcript.steps.iter().enumerate())
        .filter(|(_, record)| record.channel == read.channel)
        .filter_map(|(index, record)| Some((index, record.actor, record.offered.as_ref()?)))
        .collect();
    (0..writes.len()).find_map(|first| {
        let mut length = 0;
        let run = writes[first..].iter().position(|(_, _, offer)| {
            length += offer.len;
            length >= data.0.len() as u64
        })?;
        let run = &writes[first..=first + run];
        let theirs =
            || run.iter().flat_map(|(_, actor, offer)| offer_bytes(*actor, offer)).collect::<Vec<u8>>();
        if length != data.0.len() as u64 || theirs() != data.0 {
            return None;
        }
        let (from, to) = (run[0].0 + 1, run[run.len() - 1].0 + 1);
        Some(if from == to { format!("all of {from}") } else { format!("all of {from} to {to}") })
    })
}

/// The scenario expects a range, on a channel of which nobody knows more.
fn is_unsure(case: &Case, record: &StepRecord) -> bool {
    let is_timed = |channel: usize| case.plan.channels[channel].kind.info().settles == Settles::Timed;
    let expectation = case.steps[record.step].expectation.as_ref();
    record.channel.is_some_and(is_timed) && expectation.is_some_and(|it| it.is_range(record.last()))
}

/// One line of who waits for what.
pub fn wait_text(case: &Case, transcript: &Transcript, wait: &super::Wait) -> String {
    let actor = |index: usize| case.actors[index].name.as_str();
    let record = &transcript.steps[wait.record];
    let mut text =
        format!("{} is {} in `{}`", actor(wait.actor), record.outcome.kind(), case.steps[record.step].text);
    if let Some(channel) = wait.channel {
        let held = |holders: &[usize], end: &str| match holders {
            [] => format!("nobody holds a {end} end"),
            [one] => format!("{} holds a {end} end", actor(*one)),
            many => {
                let names: Vec<&str> = many.iter().map(|&index| actor(index)).collect();
                format!("{} hold a {end} end", names.join(" and "))
            }
        };
        let name = &case.plan.channels[channel].name;
        text.push_str(&format!(": {}, {}", held(&wait.readers, "read"), held(&wait.writers, "write")));
        if let (Some(Count::Known(queued)), Some(capacity)) = (&wait.queued, wait.capacity) {
            let fill = match *queued {
                0 => "is empty".to_owned(),
                full if full == capacity => "is full".to_owned(),
                part => format!("holds {part} of {capacity} bytes"),
            };
            text.push_str(&format!("; {name} {fill}"));
        }
    }
    text
}

/// How the scenario calls what a step offered; `None` for what it offered once more.
fn offer_text(case: &Case, record: &StepRecord) -> Option<String> {
    let (step, offer) = (&case.steps[record.step], record.offered?);
    if is_unsure(case, record) {
        return Some(SOME.to_owned());
    }
    let asked = match &step.planned.action {
        Action::Rewrite { .. } => return None,
        Action::Call(called) => called.payload(),
        _ => Some(offer.len),
    };
    // As much as there was room for is said by nobody but the kernel.
    let text = step.size_text.clone().filter(|_| asked == Some(offer.len));
    Some(text.unwrap_or_else(|| offer.len.to_string()))
}

/// The lines of one channel's ledger.
fn ledger_text(case: &Case, transcript: &Transcript, ledger: &ChannelLedger) -> String {
    let name = &case.plan.channels[ledger.channel].name;
    let on_channel = |record: &&StepRecord| record.channel == Some(ledger.channel);
    let mut records: Vec<&StepRecord> = transcript.steps.iter().filter(on_channel).collect();
    if case.orders.is_some() {
        records.sort_by_key(|record| record.step);
    }
    let offers: Vec<String> = records.into_iter().filter_map(|record| offer_text(case, record)).collect();
    let offered = match offers.is_empty() {
        true if ledger.programs.writes => "?".to_owned(),
        true => "none".to_owned(),
        false => offers.join(" + "),
    };
    let is_unsure = |record: &StepRecord| record.channel == Some(ledger.channel) && is_unsure(case, record);
    let unsure = transcript.steps.iter().any(is_unsure);
    // The whole, nothing, what the scenario calls it, or a number.
    let part = |quantity: Option<Quantity>, bytes: u64| match bytes {
        0 => "none".to_owned(),
        all if all == ledger.offered => "all".to_owned(),
        _ if unsure => SOME.to_owned(),
        some => (case.expect.bytes.iter())
            .find(|expected| expected.channel == ledger.channel && Some(expected.quantity) == quantity)
            .and_then(|expected| expected.name_of(some))
            .unwrap_or_else(|| some.to_string()),
    };
    let kernel = ledger.kernel.known();
    let mut text = format!(
        "{name}: offered {offered}; accepted {}, by the kernel {}; delivered {}\n",
        part(Some(Quantity::Accepted), ledger.accepted),
        kernel.map_or("unknown".to_owned(), |bytes| part(Some(Quantity::Kernel), bytes)),
        part(Some(Quantity::Delivered), ledger.delivered),
    );
    for line in ledger.findings(&|writer| case.actors[writer].name.clone(), &part) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}
