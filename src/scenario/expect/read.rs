//! Reads an expectation from the words of its line.

use std::ops::Range;

use super::{Expectation, Expected, OUTCOME_WORDS, Share, Then};
use crate::scenario::{
    names,
    problem::Problem,
    script::unknown_signal,
    suggest::{listed, nearest},
    words::Words,
};

/// Reads the words after the arrow at `arrow`: `OUTCOME [on SYSTEM] [or ...] [then
/// OUTCOME|nothing [or ...] [by STEP]]`; `nothing` stands last.
pub(in crate::scenario) fn read(
    words: &Words<'_>,
    arrow: usize,
    problems: &mut Vec<Problem>,
) -> Option<Expectation> {
    let rest = arrow + 1..words.len();
    let at_once = rest.start..words.until(rest.clone(), &["then"]);
    let any_of = alternatives(words, at_once.clone(), problems);
    let then = (at_once.end < rest.end).then(|| {
        let later = at_once.end + 1..words.until(at_once.end + 1..rest.end, &["by"]);
        let by = (later.end < rest.end).then(|| words.text(later.end + 1..rest.end));
        if by.as_ref().is_some_and(String::is_empty) {
            problems.push(
                Problem::new("expectation", "`by` without a step")
                    .at_place(&words.place(later.end..rest.end), "which step releases it?")
                    .help("for example `-> blocked then EPIPE by reader close`"),
            );
        }
        let (later, never) = or_nothing(words, later);
        let any_of =
            if later.is_empty() && never { Vec::new() } else { alternatives(words, later, problems) };
        Then { any_of, never, by }
    });
    Some(Expectation { text: words.text(rest), any_of, then })
}

/// `nothing`, or alternatives and `or nothing` behind them: the alternatives, and whether it stands
/// there.
fn or_nothing(words: &Words<'_>, range: Range<usize>) -> (Range<usize>, bool) {
    match range.clone().rev().map(|at| words.get(at)).take(2).collect::<Vec<_>>()[..] {
        ["nothing"] => (range.start..range.start, true),
        ["nothing", "or"] => (range.start..range.end - 2, true),
        _ => (range, false),
    }
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
    let number = |part: Range<usize>| -> Result<Option<u64>, Box<Problem>> {
        if part.is_empty() {
            let place = words.place(range.clone());
            return Err(Box::new(
                Problem::new("expectation", "a range without its end")
                    .at_place(&place, "from where to where?")
                    .help("for example `-> ok 1 to 4096`"),
            ));
        }
        Ok(words.size(part).map_err(Box::new)?.bytes)
    };
    let to = words.until(size.clone(), &["to"]);
    let bytes = match () {
        () if size.is_empty() => None,
        () if to < size.end => {
            let (from, to) = (number(size.start..to)?, number(to + 1..size.end)?);
            match from.zip(to) {
                Some((from, to)) if from > to => {
                    return Err(Box::new(
                        Problem::new("expectation", format!("a range from {from} to {to}"))
                            .at_place(&words.place(size), "nothing is in it")
                            .help("write the smaller number first"),
                    ));
                }
                known => known,
            }
        }
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
