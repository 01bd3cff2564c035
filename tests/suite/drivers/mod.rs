//! The drivers that are programs, driven as the stage drives them.

mod conformance;
mod python;
