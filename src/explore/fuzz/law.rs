//! The ledger's laws, which hold whatever the model says.
//!
//! 1. Nothing is delivered that nobody sent, nothing twice, nothing out of its writer's order.
//! 2. Nothing that a call refused is delivered.
//! 3. Nothing that a call accepted is lost, but what the kernel dropped with the last end of
//!    the channel, what a receive had no room for, and what a killed reader took along. (Where
//!    no count can tell, the ledger says so, and no law is held against it.)
//! 4. A write of at most PIPE_BUF into a pipe isn't torn. pipe(7)
//! 5. What a call only looks at is what comes next.

use std::fmt;

use crate::{
    channel::Kind,
    outcome::{Action, ChannelLedger, Ledger, Transcript, ledger::Place},
    stage::Plan,
};

/// A law that a ledger breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    Foreign,
    Duplicated,
    Reordered,
    Refused,
    Lost,
    Torn,
    Mispeeked,
}

impl Law {
    /// What it says, as a sentence about `bytes` of a channel.
    fn broken(self) -> &'static str {
        match self {
            Law::Foreign => "were delivered, and nobody sent them",
            Law::Duplicated => "were delivered twice",
            Law::Reordered => "were delivered out of their writer's order",
            Law::Refused => "were delivered though their call had refused them",
            Law::Lost => "were accepted, and nobody dropped them, and they are gone",
            Law::Torn => "stand in records of PIPE_BUF bytes at most that others' bytes cut apart",
            Law::Mispeeked => "calls were shown other bytes than came next",
        }
    }
}

/// A broken law, the channel, and how many bytes (or calls) it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    pub law: Law,
    pub channel: usize,
    pub count: u64,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes {}", self.count, self.law.broken())
    }
}

/// The first law that a case's ledgers break.
pub fn breach(plan: &Plan, transcript: &Transcript) -> Option<Breach> {
    let ledgers = Ledger::of(plan, transcript);
    let killed = plan.steps.iter().any(|step| matches!(step.action, Action::Kill { .. }));
    ledgers.iter().find_map(|ledger| {
        let pipe = matches!(plan.channels[ledger.channel].kind, Kind::Fifo | Kind::Pipe);
        let (law, count) = laws(ledger, killed, pipe).into_iter().find(|(_, count)| *count > 0)?;
        Some(Breach { law, channel: ledger.channel, count })
    })
}

fn laws(ledger: &ChannelLedger, killed: bool, pipe: bool) -> [(Law, u64); 7] {
    let lost = ledger.lost.iter().filter(|loss| match loss.place {
        Place::Kernel | Place::Cut => false,
        Place::Reader | Place::Unknown => !killed,
        Place::Runtime => true,
    });
    let torn = ledger.torn.iter().filter(|torn| pipe && torn.len <= libc::PIPE_BUF as u64);
    [
        (Law::Foreign, ledger.foreign_bytes()),
        (Law::Duplicated, ledger.duplicated_bytes()),
        (Law::Reordered, ledger.reordered_bytes()),
        (Law::Refused, ledger.uncredited_refused),
        (Law::Lost, lost.map(|loss| loss.len).sum()),
        (Law::Torn, torn.map(|torn| torn.len).sum()),
        (Law::Mispeeked, ledger.mispeeks.len() as u64),
    ]
}
