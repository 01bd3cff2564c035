//! What a campaign plays: where its scripts come from, and how each is judged and shrunk.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::campaign::{Campaign, Found};
use crate::{
    outcome::Transcript,
    stage::{Fault, Handle, Measures, Plan},
};

/// A kind of campaign. One value serves all stages of it.
pub trait Game: Sync + Sized {
    /// What scripts are made and judged with on this machine.
    type Table: Sync;
    type Script;
    /// What came of a script.
    type Checked: Send;
    /// What differs, and what shows it.
    type Seen;
    type Tally: Covered;

    /// Whom scripts take turns with.
    fn turns(&self) -> Turns;

    /// What must be the same, beside whom it is played with, if one run goes on where another ended:
    /// of each of those, in words.
    fn editions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sets the table, by the sizes of this machine.
    ///
    /// # Errors
    /// Something that scripts need can't be measured.
    fn table(&self, measures: &Measures) -> Result<Self::Table, Fault>;

    /// The script with this index: a pure function of both numbers, the game and the machine.
    fn script(&self, table: &Self::Table, seed: u64, index: u64) -> Self::Script;

    /// What the stage plays.
    fn plan<'s>(&self, script: &'s Self::Script) -> Cow<'s, Plan>;

    /// Judges what was seen of a script.
    fn check(&self, table: &Self::Table, script: &Self::Script, transcript: Transcript) -> Self::Checked;

    /// Adds what came of the script with this index; what it showed, if something differs.
    fn count(&self, tally: &mut Self::Tally, index: u64, checked: Self::Checked) -> Option<Box<Self::Seen>>;

    /// Makes the script that differs as short as it can be, and a scenario of it.
    ///
    /// # Errors
    /// The stage failed.
    fn found(
        campaign: &Campaign<Self>,
        table: &Self::Table,
        stage: &mut Handle,
        index: u64,
        seen: Self::Seen,
    ) -> Result<Found, Fault>;
}

/// What a campaign has covered, over all that it was resumed from.
pub trait Covered: Clone + Default + Serialize + DeserializeOwned {
    /// Scripts that were played.
    fn scripts(&self) -> u64;

    /// Steps that the model judged.
    fn steps(&self) -> u64;
}

/// Whom scripts take turns with, by name and in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turns {
    Channels(Vec<String>),
    Drivers(Vec<String>),
}

/// Whose turn a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn<'t> {
    Channel(&'t str),
    Driver(&'t str),
}

impl Turns {
    /// # Panics
    /// There is nobody to take turns with, and so no script.
    pub fn of(&self, index: u64) -> Turn<'_> {
        match self {
            Turns::Channels(names) => Turn::Channel(&names[turn(names.len(), index)]),
            Turns::Drivers(names) => Turn::Driver(&names[turn(names.len(), index)]),
        }
    }

    /// `its channels are fifo, not pipe`, if a state has these and `asked` are asked for.
    pub(super) fn told_beside(&self, asked: &Turns) -> String {
        let one = |turns: &Turns| match turns {
            Turns::Channels(names) => ("channels", names.join(",")),
            Turns::Drivers(names) => ("drivers", names.join(" ")),
        };
        let ((kind, has), (asked_kind, wants)) = (one(self), one(asked));
        let wanted = if kind == asked_kind { String::new() } else { format!("the {asked_kind} ") };
        format!("its {kind} are {has}, not {wanted}{wants}")
    }
}

impl Turn<'_> {
    /// `on a fifo`.
    pub(super) fn told(self) -> String {
        match self {
            Turn::Channel(name) => format!("on a {name}"),
            Turn::Driver(name) => format!("with {name}"),
        }
    }
}

/// Whose turn of so many it is.
///
/// # Panics
/// There is nobody.
pub(super) fn turn(all: usize, index: u64) -> usize {
    (index % all as u64) as usize
}
