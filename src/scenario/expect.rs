//! What a step is expected to give: the words after `->`.

use std::ops::Range;

use super::{
    names,
    problem::Problem,
    script::unknown_signal,
    suggest::{listed, nearest},
    words::Words,
};
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
    /// None of any: it never does.
    pub any_of: Vec<Expected>,
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
            None => self.any_of.is_empty(),
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

/// Reads the words after the arrow at `arrow`: `OUTCOME [on SYSTEM] [or ...] [then
/// OUTCOME|nothing [or ...] [by STEP]]`.
pub(super) fn read(words: &Words<'_>, arrow: usize, problems: &mut Vec<Problem>) -> Option<Expectation> {
    let rest = arrow + 1..words.len();
    let at_once = rest.start..words.until(rest.clone(), &["then"]);
    let any_of = alternatives(words, at_once.clone(), problems);
    let then = (at_once.end < rest.end).then(|| {
        let later = at_once.end + 1..words.until(at_once.end + 1..rest.end, &["by"]);
        let by = (later.end < rest.end).then(|| words.text(later.end + 1..rest.end));
        let any_of = match words.text(later.clone()).as_str() {
            "nothing" => Vec::new(),
            _ => alternatives(words, later, problems),
        };
        Then { any_of, by }
    });
    Some(Expectation { text: words.text(rest), any_of, then })
}

/// Outcomes joined by `or`, without those of other systems.
fn alternatives(words: &Words<'_>, range: Range<usize>, problems: &mut Vec<Problem>) -> Vec<Expected> {
    let mut any_of = Vec::new();
    let mut start = range.start;
    loop {
        let end = words.until(start..range.end, &["or"]);
        let on = words.until(start..end, &["on"]);
        match alternative(words, start..on) {
            Ok(expected) => any_of.extend(here(words, on..end, problems).then_some(expected)),
            Err(problem) => problems.push(*problem),
        }
        if end == range.end {
            return any_of;
        }
        start = end + 1;
    }
}

/// Whether `on SYSTEM` is about this one.
fn here(words: &Words<'_>, on: Range<usize>, problems: &mut Vec<Problem>) -> bool {
    if on.is_empty() {
        return true;
    }
    let system = words.text(on.start + 1..on.end);
    if !SYSTEMS.contains(&system.as_str()) {
        problems.push(
            Problem::new("expectation", format!("no system is called `{system}`"))
                .at_place(&words.place(on), "expected a system")
                .help(format!("there are {}", listed(SYSTEMS))),
        );
    }
    system == std::env::consts::OS
}

/// Systems that an expectation may be for.
const SYSTEMS: &[&str] = &["linux", "freebsd", "netbsd", "openbsd", "macos"];

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
        "ok" | "says" => (number_and_words(words, range.clone())?, args.len()),
        "eof" => (Expected::Eof, 0),
        "failed" => (Expected::Failed, 0),
        "blocked" | "held" if words.get(args.start) == "in" && args.len() > 1 => {
            let channel = (args.len() > 2).then(|| words.get(args.start + 2).to_owned());
            let taken = 2 + usize::from(channel.is_some());
            let call = words.get(args.start + 1).to_owned();
            let place = Some((call, channel));
            (if first == "held" { Expected::Held { place } } else { Expected::Blocked { place } }, taken)
        }
        "held" => (Expected::Held { place: None }, 0),
        "blocked" => (Expected::Blocked { place: None }, 0),
        "stopped" => (Expected::Stopped, 0),
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

/// `ok`, `ok SIZE`, `ok SIZE to SIZE`, each with `from WRITERS` and `says WORDS`; `says WORDS`
/// alone.
fn number_and_words(words: &Words<'_>, range: Range<usize>) -> Result<Expected, Box<Problem>> {
    let says = words.until(range.clone(), &["says"]);
    let from = words.until(range.start..says, &["from"]);
    let size = range.start + usize::from(words.get(range.start) == "ok")..from;
    let said = (says < range.end).then(|| (says + 1..range.end).map(|at| words.get(at).to_owned()).collect());
    let number = |part: Range<usize>| -> Result<u64, Box<Problem>> {
        if part.is_empty() {
            let place = words.place(range.clone());
            return Err(Box::new(
                Problem::new("expectation", "a range without its end")
                    .at_place(&place, "from where to where?")
                    .help("for example `-> ok 1 to 4096`"),
            ));
        }
        Ok(words.size(part).map_err(Box::new)?.bytes.unwrap_or(0))
    };
    let to = words.until(size.clone(), &["to"]);
    let bytes = match () {
        () if size.is_empty() => None,
        () if to < size.end => Some((number(size.start..to)?, number(to + 1..size.end)?)),
        () => words.size(size).map_err(Box::new)?.bytes.map(|bytes| (bytes, bytes)),
    };
    let from = (from < says).then(|| shares(words, from, says)).transpose()?;
    Ok(Expected::Ok { bytes, from, words: said })
}

/// `ACTOR [SIZE], ...` behind the word `from`.
fn shares(words: &Words<'_>, from: usize, end: usize) -> Result<Vec<Share>, Box<Problem>> {
    let mut shares = Vec::new();
    let mut start = from + 1;
    loop {
        let comma = words.until(start..end, &[","]);
        if start == comma {
            return Err(Box::new(
                Problem::new("from", "whose bytes?")
                    .at_place(&words.place(comma.saturating_sub(1)..comma), "expected a writer after it")
                    .help("for example `-> ok 20 from v, w`, or `-> ok 20 from v 12, w 8`"),
            ));
        }
        let writer = words.actor(start)?;
        let size = start + 1..comma;
        let bytes = if size.is_empty() { None } else { words.size(size).map_err(Box::new)?.bytes };
        shares.push(Share { writer, bytes });
        if comma == end {
            return Ok(shares);
        }
        start = comma + 1;
    }
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
