//! The record of a program's calls in one step: bounded, whatever the program does.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::table::Watched;

/// So many calls of a step are kept in full from its beginning, and as many up to its end.
const KEPT: usize = 32;
/// Calls on no channel (a shell's waits, which are many) are kept in full up to so many.
const KEPT_WAITS: usize = 8;

/// A call that has returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who made it: a thread, numbered in the order of their births.
    pub by: u32,
    pub call: Watched,
    /// The case's channels that it worked on.
    pub channels: Vec<usize>,
    /// Bytes that it asked for.
    pub asked: Option<u64>,
    /// What it returned, as the kernel says it: an error is negative. (Of a wait, 1: a child.)
    pub result: i64,
    /// A step had it cut short, or fail.
    pub injected: bool,
}

/// Calls with the same result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub call: Watched,
    pub channels: Vec<usize>,
    /// 0 without an error.
    pub errno: i32,
    pub count: u64,
    /// The sum of what they returned, of calls that asked for bytes.
    pub bytes: u64,
}

/// What a program called in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Index of the program's actor; its shepherd doesn't know.
    pub actor: usize,
    /// Names of those who called, as the kernel has them (proc_pid_comm(5)).
    pub names: BTreeMap<u32, String>,
    pub first: Vec<Seen>,
    /// Calls on channels between the first and the last.
    pub left_out: u64,
    pub last: VecDeque<Seen>,
    /// The first of those left out that failed.
    failed: Option<Seen>,
    /// All, also those left out.
    pub counts: Vec<Counted>,
}

/// What the kernel returns of a call that a signal has interrupted and that it may begin
/// again by itself (kernel `include/linux/errno.h`).
const RESTARTS: std::ops::RangeInclusive<i32> = 512..=516;

impl Seen {
    /// The error that it returned; 0 without one. What begins again is none to the program.
    pub fn errno(&self) -> i32 {
        let errno = i32::try_from(-self.result).unwrap_or(0);
        if (1..4096).contains(&errno) { errno } else { 0 }
    }

    /// It was interrupted, and the program isn't told so if it begins again.
    pub fn restarts(&self) -> bool {
        RESTARTS.contains(&self.errno())
    }

    /// It failed on a channel. That a read finds nothing (EAGAIN) is no failure.
    pub fn fails(&self) -> bool {
        let nothing_there = self.call.reads() && self.errno() == libc::EAGAIN;
        self.errno() != 0 && !self.restarts() && !nothing_there && !self.channels.is_empty()
    }
}

impl Calls {
    pub fn add(&mut self, seen: Seen, name: impl FnOnce() -> String) {
        let errno = seen.errno();
        let bytes = if errno == 0 && seen.asked.is_some() { seen.result as u64 } else { 0 };
        let same = |counted: &&mut Counted| {
            (counted.call, counted.errno) == (seen.call, errno) && counted.channels == seen.channels
        };
        match self.counts.iter_mut().find(same) {
            Some(counted) => {
                counted.count += 1;
                counted.bytes += bytes;
            }
            None => {
                let (call, channels) = (seen.call, seen.channels.clone());
                self.counts.push(Counted { call, channels, errno, count: 1, bytes });
            }
        }
        if seen.channels.is_empty()
            && self.kept().filter(|seen| seen.channels.is_empty()).count() >= KEPT_WAITS
        {
            return;
        }
        self.names.entry(seen.by).or_insert_with(name);
        if self.first.len() < KEPT {
            self.first.push(seen);
            return;
        }
        self.last.push_back(seen);
        if self.last.len() > KEPT
            && let Some(left_out) = self.last.pop_front()
        {
            self.left_out += 1;
            if self.failed.is_none() && left_out.fails() {
                self.failed = Some(left_out);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The first of all calls that failed.
    pub fn first_failure(&self) -> Option<&Seen> {
        self.first.iter().chain(&self.failed).chain(&self.last).find(|seen| seen.fails())
    }

    /// Those that are kept in full, in their order.
    pub fn kept(&self) -> impl Iterator<Item = &Seen> {
        self.first.iter().chain(&self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_calls_are_counted_and_few_are_kept() {
        let call = Watched::named("write").expect("in the table");
        let mut calls = Calls::default();
        for number in 0..1_000_000 {
            let result = if number % 10 == 9 { -i64::from(libc::EAGAIN) } else { 5 };
            let seen = Seen { by: 0, call, channels: vec![1], asked: Some(number), result, injected: false };
            calls.add(seen, || "writer".to_owned());
        }
        assert_eq!(calls.kept().count(), 2 * KEPT);
        assert_eq!(calls.left_out, 1_000_000 - 2 * KEPT as u64);
        let asked: Vec<u64> = calls.kept().filter_map(|seen| seen.asked).collect();
        assert_eq!((asked[0], asked[KEPT - 1]), (0, KEPT as u64 - 1));
        assert_eq!((asked[KEPT], asked[2 * KEPT - 1]), (1_000_000 - KEPT as u64, 999_999));
        let counts: Vec<_> = calls.counts.iter().map(|it| (it.errno, it.count, it.bytes)).collect();
        assert_eq!(counts, [(0, 900_000, 4_500_000), (libc::EAGAIN, 100_000, 0)]);
    }

    #[test]
    fn the_first_failure_is_known_wherever_it_is() {
        let write = Watched::named("write").expect("in the table");
        let at = |failing: &[u64]| {
            let mut calls = Calls::default();
            for asked in 0..1000 {
                let result = if failing.contains(&asked) { -i64::from(libc::EPIPE) } else { 5 };
                let seen = Seen {
                    by: 0,
                    call: write,
                    channels: vec![0],
                    asked: Some(asked),
                    result,
                    injected: false,
                };
                calls.add(seen, String::new);
            }
            calls.first_failure().and_then(|seen| seen.asked)
        };
        assert_eq!(at(&[]), None);
        for first in [0, KEPT as u64 - 1, KEPT as u64, 500, 999 - KEPT as u64, 1000 - KEPT as u64, 999] {
            assert_eq!(at(&[first]), Some(first));
            assert_eq!(at(&[first, 999]), Some(first));
        }
    }
}
