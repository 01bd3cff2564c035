//! What came of a case in all orders that were played: which outcomes there are, and in how many
//! orders each.
//!
//! 1. An order is the steps as they were given: where a step had to wait for its actor, several
//!    orders that were wanted may come to the same one, which counts once.
//! 2. An outcome is what each step of the scenario came to in the end, whose bytes each read was
//!    given, who is stuck, and the ledgers (`snapshot::orders`). That a call had to wait first is
//!    none of it.
//! 3. Outcomes stand in the order of their first orders (`explore::orders`, rule 4).
//! 4. What is expected of each order is judged in each; what differs alike is said once, with the
//!    first order in which it does.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Played, Recorded, Status, Transcript,
    snapshot::{self, InOrder},
    verdict::{Judged, held_against, shows},
};
use crate::{
    explore::orders::Orders,
    scenario::{Case, ExpectedOfSome},
};

/// What came of all orders.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Different orders that were played.
    pub orders: usize,
    /// At least one.
    pub outcomes: Vec<Variant>,
}

/// One outcome.
#[derive(Clone, Debug)]
pub struct Variant {
    /// So many orders have it.
    pub orders: usize,
    /// The first of them: all steps in the order in which they were given, as indices of the case's
    /// steps.
    pub order: Vec<usize>,
    /// What was recorded in that order.
    pub played: Played,
    pub text: InOrder,
}

/// Puts the plays of cases together, each case's one behind the other.
#[derive(Debug, Default)]
pub struct Gather {
    plays: usize,
    /// Orders that were played, as in `Variant::order`.
    orders: HashSet<Vec<usize>>,
    outcomes: Vec<Variant>,
    places: HashMap<InOrder, usize>,
    /// What differs, in how many orders, and the first.
    differences: Vec<(String, usize, Vec<usize>)>,
    /// Which of `[expect.some]` an order has shown.
    shown: Vec<bool>,
    stuck: bool,
    /// The scenario has a program traced that couldn't be, here.
    lacks_trace: bool,
    /// The first play that failed, or that the machine can't have.
    failed: Option<Judged>,
}

impl Gather {
    /// Takes a play; the whole case with its last one. `recorded` is the snapshot of its runtimes.
    pub fn add(&mut self, judged: Judged, recorded: Option<&Recorded>) -> Option<Judged> {
        let case = judged.case.clone();
        let Some(orders) = &case.orders else { return Some(judged) };
        self.plays += 1;
        self.take(&case, judged);
        (self.plays == orders.len()).then(|| std::mem::take(self).whole(&case, orders, recorded))
    }

    fn take(&mut self, case: &Arc<Case>, judged: Judged) {
        let Some(played) = judged.played else {
            self.failed.get_or_insert(judged);
            return;
        };
        let order = given(&played.transcript);
        if !self.orders.insert(order.clone()) {
            return;
        }
        self.stuck |= judged.status == Status::Stuck;
        let lacks_trace = played.lacks_trace(case);
        self.lacks_trace |= lacks_trace;
        self.shown.resize(case.expect.some.len(), false);
        for (shown, some) in self.shown.iter_mut().zip(&case.expect.some) {
            // The first error may be a call that nobody saw.
            let error_at = some.error_at.filter(|_| !lacks_trace);
            *shown |= shows(&ExpectedOfSome { error_at, ..some.clone() }, case, &played);
        }
        for text in judged.differences {
            match self.differences.iter_mut().find(|(known, ..)| *known == text) {
                Some((_, count, _)) => *count += 1,
                None => self.differences.push((text, 1, order.clone())),
            }
        }
        let text = InOrder::of(case, &played);
        match self.places.get(&text) {
            Some(&place) => self.outcomes[place].orders += 1,
            None => {
                self.places.insert(text.clone(), self.outcomes.len());
                self.outcomes.push(Variant { orders: 1, order, played, text });
            }
        }
    }

