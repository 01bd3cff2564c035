//! The files that hold snapshots: insta's (<https://insta.rs/docs/snapshot-files/>). `X.snap` is
//! accepted, `X.snap.new` waits for `cargo insta review`.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The blocks of a snapshot, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    blocks: Vec<String>,
    /// Where the block under a heading is.
    places: HashMap<String, usize>,
}

impl Recorded {
    /// Reads an accepted snapshot; `None` if there is none.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub fn read(path: &Path) -> io::Result<Option<Recorded>> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Recorded::of(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn of(text: &str) -> Recorded {
        // The header of insta's format stands between two lines of dashes.
        let body =
            text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(text, |(_, b)| b);
        let mut blocks: Vec<String> = Vec::new();
        for line in body.lines() {
            if line.starts_with('[') || blocks.is_empty() {
                blocks.push(String::new());
            }
            let block = blocks.last_mut().expect("pushed above");
            block.push_str(line);
            block.push('\n');
        }
        let blocks: Vec<String> = blocks.into_iter().map(|block| format!("{}\n", block.trim_end())).collect();
        // Of two under one heading the first counts.
        let headings = blocks.iter().enumerate().rev();
        let places = headings.map(|(at, block)| (first_line(block).to_owned(), at)).collect();
        Recorded { blocks, places }
    }

    /// The block under this heading.
    pub fn block(&self, heading: &str) -> Option<&str> {
        self.places.get(heading).map(|&at| self.blocks[at].as_str())
    }

    /// The headings, in the order of the file.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|block| first_line(block))
    }
}

fn first_line(block: &str) -> &str {
    block.lines().next().unwrap_or_default()
}

/// What a snapshot file holds below its header.
pub fn content(blocks: &[String]) -> String {
    blocks.iter().map(|block| block.trim_end()).collect::<Vec<_>>().join("\n\n")
}

/// The accepted snapshot of a scenario with a set of runtimes.
pub fn path(dir: &Path, scenario: &str, key: &str) -> PathBuf {
    dir.join(format!("{scenario}@{key}.snap"))
}

/// Writes what was seen beside the accepted snapshot, for `cargo insta review`.
/// Where it is what was accepted, nothing waits: an older one is removed. True
/// if something waits.
///
/// # Errors
/// As writing a file does.
pub fn propose(path: &Path, source: &str, content: &str) -> io::Result<bool> {
    let new = path.with_extension("snap.new");
    let accepted = Recorded::read(path)?;
    if accepted.as_ref().is_some_and(|accepted| *accepted == Recorded::of(content)) {
        return match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(false),
        };
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(&new, format!("---\nsource: {source}\n---\n{content}\n"))?;
    Ok(true)
}
