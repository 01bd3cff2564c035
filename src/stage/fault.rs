//! What can go wrong that isn't an outcome.

use serde::{Deserialize, Serialize};

/// Why a case has no transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A driver didn't keep to the wire, or ended on its own: the runtime or a
    /// user's own driver is to blame.
    Driver { actor: String, message: String },
    /// A step needs to trace a program, and this machine doesn't let it.
    Untraceable { actor: String, message: String },
    /// pipelab or the machine failed.
    Harness { message: String },
}

impl Fault {
    pub fn harness(what: &str, error: impl std::fmt::Display) -> Fault {
        Fault::Harness { message: format!("{what}: {error}") }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Driver { actor, message } => write!(out, "the driver of {actor}: {message}"),
            Fault::Untraceable { actor, message } => {
                write!(out, "a step has to stop {actor}, which can't be traced here: {message}")
            }
            Fault::Harness { message } => write!(out, "harness fault: {message}"),
        }
    }
}

impl std::error::Error for Fault {}
