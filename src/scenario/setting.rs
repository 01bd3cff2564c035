//! `[setting]`, and the capacities of `[channels]`, with the parameters put in.

use super::{
    Scenario, expr::Expr, parts::SettingKeys, problem::Problem, suggest::way_out, symbols::Scope,
    template::Filled,
};
use crate::setting::{Setting, Sigpipe};

const SIGPIPE: [(&str, Sigpipe); 3] =
    [("runtime", Sigpipe::Runtime), ("default", Sigpipe::Default), ("ignore", Sigpipe::Ignore)];
/// Ten minutes.
const MAX_BUDGET_MS: u64 = 600_000;

/// The most that an unprivileged F_SETPIPE_SZ can be told to try (bytes): an int's.
const MAX_CAPACITY: i128 = 1 << 30;

/// What surrounds a case, and its channels' capacities in bytes where they are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    pub setting: Setting,
    pub capacities: Vec<Option<u64>>,
}

/// Setting and capacities; `None` after a mistake.
pub(super) fn bind(
    scenario: &Scenario,
    scope: &Scope<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Surroundings> {
    let setting = setting(&scenario.setting, scope, problems);
    let capacities = scenario.channels.iter().map(|channel| {
        let (text, pieces) = channel.capacity.as_ref()?;
        let filled = Filled::fill(text, pieces, None, &|name| scope.text(name));
        capacity(&filled, scope).map_err(|problem| problems.push(problem)).ok().flatten()
    });
    let capacities = capacities.collect();
    Some(Surroundings { setting: setting?, capacities })
}

/// `None` if it isn't known here.
fn capacity(filled: &Filled, scope: &Scope<'_>) -> Result<Option<u64>, Problem> {
    let expr = Expr::parse(&filled.text, &|part| filled.place(part).span)?;
    let Some(value) = expr.value(&|name, span| scope.lookup(name, span))? else { return Ok(None) };
    match value {
        1..=MAX_CAPACITY => Ok(Some(value as u64)),
        _ => Err(Problem::new("size", format!("a capacity of {value} bytes"))
            .at_place(&filled.place(0..filled.text.len()), "not a pipe's capacity")
            .help("between 1 byte and 1 GiB; the kernel rounds it up to a power of two of pages (fcntl(2))")),
    }
}

/// The setting; `None` after a mistake.
fn setting(keys: &SettingKeys, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<Setting> {
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
