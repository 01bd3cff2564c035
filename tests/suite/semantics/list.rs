//! The list of lines: `docs/semantics.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Lines about one kind of channel.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub lines: Vec<Line>,
}

#[derive(Debug)]
pub struct Line {
    pub id: String,
    /// The assertion.
    pub says: String,
    /// The test or issue that asserts it.
    pub source: String,
    /// Why no scenario shows it.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    says: String,
    source: String,
    reason: Option<String>,
}

/// The groups in the order of the file; no id twice.
pub fn read(text: &str) -> Vec<Group> {
    let groups: toml::Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut known = BTreeSet::new();
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|(name, lines)| {
            let lines: toml::Table = lines.try_into().unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut line = |(id, entry): (String, toml::Value)| {
                let entry: Entry = entry.try_into().unwrap_or_else(|error| panic!("{id}: {error}"));
                assert!(known.insert(id.clone()), "{id} stands twice in the list");
                Line { id, says: entry.says, source: entry.source, reason: entry.reason }
            };
            Group { name, lines: lines.into_iter().map(&mut line).collect() }
        })
        .collect();
    groups
}
