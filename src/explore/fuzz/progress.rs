//! How far a run has come, in a file with which another one goes on.

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    campaign::Campaign,
    game::{Covered, Game, Turns},
};

/// Nobody gets further.
pub const LAST_SCRIPT: u64 = u64::MAX >> 1;

/// Of the file's form.
const VERSION: u32 = 1;

/// The state of a run that was ended by its budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress<T> {
    version: u32,
    pub seed: u64,
    #[serde(flatten)]
    pub turns: Turns,
    /// As [`Game::editions`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<String>,
    /// The script with which another run goes on.
    pub next: u64,
    /// What was covered so far.
    pub tally: T,
}

/// Why a state can't be gone on with.
#[derive(Debug)]
pub enum StateError {
    File(io::Error),
    /// It isn't a state of this version.
    Form(String),
    /// It is one of another run.
    Other(String),
}

impl fmt::Display for StateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::File(error) => write!(out, "{error}"),
            StateError::Form(why) => write!(out, "{why}; remove it to begin anew"),
            StateError::Other(why) => write!(out, "{why}; ask for the same, or name another file"),
        }
    }
}

/// What a state says of itself, whatever it has counted.
#[derive(Deserialize)]
struct Head {
    version: u32,
    seed: u64,
    #[serde(flatten)]
    turns: Turns,
    #[serde(default)]
    editions: Vec<String>,
    next: u64,
}

impl<T: Covered> Progress<T> {
    /// Of a run that stands before this script.
    pub fn of<G: Game<Tally = T>>(campaign: &Campaign<G>, next: u64, tally: T) -> Progress<T> {
        Progress {
            version: VERSION,
            seed: campaign.seed,
            turns: campaign.game.turns(),
            editions: campaign.game.editions(),
            next,
            tally,
        }
    }

    /// What this file says of such a run; nothing if there is no file yet.
    ///
    /// # Errors
    /// It can't be read, or isn't about a run with this seed and these channels or drivers.
    pub fn read<G: Game<Tally = T>>(
        path: &Path,
        campaign: &Campaign<G>,
    ) -> Result<Option<Progress<T>>, StateError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::File(error)),
        };
        let head: Head = parsed(&text)?;
        if head.version != VERSION {
            return Err(StateError::Form(format!(
                "its form is {}, and this pipelab writes {VERSION}",
                head.version
            )));
        }
        if head.seed != campaign.seed {
            return Err(StateError::Other(format!("its seed is {}, not {}", head.seed, campaign.seed)));
        }
        let turns = campaign.game.turns();
        if head.turns != turns {
            let told = head.turns.told_beside(&turns);
            return Err(StateError::Other(told));
        }
        let editions = campaign.game.editions();
        if let Some((was, is)) = head.editions.iter().zip(&editions).find(|(was, is)| was != is) {
            return Err(StateError::Form(format!("it counts scripts with {was}, which is {is} now")));
        }
        if head.next > LAST_SCRIPT {
            return Err(StateError::Form(format!("there is no script {}", head.next)));
        }
        parsed(&text).map(Some)
    }

    /// Writes the file whole, or leaves it as it was.
    ///
    /// # Errors
    /// As writing and renaming do; the error names the file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        text.push('\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let naming = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| io::Error::other(format!("writing {path}: {error}"))
        };
        fs::write(&beside, text).map_err(naming(beside.as_ref()))?;
        fs::rename(&beside, path).map_err(naming(path))
    }
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StateError> {
    serde_json::from_str(text)
        .map_err(|error| StateError::Form(format!("it is no state of a fuzz run: {error}")))
}
