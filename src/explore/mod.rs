//! Looks for what nobody has written down: plays what it makes up itself, and a scenario not as
//! it stands but around it, or in all orders that it leaves open.

pub mod fuzz;
pub mod orders;
pub mod sweep;
