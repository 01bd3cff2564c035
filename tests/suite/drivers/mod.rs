//! The drivers that are programs, driven as the stage drives them.

mod children;
pub mod conformance;
mod node;
mod python;
