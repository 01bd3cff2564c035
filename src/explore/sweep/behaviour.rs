//! What came of one case, in a form in which cases of different sizes can be alike: the *shape*
//! is everything but the numbers, as text with a hole for each; the *counts* are the numbers.
//!
//! 1. A count of 0 is no hole but part of the shape: "nothing" and "something" differ in kind.
//! 2. Exit statuses, signals and attempts are no counts. Numbers within words of a call are.
//! 3. The shape says what the transcript, its end and the ledger say. Wall time, process ids and
//!    messages for people aren't in them, or are left out.
//!
//! What is drawn from the shape comes first (see [`Summary`]), so that it can be shown with the
//! relation of each count to the parameter in its place.

use std::sync::Arc;

use super::reducer::Reducer;
use crate::{
    outcome::{ChannelLedger, Count, End, Judged, Ledger, Outcome, Played, Resting, StepRecord, snapshot},
    scenario::Case,
    trace::Calls,
};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// All but the numbers.
    pub shape: Arc<str>,
    /// The numbers, in the order of their holes.
    pub counts: Box<[i64]>,
}

/// The first lines of a shape, by their labels, in this order.
pub const SUMMARY: [&str; 5] = ["error at", "error", "arrived", "and the rest", "end"];

impl Behaviour {
    /// Reduces a case that was played, skipped or failed.
    pub fn of(judged: &Judged) -> Behaviour {
        let mut reducer = Reducer::default();
        match &judged.played {
            Some(played) => {
                summary(&mut reducer, &judged.case, played);
                records(&mut reducer, &judged.case, played);
                for ledger in played.ledgers.iter().filter(|it| played.shows(&judged.case, it.channel)) {
                    channel(&mut reducer, &judged.case, ledger);
                }
                rest(&mut reducer, &judged.case, played);
            }
            None => {
                let reason = judged.reason.as_deref().unwrap_or_default();
                for label in &SUMMARY[..3] {
                    reducer.line(label).word("-");
                }
                reducer.line(SUMMARY[3]).phrase(reason);
                reducer.line(SUMMARY[4]).word(judged.status.name());
            }
        }
        reducer.finish()
    }

    /// Bytes that it takes, roughly.
    pub fn weight(&self) -> usize {
        self.shape.len() + 8 * self.counts.len() + 64
    }
}

/// The first error, what arrived of what was offered, and what became of the rest.
fn summary(reducer: &mut Reducer, case: &Case, played: &Played) {
    let shown = || played.ledgers.iter().filter(|ledger| played.shows(case, ledger.channel));
    let (at, error) = match &played.error_at {
        None => ("-", "-".to_owned()),
        Some(error) => (error.place(), snapshot::named(&error.errno, error.error.as_deref())),
    };
    reducer.line(SUMMARY[0]).word(at);
    reducer.line(SUMMARY[1]).word(&error);
    reducer.line(SUMMARY[2]);
    for (index, ledger) in shown().enumerate() {
        reducer.word(if index > 0 { "; " } else { "" }).count(ledger.delivered).word(" of ");
        match ledger.programs.writes {
            true => reducer.word("?"),
            false => reducer.count(ledger.offered),
        };
    }
    reducer.line(SUMMARY[3]);
    for (index, ledger) in shown().enumerate() {
        let name = |writer: usize| case.actors[writer].name.clone();
        let findings = ledger.findings(&name, &|_, bytes| Reducer::mark(bytes)).join("; ");
        reducer.word(if index > 0 { "; " } else { "" });
        match findings.is_empty() {
            true if ledger.programs.any() => reducer.word("-"),
            true => reducer.word("all right"),
            false => reducer.marked(&findings),
        };
    }
    reducer.line(SUMMARY[4]);
    match &played.transcript.end {
        End::Played => reducer.word("played"),
        End::Stuck { step, .. } => reducer.word("stuck at `").word(&case.steps[*step].text).word("`"),
    };
}

