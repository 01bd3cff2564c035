//! The entries of a ledger. Writers are indexes among the plan's actors, `start`
//! is an offset in the writer's stream on this channel, `at` an index in the
//! channel's delivered bytes; lengths are bytes.

use serde::Serialize;

/// Where a lost extent stood in the whole of what the writer's calls accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Nothing of it was left over.
    All,
    /// From the first accepted byte on.
    Prefix,
    /// Up to the last accepted byte.
    Tail,
    /// With accepted bytes before and after it that fared otherwise.
    Gap,
}

/// Who lost it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The writer's runtime: the call accepted it, the kernel never saw it.
    Runtime,
    /// The kernel: it took it, and dropped it at the last close.
    Kernel,
    /// The kernel: a receive had room for less than the message.
    Cut,
    /// A reader's runtime: it took it out of the kernel and never handed it out.
    Reader,
    /// The counts don't tell.
    Unknown,
}

/// Accepted bytes that are gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Loss {
    pub writer: usize,
    pub start: u64,
    pub len: u64,
    pub shape: Shape,
    pub place: Place,
}

/// An extent of a writer's stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Extent {
    pub writer: usize,
    pub start: u64,
    pub len: u64,
}

/// Accepted bytes, none of them delivered, of which some are lost and the others
/// still queued or kept, and no count tells which. To settle it, let a reader
/// read to the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Unplaced {
    pub among: Vec<Extent>,
    /// At least so many of them are lost,
    pub least: u64,
    /// and at most so many. (Equal: the number is certain, the extent isn't.)
    pub most: u64,
}

/// Bytes that were delivered again: this copy stands out of its order, or
/// follows the other one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Duplicate {
    pub writer: usize,
    pub start: u64,
    pub len: u64,
    pub at: u64,
}

/// Bytes that arrived once, but out of their writer's order. Of two extents that
/// changed places the one whose move explains the order with fewer moved bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Reorder {
    pub writer: usize,
    pub start: u64,
    pub len: u64,
    pub at: u64,
}

/// One write call whose bytes all came in order, but with another writer's bytes
/// between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Torn {
    pub writer: usize,
    /// Index in `Transcript::steps` of the write step.
    pub record: usize,
    /// Index in `Plan::steps`.
    pub step: usize,
    /// The call's extent.
    pub start: u64,
    pub len: u64,
    pub cuts: Vec<Cut>,
}

/// One cut of a torn record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Cut {
    /// The offset in the torn writer's stream before which it was cut.
    pub offset: u64,
    /// Whose bytes came there first.
    pub by: usize,
}

/// A call that only looked (MSG_PEEK), and was shown other bytes than came next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Mispeek {
    /// Index in `Transcript::steps` of the peek.
    pub record: usize,
    /// Index in `Plan::steps`.
    pub step: usize,
    /// Index among the plan's actors.
    pub reader: usize,
    /// The first byte that it showed wrongly, counted from 0.
    pub at: u64,
}

/// Delivered bytes that nobody sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Foreign {
    pub at: u64,
    pub len: u64,
}
