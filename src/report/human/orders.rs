//! The outcomes of a case that leaves orders open, each with its first order.

use std::io::{self, Write};

use super::{plain, show, steps};
use crate::outcome::{Explored, Judged, explored, snapshot};

/// So many outcomes are shown unless all are asked for.
const MOST_OUTCOMES: usize = 8;

/// Says which outcomes there are, what each has of its own, and the first order that gives it, in
/// lines of the file; `all`: with every step of that order.
pub(super) fn outcomes(
    out: &mut dyn Write,
    judged: &Judged,
    explored: &Explored,
    all: bool,
) -> io::Result<()> {
    let Some(orders) = &judged.case.orders else { return Ok(()) };
    let title = judged.case.title();
    let title = if title.is_empty() { "its only case" } else { &title };
    let (open, count) = (snapshot::open(orders), explored.outcomes.len());
    let different = match explored.orders == orders.len() {
        true => String::new(),
        false => format!(", {} different as they can be played", explored.orders),
    };
    let what = if count == 1 { "one outcome".to_owned() } else { format!("{count} outcomes") };
    writeln!(out, "{title}: {open}{different}, {what}")?;
    let differing = snapshot::differing(explored);
    let shown = if all { count } else { count.min(MOST_OUTCOMES) };
    for outcome in &explored.outcomes[..shown] {
        let plural = if outcome.orders == 1 { "" } else { "s" };
        let order = explored::lines(&judged.case, &outcome.order);
        writeln!(out, "  {} order{plural}, first {order}:", outcome.orders)?;
        let mut table = plain();
        for &at in &differing.steps {
            let step = &judged.case.steps[at];
            table.add_row([
                format!("  line {}", step.line),
                step.text.clone(),
                outcome.text.steps[at].clone(),
            ]);
        }
        show(out, &table)?;
        if differing.ledger {
            outcome.text.ledger.lines().try_for_each(|line| writeln!(out, "    {line}"))?;
        }
        if all {
            steps(out, judged, &outcome.played)?;
        }
    }
    if shown < count {
        writeln!(out, "  and {} more outcomes; `--steps` shows all", count - shown)?;
    }
    Ok(())
}
