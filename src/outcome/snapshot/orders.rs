//! The block of a case that leaves orders open: what is the same in all orders, then each outcome
//! with what is its own.

use super::{End, Names, SnapshotKind, error_text, ledger_text, resting, shows, wait_text};
use crate::{
    explore::orders::{Choice, Orders},
    outcome::{Explored, Ledger, Outcome, Played, StepRecord, explored, ledger::Origin},
    scenario::Case,
};

/// What came of one order, in words in which the order itself has no part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InOrder {
    /// Of each step of the case; empty where snapshots hold the ledger alone.
    pub steps: Vec<String>,
    /// Who is stuck, and the ledgers; several lines.
    pub ledger: String,
}

impl InOrder {
    /// Of a case that was played in one of its orders.
    pub fn of(case: &Case, played: &Played) -> InOrder {
        let (mut steps, mut ledger) = (Vec::new(), String::new());
        match case.snapshot {
            SnapshotKind::Steps => {
                steps = (0..case.steps.len()).map(|step| words(case, played, step)).collect()
            }
            SnapshotKind::Ledger => ledger.push_str(&error_text(case, &played.transcript)),
        }
        if let End::Stuck { waits, .. } = &played.transcript.end {
            ledger.push_str("stuck\n");
            for wait in waits {
                ledger.push_str(&format!("  {}\n", wait_text(case, &played.transcript, wait)));
            }
        }
        for of_channel in played.ledgers.iter().filter(|ledger| shows(case, ledger)) {
            ledger.push_str(&ledger_text(case, &played.transcript, of_channel));
        }
        InOrder { steps, ledger }
    }
}

/// What a step came to in the end, each attempt.
fn words(case: &Case, played: &Played, step: usize) -> String {
    let records = played.transcript.steps.iter().enumerate().filter(|(_, record)| record.step == step);
    let words: Vec<String> = records.map(|(index, record)| came_to(case, played, index, record)).collect();
    if words.is_empty() { "never given".to_owned() } else { words.join(", then ") }
}

fn came_to(case: &Case, played: &Played, index: usize, record: &StepRecord) -> String {
    let outcome = record.last();
    if outcome.is_outstanding() && !record.resting.is_empty() {
        return resting(record, |channel| case.plan.channels[channel].name.clone());
    }
    let names = Names { case, transcript: &played.transcript, record };
    let own = |bytes: u64| names.own_size(bytes).unwrap_or_else(|| bytes.to_string());
    format!("{}{}", names.outcome_sized(outcome, &own), from(case, played, index, record, outcome))
}

/// ` from a 100, b 4097`: whose bytes a read was given.
fn from(case: &Case, played: &Played, index: usize, record: &StepRecord, outcome: &Outcome) -> String {
    let (Some(channel), Some(bytes)) = (record.channel, outcome.bytes().filter(|bytes| *bytes > 0)) else {
        return String::new();
    };
    if record.data.is_none() || played.ledgers[channel].programs.any() {
        return String::new();
    }
    let name = |origin: &Origin| origin.writer.map_or("?", |writer| case.actors[writer].name.as_str());
    let share = |origin: &Origin| match origin.len == bytes {
        true => name(origin).to_owned(),
        false => format!("{} {}", name(origin), origin.len),
    };
    let shares: Vec<String> = Ledger::origins(&played.transcript, channel, index).iter().map(share).collect();
    if shares.is_empty() { String::new() } else { format!(" from {}", shares.join(", ")) }
}

/// How many orders there are, and which of them are played.
pub fn open(orders: &Orders) -> String {
    let count = orders.count().map_or("more than 2^128".to_owned(), |count| count.to_string());
    match orders.choice {
        Choice::All => format!("{count} order{}", if count == "1" { "" } else { "s" }),
        Choice::Sample { size, seed } => format!("a sample of {size} of {count} orders (seed {seed})"),
    }
}

/// The first line below the heading.
fn opened(orders: &Orders) -> String {
    let blocks = orders.together().into_iter().map(|block| format!("{} to {}", block.start + 1, block.end));
    format!("together {}: {}", blocks.collect::<Vec<_>>().join(", "), open(orders))
}

/// A recorded block is about the orders that are played now: a sample knows nothing of others.
pub fn has_these(block: &str, orders: &Orders) -> bool {
    let (recorded, now) = (block.lines().nth(1).unwrap_or_default(), opened(orders));
    recorded == now || ![recorded, &now].iter().any(|line| line.contains(" a sample of "))
}

/// The block, but for its heading.
pub(super) fn text(case: &Case, orders: &Orders, explored: &Explored) -> String {
    let outcomes = &explored.outcomes;
    let number = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let different = if explored.orders == orders.len() {
        String::new()
    } else {
        format!("{} different as they can be played, ", explored.orders)
    };
    let mut text = format!("{}\n{different}{}\n", opened(orders), number(outcomes.len(), "outcome"));
    let width = case.steps.iter().map(|step| step.text.chars().count()).max().unwrap_or(0);
    let step =
        |step: usize, words: &str| format!("{:>3}  {:<width$}  {words}\n", step + 1, case.steps[step].text);
    let differs = differing(explored);
    let first = &outcomes[0].text;
    let common = first.steps.iter().enumerate().filter(|(at, _)| !differs.steps.contains(at));
    common.for_each(|(at, words)| text.push_str(&step(at, words)));
    if !differs.ledger {
        text.push_str(&first.ledger);
    }
    for outcome in outcomes.iter().filter(|_| outcomes.len() > 1) {
        let order = explored::steps(case, &outcome.order);
        text.push_str(&format!("in {}, first {order}:\n", number(outcome.orders, "order")));
        differs.steps.iter().for_each(|at| text.push_str(&step(*at, &outcome.text.steps[*at])));
        if differs.ledger {
            text.push_str(&outcome.text.ledger);
        }
    }
    text
}

/// In what the outcomes differ.
pub struct Differing {
    /// Indices of the case's steps.
    pub steps: Vec<usize>,
    pub ledger: bool,
}

/// In what the outcomes of a case differ.
pub fn differing(explored: &Explored) -> Differing {
    let first = &explored.outcomes[0].text;
    let others = || explored.outcomes[1..].iter().map(|outcome| &outcome.text);
    let differs = |at: &usize| others().any(|other| other.steps[*at] != first.steps[*at]);
    Differing {
        steps: (0..first.steps.len()).filter(differs).collect(),
        ledger: others().any(|other| other.ledger != first.ledger),
    }
}
