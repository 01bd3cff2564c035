//! The parts of a scenario as the file declares them.

use std::sync::Arc;

use super::{
    place::{Span, Text},
    program::Program,
    template::Piece,
};
use crate::{channel::Kind, setting::LimitKind, stage::Std};

/// A parameter and the values it takes, in order.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: Text,
    /// Integers in decimal, strings as they are.
    pub values: Arc<Vec<Text>>,
}

/// What actors talk over.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Text,
    pub kind: Kind,
    /// Its capacity, an expression, if it isn't the usual one.
    pub(super) capacity: Option<Template>,
    /// It is a stream of this program, a pipe to the actor that starts it.
    pub(super) child: Option<(String, Std)>,
}

/// A process of the scenario.
#[derive(Clone, Debug)]
pub struct Actor {
    pub name: Text,
    /// The driver spec, parameters still as `{name}`.
    pub driver: Text,
    pub(super) pieces: Vec<Piece>,
    /// It is a program, and `driver` only the word for that.
    pub(super) program: Option<Program>,
}

/// A driver program of the user's own.
#[derive(Clone, Debug)]
pub struct CustomDriver {
    pub name: Text,
    /// The program, found, and its arguments.
    pub command: Vec<String>,
}

/// `[setting]` as written.
#[derive(Clone, Debug, Default)]
pub struct SettingKeys {
    pub(super) sigpipe: Option<Template>,
    pub(super) cpu_budget: Option<Template>,
    pub(super) user: Option<Template>,
    pub(super) max_dgram_qlen: Option<Template>,
    pub(super) limits: Vec<(LimitKind, Template)>,
}

/// A text, and the parameters in it.
pub(super) type Template = (Text, Vec<Piece>);

impl SettingKeys {
    /// Whatever may hold a parameter.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let words = [&self.sigpipe, &self.cpu_budget, &self.user, &self.max_dgram_qlen];
        words.into_iter().flatten().chain(self.limits.iter().map(|(_, template)| template))
    }
}

/// One line of the script that holds a step.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From 1, in the file.
    pub number: usize,
    /// As written: no comment, spaces squeezed.
    pub text: String,
    pub span: Span,
    /// Its bytes in the script's text.
    pub range: std::ops::Range<usize>,
    pub pieces: Vec<Piece>,
    /// Where names stand that nothing has; they have been reported.
    pub unbound: Vec<Span>,
}

impl Line {
    /// Without the expectation.
    pub fn before_arrow(&self) -> &str {
        self.text.split_once(" -> ").map_or(&self.text, |(step, _)| step)
    }
}

/// Lines whose order is open: between `together` and `end`.
#[derive(Clone, Debug)]
pub(super) struct Together {
    /// Where it begins.
    pub span: Span,
    /// Indices of the script's lines.
    pub lines: std::ops::Range<usize>,
}

/// The script.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub text: Text,
    pub lines: Vec<Line>,
    /// In their order.
    pub together: Vec<Together>,
    /// Some lines were at fault and are left out.
    pub incomplete: bool,
}

/// `[expect]` as written.
#[derive(Clone, Debug, Default)]
pub(super) struct ExpectKeys {
    pub bytes: Vec<ByteKey>,
    /// The channel's index, and what it should carry, over and over.
    pub streams: Vec<(usize, Text)>,
    pub error_at: Option<(ErrorAt, Span)>,
    pub end: Option<(EndKind, Span)>,
    /// What must hold in one of the open orders at least, each by itself.
    pub some: Vec<SomeKeys>,
}

impl ExpectKeys {
    /// All counts, those of `[expect.some]` last.
    pub fn counts(&self) -> impl Iterator<Item = &ByteKey> {
        self.bytes.iter().chain(self.some.iter().flat_map(|some| &some.bytes))
    }
}

/// `[expect.some]` as written: what one order must show, all of it.
#[derive(Clone, Debug)]
pub(super) struct SomeKeys {
    /// Where it stands.
    pub span: Span,
    pub bytes: Vec<ByteKey>,
    pub error_at: Option<ErrorAt>,
    pub end: Option<EndKind>,
}

/// One expected count of bytes.
#[derive(Clone, Debug)]
pub(super) struct ByteKey {
    /// Index of the channel.
    pub channel: usize,
    pub quantity: Quantity,
    pub value: Text,
}

/// A quantity of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    Offered,
    Accepted,
    Kernel,
    Queued,
    Delivered,
    Lost,
    Duplicated,
    Reordered,
    Torn,
}

impl Quantity {
    pub const ALL: [Quantity; 9] = [
        Quantity::Offered,
        Quantity::Accepted,
        Quantity::Kernel,
        Quantity::Queued,
        Quantity::Delivered,
        Quantity::Lost,
        Quantity::Duplicated,
        Quantity::Reordered,
        Quantity::Torn,
    ];

    /// The key in `[expect]`.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Offered => "offered",
            Quantity::Accepted => "accepted",
            Quantity::Kernel => "kernel",
            Quantity::Queued => "queued",
            Quantity::Delivered => "delivered",
            Quantity::Lost => "lost",
            Quantity::Duplicated => "duplicated",
            Quantity::Reordered => "reordered",
            Quantity::Torn => "torn",
        }
    }

    pub fn named(name: &str) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|quantity| quantity.name() == name)
    }
}

/// At which verb the first error of a case is expected to surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorAt {
    Open,
    Write,
    Flush,
    Read,
    Close,
    Exit,
    None,
}

impl ErrorAt {
    pub const ALL: [ErrorAt; 7] = [
        ErrorAt::Open,
        ErrorAt::Write,
        ErrorAt::Flush,
        ErrorAt::Read,
        ErrorAt::Close,
        ErrorAt::Exit,
        ErrorAt::None,
    ];

    /// The word after `error_at =`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorAt::Open => "open",
            ErrorAt::Write => "write",
            ErrorAt::Flush => "flush",
            ErrorAt::Read => "read",
            ErrorAt::Close => "close",
            ErrorAt::Exit => "exit",
            ErrorAt::None => "none",
        }
    }
}

/// How a case is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    Played,
    Stuck,
}

impl EndKind {
    pub const ALL: [EndKind; 2] = [EndKind::Played, EndKind::Stuck];

    /// The word after `end =`.
    pub fn name(self) -> &'static str {
        match self {
            EndKind::Played => "played",
            EndKind::Stuck => "stuck",
        }
    }
}

/// What a snapshot holds of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnapshotKind {
    /// Every step with its outcome, then the ledger.
    #[default]
    Steps,
    /// Where the first error surfaced, then the ledger: for scenarios of many cases,
    /// whose steps nobody would review.
    Ledger,
}

impl SnapshotKind {
    pub const ALL: [SnapshotKind; 2] = [SnapshotKind::Steps, SnapshotKind::Ledger];

    /// The word after `snapshot =`.
    pub fn name(self) -> &'static str {
        match self {
            SnapshotKind::Steps => "steps",
            SnapshotKind::Ledger => "ledger",
        }
    }
}
