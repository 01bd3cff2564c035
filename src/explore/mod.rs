//! Plays a scenario not as it stands but around it: what a parameter's whole range gives.

pub mod sweep;
