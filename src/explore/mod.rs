//! What lies beyond the cases that a scenario names: all orders of steps that it leaves open.

pub mod orders;