fn records(reducer: &mut Reducer, case: &Case, played: &Played) {
    let steps = &played.transcript.steps;
    let writers = |channel: usize| {
        let wrote = |record: &&StepRecord| record.offered.is_some() && record.channel == Some(channel);
        let first = steps.iter().find(wrote).map(|record| record.actor);
        steps.iter().filter(wrote).any(|record| Some(record.actor) != first)
    };
    for (index, record) in steps.iter().enumerate() {
        let step = &case.steps[record.step];
        reducer.line(format_args!("step {}, line {}: {}", index + 1, step.line, step.text));
        outcome(reducer, &record.outcome);
        if record.attempt > 1 {
            reducer.word(format_args!(" (attempt {})", record.attempt));
        }
        if let Some(resumed) = &record.resumed {
            reducer.word(format_args!(", by step {}: ", resumed.by + 1));
            outcome(reducer, &resumed.outcome);
        }
        resting(reducer, case, &record.resting);
        if let Some(offer) = record.offered {
            reducer.word("; offers ").count(offer.len).word(" from ").count(offer.offset);
        }
        for (channel, data) in record
            .data
            .iter()
            .map(|data| (record.channel, data))
            .chain(record.several.iter().map(|(channel, data)| (Some(*channel), data)))
        {
            reducer.word("; got ").count(data.0.len() as u64);
            // With one writer the ledger says all.
            if let Some(channel) = channel.filter(|channel| writers(*channel)) {
                for origin in Ledger::origins(&played.transcript, channel, index) {
                    let writer = origin.writer.map_or("?", |writer| case.actors[writer].name.as_str());
                    reducer.word(", ").count(origin.len).word(format_args!(" of {writer}"));
                }
            }
        }
        if let Some(peeked) = &record.peeked {
            reducer.word("; shown ").count(peeked.data.0.len() as u64).word(" from ").count(peeked.offset);
        }
        for layer in record.held.iter().flatten() {
            reducer.word(format_args!("; {} holds ", layer.name));
            match layer.bytes {
                Some(bytes) => reducer.count(bytes),
                None => reducer.word("?"),
            };
        }
        for (at, counts) in record.counts.iter().enumerate().filter(|(at, _)| played.shows(case, *at)) {
            reducer.word(format_args!("; {}: ", case.plan.channels[at].name));
            known(reducer, &counts.accepted).word(" in, ");
            known(reducer, &counts.queued).word(" queued, ");
            known(reducer, &counts.taken).word(" taken");
        }
        for called in &record.calls {
            calls(reducer, case, called);
        }
    }
}

fn known<'r>(reducer: &'r mut Reducer, count: &Count) -> &'r mut Reducer {
    match count {
        Count::Known(bytes) => reducer.count(*bytes),
        Count::Unknown(_) => reducer.word("?"),
    }
}

fn outcome(reducer: &mut Reducer, outcome: &Outcome) {
    reducer.word(outcome.kind());
    match outcome {
        Outcome::Ok { bytes: Some(bytes) } => {
            reducer.word(" ").count(*bytes);
        }
        Outcome::Said { bytes, words } => {
            if let Some(bytes) = bytes {
                reducer.word(" ").count(*bytes);
            }
            if !words.is_empty() {
                reducer.word(" says ").phrase(&words.join(" "));
            }
        }
        Outcome::Failed(failure) => {
            reducer.word(" ").word(&failure.errno);
            if let Some(error) = &failure.error {
                reducer.word(" ").word(error);
            }
            if failure.bytes > 0 {
                reducer.word(" after ").count(failure.bytes);
            }
        }
        Outcome::Blocked { call }
        | Outcome::Waiting { call }
        | Outcome::Pending { call }
        | Outcome::Held { call } => {
            reducer.word(" in ").word(call);
        }
        Outcome::Killed { signal } => {
            reducer.word(" by ").word(signal);
        }
        Outcome::Exited { status } => {
            reducer.word(format_args!(" {status}"));
        }
        Outcome::Reaped { status, signal, told } => {
            let how = signal.clone().or_else(|| status.map(|status| status.to_string()));
            reducer.word(format_args!(" {} ({told})", how.unwrap_or_default()));
        }
        _ => {}
    }
}

fn resting(reducer: &mut Reducer, case: &Case, resting: &[Resting]) {
    for process in resting {
        let Resting { process: name, state, call, channel, other_side, filled } = process;
        reducer.word(format_args!("; {name} {} in {call}", state.name()));
        if let Some(channel) = channel {
            reducer.word(" ").word(&case.plan.channels[*channel].name);
        }
        if let Some(holders) = other_side {
            reducer.word(format_args!(" (other side: {holders})"));
        }
        if let Some((bytes, most)) = filled {
            reducer.word(" (").count(*bytes).word(" of ").count(*most).word(" in it)");
        }
    }
}

/// How often a program made which call, with what result. In which order is left out: a writer of
/// many pieces would have a shape of its own for each number of them.
fn calls(reducer: &mut Reducer, case: &Case, calls: &Calls) {
    for counted in &calls.counts {
        let channels = counted.channels.iter().map(|at| case.plan.channels[*at].name.as_str());
        let channels = Vec::from_iter(channels).join(" ");
        let actor = &case.actors[calls.actor].name;
        reducer.word(format_args!("; {actor}: {} {channels} ", counted.call.name()));
        if counted.errno != 0 {
            reducer.word(crate::trace::errno_name(counted.errno)).word(" ");
        }
        reducer.count(counted.count).word(" times, ").count(counted.bytes).word(" bytes");
    }
}

