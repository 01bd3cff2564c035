//! Outcomes in words, for people.

use super::Outcome;

/// An outcome in a few words: `EPIPE (BrokenPipeError)`, `blocked in write`.
pub fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok { bytes: Some(bytes) } => format!("ok {bytes}"),
        Outcome::Failed(failure) => {
            let after =
                if failure.bytes > 0 { format!(" after {} bytes", failure.bytes) } else { String::new() };
            match &failure.error {
                Some(error) => format!("{} ({error}){after}", failure.errno),
                None => format!("{}{after}", failure.errno),
            }
        }
        Outcome::Blocked { call } | Outcome::Waiting { call } | Outcome::Pending { call } => {
            format!("{} in {call}", outcome.kind())
        }
        Outcome::Killed { signal } => format!("killed by {signal}"),
        Outcome::Exited { status } => format!("exited with {status}"),
        other => other.kind().to_owned(),
    }
}
