//! The map of a parameter: for a person, as a picture, for a program.

mod human;

pub use human::human;
use std::io::{self, Write};
use crate::{explore::sweep::Sweep, scenario::Scenario};
pub fn svg(_: &mut dyn Write, _: &Scenario, _: &Sweep) -> io::Result<()> { todo!() }
pub fn json(_: &mut dyn Write, _: &Scenario, _: &Sweep) -> io::Result<()> { todo!() }
