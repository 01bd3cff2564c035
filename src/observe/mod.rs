//! Only reads: whether a task is asleep and in which call, how many bytes a
//! channel holds, how many an actor's read calls took.

mod call;
pub(crate) mod memory;
mod peer;
mod process;
mod queue;
mod reading;
mod rests;
mod socket;
mod state;
mod task;
mod ticking;
mod timers;
mod tree;
mod whole;

pub use call::{Call, PathAt, Sleep, TimerAt};
pub use process::{Access, Process};
pub use queue::{Refused, borrow_end, capacity, flush, pidfd, queued};
pub use reading::{Kept, Reading, Rule, asleep};
pub use socket::{Head, address, head, shut_down};
pub use state::{Check, Depth, State, StateFiles};
pub use tree::{ChannelFile, FileId, OpenEnd, Tree, file_at, file_id, status_of};
