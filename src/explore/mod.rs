//! Looks for what nobody has written down: plays what it makes up itself.

pub mod fuzz;
