//! The runtimes that stand ready on this machine.

use std::collections::BTreeMap;

use crate::stage::Launch;

/// One runtime that can play an actor.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtime {
    /// The driver that drives it (`python`).
    pub driver: String,
    /// What a scenario may write after `@` (`3.6`, `pypy3.10`); empty for a
    /// built-in driver.
    pub version: String,
    /// Its exact version, for people (`CPython 3.6.15`).
    pub full_version: String,
    /// The part of a snapshot's name that stands for it (`python-3.6`,
    /// `stdio-glibc`); `None` if it is the same everywhere (`raw`).
    pub snapshot_key: Option<String>,
    pub launch: Launch,
    /// Its own sizes in bytes, as its greeting gave them (`buffer`, `chunk`).
    pub symbols: BTreeMap<String, u64>,
}

/// A runtime that was looked for and can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub driver: String,
    pub what: String,
    /// The way to get it.
    pub remedy: String,
}

/// All runtimes found, per driver from the oldest to the newest version.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub runtimes: Vec<Runtime>,
    pub missing: Vec<Missing>,
}
