//! What is below a writer: a file descriptor.

use super::{Extents, NoSay};
use crate::model::Errno;

/// What one write(2) comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The kernel took so many bytes, at least one unless none were offered.
    Took(u64),
    /// It took none.
    Refused(Errno),
    /// It sleeps until a reader does something.
    Sleeps,
}

/// The descriptor during one step.
pub(super) struct Descriptor<'k> {
    kernel: &'k mut dyn FnMut(u64) -> Accepted,
    /// What the kernel took.
    pub(super) took: Extents,
}

impl<'k> Descriptor<'k> {
    pub(super) fn new(kernel: &'k mut dyn FnMut(u64) -> Accepted) -> Descriptor<'k> {
        Descriptor { kernel, took: Extents::default() }
    }

    /// One write(2) of all of `data`; what was taken is gone from it.
    pub(super) fn write(&mut self, data: &mut Extents) -> Result<Result<u64, Errno>, NoSay> {
        match (self.kernel)(data.len()) {
            Accepted::Took(bytes) => {
                self.took.append(data.take(bytes));
                Ok(Ok(bytes))
            }
            Accepted::Refused(errno) => Ok(Err(errno)),
            Accepted::Sleeps => Err(NoSay::Sleeps),
        }
    }
}
