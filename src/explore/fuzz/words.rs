//! Scripts as a person would write them.

use super::{
    ground::{Line, Scene},
    size::near,
};
use crate::{
    model::{Gave, Geometry},
    outcome::{Action, Amount, Outcome},
};

/// A line of the script, without its actor.
pub(super) fn step(line: &Line, scene: &Scene, pipe: Geometry) -> String {
    let name = |channel: usize| &scene.channels[channel].name;
    let bytes = |bytes: u64| match &line.size {
        Some(size) => size.text(&scene.capacity_text, pipe),
        None => near(bytes, pipe),
    };
    match &line.action {
        Action::Open { channel, access, nonblock } => {
            let nonblock = if *nonblock { " nonblock" } else { "" };
            format!("open {} {}{nonblock}", name(*channel), access.name())
        }
        Action::Close { channel } => format!("close {}", name(*channel)),
        Action::Write { channel, bytes: size, .. } => format!("write {} {}", name(*channel), bytes(*size)),
        Action::Read { channel, amount } => {
            let amount = match amount {
                Amount::Bytes(size) => bytes(*size),
                Amount::Available => "available".to_owned(),
                Amount::ToEof => "to-eof".to_owned(),
            };
            format!("read {} {amount}", name(*channel))
        }
        Action::Kill { .. } => "kill".to_owned(),
        Action::Call(called) => {
            let mut words = vec![called.call.name().to_owned()];
            words.extend(called.words.iter().cloned());
            if let (Some(place), Some(size)) = (called.size_place(), &line.size) {
                words[place + 1] = size.text(&scene.capacity_text, pipe);
            }
            words.join(" ")
        }
        other => unreachable!("no menu has {other:?}"),
    }
}

/// How the step that releases a call begins: `b close`.
pub(super) fn releaser(line: &Line, scene: &Scene) -> String {
    format!("{} {}", scene.actors[line.actor].name, line.action.verb().name())
}

/// What was seen, as an expectation.
pub(super) fn seen(outcome: &Outcome, pipe: Geometry) -> String {
    match outcome {
        Outcome::Ok { bytes: Some(bytes) } => format!("ok {}", near(*bytes, pipe)),
        Outcome::Said { bytes, words } => {
            let number = bytes.map(|bytes| format!("ok {}", near(bytes, pipe)));
            let words = (!words.is_empty()).then(|| format!("says {}", words.join(" ")));
            match (number, words) {
                (None, None) => "ok".to_owned(),
                (number, words) => Vec::from_iter(number.into_iter().chain(words)).join(" "),
            }
        }
        Outcome::Failed(failure) => failure.errno.clone(),
        Outcome::Killed { signal } => format!("killed {signal}"),
        Outcome::Exited { status } => format!("exited {status}"),
        other => other.kind().to_owned(),
    }
}

/// What the model says, as an expectation. `call`: of a single system call, which has no word
/// for the end of file.
pub(super) fn given(gave: Gave, call: bool, pipe: Geometry) -> String {
    match gave {
        Gave::Eof if call => "ok 0".to_owned(),
        Gave::Ended => "killed".to_owned(),
        gave => seen(&gave.outcome(), pipe),
    }
}
