//! `pipelab` shows what happens to bytes and errors when one end of a pipe or
//! FIFO goes away, fills up, comes back or just sits there.
//!
//! The modules follow the way of the data: a [`scenario`] becomes cases, each
//! case runs in its [`setting`] over its [`channel`]s; the [`stage`] steps the
//! [`driver`]s over the [`wire`] and proves them settled with what it can
//! [`observe`]; the [`outcome`] is held against the snapshot and the [`model`];
//! [`report`] shows it.

#[cfg(not(target_os = "linux"))]
compile_error!("pipelab proves what it says from Linux's /proc and pipes: it builds on Linux only, for now");

pub mod channel;
pub mod cli;
pub mod driver;
pub mod explore;
pub mod model;
pub mod observe;
pub mod outcome;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod setting;
pub mod stage;
pub mod trace;
pub mod wire;
