//! How far a run has come, in a file with which another one goes on.

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{campaign::Campaign, tally::Tally};

/// Of the file's form.
const VERSION: u32 = 1;

/// The state of a run that was ended by its budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    version: u32,
    pub seed: u64,
    /// The kinds of channel, in the order in which scripts take turns with them.
    pub channels: Vec<String>,
    /// The script with which another run goes on.
    pub next: u64,
    /// What was covered so far.
    pub tally: Tally,
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

impl Progress {
    /// Of a run that stands before this script.
    pub fn of(campaign: &Campaign, next: u64, tally: Tally) -> Progress {
        let channels = campaign.grounds.iter().map(|ground| ground.name.to_owned()).collect();
        Progress { version: VERSION, seed: campaign.seed, channels, next, tally }
    }

    /// What this file says of such a run; nothing if there is no file yet.
    ///
    /// # Errors
    /// It can't be read, or isn't about a run with this seed and these channels.
    pub fn read(path: &Path, campaign: &Campaign) -> Result<Option<Progress>, StateError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::File(error)),
        };
        let progress: Progress = serde_json::from_str(&text)
            .map_err(|error| StateError::Form(format!("it is no state of a fuzz run: {error}")))?;
        let asked = Progress::of(campaign, 0, Tally::default());
        if progress.version != VERSION {
            return Err(StateError::Form(format!(
                "its form is {}, and this pipelab writes {VERSION}",
                progress.version
            )));
        }
        if progress.seed != asked.seed {
            return Err(StateError::Other(format!("its seed is {}, not {}", progress.seed, asked.seed)));
        }
        if progress.channels != asked.channels {
            let [has, wants] = [&progress, &asked].map(|of| of.channels.join(","));
            return Err(StateError::Other(format!("its channels are {has}, not {wants}")));
        }
        Ok(Some(progress))
    }

    /// Writes the file whole, or leaves it as it was.
    ///
    /// # Errors
    /// As writing and renaming do.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        text.push('\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        fs::write(&beside, text)?;
        fs::rename(&beside, path)
    }
}
