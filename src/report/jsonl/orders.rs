//! `orders` of a case that leaves them open.

use serde::Serialize;

use super::{Array, rest};
use crate::{
    explore::orders::Choice,
    outcome::{Explored, explored},
    scenario::Case,
};

#[derive(Serialize)]
struct OrdersLine<Outcomes> {
    /// Null for more than 64 bits hold.
    count: Option<u64>,
    /// Null where all are played.
    sample: Option<SampleLine>,
    played: usize,
    outcomes: Outcomes,
}

#[derive(Serialize)]
struct SampleLine {
    size: usize,
    seed: u64,
}

#[derive(Serialize)]
struct OutcomeLine<Rest> {
    orders: usize,
    /// Per block, lines of the file.
    first: Vec<Vec<usize>>,
    #[serde(flatten)]
    played: Rest,
}

pub(super) fn orders<'a>(case: &'a Case, explored: &'a Explored) -> impl Serialize + 'a {
    let open = case.orders.as_ref();
    OrdersLine {
        count: open.and_then(|open| open.count()).and_then(|count| u64::try_from(count).ok()),
        sample: open.and_then(|open| match open.choice {
            Choice::All => None,
            Choice::Sample { size, seed } => Some(SampleLine { size, seed }),
        }),
        played: explored.orders,
        outcomes: Array(explored.outcomes.iter().map(move |outcome| OutcomeLine {
            orders: outcome.orders,
            first: explored::numbers(case, &outcome.order, |step| case.steps[step].line),
            played: rest(case, &outcome.played),
        })),
    }
}
