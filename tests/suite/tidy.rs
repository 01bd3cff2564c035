//! The promises that no other test keeps: what the repository says of itself.

use std::{collections::BTreeSet, fs, path::Path};

use pipelab::runner::find;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_scenario_has_a_snapshot_and_every_snapshot_a_scenario() {
    let scenarios: BTreeSet<String> =
        find(&[root().join("scenarios")]).expect("scenarios").into_iter().map(|found| found.name).collect();
    let mut recorded = BTreeSet::new();
    let mut folders = vec![root().join("snapshots")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "snap") {
                let below = path.strip_prefix(root().join("snapshots")).expect("below").to_string_lossy();
                recorded.insert(below.split('@').next().expect("a name").to_owned());
            }
        }
    }
    assert_eq!(scenarios, recorded);
}

#[test]
fn the_changelog_has_this_version() {
    assert!(read("CHANGELOG.md").contains(&format!("## {}", env!("CARGO_PKG_VERSION"))));
}
