//! Random scripts on the real kernel, held against the model and the ledger's laws.
//!
//! 1. A script is a pure function of a seed, its index, the channels asked for and the
//!    machine's sizes (`draw`, `script`): so a run goes on where another one has ended, and
//!    its report is the same for any number of jobs, as far as the kernel has no choice.
//! 2. What is drawn are small numbers; the model turns them into steps, and leaves out what
//!    nobody can do in every state that is possible (`script`). So numbers that shrink make
//!    scripts that shrink.
//! 3. A script is played as any case is, its transcript judged step by step, and its ledger
//!    held against the laws (`check`).
//! 4. The first script in order that differs is shrunk, on the real kernel again (`shrink`),
//!    and written as a scenario that expects what the model allows (`regression`).

mod campaign;
mod check;
mod draw;
mod game;
mod ground;
mod kernel;
mod law;
mod play;
mod progress;
mod regression;
mod script;
mod shrink;
mod size;
mod tally;
mod words;
mod worker;
mod writers;

pub use campaign::{Budget, Campaign, Found, Outcome};
pub use game::{Covered, Game, Turn, Turns};
pub use ground::{GROUNDS, Ground};
pub use kernel::Kernel;
pub use progress::{LAST_SCRIPT, Progress, StateError};
pub use regression::Regression;
pub use tally::{ChannelTally, Tally};
pub use writers::{DriverTally, DriversTally, Writer, Writers};
