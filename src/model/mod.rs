//! What Linux's pipe and FIFO allow: an executable model, exact enough to say
//! after any sequence of calls who must be blocked and how many bytes are queued.
//!
//! Read it in this order: [`rules`] (what could be otherwise), `pipe` (the
//! buffer), `fifo` (opening and closing), `system` (several actors, blocked calls,
//! wake-ups), `possible` (what may be, given what was seen), [`trial`] (random
//! scripts with one right answer).
//!
//! [`writer`] is a model of what sits above a descriptor: a runtime's buffered writer.
//!
//! Each file begins with its rules, numbered, with their source. `fs/pipe.c` is
//! that of Linux 6.x; the kernel that runs is compared in `tests/suite/model`, and
//! wins.
//!
//! Where the kernel may choose (who gets the lock first, when several calls run at
//! once), the model doesn't: it plays every order of the kernel's critical
//! sections, and [`Model::allowed`] gives all results, each with the model that
//! goes on from it.
//!
//! Not modelled: packet mode (O_DIRECT), splice and tee, poll, signals other than
//! SIGKILL, page faults in the caller's buffer, limits per user. SIGPIPE counts as
//! ignored: a call that would raise it returns.

mod call;
mod fifo;
mod pipe;
mod possible;
pub mod rules;
mod system;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod writer;

pub use call::{Call, Errno, Gave, Settled};
pub use fifo::Fifo;
pub use pipe::{Drained, Geometry, Pipe};
pub use possible::Model;
pub use rules::Rules;
pub use system::State;
