//! The laws of bytes, which hold whatever the model says.
//!
//! 1. What readers got is the writers' bytes: what each writer's calls had accepted, in its
//!    order, nothing twice and nothing else; and a write of at most PIPE_BUF into a pipe in
//!    one piece. pipe(7)
//! 2. Nothing that a call accepted is lost: it was delivered, or is queued, or was dropped with
//!    the last end of the channel, or was the rest of a message.
//! 3. What a call only looks at (MSG_PEEK) is what comes next.
//!
//! The ledger answers with the explanation that names least, and looks for it where it is
//! likely; a few bytes that don't identify themselves it may lay at the wrong door. Here an
//! explanation without any fault is looked for first, wherever it may be (`weave`), and the
//! ledger names what is wrong where there is none.

mod weave;

use std::fmt;

use crate::{
    outcome::{Action, ChannelLedger, Ledger, Outcome, Transcript},
    stage::Plan,
};
use weave::{Weave, Woven};

/// A law that a case breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    Foreign,
    Duplicated,
    Reordered,
    Refused,
    Torn,
    /// Rule 1, and the ledger has no name for it.
    Disordered,
    Lost,
    Mispeeked,
}

impl Law {
    /// What it says, as a sentence about so many bytes of a channel.
    fn broken(self) -> &'static str {
        match self {
            Law::Foreign => "were delivered, and nobody sent them",
            Law::Duplicated => "were delivered twice",
            Law::Reordered => "were delivered out of their writer's order",
            Law::Refused => "were delivered though their call had refused them",
            Law::Torn => "stand in writes that another writer's bytes cut apart",
            Law::Disordered => "were delivered that aren't what the writers' calls accepted",
            Law::Lost => "were accepted, and nobody dropped them, and they are gone",
            Law::Mispeeked => "were shown by a call that only looked, and others came next",
        }
    }
}

/// A broken law, the channel, and how many bytes it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    pub law: Law,
    pub channel: usize,
    pub bytes: u64,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes {}", self.bytes, self.law.broken())
    }
}

/// The first law that a case breaks.
pub fn breach(plan: &Plan, transcript: &Transcript) -> Option<Breach> {
    for channel in 0..plan.channels.len() {
        let weave = Weave::of(plan, transcript, channel);
        if weave.woven() == Woven::Not {
            let ledger = &Ledger::of(plan, transcript)[channel];
            let (law, bytes) = named(ledger).unwrap_or((Law::Disordered, weave.delivered()));
            return Some(Breach { law, channel, bytes });
        }
        if let Some(bytes) = weave.mispeek() {
            return Some(Breach { law: Law::Mispeeked, channel, bytes });
        }
        if let Some(bytes) = lost(plan, transcript, channel, &weave) {
            return Some(Breach { law: Law::Lost, channel, bytes });
        }
    }
    None
}

/// What the ledger calls it.
fn named(ledger: &ChannelLedger) -> Option<(Law, u64)> {
    let torn = ledger.torn.iter().map(|torn| torn.len).sum();
    let laws = [
        (Law::Foreign, ledger.foreign_bytes()),
        (Law::Duplicated, ledger.duplicated_bytes()),
        (Law::Reordered, ledger.reordered_bytes()),
        (Law::Refused, ledger.uncredited_refused),
        (Law::Torn, torn),
    ];
    laws.into_iter().find(|(_, bytes)| *bytes > 0)
}

/// Rule 2, as counts: accepted bytes that are neither delivered nor queued nor dropped. `None`
/// also where a count isn't known, where a call took or gave what it never told of, and where
/// receives cut messages off, which no count tells apart.
fn lost(plan: &Plan, transcript: &Transcript, channel: usize, weave: &Weave) -> Option<u64> {
    let killed = plan.steps.iter().any(|step| matches!(step.action, Action::Kill { .. }))
        || transcript.steps.iter().any(|record| matches!(record.last(), Outcome::Killed { .. }));
    let last = transcript.steps.last()?.counts.get(channel)?;
    let (kernel, queued) = (last.accepted.known()?, last.queued.known()?);
    if killed || weave.has_outstanding {
        return None;
    }
    // What calls said, and what the kernel counted, is the same.
    if weave.accepted != kernel {
        return Some(weave.accepted.abs_diff(kernel));
    }
    let dropped = weave.dropped.filter(|_| !weave.cuts)?;
    let there = weave.delivered() + queued + dropped;
    (there != kernel).then(|| there.abs_diff(kernel))
}
