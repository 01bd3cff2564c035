//! Plays one case: processes, stepping, the policy of settling, cleaning up.

mod actor;
mod batch;
mod child;
mod children;
mod collect;
mod command;
mod connections;
mod contain;
mod control;
mod count;
mod entry;
mod exec;
mod fault;
mod fills;
mod flights;
mod fork_server;
mod frames;
mod handle;
mod handles;
mod news;
mod order;
mod peeks;
mod plan;
mod play;
mod pool;
mod ready;
mod request;
mod reset;
mod rest;
mod serve;
mod settle;
mod shepherd;
mod stderr;
mod tally;
mod traced;
mod workshop;

pub use contain::become_stage_if_asked;
pub use fault::Fault;
pub use handle::{Containment, Handle, Options};
pub use plan::{
    ChildLine, CommandLine, Condition, Launch, Order, Plan, PlannedActor, PlannedChannel, PlannedStep, Std,
    Stream,
};
pub use serve::Measures;
pub use shepherd::find;
