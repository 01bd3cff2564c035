//! What a program's calls on a case's channels gave: the calls that are seen, the bounded
//! record of them, and the faults that the same stop injects.
//!
//! The calls are one table. Who stops the program at them is the stage's business
//! (`stage/shepherd/tracer`); what is here only says what they mean.

mod fault;
mod record;
mod table;
mod text;

pub use fault::{Effect, Injection, Nth};
pub use record::{Calls, Counted, Seen};
pub use table::{On, Size, TRACED, Traced, Watched};
pub use text::{errno_name, line, lines};
