//! What is shown: for a person, or for a program.

mod cost;
pub mod fuzz;
mod human;
mod jsonl;
pub mod model;
pub mod policies;
pub mod policy_page;
mod summary;
pub mod sweep;

use std::io::{self, Write};

pub use cost::Cost;
pub use human::Human;
pub use jsonl::Jsonl;
pub use summary::{Summary, exit};

use crate::{outcome::Judged, runner::Loaded};

/// A form in which results are shown. One file each.
pub trait Report {
    /// Takes a case once it is judged; the cases of a scenario come one after the
    /// other, in their order.
    ///
    /// # Errors
    /// As writing does.
    fn case(&mut self, out: &mut dyn Write, loaded: &Loaded, judged: &Judged) -> io::Result<()>;

    /// Shows what waited for the end of the scenario. It also comes if a fault ended
    /// it early.
    ///
    /// # Errors
    /// As writing does.
    fn scenario(&mut self, out: &mut dyn Write, loaded: &Loaded) -> io::Result<()>;

    /// Shows the end of the run, and what it cost.
    ///
    /// # Errors
    /// As writing does.
    fn end(&mut self, out: &mut dyn Write, summary: &Summary, cost: &Cost) -> io::Result<()>;
}
