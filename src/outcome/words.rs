//! Outcomes in words, for people.

use super::Outcome;

/// An outcome in a few words: `EPIPE (BrokenPipeError)`, `blocked in write`.
pub fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok { bytes: Some(bytes) } => format!("ok {bytes}"),
        Outcome::Said { bytes, words } => said(bytes.map(|bytes| bytes.to_string()), words),
        Outcome::Failed(failure) => {
            let after =
                if failure.bytes > 0 { format!(" after {} bytes", failure.bytes) } else { String::new() };
            match &failure.error {
                Some(error) => format!("{} ({error}){after}", failure.errno),
                // No call gave it: the script asks for what can't be.
                None if failure.errno == "-" => format!("failed: {}{after}", failure.message),
                None => format!("{}{after}", failure.errno),
            }
        }
        Outcome::Blocked { call }
        | Outcome::Waiting { call }
        | Outcome::Pending { call }
        | Outcome::Held { call } => {
            format!("{} in {call}", outcome.kind())
        }
        Outcome::Killed { signal } => format!("killed by {signal}"),
        Outcome::Reaped { told, .. } => reaped(outcome, told),
        Outcome::Exited { status } => format!("exited with {status}"),
        other => other.kind().to_owned(),
    }
}

/// How a child ended, and how its maker's runtime says so: `exited 3 (returncode=3)`.
pub(super) fn reaped(outcome: &Outcome, told: &str) -> String {
    match outcome {
        Outcome::Reaped { signal: Some(signal), .. } => format!("killed {signal} ({told})"),
        Outcome::Reaped { status: Some(status), .. } => format!("exited {status} ({told})"),
        _ => told.to_owned(),
    }
}

/// What a call gave: `ok 10 says trunc`, `says in hup`.
pub(super) fn said(size: Option<String>, words: &[String]) -> String {
    let size = size.map(|size| format!("ok {size}"));
    let words = (!words.is_empty()).then(|| format!("says {}", words.join(" ")));
    match (size, words) {
        (None, None) => "ok".to_owned(),
        (size, words) => Vec::from_iter(size.into_iter().chain(words)).join(" "),
    }
}
