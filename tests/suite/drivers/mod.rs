//! The drivers that are programs, driven as the stage drives them.

pub mod conformance;
mod python;
