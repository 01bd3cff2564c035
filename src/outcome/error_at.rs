//! Where a case's first error surfaced.

use serde::{Deserialize, Serialize};

use super::{Outcome, Transcript, Verb};
use crate::stage::Plan;

/// The step at which an actor was told, for the first time, that something had
/// gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAt {
    /// Index in `Transcript::steps`.
    pub record: usize,
    /// Index in `Plan::steps`.
    pub step: usize,
    pub verb: Verb,
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
pub fn error_at(plan: &Plan, transcript: &Transcript) -> Option<ErrorAt> {
    let killed = |actor: usize, by: usize| {
        transcript.steps.get(by).is_some_and(|kill| kill.verb == Verb::Kill && kill.actor == actor)
    };
    let mut errors = transcript.steps.iter().enumerate().filter_map(|(index, record)| {
        let moment = record.resumed.as_ref().map_or(index, |resumed| resumed.by);
        let (errno, error) = match record.last() {
            Outcome::Failed(failure) => (failure.errno.clone(), failure.error.clone()),
            Outcome::Killed { signal } if !killed(record.actor, moment) => (signal.clone(), None),
            _ => return None,
        };
        let verb = plan.steps.get(record.step).map_or(record.verb, |step| step.action.verb());
        (verb != Verb::Kill)
            .then_some(((moment, index), ErrorAt { record: index, step: record.step, verb, errno, error }))
    });
    let first = errors.next()?;
    Some(errors.fold(first, |first, next| if next.0 < first.0 { next } else { first }).1)
}
