//! What an actor rests in, and the word for it.

use crate::outcome::{Outcome, Resting, Rests, Verb};

/// Where an actor came to rest.
#[derive(Clone, Debug)]
pub(super) enum Rest {
    Asleep {
        call: String,
        timer: Timer,
        watches_control: bool,
        /// It has started programs: what it rests in, and each of them.
        with: Vec<Resting>,
    },
    /// What each process of a program rests in; none: it has ended.
    Program(Vec<Resting>),
    Spinning,
}

/// Whether a timer will end a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    Set,
    None,
    /// Only `wchan` could be read, which doesn't tell.
    Unknown,
}

impl Rest {
    /// As an outcome of a step. An `await` leaves a driver in its event loop, and a
    /// `sleep` on a timer, also where that can't be seen.
    ///
    /// # Errors
    /// In words: what can't be told of this sleep on this system.
    pub(super) fn outcome(self, verb: Verb) -> Result<Outcome, String> {
        Ok(match self {
            Rest::Spinning => Outcome::Spinning,
            Rest::Program(resting) => {
                if let Some(unknown) = resting.iter().find(|process| process.state == Rests::Unknown) {
                    return Err(cannot_tell(&unknown.call));
                }
                of_program(&resting)
            }
            Rest::Asleep { call, timer: Timer::Set, .. } => Outcome::Waiting { call },
            Rest::Asleep { call, watches_control, .. } if verb == Verb::Await || watches_control => {
                Outcome::Pending { call }
            }
            Rest::Asleep { call, timer: Timer::Unknown, .. } if verb == Verb::Sleep => {
                Outcome::Waiting { call }
            }
            Rest::Asleep { call, timer: Timer::Unknown, .. } => {
                return Err(cannot_tell(&call));
            }
            Rest::Asleep { call, .. } => Outcome::Blocked { call },
        })
    }
}

fn cannot_tell(call: &str) -> String {
    format!(
        "it sleeps in {call}, and whether a timer will wake it can't be seen without /proc/PID/syscall (is \
         kernel.yama.ptrace_scope above 1?)"
    )
}

/// A program waits if a timer wakes any of its processes; else its own process, the first,
/// gives the word.
fn of_program(resting: &[Resting]) -> Outcome {
    let Some(first) = resting.first() else { return Outcome::Gone };
    let call = first.call.clone();
    let waits = resting.iter().any(|process| process.state == Rests::Waiting);
    let held = resting.iter().find(|process| process.state == Rests::Held);
    match first.state {
        _ if held.is_some() => Outcome::Held { call: held.map_or(call, |held| held.call.clone()) },
        Rests::Stopped => Outcome::Stopped,
        _ if waits => Outcome::Waiting { call },
        Rests::Waiting => Outcome::Waiting { call },
        Rests::Pending | Rests::Unknown => Outcome::Pending { call },
        Rests::Blocked | Rests::Held => Outcome::Blocked { call },
    }
}
