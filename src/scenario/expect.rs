//! What a step is expected to give: the words after `->`.

mod read;

pub(super) use read::read;

use super::names;
use crate::outcome::{Outcome, Resting, Rests, ledger::Origin};

/// One line of the table of outcome words.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeWord {
    pub name: &'static str,
    pub form: &'static str,
    pub about: &'static str,
}

const fn word(name: &'static str, form: &'static str, about: &'static str) -> OutcomeWord {
    OutcomeWord { name, form, about }
}

/// The words that an expectation may start with, apart from errno names.
pub const OUTCOME_WORDS: &[OutcomeWord] = &[
    word(
        "ok",
        "ok [SIZE [to SIZE]] [from ACTOR [SIZE], ...] [says WORDS]",
        "the call succeeded, and moved so many bytes or gave such a number; a read's were of these writers, in this order",
    ),
    word("says", "says WORDS", "the call succeeded and said just these words"),
    word("eof", "eof", "a read found the end of file"),
    word("failed", "failed", "the call failed, with whatever error"),
    word(
        "blocked",
        "blocked [in CALL [CHANNEL]]",
        "asleep in a call that only another actor ends; of a program: one of its processes in this call",
    ),
    word(
        "held",
        "held [in CALL [CHANNEL]]",
        "stopped at the entry of a call, by `hold` or `run until`; of a program: one of its processes in this call",
    ),
    word("waiting", "waiting", "asleep, but a timer will wake it"),
    word("pending", "pending", "its event loop waits; the actor takes further steps"),
    word("stopped", "stopped", "a program that a signal has stopped"),
    word("spinning", "spinning", "used up its budget of CPU time"),
    word(
        "killed",
        "killed [SIGNAL]",
        "the actor ended by a signal during the step; of `wait`, the child did",
    ),
    word("exited", "exited [STATUS]", "the actor ended during the step; of `wait`, the child has"),
    word("skipped", "skipped", "its condition didn't hold"),
    word("gone", "gone", "the actor had ended before"),
];

/// One outcome that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// With so many bytes (or such a number), if given, from the first to the second; of
    /// these writers, in this order, if given; and with just these words, if given.
    Ok {
        bytes: Option<(u64, u64)>,
        from: Option<Vec<Share>>,
        words: Option<Vec<String>>,
    },
    Eof,
    /// With this errno (`-`: the runtime gave none) and, if given, the
    /// runtime's own name for the error.
    Errno {
        errno: String,
        error: Option<String>,
    },
    Failed,
    /// In this call and, if given, on this channel.
    Blocked {
        place: Option<(String, Option<String>)>,
    },
    Held {
        place: Option<(String, Option<String>)>,
    },
    Waiting,
    Pending,
    Stopped,
    Spinning,
    Killed {
        signal: Option<String>,
    },
    Exited {
        status: Option<i32>,
    },
    Skipped,
    Gone,
}

/// Bytes in a row that one writer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index among the scenario's actors.
    pub writer: usize,
    /// So many, if given.
    pub bytes: Option<u64>,
}

/// What a step should give: any of some outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// As the scenario writes it, parameters put in.
    pub text: String,
    pub any_of: Vec<Expected>,
    /// What becomes of a call that doesn't answer at once.
    pub then: Option<Then>,
}

/// How an outstanding call is expected to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then {
    pub any_of: Vec<Expected>,
    /// It may be that it never does (`nothing`).
    pub never: bool,
    /// How the step begins that releases it.
    pub by: Option<String>,
}

impl Expectation {
    /// The outcome is one of those expected. `whose`: whose bytes a read was given; `resting`:
    /// what the processes of a program rest in; `own`: the channel of an actor's own call;
    /// `channel` names channels.
    pub fn allows(
        &self,
        outcome: &Outcome,
        whose: &[Origin],
        resting: &[Resting],
        own: Option<usize>,
        channel: impl Fn(usize) -> String,
    ) -> bool {
        self.any_of.iter().any(|expected| match (expected, outcome) {
            (Expected::Blocked { place: Some((call, on)) }, Outcome::Blocked { call: seen })
            | (Expected::Held { place: Some((call, on)) }, Outcome::Held { call: seen }) => {
                let same = |process: &Resting| {
                    (process.state == Rests::Held) == matches!(expected, Expected::Held { .. })
                        && process.call == *call
                        && on.as_ref().is_none_or(|on| process.channel.map(&channel).as_ref() == Some(on))
                };
                let named = || on.as_ref().is_none_or(|on| own.map(&channel).as_ref() == Some(on));
                resting.iter().any(same) || (resting.is_empty() && seen == call && named())
            }
            _ => expected.allows(outcome, whose),
        })
    }

