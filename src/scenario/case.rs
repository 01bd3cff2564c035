//! A case: a scenario with every parameter bound, ready for the stage.

use std::sync::Arc;

use super::{
    expect::Expectation,
    parts::{EndKind, ErrorAt, Quantity, SnapshotKind},
    symbols::Symbols,
    wanted::Wanted,
};
use crate::{
    driver::{Catalog, Runtime, Spec},
    explore::orders::Orders,
    stage::{Plan, PlannedStep},
};

/// A scenario with every parameter bound. What neighbouring cases have in common,
/// they share.
#[derive(Clone, Debug)]
pub struct Case {
    /// The parameters in order of declaration and their values as the scenario
    /// writes them; then, for each actor whose spec says `@all` by itself, the
    /// actor's name and its spec. A skipped case names only what it is about.
    pub params: Vec<(String, String)>,
    pub actors: Arc<[CaseActor]>,
    pub steps: Vec<Arc<CaseStep>>,
    pub expect: Arc<CaseExpect>,
    pub snapshot: SnapshotKind,
    /// What the stage plays; without actors and steps if the case is skipped.
    pub plan: Plan,
    /// The orders that it leaves open, if it does. The plan then is that of one of them: the first,
    /// or the one that was asked for.
    pub orders: Option<Arc<Orders>>,
    /// Why it can't be played on this machine.
    pub skip: Option<Skip>,
    /// The sorted snapshot keys of its runtimes joined by `+`, or `raw`.
    pub snapshot_key: Arc<str>,
}

/// An actor of a case.
#[derive(Clone, Debug)]
pub struct CaseActor {
    pub name: String,
    /// Its version is `All` only in a skipped case, where none was found.
    pub spec: Spec,
    /// `None` only in a skipped case.
    pub runtime: Option<Runtime>,
}

/// A step of a case; its index is that of the plan's step.
#[derive(Clone, Debug)]
pub struct CaseStep {
    /// The line of the file, from 1.
    pub line: usize,
    /// The scenario's own line up to `->`, parameters still as `{n}`, without
    /// comment, and with single spaces.
    pub text: String,
    /// The scenario's own expression for the size, the parameters' texts put
    /// in: `blksize+1`.
    pub size_text: Option<String>,
    pub planned: Arc<PlannedStep>,
    pub expectation: Option<Expectation>,
}

/// What `[expect]` says of a case.
#[derive(Clone, Debug, Default)]
pub struct CaseExpect {
    pub bytes: Vec<Arc<ExpectedBytes>>,
    /// The channel's index, the bytes that repeat there, and the line of the file.
    pub streams: Vec<(usize, String, usize)>,
    pub error_at: Option<ErrorAt>,
    pub end: Option<EndKind>,
    /// What must hold in one of its open orders at least.
    pub some: Vec<ExpectedOfSome>,
    /// The file's lines of `error_at` and `end`, from 1; 0 without them.
    pub error_at_line: usize,
    pub end_line: usize,
}

impl CaseExpect {
    /// The case may end stuck, in some of its orders or in all.
    pub fn may_be_stuck(&self) -> bool {
        self.end == Some(EndKind::Stuck) || self.some_may_be_stuck()
    }

    /// Some of its orders may.
    pub fn some_may_be_stuck(&self) -> bool {
        self.end.is_none() && self.some.iter().any(|some| some.end == Some(EndKind::Stuck))
    }
}

/// What one of a case's open orders must show, all of it.
#[derive(Clone, Debug)]
pub struct ExpectedOfSome {
    pub bytes: Vec<Arc<ExpectedBytes>>,
    pub error_at: Option<ErrorAt>,
    pub end: Option<EndKind>,
    /// The line of the file, from 1.
    pub line: usize,
}

impl ExpectedOfSome {
    /// All of it, in words: `torn of log > 0 and end stuck`.
    pub fn text(&self, case: &Case) -> String {
        let count = |expected: &Arc<ExpectedBytes>| {
            let channel = &case.plan.channels[expected.channel].name;
            format!("{} of {channel}: {}", expected.quantity.name(), expected.wanted.text())
        };
        let error_at = self.error_at.iter().map(|at| format!("error_at: {}", at.name()));
        let end = self.end.iter().map(|end| format!("end: {}", end.name()));
        self.bytes.iter().map(count).chain(error_at).chain(end).collect::<Vec<_>>().join(", ")
    }
}

/// One expected count of bytes.
#[derive(Clone, Debug)]
pub struct ExpectedBytes {
    /// Index of the channel.
    pub channel: usize,
    pub quantity: Quantity,
    pub wanted: Wanted,
    /// The line of the file, from 1.
    pub line: usize,
}

impl ExpectedBytes {
    /// How the scenario calls this number of bytes, if it is just what it expects.
    pub fn name_of(&self, bytes: u64) -> Option<String> {
        (self.wanted.exactly() == Some(bytes)).then(|| self.wanted.text())
    }
}

/// Why a case can't be played here, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    pub reason: String,
    pub remedy: String,
}

/// What there is to know of the machine.
#[derive(Clone, Copy)]
pub(super) struct Machine<'a> {
    pub symbols: &'a Symbols,
    pub catalog: &'a Catalog,
    pub recorded: &'a [(String, String)],
    /// Of each case at most so many orders are played, if somebody says so, and what draws a sample.
    pub orders: (Option<usize>, u64),
}

impl Case {
    /// The parameters as people read them: `n = blksize+1, writer = python:text`.
    pub fn title(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(name, text)| format!("{name} = {text}")).collect();
        params.join(", ")
    }

    /// All orders in which it is played, each a case of its own; itself if none is open.
    pub fn in_all_orders(&self) -> impl Iterator<Item = Case> + '_ {
        let orders = self.orders.as_ref().map_or_else(|| vec![vec![]], |orders| orders.played());
        orders.into_iter().map(|order| self.in_order(order))
    }

    /// The case with its steps (all indices) in this order; empty: as they stand.
    pub fn in_order(&self, order: Vec<usize>) -> Case {
        let mut case = self.clone();
        case.plan.order.steps = order;
        case
    }

    /// How often it is played: once in each order.
    pub fn plays(&self) -> usize {
        self.orders.as_ref().map_or(1, |orders| orders.len())
    }
}
