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

/// Every link of a page leads to a file that is there, and to a heading in it.
#[test]
fn links_lead_somewhere() {
    let mut pages = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned(), "CHANGELOG.md".to_owned()];
    for folder in ["docs", "docs/articles"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    let mut links = 0;
    for page in &pages {
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (path, heading) =
                link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
            let target = if path.is_empty() {
                root().join(page)
            } else {
                root().join(page).parent().expect("a folder").join(path)
            };
            assert!(target.exists(), "{page}: {link}");
            if let Some(heading) = heading {
                let text = fs::read_to_string(&target).expect("readable");
                let found =
                    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == heading);
                assert!(found, "{page}: no heading {heading} in {}", target.display());
            }
        }
    }
    assert!(links > 20, "{links} links were checked");
}

/// A heading as links to it spell it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
