//! Pages that are made of what is recorded: each must be what would be made now.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of the repository.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Holds the page against what is made of its parts; with PIPELAB_UPDATE, renews it
/// first. `tests` are those that do so.
pub fn assert_current(path: &str, made: &str, tests: &str) {
    if std::env::var_os("PIPELAB_UPDATE").is_some() {
        fs::write(file(path), made).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let text = read(path);
    assert!(
        text == made,
        "{path} isn't what it is made of; `PIPELAB_UPDATE=1 cargo test --test suite {tests}` makes it anew:\n{}",
        similar::TextDiff::from_lines(text.as_str(), made).unified_diff()
    );
}

/// The accepted snapshots of a scenario: their runtimes' keys and their paths, sorted.
pub fn snapshots(scenario: &str) -> Vec<(String, PathBuf)> {
    let (folder, name) = scenario.rsplit_once('/').unwrap_or(("", scenario));
    let Ok(entries) = fs::read_dir(file("snapshots").join(folder)) else { return Vec::new() };
    let key = |path: &Path| {
        let file = path.file_name().expect("a name").to_str()?;
        Some(file.strip_suffix(".snap")?.strip_prefix(name)?.strip_prefix('@')?.to_owned())
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = paths.filter_map(|path| Some((key(&path)?, path))).collect();
    found.sort();
    found
}
