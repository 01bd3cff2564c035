//! What Linux's pipes, FIFOs and UNIX sockets allow: an executable model, exact enough to
//! say after any sequence of calls who must be blocked and how many bytes are queued.
//!
//! Read it in this order: [`RULES`] (all rules, each in a sentence), `pipe` (the
//! buffer), `fifo` (opening and closing), `socket` (queues and charges), `world` (several
//! actors, blocked calls, wake-ups), `possible` (what may be, given what was seen), `script`
//! (a plan's steps in the model's words), [`judge`] and `explain`, [`trial`] (random scripts with
//! one right answer).
//!
//! Each file begins with its rules, numbered, with their source. `fs/pipe.c` and
//! `net/unix/af_unix.c` are those of Linux 6.18; the kernel that runs is compared by
//! `pipelab fuzz` and in `tests/suite/model`, and wins.
//!
//! [`writer`] is a model of what sits above a descriptor: a runtime's buffered writer.
//!
//! Where the kernel may choose (who gets the lock first, when several calls run at
//! once), the model doesn't: it plays every order of the kernel's critical
//! sections, and [`Model::allowed`] gives all results, each with the model that
//! goes on from it.
//!
//! Not modelled: splice and tee, select and epoll, connections that are accepted, descriptors
//! that travel, urgent data, signals other than SIGKILL and SIGPIPE, page faults in the caller's
//! buffer, limits per user, threads.

mod call;
mod explain;
mod fifo;
mod judge;
mod machine;
mod pipe;
mod possible;
mod rule;
mod script;
mod socket;
#[cfg(test)]
mod tests;
pub mod trial;
mod world;
pub mod writer;

pub use call::{Call, Ending, Errno, Events, Flags, Gave, Handle, Settled, SocketKind};
pub use explain::{Explained, Explanation, explain};
pub use fifo::Fifo;
pub use judge::{Foreseen, Judgement, ModelVerdict, Seen, judge, judge_foreseen};
pub use machine::Machine;
pub use pipe::{Drained, Geometry, Pipe};
pub use possible::{Allowed, Model};
pub use rule::{RULES, Rule, RuleInfo, Rules, Used};
pub use script::NotModelled;
pub use socket::Socket;
pub use world::{State, TooMany};
