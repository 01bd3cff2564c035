//! What scenarios show of the list.

use std::fs;

use pipelab::{runner::find, scenario::Scenario};

use crate::page;

/// How a comment begins that says where the kernel contradicts a line.
const DIFFERS: &str = "# The kernel differs:";

/// A scenario that names lines of the list.
#[derive(Debug)]
pub struct Shown {
    pub name: String,
    pub ids: Vec<String>,
    /// It has a snapshot.
    pub recorded: bool,
    differences: Vec<String>,
}

/// All scenarios that name lines, in the order of their names.
pub fn shown() -> Vec<Shown> {
    let found = find(&[page::file("scenarios")]).expect("the scenarios");
    let shown = found.into_iter().filter_map(|found| {
        let text = fs::read_to_string(&found.path).expect("readable");
        let scenario =
            Scenario::parse(&found.name, &found.path, &text).unwrap_or_else(|error| panic!("{error}"));
        let ids: Vec<String> = scenario.catalogue.into_iter().map(|id| id.value).collect();
        let recorded = !page::snapshots(&found.name).is_empty();
        (!ids.is_empty()).then(|| Shown::new(&found.name, ids, recorded, &text))
    });
    shown.collect()
}

impl Shown {
    pub fn new(name: &str, ids: Vec<String>, recorded: bool, text: &str) -> Shown {
        let mut differences = Vec::new();
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let Some(at) = line.find(DIFFERS) else { continue };
            let mut said = line[at + DIFFERS.len()..].trim().to_owned();
            // A comment goes on in the lines below that hold nothing else.
            while at == 0
                && let Some(more) = lines.next_if(|line| line.starts_with('#') && !line.starts_with(DIFFERS))
            {
                said.push(' ');
                said.push_str(more.trim_start_matches('#').trim());
            }
            differences.push(said.trim_end_matches('.').to_owned());
        }
        Shown { name: name.to_owned(), ids, recorded, differences }
    }

    /// Where the kernel contradicts this line. A difference that begins with the id of
    /// another of its lines is about that one.
    pub fn differences_of(&self, id: &str) -> Vec<String> {
        let about = |said: &String| match said.split_once(": ") {
            Some((known, said)) if self.ids.iter().any(|id| id == known) => {
                (known == id).then(|| said.to_owned())
            }
            _ => Some(said.clone()),
        };
        self.differences.iter().filter_map(about).collect()
    }
}
