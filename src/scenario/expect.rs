//! What a step is expected to give: the words after `->`.

use std::ops::Range;

use super::{
    names,
    problem::Problem,
    script::unknown_signal,
    suggest::{listed, nearest},
    words::Words,
};
use crate::outcome::Outcome;

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
    word("ok", "ok [SIZE]", "the call succeeded (and moved SIZE bytes)"),
    word("eof", "eof", "a read found the end of file"),
    word("failed", "failed", "the call failed, with whatever error"),
    word("blocked", "blocked", "asleep in a call that only another actor ends"),
    word("waiting", "waiting", "asleep, but a timer will wake it"),
    word("pending", "pending", "its event loop waits; the actor takes further steps"),
    word("spinning", "spinning", "used up its budget of CPU time"),
    word("killed", "killed [SIGNAL]", "the actor ended by a signal during the step"),
    word("exited", "exited [STATUS]", "the actor ended during the step"),
    word("skipped", "skipped", "its condition didn't hold"),
    word("gone", "gone", "the actor had ended before"),
];

/// One outcome that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// With so many bytes, if given.
    Ok {
        bytes: Option<u64>,
    },
    Eof,
    /// With this errno (`-`: the runtime gave none) and, if given, the
    /// runtime's own name for the error.
    Errno {
        errno: String,
        error: Option<String>,
    },
    Failed,
    Blocked,
    Waiting,
    Pending,
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

/// What a step should give: any of some outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// As the scenario writes it, parameters put in.
    pub text: String,
    pub any_of: Vec<Expected>,
}

impl Expectation {
    /// The outcome is one of those expected.
    pub fn allows(&self, outcome: &Outcome) -> bool {
        self.any_of.iter().any(|expected| expected.allows(outcome))
    }
}

impl Expected {
    fn allows(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Expected::Ok { bytes }, Outcome::Ok { bytes: got }) => bytes.is_none() || bytes == got,
            (Expected::Errno { errno, error }, Outcome::Failed(failure)) => {
                let got = names::errno(&failure.errno).unwrap_or(&failure.errno);
                *errno == got && (error.is_none() || *error == failure.error)
            }
            (Expected::Killed { signal }, Outcome::Killed { signal: got }) => {
                signal.as_ref().is_none_or(|signal| signal == got)
            }
            (Expected::Exited { status }, Outcome::Exited { status: got }) => {
                status.is_none_or(|status| status == *got)
            }
            (Expected::Eof, Outcome::Eof)
            | (Expected::Failed, Outcome::Failed(_))
            | (Expected::Blocked, Outcome::Blocked { .. })
            | (Expected::Waiting, Outcome::Waiting { .. })
            | (Expected::Pending, Outcome::Pending { .. })
            | (Expected::Spinning, Outcome::Spinning)
            | (Expected::Skipped, Outcome::Skipped)
            | (Expected::Gone, Outcome::Gone) => true,
            _ => false,
        }
    }
}

/// Reads the words after the arrow at `arrow`.
pub(super) fn read(words: &Words<'_>, arrow: usize, problems: &mut Vec<Problem>) -> Option<Expectation> {
    let rest = arrow + 1..words.len();
    let mut any_of = Vec::new();
    let mut start = rest.start;
    loop {
        let end = words.until(start..rest.end, &["or"]);
        match alternative(words, start..end) {
            Ok(expected) => any_of.push(expected),
            Err(problem) => problems.push(*problem),
        }
        if end == rest.end {
            break;
        }
        start = end + 1;
    }
    Some(Expectation { text: words.text(rest), any_of })
}

fn alternative(words: &Words<'_>, range: Range<usize>) -> Result<Expected, Box<Problem>> {
    if range.is_empty() {
        return Err(Box::new(
            Problem::new("expectation", "an expectation without an outcome")
                .at_place(&words.place(range.start - 1..range.start), "expected an outcome after it")
                .help(format!("for example `-> {}`", "EPIPE")),
        ));
    }
    let args = range.start + 1..range.end;
    let first = words.get(range.start);
    let (expected, taken) = match first {
        "ok" if args.is_empty() => (Expected::Ok { bytes: None }, 0),
        "ok" => (Expected::Ok { bytes: words.size(args.clone()).map_err(Box::new)?.bytes }, args.len()),
        "eof" => (Expected::Eof, 0),
        "failed" => (Expected::Failed, 0),
        "blocked" => (Expected::Blocked, 0),
        "waiting" => (Expected::Waiting, 0),
        "pending" => (Expected::Pending, 0),
        "spinning" => (Expected::Spinning, 0),
        "skipped" => (Expected::Skipped, 0),
        "gone" => (Expected::Gone, 0),
        "killed" | "exited" if args.is_empty() => match first {
            "killed" => (Expected::Killed { signal: None }, 0),
            _ => (Expected::Exited { status: None }, 0),
        },
        "killed" => match names::signal(words.get(args.start)) {
            Some(signal) => (Expected::Killed { signal: Some(signal.as_str().to_owned()) }, 1),
            None => {
                let place = words.place(args.start..args.start + 1);
                return Err(Box::new(unknown_signal(words.get(args.start), &place)));
            }
        },
        "exited" => match words.get(args.start).parse() {
            Ok(status) => (Expected::Exited { status: Some(status) }, 1),
            Err(_) => {
                return Err(Box::new(
                    Problem::new(
                        "expectation",
                        format!("`{}` can't be an exit status", words.get(args.start)),
                    )
                    .at_place(&words.place(args.start..args.start + 1), "expected an integer")
                    .help("for example `-> exited 0`"),
                ));
            }
        },
        _ => match names::errno(first).or_else(|| (first == "-").then_some(first)) {
            Some(errno) => {
                let error = (!args.is_empty()).then(|| words.get(args.start).to_owned());
                (Expected::Errno { errno: errno.to_owned(), error }, 1.min(args.len()))
            }
            None => return Err(Box::new(unknown(words, range.start))),
        },
    };
    let extra = args.start + taken..args.end;
    if extra.is_empty() {
        return Ok(expected);
    }
    Err(Box::new(
        Problem::new("expectation", format!("unexpected `{}`", words.text(extra.clone())))
            .at_place(&words.place(extra), "nothing goes here")
            .help("alternatives are joined with `or`; conditions stand before `->`"),
    ))
}

fn unknown(words: &Words<'_>, index: usize) -> Problem {
    let name = words.get(index);
    let errnos = names::errnos();
    let outcomes: Vec<&str> = OUTCOME_WORDS.iter().map(|word| word.name).collect();
    let looks_like_errno = name.starts_with('E') && !name.chars().any(char::is_lowercase);
    let what = if looks_like_errno { "errno" } else { "outcome" };
    let near = nearest(name, outcomes.iter().copied().chain(errnos.iter().map(String::as_str)));
    Problem::new("outcome", format!("no {what} is called `{name}`"))
        .at_place(&words.place(index..index + 1), format!("unknown {what}"))
        .help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if looks_like_errno => "the names are those of errno(3)".to_owned(),
            None => format!("an outcome is an errno name or one of {}", listed(&outcomes)),
        })
}
