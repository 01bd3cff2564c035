//! The first article's experiment, of which one parameter is swept.

use std::path::Path;

use serde_json::Value;

use super::{begins, map};
use crate::lab::{command, ran};

/// Sweeps a scenario of the repository.
fn sweep(scenario: &str, words: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = format!("scenarios/{scenario}.toml");
    let words = [&["sweep", &path, "--param", "n", "--format", "json"], words].concat();
    map(&ran(&mut command(Path::new(env!("CARGO_BIN_EXE_pipelab")), root, &words)))
}

/// Where a CPython's bands begin, by the article and what has changed since (docs/articles/000.md).
fn expected(writer: &str) -> Option<Vec<u64>> {
    let (version, mode) = writer.strip_prefix("python@3.")?.split_once(':')?;
    let version: u32 = version.parse().ok()?;
    let kept = if version >= 13 { 4096 } else { 4097 };
    let text = (mode == "text").then_some(if version >= 8 { 8192 } else { 8193 });
    Some([1, kept].into_iter().chain(text).collect())
}

#[test]
fn the_articles_boundaries_are_found_for_every_cpython() {
    for words in [&[][..], &["--no-candidates"]] {
        let swept = sweep("articles/000/experiment", &[&["--range", "1..=20000"], words].concat());
        let mut found = 0;
        for (map, (writer, begins)) in swept["maps"].as_array().expect("maps").iter().zip(begins(&swept)) {
            match (map["skipped"].as_str(), expected(&writer)) {
                (Some(why), _) => eprintln!("SKIPPED: {writer}: {why}"),
                (None, Some(expected)) => {
                    assert_eq!(begins, expected, "{writer}, {words:?}");
                    found += 1;
                }
                (None, None) => assert!(begins.len() > 1, "{writer}: {begins:?}"),
            }
        }
        eprintln!("{found} maps of CPythons with {words:?}");
    }
}

#[test]
fn every_size_agrees_with_the_search_on_a_cpython() {
    let set = ["--set", r#"writer=["python:text", "python:binary"]"#, "--range", "4000..=8400"];
    let searched = sweep("articles/000/experiment", &set);
    if searched["maps"][0]["skipped"].is_string() {
        eprintln!("SKIPPED: no Python is installed");
        return;
    }
    let whole = sweep("articles/000/experiment", &[&set[..], &["--exhaustive"]].concat());
    assert_eq!(whole["maps"][0]["cases"], 4401);
    let bands = |swept: &Value| -> Vec<Value> {
        let maps = swept["maps"].as_array().expect("maps").iter();
        let bands = maps.flat_map(|map| map["bands"].as_array().expect("bands").clone());
        bands
            .map(|band| Value::from(vec![band["from"].clone(), band["to"].clone(), band["details"].clone()]))
            .collect()
    };
    assert_eq!(bands(&searched), bands(&whole));
    assert!(bands(&whole).len() >= 5);
}

#[test]
fn the_other_writers_boundaries_are_found_without_candidates_too() {
    let set = ["--set", r#"writer=["raw", "stdio:full", "rust:bufwriter"]"#, "--range", "1..=3*capacity"];
    for words in [&[][..], &["--no-candidates"]] {
        let swept = sweep("articles/000/other-writers", &[&set[..], words].concat());
        let begins: Vec<Vec<u64>> = begins(&swept).into_iter().map(|(_, begins)| begins).collect();
        assert_eq!(begins, [vec![1], vec![1, 4096], vec![1, 8192]], "{words:?}");
    }
}
