//! Where scenarios are, how they are called, and where their snapshots belong.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The folder that scenarios live in, and the one beside it for their snapshots.
const SCENARIOS: &str = "scenarios";
const SNAPSHOTS: &str = "snapshots";

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path below `scenarios`, without `.toml`; its file name elsewhere.
    pub name: String,
    pub path: PathBuf,
    /// `snapshots` beside `scenarios`; elsewhere, beside the file.
    pub snapshots: PathBuf,
}

/// The scenario files among `paths`; folders are walked. Sorted, each once.
///
/// # Errors
/// A path that isn't there or can't be walked, or a folder without scenarios:
/// it comes with the error.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Found>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        walk(path, &mut found).map_err(|error| (path.clone(), error))?;
        if found.len() == before {
            return Err((path.clone(), io::Error::other("no scenario (*.toml) in it")));
        }
    }
    found.sort();
    // However its path is written.
    let mut files = HashSet::new();
    found.retain(|found| found.path.canonicalize().map_or(true, |whole| files.insert(whole)));
    Ok(found)
}

fn walk(path: &Path, found: &mut Vec<Found>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        found.push(scenario(path)?);
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(scenario(&path)?);
        }
    }
    Ok(())
}

fn scenario(path: &Path) -> io::Result<Found> {
    let whole = path.canonicalize()?;
    let stem = whole.with_extension("");
    let root = whole.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == SCENARIOS));
    let (name, dir) = match root {
        Some(root) => (stem.strip_prefix(root).unwrap_or(&stem), root.parent()),
        None => (Path::new(stem.file_name().unwrap_or_default()), whole.parent()),
    };
    Ok(Found {
        name: name.to_string_lossy().into_owned(),
        path: path.to_owned(),
        snapshots: dir.unwrap_or(Path::new("/")).join(SNAPSHOTS),
    })
}

/// The accepted snapshots of a scenario: the key of their runtimes, their path.
pub(super) fn snapshots(dir: &Path, scenario: &str) -> Vec<(String, PathBuf)> {
    let stem = dir.join(scenario);
    let (Some(folder), Some(name)) = (stem.parent(), stem.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let file = path.file_name()?.to_str()?;
            let key = file.strip_suffix(".snap")?.strip_prefix(name)?.strip_prefix('@')?.to_owned();
            Some((key, path))
        })
        .collect();
    found.sort();
    found
}
