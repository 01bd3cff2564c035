//! In what each process of a program rests.

use serde::{Deserialize, Serialize};

use super::{Outcome, StepRecord, words};

/// How a process rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rests {
    /// In a call that nothing but another process ends.
    Blocked,
    /// A timer will wake it.
    Waiting,
    /// In its event loop's wait.
    Pending,
    /// At the entry of a call, by a step, until another one lets it go on.
    Held,
    /// Maybe on a timer: that can't be seen here.
    Unknown,
    /// By a signal (SIGSTOP and the like), until another one continues it.
    Stopped,
}

impl Rests {
    pub fn name(self) -> &'static str {
        match self {
            Rests::Blocked => "blocked",
            Rests::Waiting => "waiting",
            Rests::Pending => "pending",
            Rests::Held => "held",
            Rests::Unknown => "unknown",
            Rests::Stopped => "stopped",
        }
    }
}

/// One process of a program at rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resting {
    /// Its name as the kernel has it (proc_pid_comm(5)).
    pub process: String,
    pub state: Rests,
    /// The call that it sleeps in.
    pub call: String,
    /// The case's channel that the call works on.
    pub channel: Option<usize>,
    /// Who holds the other side of what the call works on, where it is no channel of the
    /// case: the program's own pipe.
    pub other_side: Option<String>,
    /// Of a pipe between an actor and its child: bytes in it, and what it holds at most.
    pub filled: Option<(u64, u64)>,
}

impl Resting {
    /// Where it rests: `write err`, `read from cat`.
    pub fn place(&self, channel: impl Fn(usize) -> String) -> String {
        match (self.channel, &self.other_side) {
            (Some(index), _) => {
                let filled = self.filled.map(|(bytes, most)| format!(" ({bytes} of {most} in it)"));
                format!("{} {}{}", self.call, channel(index), filled.unwrap_or_default())
            }
            (None, Some(holders)) => format!("{} (other side: {holders})", self.call),
            (None, None) => self.call.clone(),
        }
    }
}

/// In what a program rests after a step, in words: the outcome's, then each of its processes.
pub fn resting(record: &StepRecord, channel: impl Fn(usize) -> String) -> String {
    let kind = record.outcome.kind();
    let each = record.resting.iter().map(|process| {
        let place = process.place(&channel);
        let state = if process.state.name() == kind { "" } else { process.state.name() };
        let words = [state, if place.is_empty() { "" } else { "in" }, &place];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{} {}", process.process, words.join(" ")).trim_end().to_owned()
    });
    let each = Vec::from_iter(each).join("; ");
    match record.outcome.is_outstanding() {
        true => format!("{kind}: {each}"),
        // What it has started lives on.
        false if matches!(record.outcome, Outcome::Ok { .. }) => format!("ok; {each}"),
        false => format!("{}; left behind: {each}", words(&record.outcome)),
    }
}
