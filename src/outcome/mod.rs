//! Verbs and their outcomes, the transcript of a case, the ledger of its bytes,
//! and the verdict.

mod action;
mod call;
mod error_at;
pub mod explored;
mod findings;
mod layer;
pub mod ledger;
pub mod payload;
mod resting;
pub mod snapshot;
mod step;
mod transcript;
mod verb;
mod verdict;
mod words;

pub use action::{Access, Action, Amount, Part, Readiness, Stdio};
pub use call::{Arg, Call, CallInfo, Called, Moves, Of, On, TAKE};
pub use error_at::{ErrorAt, error_at, error_at_of_all};
pub use explored::{Explored, Gather, Variant};
pub use layer::Layer;
pub use ledger::{ChannelLedger, Ledger};
pub use payload::offer_bytes;
pub use resting::{Resting, Rests, resting};
pub use snapshot::Recorded;
pub use step::{Failure, Outcome, signal_name};
pub use transcript::{
    Bytes, ChannelCount, Count, End, Offer, Passed, Peeked, Resumed, Sides, StepRecord, Transcript, Wait,
};
pub use verb::{Doer, VERBS, Verb, VerbInfo};
pub use verdict::{Judged, Played, Status, quantity};
pub use words::words;
