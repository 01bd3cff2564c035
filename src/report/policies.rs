//! Policies that were fitted: as a table for a person, as JSON for a program.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use crate::{
    model::writer::rules::{RULES, Rule},
    policy::{Check, Fitted, Script, Subject, Words},
};

/// A row a runtime; below, what isn't sure.
///
/// # Errors
/// As writing does.
pub fn table(out: &mut dyn Write, fitted: &[(&Subject, Fitted)]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "driver",
        "version",
        "capacity",
        "through at",
        "a flush fails",
        "a write fails",
        "close",
        "policy",
    ]);
    for (subject, fitted) in fitted {
        let words = Words::of(&fitted.policy);
        let name =
            if fitted.unexplained.is_some() { format!("none (nearest: {})", words.name) } else { words.name };
        table.add_row([
            subject.name.clone(),
            subject.version.clone(),
            words.capacity,
            words.through,
            words.failed_flush,
            words.failed_write,
            words.close,
            name,
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    for (subject, fitted) in fitted {
        if !fitted.undecided.is_empty() {
            writeln!(out, "{}: not told apart: {}", subject.name, ids(&fitted.undecided).join(", "))?;
        }
        if let Some((script, check)) = &fitted.unexplained {
            writeln!(
                out,
                "{}: no policy explains all of {} scripts; the nearest explains {}, and not this one, on a pipe of {} bytes:",
                subject.name, fitted.scripts, fitted.explained, script.pipe
            )?;
            for line in unexplained(script, check) {
                writeln!(out, "   {line}")?;
            }
        }
    }
    Ok(())
}

/// The script up to the move that differs, with what was predicted and seen.
pub fn unexplained(script: &Script, check: &Check) -> Vec<String> {
    let (at, why) = match check {
        Check::Agrees(_) => return vec![],
        Check::Differs { at, predicted, seen } => (*at, format!("predicted: {predicted}; seen: {seen}")),
        Check::NoSay { at, why } => (*at, format!("the model has no say: {why:?}")),
    };
    let opens = script.to_string().lines().count() - script.moves.len();
    let mut lines: Vec<String> = script.to_string().lines().take(opens + at + 1).map(str::to_owned).collect();
    if let Some(last) = lines.last_mut() {
        last.push_str(&format!("    # {why}"));
    }
    lines
}

/// One object: `policies`, an object a runtime.
///
/// # Errors
/// As writing does.
pub fn json(out: &mut dyn Write, fitted: &[(&Subject, Fitted)]) -> io::Result<()> {
    let policies: Vec<Value> = fitted.iter().map(|(subject, fitted)| object(subject, fitted)).collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "policies": policies }))?;
    writeln!(out)
}

fn object(subject: &Subject, fitted: &Fitted) -> Value {
    let mut rules = Map::new();
    for info in RULES {
        let value = match fitted.policy.get(info.rule) {
            Some(size) if info.answers.is_empty() => json!(size),
            Some(_) => json!(fitted.policy.word(info.rule)),
            None => Value::Null,
        };
        rules.insert(info.id.to_owned(), value);
    }
    let words = Words::of(&fitted.policy);
    json!({
        "driver": subject.name,
        "version": subject.version,
        "policy": words.name,
        "capacity": words.capacity,
        "through_at": words.through,
        "failed_flush": words.failed_flush,
        "failed_write": words.failed_write,
        "close": words.close,
        "rules": rules,
        "undecided": ids(&fitted.undecided),
        "other_explanations": fitted.others,
        "unasked": ids(&fitted.unasked),
        "scripts": fitted.scripts,
        "explained": fitted.explained,
        "unexplained": fitted.unexplained.as_ref().map(|(script, check)| unexplained(script, check)),
    })
}

fn ids(rules: &[Rule]) -> Vec<&'static str> {
    rules.iter().map(|rule| rule.info().id).collect()
}
