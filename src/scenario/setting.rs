//! `[setting]` with the parameters put in.

use super::{parts::SettingKeys, problem::Problem, suggest::way_out, symbols::Scope, template::Filled};
use crate::setting::{Setting, Sigpipe};

const SIGPIPE: [(&str, Sigpipe); 3] =
    [("runtime", Sigpipe::Runtime), ("default", Sigpipe::Default), ("ignore", Sigpipe::Ignore)];
/// Ten minutes.
const MAX_BUDGET_MS: u64 = 600_000;

/// The setting; `None` after a mistake.
pub(super) fn bind(keys: &SettingKeys, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<Setting> {
    let mut setting = Setting::default();
    let before = problems.len();
    if let Some((text, pieces)) = &keys.sigpipe {
        let filled = Filled::fill(text, pieces, None, &|name| scope.text(name));
        match SIGPIPE.iter().find(|(name, _)| *name == filled.text) {
            Some((_, sigpipe)) => setting.sigpipe = *sigpipe,
            None => problems.push(
                Problem::new("sigpipe", format!("`sigpipe` can't be `{}`", filled.text))
                    .at_place(&filled.place(0..filled.text.len()), "unknown word")
                    .help(way_out(&filled.text, "word", SIGPIPE.iter().map(|(name, _)| *name))),
            ),
        }
    }
    if let Some((text, pieces)) = &keys.cpu_budget {
        let filled = Filled::fill(text, pieces, None, &|name| scope.text(name));
        match milliseconds(&filled.text) {
            Some(budget) => setting.budget_ms = budget,
            None => problems.push(
                Problem::new("cpu-budget", format!("`cpu_budget` can't be `{}`", filled.text))
                    .at_place(&filled.place(0..filled.text.len()), "not a time")
                    .help("write it as `500 ms` or `2 s`; at least 1 ms, at most 600 s"),
            ),
        }
    }
    (problems.len() == before).then_some(setting)
}

/// `500 ms`, `2 s`, or milliseconds alone.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let budget = match text[digits..].trim() {
        "ms" | "" => number,
        "s" => number.checked_mul(1000)?,
        _ => return None,
    };
    (1..=MAX_BUDGET_MS).contains(&budget).then_some(budget)
}