    fn whole(self, case: &Arc<Case>, orders: &Orders, recorded: Option<&Recorded>) -> Judged {
        if let Some(mut failed) = self.failed {
            if failed.status == Status::Error {
                let order = lines(case, &failed.case.plan.order.steps);
                failed.reason = failed.reason.map(|reason| format!("{reason} (in the order {order})"));
            }
            return failed;
        }
        // Every play has the same steps in its plan, each in its own order.
        let case = Arc::new(case.in_order(Vec::new()));
        let explored = Explored { orders: self.orders.len(), outcomes: self.outcomes };
        let mut differences: Vec<String> = Vec::new();
        for (text, count, order) in self.differences {
            let order = lines(&case, &order);
            differences
                .push(format!("{text} (in {count} of {} orders; the first is {order})", explored.orders));
        }
        for (some, _) in case.expect.some.iter().zip(&self.shown).filter(|(_, shown)| !**shown) {
            let what = some.text(&case);
            let (line, count) = (some.line, explored.orders);
            differences.push(format!("line {line}: none of {count} orders shows {what}"));
        }
        let mut judged = Judged {
            status: Status::Unrecorded,
            case,
            played: None,
            orders: Some(explored),
            differences,
            reason: None,
        };
        let known = recorded.and_then(|recorded| recorded.block(&snapshot::heading(&judged.case)));
        let known = known.filter(|known| snapshot::has_these(known, orders));
        let seen = judged.orders.as_ref();
        let seen = seen.and_then(|explored| snapshot::block_of_orders(&judged.case, explored));
        let comparable = |block: &str| match self.lacks_trace {
            true => without_trace(block),
            false => block.to_owned(),
        };
        if let (Some(known), Some(seen)) = (known.map(comparable), seen.as_deref().map(comparable)) {
            held_against(&known, &seen, &mut judged.differences);
        }
        judged.status = match known {
            _ if self.stuck => Status::Stuck,
            _ if !judged.differences.is_empty() => Status::Differs,
            None => Status::Unrecorded,
            Some(_) => Status::Ok,
        };
        judged
    }
}

/// A block as it is where the scenario's programs can't be traced. Outcomes that only the first error
/// parts, which a trace may know alone (`snapshot = "ledger"`), are then one.
fn without_trace(block: &str) -> String {
    let block = snapshot::without_trace(block);
    // Lines above all outcomes; of each, how many orders have it, the first one, and its own lines.
    let (mut above, mut outcomes) = (Vec::new(), Vec::<(usize, &str, Vec<&str>)>::new());
    for line in block.lines() {
        match (head(line), outcomes.last_mut()) {
            (Some((orders, first)), _) => outcomes.push((orders, first, Vec::new())),
            (None, Some((.., own))) => own.push(line),
            (None, None) => above.push(line),
        }
    }
    let mut merged: Vec<(usize, &str, Vec<&str>)> = Vec::new();
    for (orders, first, own) in &outcomes {
        match merged.iter_mut().find(|(.., known)| known == own) {
            Some((count, ..)) => *count += orders,
            None => merged.push((*orders, first, own.clone())),
        }
    }
    if merged.len() == outcomes.len() {
        return block;
    }
    let mut text = String::new();
    for line in above {
        let counted = line.strip_suffix(&format!("{} outcomes", outcomes.len()));
        let plural = if merged.len() == 1 { "" } else { "s" };
        let counted = counted.map(|before| format!("{before}{} outcome{plural}", merged.len()));
        text.extend([counted.as_deref().unwrap_or(line), "\n"]);
    }
    for (orders, first, own) in &merged {
        if merged.len() > 1 {
            let plural = if *orders == 1 { "" } else { "s" };
            text.push_str(&format!("in {orders} order{plural}, first {first}:\n"));
        }
        own.iter().for_each(|line| text.extend([*line, "\n"]));
    }
    text
}

/// `in 3 orders, first 5 4 6:`, in a block: how many, and the first.
fn head(line: &str) -> Option<(usize, &str)> {
    let (orders, rest) = line.strip_prefix("in ")?.split_once(" order")?;
    let first = rest.strip_prefix('s').unwrap_or(rest).strip_prefix(", first ")?.strip_suffix(':')?;
    Some((orders.parse().ok()?, first))
}

/// The steps in the order in which they were given.
pub fn given(transcript: &Transcript) -> Vec<usize> {
    let mut given: Vec<usize> = Vec::with_capacity(transcript.steps.len());
    for record in &transcript.steps {
        if record.attempt == 1 {
            given.push(record.step);
        }
    }
    given
}

/// The open part of an order, as lines of the file: `14 16 15`, blocks parted by `|`.
pub fn lines(case: &Case, order: &[usize]) -> String {
    blocks(case, order, |step| case.steps[step].line)
}

/// The same as numbers of the scenario's steps, from 1.
pub fn steps(case: &Case, order: &[usize]) -> String {
    blocks(case, order, |step| step + 1)
}

/// The open part of an order, block by block, each step as a number; those of a line once.
pub fn numbers(case: &Case, order: &[usize], number: impl Fn(usize) -> usize) -> Vec<Vec<usize>> {
    let heads = |step: &&usize| !case.steps[**step].planned.joined;
    let open = case.orders.iter().flat_map(|orders| orders.together());
    open.map(|block| {
        let own = order.iter().filter(|step| block.contains(step)).filter(heads);
        own.map(|step| number(*step)).collect()
    })
    .collect()
}

fn blocks(case: &Case, order: &[usize], number: impl Fn(usize) -> usize) -> String {
    let text = |block: &Vec<usize>| block.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    let blocks: Vec<String> = numbers(case, order, number).iter().map(text).collect();
    blocks.join(" | ")
}
