//! That nothing which a transcript says gets lost when a case is reduced to its behaviour: each
//! number and each word of it is changed, one at a time, and the behaviour must differ.

use std::sync::Arc;

use pipelab::{
    explore::sweep::{Behaviour, lines},
    outcome::{Judged, Played},
    runner::{Lab, find},
    scenario::Overrides,
};
use serde_json::Value;

use crate::support::{forking, options};

/// Waits that end, errors, layers, a second writer, a reader that reads twice.
const STORY: &str = r#"
[channels]
log = { kind = "pipe", capacity = "page" }
[actors]
reader = "raw"
other = "raw"
writer = "stdio:full,buffer=1000,layers"
[setting]
sigpipe = "ignore"
script = '''
reader open log read
writer open log write
other open log write
writer write log 700
other write log 200
writer flush log
writer write log 5000
reader read log 900
reader read log page
other write log 300
reader close log
other write log 10
writer write log 300
writer close log
'''
"#;

/// Not of the behaviour: what only people read; and what the step's own line says, which is the same
/// in all cases (how an offer was made, on which channel, by whom).
const NOT_SAID: [&str; 8] = [
    "message",
    "words",
    "untraced",
    "offered/piece",
    "offered/newline",
    "offered/wide",
    "/channel",
    "/actor",
];

#[test]
fn no_number_and_no_word_of_a_transcript_is_dropped() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("story.toml");
    std::fs::write(&path, STORY).expect("a file");
    let mut lab = {
        let _forking = forking();
        Lab::open(&options()).expect("a stage")
    };
    let loaded = lab.load(&find(&[path]).expect("found"), &Overrides::default()).expect("it loads");
    let case = Arc::new(loaded[0].cases.maker().case(0));
    let judged = lab.play(&case, None).expect("it plays");
    let transcript = &judged.played.as_ref().expect("played").transcript;
    let whole = Behaviour::of(&judged);
    let value = serde_json::to_value(transcript).expect("JSON");
    assert_eq!(behaviour(&judged, value.clone()).as_ref(), Some(&whole));

    let mut dropped = Vec::new();
    let mut changed = 0;
    for path in leaves(&value, String::new()) {
        let mut other = value.clone();
        let leaf = other.pointer_mut(&path).expect("a leaf");
        match leaf {
            Value::Number(number) => *leaf = (number.as_u64().expect("no sign") + 1).into(),
            Value::Bool(flag) => *leaf = (!*flag).into(),
            _ => *leaf = format!("{}x", leaf.as_str().unwrap_or_default()).into(),
        }
        // What is no transcript any more can't be reduced.
        let Some(behaviour) = behaviour(&judged, other) else { continue };
        changed += 1;
        // Of a step, its own line says so: the ledger would miss what is changed in several places
        // at once.
        let same = match path.strip_prefix("/steps/").and_then(|rest| rest.split('/').next()?.parse().ok()) {
            Some(step) => line(&behaviour, step) == line(&whole, step),
            None => behaviour == whole,
        };
        if same && !NOT_SAID.iter().any(|name| path.contains(name)) {
            dropped.push(path);
        }
    }
    assert!(dropped.is_empty(), "{dropped:#?}");
    assert!(changed > 150, "{changed} leaves were changed");
}

/// What is said of a record, counted from 0.
fn line(behaviour: &Behaviour, record: usize) -> Option<(String, String)> {
    let lines = lines(&behaviour.shape, |count| behaviour.counts[count].to_string());
    let label = format!("step {}, ", record + 1);
    let (label, text) = lines.into_iter().find(|(known, _)| known.starts_with(&label))?;
    Some((label.to_owned(), text))
}

/// What this transcript would be reduced to.
fn behaviour(judged: &Judged, transcript: Value) -> Option<Behaviour> {
    let transcript = serde_json::from_value(transcript).ok()?;
    let case = judged.case.clone();
    // An index beyond everything is no transcript of this case.
    std::panic::catch_unwind(|| {
        let played = Played::of(&case, transcript);
        Behaviour::of(&Judged { case: case.clone(), played: Some(played), ..judged.clone() })
    })
    .ok()
}

/// The paths of all numbers, flags and texts.
fn leaves(value: &Value, path: String) -> Vec<String> {
    let below = |(name, value): (String, &Value)| leaves(value, format!("{path}/{name}"));
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), value)).flat_map(below).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).flat_map(below).collect()
        }
        Value::Null => Vec::new(),
        _ => vec![path],
    }
}
