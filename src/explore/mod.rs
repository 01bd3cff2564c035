//! Looks for what nobody has written down: plays what it makes up itself, and a scenario not as
//! it stands but around it.

pub mod fuzz;
pub mod sweep;
