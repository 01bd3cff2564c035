//! Verbs and their outcomes, the transcript of a case, the ledger of its bytes,
//! and the verdict.

mod action;
mod error_at;
pub mod ledger;
pub mod payload;
mod step;
mod transcript;
mod verb;

pub use action::{Access, Action, Amount, Readiness};
pub use error_at::{ErrorAt, error_at};
pub use ledger::{ChannelLedger, Ledger};
pub use step::{Failure, Outcome};
pub use transcript::{Bytes, ChannelCount, Count, End, Offer, Resumed, StepRecord, Transcript, Wait};
pub use verb::{Doer, VERBS, Verb, VerbInfo};

/// temp
pub fn offer_bytes(w: usize, o: &Offer) -> Vec<u8> {
    vec![b'a' + w as u8; o.len as usize]
}
