//! What is shown: for a person, or for a program.

mod human;
mod jsonl;
mod summary;

use std::io::{self, Write};

pub use human::Human;
pub use jsonl::Jsonl;
pub use summary::{Summary, exit};

use crate::{outcome::Judged, runner::Loaded};

/// A form in which results are shown. One file each.
pub trait Report {
    /// Shows a scenario with all its cases, once they are judged.
    ///
    /// # Errors
    /// As writing does.
    fn scenario(&mut self, out: &mut dyn Write, loaded: &Loaded, judged: &[Judged]) -> io::Result<()>;

    /// Shows the end of the run.
    ///
    /// # Errors
    /// As writing does.
    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}
