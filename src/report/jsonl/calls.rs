//! What a program called in a step.

use serde::Serialize;

use crate::{
    scenario::Case,
    trace::{Calls, Counted, Seen, errno_name},
};

/// The calls of one program in one step.
#[derive(Serialize)]
pub(super) struct CallsLine<'a> {
    actor: &'a str,
    first: Vec<CallLine<'a>>,
    left_out: u64,
    last: Vec<CallLine<'a>>,
    counts: Vec<CountLine<'a>>,
}

#[derive(Serialize)]
struct CallLine<'a> {
    process: &'a str,
    /// Who of them: numbered by birth, anew after an exec.
    thread: u32,
    call: &'a str,
    channels: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<u64>,
    /// Null after an error.
    result: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    injected: bool,
}

#[derive(Serialize)]
struct CountLine<'a> {
    call: &'a str,
    channels: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<String>,
    count: u64,
    bytes: u64,
}

impl<'a> CallsLine<'a> {
    pub(super) fn of(case: &'a Case, calls: &'a Calls) -> CallsLine<'a> {
        let line = |seen: &'a Seen| CallLine::of(case, calls, seen);
        CallsLine {
            actor: &case.actors[calls.actor].name,
            first: calls.first.iter().map(line).collect(),
            left_out: calls.left_out,
            last: calls.last.iter().map(line).collect(),
            counts: calls.counts.iter().map(|counted| CountLine::of(case, counted)).collect(),
        }
    }
}

impl<'a> CallLine<'a> {
    fn of(case: &'a Case, calls: &'a Calls, seen: &'a Seen) -> CallLine<'a> {
        let errno = name(seen.errno());
        CallLine {
            process: calls.names.get(&seen.by).map_or("?", String::as_str),
            thread: seen.by,
            call: seen.call.name(),
            channels: names(case, &seen.channels),
            asked: seen.asked,
            result: errno.is_none().then_some(seen.result),
            errno,
            injected: seen.injected,
        }
    }
}

impl<'a> CountLine<'a> {
    fn of(case: &'a Case, counted: &Counted) -> CountLine<'a> {
        CountLine {
            call: counted.call.name(),
            channels: names(case, &counted.channels),
            errno: name(counted.errno),
            count: counted.count,
            bytes: counted.bytes,
        }
    }
}

fn name(errno: i32) -> Option<String> {
    (errno != 0).then(|| errno_name(errno))
}

fn names<'a>(case: &'a Case, channels: &[usize]) -> Vec<&'a str> {
    channels.iter().map(|channel| case.plan.channels[*channel].name.as_str()).collect()
}
