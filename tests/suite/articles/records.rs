//! What the snapshots of a scenario say of each case.

use pipelab::outcome::Recorded;
use regex::Regex;

use crate::page::snapshots;

/// A case's block in a snapshot.
#[derive(Debug)]
pub struct Record {
    /// The snapshot's key: `python-3.6`.
    pub key: String,
    params: Vec<(String, String)>,
    text: String,
}

/// All that the accepted snapshots of a scenario hold.
pub fn records(scenario: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for (key, path) in snapshots(scenario) {
        let recorded = Recorded::read(&path).expect("readable").expect("there");
        for heading in recorded.headings() {
            let text = recorded.block(heading).expect("under its heading").to_owned();
            // Beside the runtime that it is about, a scenario may have a compiler and filters.
            let runtime = key.split('+').find(|part| part.starts_with("python") || part.starts_with("pypy"));
            let key = runtime.unwrap_or(&key).to_owned();
            records.push(Record { key, params: params(heading), text });
        }
    }
    assert!(!records.is_empty(), "{scenario} has no snapshot");
    records
}

/// The parameters of a heading, `[n = 1, writer = python:text]`. A value may hold
/// commas, but no ` = `.
fn params(heading: &str) -> Vec<(String, String)> {
    let inside = heading.trim().trim_start_matches('[').trim_end_matches(']');
    let mut params: Vec<(String, String)> = Vec::new();
    for part in inside.split(", ") {
        match (part.split_once(" ="), params.last_mut()) {
            (Some((name, value)), _) => params.push((name.to_owned(), value.trim_start().to_owned())),
            (None, Some((_, value))) => *value = format!("{value}, {part}"),
            (None, None) => {}
        }
    }
    params
}

impl Record {
    /// The value of a parameter; empty if it has none.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The same case but for this parameter, which is another.
    pub fn is_like_but_for(&self, other: &Record, param: &str) -> bool {
        let rest = |record: &Record| -> Vec<(String, String)> {
            record.params.iter().filter(|(name, _)| name != param).cloned().collect()
        };
        self.key == other.key && self.param(param) != other.param(param) && rest(self) == rest(other)
    }

    /// Where the first error surfaced, by verb; `none`.
    fn error_at(&self) -> String {
        let told = Regex::new(r"(?m)^first error at (\w+):").expect("a pattern");
        if let Some(found) = told.captures(&self.text) {
            return found[1].to_owned();
        }
        // In the order of the records; none of the article's calls fails after a later one.
        let step = Regex::new(r"(?m)^ *\d+  \S+ (?:then )?(\w+).*?  .*\bE[A-Z]{3,}\b").expect("a pattern");
        step.captures(&self.text).map_or("none".to_owned(), |found| found[1].to_owned())
    }

    fn delivered(&self) -> String {
        let told = Regex::new(r"(?m)^\w+: offered .*; delivered (.*)$").expect("a pattern");
        told.captures(&self.text).map_or("?".to_owned(), |found| found[1].to_owned())
    }

    /// `whole`, or what happened to the bytes: `lost` (a call had accepted them), `refused`
    /// (none had), `duplicated`.
    fn fate(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        let below = self.text.lines().skip_while(|line| !line.contains(": offered "));
        for line in below.skip(1).map(str::trim) {
            let known = [(" lost", "lost"), ("refused", "refused"), ("delivered twice", "duplicated")];
            // Anything else is said as it is: no verdict of ours fits it.
            let word = known.iter().find(|(part, _)| line.contains(part)).map_or(line, |(_, word)| word);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        match (&words[..], self.delivered().as_str()) {
            ([], "all") => "whole".to_owned(),
            ([], other) => format!("delivered {other}"),
            _ => words.join(" and "),
        }
    }

    /// One of the words below, or a pattern whose first group is the cell, held against
    /// the whole block.
    pub fn cell(&self, what: &str) -> String {
        match what {
            "error" => self.error_at(),
            "error, delivered" => format!("{}, {}", self.error_at(), self.delivered()),
            "delivered" => self.delivered(),
            "fate" => self.fate(),
            pattern => {
                let pattern = Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"));
                let found = pattern.captures(&self.text);
                let group = found.as_ref().and_then(|found| found.iter().skip(1).flatten().next());
                group.map_or("-".to_owned(), |group| group.as_str().to_owned())
            }
        }
    }

    /// Every record: what was asked, what came of it.
    pub fn steps(&self) -> Vec<(String, String)> {
        let step = Regex::new(r"(?m)^ *\d+  (.*?)  +(.*)$").expect("a pattern");
        step.captures_iter(&self.text)
            .map(|found| (found[1].to_owned(), found[2].replace("  ", " ")))
            .collect()
    }

    /// The block holds this text.
    pub fn holds(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

/// Which cases: parameters and the values that they may have.
#[derive(Debug, Default)]
pub struct Wanted(Vec<(String, Vec<String>)>);

impl Wanted {
    pub fn only(&mut self, param: &str, values: Vec<String>) {
        self.0.push((param.to_owned(), values));
    }

    pub fn fits(&self, record: &Record) -> bool {
        self.0.iter().all(|(param, values)| values.iter().any(|value| value == record.param(param)))
    }
}
