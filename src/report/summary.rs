//! How a whole run stands, and the exit status that says so.

use std::collections::BTreeSet;

use crate::outcome::{Judged, Status};

/// Exit statuses of `pipelab`.
pub mod exit {
    /// Every case that could be played is as expected, and at least one was.
    pub const AS_EXPECTED: u8 = 0;
    /// A case differs from its expectations or its snapshot, or is stuck.
    pub const DIFFERS: u8 = 1;
    /// A mistake in a scenario or on the command line: nothing was run.
    pub const MISTAKE: u8 = 2;
    /// pipelab, a driver or the machine failed: the results mean nothing.
    pub const FAULT: u8 = 3;
    /// Nothing differs, but a case is in no snapshot, or no case could be played.
    pub const UNPROVED: u8 = 4;
}

/// Counts over all scenarios of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Cases by status, in the order of `Status::ALL`.
    counts: [usize; Status::ALL.len()],
    /// Why cases were skipped or failed, each reason once.
    pub reasons: BTreeSet<String>,
}

impl Summary {
    pub fn add(&mut self, judged: &Judged) {
        self.counts[judged.status as usize] += 1;
        self.reasons.extend(judged.reason.clone());
    }

    pub fn count(&self, status: Status) -> usize {
        self.counts[status as usize]
    }

    pub fn cases(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The exit status, by the first of these that holds: a fault; something
    /// differs; something is unrecorded or nothing was played; all is well.
    pub fn exit_status(&self) -> u8 {
        if self.count(Status::Error) > 0 {
            exit::FAULT
        } else if self.count(Status::Differs) + self.count(Status::Stuck) > 0 {
            exit::DIFFERS
        } else if self.count(Status::Unrecorded) > 0 || self.count(Status::Ok) == 0 {
            exit::UNPROVED
        } else {
            exit::AS_EXPECTED
        }
    }

    /// `10 cases: 9 ok, 1 skipped`.
    pub fn line(&self) -> String {
        let parts: Vec<String> = Status::ALL
            .iter()
            .filter(|&&status| self.count(status) > 0)
            .map(|&status| format!("{} {}", self.count(status), status.name()))
            .collect();
        let cases = self.cases();
        format!("{cases} case{}: {}", if cases == 1 { "" } else { "s" }, parts.join(", "))
    }
}