/// All that the ledger says of a channel.
fn channel(reducer: &mut Reducer, case: &Case, ledger: &ChannelLedger) {
    let name = &case.plan.channels[ledger.channel].name;
    reducer.line(format_args!("ledger of {name}"));
    reducer.word("by the kernel ");
    known(reducer, &ledger.kernel).word(", queued ");
    known(reducer, &ledger.queued);
    let counts = [
        ("offered", ledger.offered),
        ("accepted", ledger.accepted),
        ("delivered", ledger.delivered),
        ("passed on", ledger.passed_on),
        ("credited", ledger.credited),
        ("queued and accepted", ledger.queued_accepted),
        ("read ahead", ledger.read_ahead),
        ("held", ledger.held),
        ("refused", ledger.refused),
        ("unanswered", ledger.unanswered),
        ("uncredited", ledger.uncredited),
        ("of these refused", ledger.uncredited_refused),
    ];
    for (what, bytes) in counts {
        reducer.word(format_args!(", {what} ")).count(bytes);
    }
    match ledger.taken_by_programs {
        Some(bytes) => reducer.word(", by programs ").count(bytes),
        None => reducer.word(", by programs ?"),
    };
    if ledger.unjudged {
        reducer.word(", not judged");
    }
    let of = |writer: usize| case.actors[writer].name.as_str();
    for loss in &ledger.lost {
        reducer.word(format_args!("; {:?} of {} lost, {:?}: ", loss.shape, of(loss.writer), loss.place));
        reducer.count(loss.len).word(" from ").count(loss.start);
    }
    if let Some(unplaced) = &ledger.unplaced {
        reducer.word("; lost of ").count(unplaced.least).word(" to ").count(unplaced.most).word(":");
        for extent in &unplaced.among {
            reducer.word(format_args!(" {} ", of(extent.writer))).count(extent.len);
            reducer.word(" from ").count(extent.start);
        }
    }
    let moved = (ledger.duplicated.iter().map(|it| ("twice", it.writer, it.start, it.len, it.at)))
        .chain(ledger.reordered.iter().map(|it| ("out of order", it.writer, it.start, it.len, it.at)));
    for (what, writer, start, len, at) in moved {
        reducer.word(format_args!("; {} {what}: ", of(writer))).count(len);
        reducer.word(" from ").count(start).word(" at ").count(at);
    }
    for torn in &ledger.torn {
        reducer.word(format_args!("; {} torn in step {}: ", of(torn.writer), torn.record + 1));
        reducer.count(torn.len).word(" from ").count(torn.start);
        for cut in &torn.cuts {
            reducer.word(format_args!(", by {} at ", of(cut.by))).count(cut.offset);
        }
    }
    for foreign in &ledger.foreign {
        reducer.word("; nobody's ").count(foreign.len).word(" at ").count(foreign.at);
    }
    for mispeek in &ledger.mispeeks {
        reducer.word(format_args!("; wrong peek in step {} at ", mispeek.record + 1)).count(mispeek.at);
    }
    if let Some(at) = ledger.first_wrong {
        reducer.word("; wrong from ").count(at);
    }
}

/// Who waits at the end, who holds what, and steps about calls that never came.
fn rest(reducer: &mut Reducer, case: &Case, played: &Played) {
    let transcript = &played.transcript;
    if let End::Stuck { waits, .. } = &transcript.end {
        for wait in waits {
            reducer.line(format_args!("waits in step {}", wait.record + 1));
            let names = |actors: &[usize]| {
                Vec::from_iter(actors.iter().map(|actor| case.actors[*actor].name.as_str())).join(" ")
            };
            let (readers, writers) = (names(&wait.readers), names(&wait.writers));
            reducer.word(format_args!("readers {readers}, writers {writers}"));
            if let Some(queued) = &wait.queued {
                known(reducer.word(", queued "), queued);
            }
            if let Some(capacity) = wait.capacity {
                reducer.word(" of ").count(capacity);
            }
        }
    }
    reducer.line("held open");
    for (actor, holds) in case.actors.iter().zip(&transcript.holds) {
        let held = holds.iter().zip(case.plan.channels.iter()).filter(|(holds, _)| **holds);
        for (_, channel) in held {
            reducer.word(format_args!("{} {}; ", actor.name, channel.name));
        }
    }
    for unmet in &transcript.unmet {
        reducer.line("no such call came").word(format_args!("step {}", unmet + 1));
    }
}
