//! The document and the reader hold all that the tables hold.

use super::super::{BUILT_IN, KEYS, OUTCOME_WORDS, Quantity, keys};
use crate::outcome::{Call, VERBS};

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

/// `docs/calls.md` is made of the table; `PIPELAB_UPDATE=1` makes it anew.
#[test]
fn the_page_of_calls_is_current() {
    let mut page = "# System calls as steps\n\nMade of the table in `src/outcome/call/` (see \
                    [scenario.md](scenario.md)). What moves bytes names them as the ledger does: `SIZE` \
                    position-coded bytes, an expression.\n\n| form | what it does |\n|---|---|\n"
        .to_owned();
    for call in Call::all() {
        let cell = |text: &str| text.replace('|', "\\|");
        page.push_str(&format!("| `{}` | {} |\n", cell(call.info().form), cell(call.info().about)));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/calls.md");
    if std::env::var_os("PIPELAB_UPDATE").is_some() {
        std::fs::write(path, &page).expect("it can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/calls.md isn't current: PIPELAB_UPDATE=1 cargo test --lib docs");
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

/// `docs/model.md` is made of the table of rules.
#[test]
fn the_page_of_the_model_is_current() {
    let mut page = String::from(MODEL_HEAD);
    for rule in crate::model::RULES {
        let broken = rule.broken.unwrap_or("");
        page.push_str(&format!("| {} | {} | {} | {broken} |\n", rule.name, rule.says, rule.source));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/model.md");
    if std::env::var_os("PIPELAB_UPDATE").is_some() {
        std::fs::write(path, &page).expect("written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/model.md isn't current: PIPELAB_UPDATE=1 cargo test --lib docs");
}

const MODEL_HEAD: &str = "\
# What Linux allows: the model's rules

Made of the table in `src/model/rule.rs`. `pipelab explain` says which of them have a say in a scenario's steps, `pipelab judge`
holds what was seen against them. A test switches each rule of the last column off, and sees the fuzzer notice.

| rule | says | source | what the model says without it |
|---|---|---|---|
";
