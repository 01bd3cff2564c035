//! What a step gave.

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// An error as the actor's runtime reported it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// The symbolic errno (`EPIPE`), or `-` where the runtime gave none.
    pub errno: String,
    /// The runtime's own name for it (`BrokenPipeError`), if it has one.
    pub error: Option<String>,
    /// The runtime's message. Shown to people; never part of a snapshot.
    pub message: String,
    /// Bytes which the call said it had accepted (or read) before it failed.
    pub bytes: u64,
}

/// What a step gave, at the moment when everything had settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The call succeeded; for read and write, with so many bytes.
    Ok { bytes: Option<u64> },
    /// A call succeeded: with so many bytes (or the number that it gave), and what else it
    /// said, in words.
    Said { bytes: Option<u64>, words: Vec<String> },
    /// A read found the end of file and no byte before it.
    Eof,
    /// The call failed.
    Failed(Failure),
    /// Proved asleep in a call that nothing but another actor ends.
    Blocked { call: String },
    /// Asleep, but a timer will wake it.
    Waiting { call: String },
    /// Its event loop waits; the actor still takes steps.
    Pending { call: String },
    /// A step holds it at the entry of a call, until another one lets it go on.
    Held { call: String },
    /// Stopped by a signal, until another one continues it.
    Stopped,
    /// Ran through its budget of CPU time without a sleep or an end.
    Spinning,
    /// The actor ended by a signal during the step.
    Killed { signal: String },
    /// The actor ended during the step.
    Exited { status: i32 },
    /// A child of the actor's has ended, and the actor was told.
    Reaped {
        /// The status; `None` if a signal ended it.
        status: Option<i32>,
        signal: Option<String>,
        /// In the runtime's own words: `returncode=-13`.
        told: String,
    },
    /// Its condition (`if failed`, `unless failed`) didn't hold.
    Skipped,
    /// The actor had ended before.
    Gone,
}

/// A signal's name as in signal(7); the real-time ones are `SIGRTMIN`, `SIGRTMIN+1` and so on up to
/// `SIGRTMAX`.
pub fn signal_name(signal: i32) -> String {
    match Signal::try_from(signal) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) if signal == libc::SIGRTMAX() => "SIGRTMAX".to_owned(),
        Err(_) => match signal - libc::SIGRTMIN() {
            0 => "SIGRTMIN".to_owned(),
            above @ 1.. => format!("SIGRTMIN+{above}"),
            // The C library's own.
            _ => format!("SIG{signal}"),
        },
    }
}

impl Outcome {
    /// The end of a process, from the status of wait(2); `None` if it has only stopped or goes on.
    pub fn of_status(status: i32) -> Option<Outcome> {
        if libc::WIFSIGNALED(status) {
            return Some(Outcome::Killed { signal: signal_name(libc::WTERMSIG(status)) });
        }
        libc::WIFEXITED(status).then(|| Outcome::Exited { status: libc::WEXITSTATUS(status) })
    }

    /// The word for it, as in `-> blocked` and in the records.
    pub fn kind(&self) -> &'static str {
        match self {
            Outcome::Ok { .. } | Outcome::Said { .. } => "ok",
            Outcome::Eof => "eof",
            Outcome::Failed(_) => "failed",
            Outcome::Blocked { .. } => "blocked",
            Outcome::Waiting { .. } => "waiting",
            Outcome::Pending { .. } => "pending",
            Outcome::Held { .. } => "held",
            Outcome::Stopped => "stopped",
            Outcome::Spinning => "spinning",
            Outcome::Exited { .. } | Outcome::Reaped { signal: None, .. } => "exited",
            Outcome::Killed { .. } | Outcome::Reaped { .. } => "killed",
            Outcome::Skipped => "skipped",
            Outcome::Gone => "gone",
        }
    }

    /// The call hasn't answered: a later step may release it.
    pub fn is_outstanding(&self) -> bool {
        matches!(
            self,
            Outcome::Blocked { .. }
                | Outcome::Waiting { .. }
                | Outcome::Pending { .. }
                | Outcome::Held { .. }
                | Outcome::Stopped
                | Outcome::Spinning
        )
    }

    /// Bytes moved, where the outcome says so.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Outcome::Ok { bytes } | Outcome::Said { bytes, .. } => *bytes,
            Outcome::Eof => Some(0),
            Outcome::Failed(failure) => Some(failure.bytes),
            _ => None,
        }
    }
}