    /// What it says of this outcome is a range.
    pub fn is_range(&self, outcome: &Outcome) -> bool {
        let later = self.then.iter().flat_map(|then| &then.any_of);
        self.any_of.iter().chain(later).any(|expected| match expected {
            Expected::Ok { bytes: Some((least, most)), from: None, .. } => {
                least < most && expected.allows(outcome, &[])
            }
            _ => false,
        })
    }

    /// The writers that it names.
    pub fn writers(&self) -> impl Iterator<Item = usize> {
        let later = self.then.iter().flat_map(|then| &then.any_of);
        let shares = self.any_of.iter().chain(later).flat_map(|expected| match expected {
            Expected::Ok { from: Some(shares), .. } => &shares[..],
            _ => &[],
        });
        shares.map(|share| share.writer)
    }
}

impl Then {
    /// The call ended as expected: `resumed` is how, and the step that released it.
    pub fn allows(&self, resumed: Option<(&Outcome, &str)>, whose: &[Origin]) -> bool {
        match resumed {
            None => self.never,
            Some((outcome, by)) => {
                let begins = |words: &str| {
                    by.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                };
                self.any_of.iter().any(|expected| expected.allows(outcome, whose))
                    && self.by.as_deref().is_none_or(begins)
            }
        }
    }
}

impl Expected {
    fn allows(&self, outcome: &Outcome, whose: &[Origin]) -> bool {
        match (self, outcome) {
            (Expected::Ok { bytes, from, words: None }, Outcome::Ok { bytes: got }) => {
                in_range(*bytes, *got) && came_from(from.as_deref(), whose)
            }
            (Expected::Ok { bytes, from, words }, Outcome::Said { bytes: got, words: said }) => {
                in_range(*bytes, *got)
                    && came_from(from.as_deref(), whose)
                    && words.as_ref().is_none_or(|words| same(words, said))
            }
            (Expected::Eof, Outcome::Said { bytes: Some(0), .. }) => true,
            (Expected::Errno { errno, error }, Outcome::Failed(failure)) => {
                let got = names::errno(&failure.errno).unwrap_or(&failure.errno);
                *errno == got && (error.is_none() || *error == failure.error)
            }
            (Expected::Killed { signal }, Outcome::Killed { signal: got }) => {
                signal.as_ref().is_none_or(|signal| signal == got)
            }
            (Expected::Killed { signal }, Outcome::Reaped { signal: Some(got), .. }) => {
                signal.as_ref().is_none_or(|signal| signal == got)
            }
            (Expected::Exited { status }, Outcome::Reaped { status: Some(got), .. }) => {
                status.is_none_or(|status| status == *got)
            }
            (Expected::Exited { status }, Outcome::Exited { status: got }) => {
                status.is_none_or(|status| status == *got)
            }
            (Expected::Eof, Outcome::Eof)
            | (Expected::Failed, Outcome::Failed(_))
            | (Expected::Blocked { place: None }, Outcome::Blocked { .. })
            | (Expected::Held { place: None }, Outcome::Held { .. })
            | (Expected::Stopped, Outcome::Stopped)
            | (Expected::Waiting, Outcome::Waiting { .. })
            | (Expected::Pending, Outcome::Pending { .. })
            | (Expected::Spinning, Outcome::Spinning)
            | (Expected::Skipped, Outcome::Skipped)
            | (Expected::Gone, Outcome::Gone) => true,
            _ => false,
        }
    }
}

fn in_range(range: Option<(u64, u64)>, got: Option<u64>) -> bool {
    range.is_none_or(|(least, most)| got.is_some_and(|got| (least..=most).contains(&got)))
}

/// Whose bytes nobody can tell are nobody's.
fn came_from(shares: Option<&[Share]>, whose: &[Origin]) -> bool {
    shares.is_none_or(|shares| {
        let is_of = |share: &Share, origin: &Origin| {
            origin.writer == Some(share.writer) && share.bytes.is_none_or(|bytes| bytes == origin.len)
        };
        shares.len() == whose.len() && shares.iter().zip(whose).all(|(share, origin)| is_of(share, origin))
    })
}

/// The same words, in whatever order.
fn same(words: &[String], said: &[String]) -> bool {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort();
        words
    };
    sorted(words) == sorted(said)
}
