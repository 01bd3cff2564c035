//! The document and the reader hold all that the tables hold.

use super::super::{BUILT_IN, KEYS, OUTCOME_WORDS, Quantity, keys};
use crate::outcome::VERBS;

const DOC: &str = include_str!("../../../docs/scenario.md");

#[test]
fn every_key_is_documented() {
    for key in KEYS {
        assert!(
            DOC.contains(&format!("`{}`", key.path)),
            "docs/scenario.md doesn't name the key `{}`",
            key.path
        );
    }
}

#[test]
fn every_verb_is_documented_in_its_form() {
    for verb in VERBS {
        assert!(
            DOC.contains(&verb.form.replace("|", "\\|")),
            "docs/scenario.md hasn't the form `{}`",
            verb.form
        );
    }
}

#[test]
fn every_outcome_and_symbol_is_documented() {
    for word in OUTCOME_WORDS {
        assert!(DOC.contains(&format!("`-> {}`", word.form)), "docs/scenario.md hasn't `-> {}`", word.form);
    }
    for symbol in BUILT_IN {
        assert!(DOC.contains(&format!("| `{}` |", symbol.name)), "docs/scenario.md hasn't `{}`", symbol.name);
    }
}

/// Every TOML example of the document that is a whole scenario is one.
#[test]
fn the_examples_are_scenarios() {
    let examples: Vec<&str> =
        DOC.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let whole: Vec<&&str> = examples.iter().filter(|example| example.contains("script =")).collect();
    assert!(whole.len() >= 2, "the document shows whole scenarios");
    for example in whole {
        super::cases_of(example);
    }
}

#[test]
fn the_reader_knows_every_key_of_the_table() {
    for parent in ["", "setting", "expect"] {
        for key in keys::children(parent) {
            let header = if parent.is_empty() { String::new() } else { format!("[{parent}]\n") };
            let problems = super::mistakes_of(&format!("{header}{key} = 1979-05-27\n"));
            assert!(problems.list.iter().all(|problem| problem.rule != "unknown-key"), "{problems}");
        }
    }
    for quantity in Quantity::ALL {
        assert!(keys::children("expect").contains(&quantity.name()));
    }
}
