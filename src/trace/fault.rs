//! What a step has a call come to.

use serde::{Deserialize, Serialize};

use super::table::Watched;

/// A program's k-th call on a channel, counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nth {
    /// From 1.
    pub nth: u64,
    pub call: Watched,
    pub channel: usize,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It fails with this errno, and the kernel does nothing (of a close: it closes).
    Fails(i32),
    /// It moves so many bytes at most.
    Cut(u64),
    /// It is stopped at its entry until a `release`.
    Held,
}

/// A call, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Injection {
    pub at: Nth,
    pub effect: Effect,
}

impl Nth {
    /// As words of the wire: `3 write 0`.
    pub fn words(&self) -> Vec<String> {
        vec![self.nth.to_string(), self.call.name().to_owned(), self.channel.to_string()]
    }

    pub fn of(words: &[String]) -> Option<Nth> {
        let [nth, call, channel, ..] = words else { return None };
        Some(Nth { nth: nth.parse().ok()?, call: Watched::named(call)?, channel: channel.parse().ok()? })
    }
}

impl Injection {
    /// As words of the wire: `3 write 0 cut 10`.
    pub fn words(&self) -> Vec<String> {
        let effect = match self.effect {
            Effect::Fails(errno) => vec!["fails".to_owned(), errno.to_string()],
            Effect::Cut(bytes) => vec!["cut".to_owned(), bytes.to_string()],
            Effect::Held => vec!["held".to_owned(), "0".to_owned()],
        };
        self.at.words().into_iter().chain(effect).collect()
    }

    pub fn of(words: &[String]) -> Option<Injection> {
        let at = Nth::of(words)?;
        let [effect, number] = words.get(3..)? else { return None };
        let effect = match effect.as_str() {
            "fails" => Effect::Fails(number.parse().ok()?),
            "cut" => Effect::Cut(number.parse().ok()?),
            "held" => Effect::Held,
            _ => return None,
        };
        Some(Injection { at, effect })
    }
}
