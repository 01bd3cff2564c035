//! Where a case's first error surfaced.

use serde::{Deserialize, Serialize};

use super::{Outcome, StepRecord, Transcript, Verb};
use crate::{
    stage::Plan,
    trace::{Calls, Watched, errno_name},
};

/// The step at which an actor was told, for the first time, that something had
/// gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAt {
    /// Index in `Transcript::steps`.
    pub record: usize,
    /// Index in `Plan::steps`.
    pub step: usize,
    pub verb: Verb,
    /// A program that is traced was told by this call, in that step.
    pub call: Option<Watched>,
    /// The symbolic errno (`EPIPE`), the signal (`SIGPIPE`) for an actor that
    /// was killed, `-` where the runtime gave none.
    pub errno: String,
    /// The runtime's own name for it (`BrokenPipeError`), if it has one.
    pub error: Option<String>,
}

/// Finds the first error, by these rules:
///
/// 1. An error is a step whose last word (after it was resumed, if it blocked)
///    is `Failed` or `Killed`.
/// 2. Any actor's counts. A reader's errors surface nowhere else, and a writer's
///    come first in time if they are first in the script.
/// 3. A `kill` step and its target aren't an error of the target's I/O: neither
///    the step itself counts, nor a call that it ended by the signal it sent.
/// 4. First is the earliest *moment*: a call that blocked at record 3 and failed
///    at record 7 comes after a failure at record 5; at the same moment the
///    earlier record is first.
/// 5. A call of a program that the scenario has traced counts too, on a channel, in the step
///    in which it returned, and before what came of it. That a read finds nothing (EAGAIN)
///    is no error.
pub fn error_at(plan: &Plan, transcript: &Transcript) -> Option<ErrorAt> {
    first(plan, transcript, |actor| plan.traces(actor))
}

/// The same with all calls that were seen, whoever wanted them seen.
pub fn error_at_of_all(plan: &Plan, transcript: &Transcript) -> Option<ErrorAt> {
    first(plan, transcript, |_| true)
}

fn first(plan: &Plan, transcript: &Transcript, counts: impl Fn(usize) -> bool) -> Option<ErrorAt> {
    let killed = |actor: usize, by: usize| {
        transcript.steps.get(by).is_some_and(|kill| kill.verb == Verb::Kill && kill.actor == actor)
    };
    let told = transcript.steps.iter().enumerate().filter_map(|(index, record)| {
        let moment = record.resumed.as_ref().map_or(index, |resumed| resumed.by);
        let (errno, error) = match record.last() {
            Outcome::Failed(failure) => (failure.errno.clone(), failure.error.clone()),
            Outcome::Killed { signal } if !killed(record.actor, moment) => (signal.clone(), None),
            _ => return None,
        };
        let verb = plan.steps.get(record.step).map_or(record.verb, |step| step.action.verb());
        let error = ErrorAt { record: index, step: record.step, verb, call: None, errno, error };
        (verb != Verb::Kill).then_some(((moment, 1, index), error))
    });
    let called = transcript
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, record)| Some(((index, 0, index), first_call(index, record, &counts)?)));
    told.chain(called).min_by_key(|(moment, _)| *moment).map(|(_, error)| error)
}

/// The first call of a step that failed.
fn first_call(index: usize, record: &StepRecord, counts: &impl Fn(usize) -> bool) -> Option<ErrorAt> {
    let calls = record.calls.iter().filter(|calls| counts(calls.actor));
    let seen = calls.filter_map(Calls::first_failure).next()?;
    let error = ErrorAt {
        record: index,
        step: record.step,
        verb: verb_of(seen.call),
        call: Some(seen.call),
        errno: errno_name(seen.errno()),
        error: None,
    };
    Some(error)
}

/// The verb that does what a call does.
fn verb_of(call: Watched) -> Verb {
    match call.name() {
        "open" => Verb::Open,
        "close" => Verb::Close,
        name if name.contains("write") || name.starts_with("send") || name.contains("splice") => Verb::Write,
        _ if call.reads() => Verb::Read,
        _ => Verb::Run,
    }
}

impl ErrorAt {
    /// The verb or, of a program, the call.
    pub fn place(&self) -> &'static str {
        self.call.map_or_else(|| self.verb.name(), Watched::name)
    }
}
