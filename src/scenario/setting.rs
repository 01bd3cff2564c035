//! `[setting]`, and the capacities of `[channels]`, with the parameters put in.

use std::sync::Arc;

use super::{
    Scenario,
    case::Skip,
    expr::Expr,
    parts::{SettingKeys, Template},
    problem::Problem,
    suggest::way_out,
    symbols::Scope,
    template::Filled,
};
use crate::{
    channel::Kind,
    setting::{
        LimitKind, Setting, Sigpipe, User,
        limits::{LEAST_DESCRIPTORS, UNLIMITED},
    },
};

const SIGPIPE: [(&str, Sigpipe); 3] =
    [("runtime", Sigpipe::Runtime), ("default", Sigpipe::Default), ("ignore", Sigpipe::Ignore)];
/// Ten minutes.
const MAX_BUDGET_MS: u64 = 600_000;

/// The sysctl is an int.
const MAX_QLEN: i128 = i32::MAX as i128;

/// The most that an unprivileged F_SETPIPE_SZ can be told to try (bytes): an int's.
const MAX_CAPACITY: i128 = 1 << 30;

/// What surrounds a case, and its channels' capacities in bytes where they are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    pub setting: Arc<Setting>,
    /// What the setting names and this system hasn't.
    pub missing: Option<Skip>,
    pub capacities: Vec<Option<u64>>,
}

/// Setting and capacities; `None` after a mistake.
pub(super) fn bind(
    scenario: &Scenario,
    scope: &Scope<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Surroundings> {
    let before = problems.len();
    let mut surroundings = Surroundings::default();
    let mut keep = |result: Result<(), Problem>| problems.extend(result.err());
    let keys = &scenario.setting;
    let filled = |key: &Option<Template>| key.as_ref().map(|template| fill(template, scope));
    let mut setting = Setting::default();
    if let Some(filled) = filled(&keys.sigpipe) {
        keep(sigpipe(&filled).map(|sigpipe| setting.sigpipe = sigpipe));
    }
    if let Some(filled) = filled(&keys.cpu_budget) {
        keep(budget(&filled).map(|budget| setting.budget_ms = budget));
    }
    if let Some(filled) = filled(&keys.max_dgram_qlen) {
        keep(qlen(&filled, scope).map(|qlen| setting.max_dgram_qlen = qlen));
    }
    for (kind, template) in &keys.limits {
        let bound = limit(*kind, &fill(template, scope), scope);
        keep(bound.map(|bound| setting.limits.extend(bound.map(|bound| (*kind, bound)))));
    }
    setting.limits.sort_by_key(|(kind, _)| kind.info().name);
    if let Some(filled) = filled(&keys.user) {
        keep(user(&filled, scope).map(|user| match user {
            Some(Ok(user)) => setting.user = Some(user),
            Some(Err(skip)) => surroundings.missing = Some(skip),
            None => {}
        }));
    }
    for channel in &scenario.channels {
        let bytes = channel.capacity.as_ref().map(|template| capacity(&fill(template, scope), scope));
        let bytes = bytes.transpose();
        surroundings.capacities.push(bytes.as_ref().ok().copied().flatten().flatten());
        keep(bytes.map(drop));
    }
    surroundings.setting = setting.into();
    unreachable_pipes(scenario, keys, problems);
    (problems.len() == before).then_some(surroundings)
}

fn fill(template: &Template, scope: &Scope<'_>) -> Filled {
    Filled::fill(&template.0, &template.1, None, &|name| scope.text(name))
}

/// What is written here can't be.
fn cannot(rule: &'static str, key: &str, filled: &Filled, label: &str) -> Problem {
    Problem::new(rule, format!("`{key}` can't be `{}`", filled.text))
        .at_place(&filled.place(0..filled.text.len()), label)
}

/// `None` if it isn't known here.
fn number(filled: &Filled, scope: &Scope<'_>) -> Result<Option<i128>, Problem> {
    let expr = Expr::parse(&filled.text, &|part| filled.place(part).span)?;
    expr.value(&|name, span| scope.lookup(name, span))
}

/// `None` if it isn't known here.
fn capacity(filled: &Filled, scope: &Scope<'_>) -> Result<Option<u64>, Problem> {
    let Some(value) = number(filled, scope)? else { return Ok(None) };
    match value {
        1..=MAX_CAPACITY => Ok(Some(value as u64)),
        _ => Err(Problem::new("size", format!("a capacity of {value} bytes"))
            .at_place(&filled.place(0..filled.text.len()), "not a pipe's capacity")
            .help("between 1 byte and 1 GiB; the kernel rounds it up to a power of two of pages (fcntl(2))")),
    }
}

fn sigpipe(filled: &Filled) -> Result<Sigpipe, Problem> {
    let found = SIGPIPE.iter().find(|(name, _)| *name == filled.text).map(|(_, sigpipe)| *sigpipe);
    found.ok_or_else(|| {
        cannot("sigpipe", "sigpipe", filled, "unknown word").help(way_out(
            &filled.text,
            "word",
            SIGPIPE.iter().map(|(name, _)| *name),
        ))
    })
}

fn budget(filled: &Filled) -> Result<u64, Problem> {
    milliseconds(&filled.text).ok_or_else(|| {
        cannot("cpu-budget", "cpu_budget", filled, "not a time")
            .help("write it as `500 ms` or `2 s`; at least 1 ms, at most 600 s")
    })
}

fn qlen(filled: &Filled, scope: &Scope<'_>) -> Result<Option<u32>, Problem> {
    let Some(value) = number(filled, scope)? else { return Ok(None) };
    match value {
        0..=MAX_QLEN => Ok(Some(value as u32)),
        _ => Err(cannot("qlen", "max_dgram_qlen", filled, "not a number of datagrams")
            .help("between 0 and 2147483647 (unix(7))")),
    }
}

/// `None` if it isn't known here.
fn limit(kind: LimitKind, filled: &Filled, scope: &Scope<'_>) -> Result<Option<u64>, Problem> {
    let name = kind.info().name;
    match (kind, filled.text.trim()) {
        (LimitKind::Nofile, "unlimited") => {
            let problem = cannot("limit", name, filled, "no process may have that");
            return Err(problem.help("a number, up to /proc/sys/fs/nr_open (setrlimit(2))"));
        }
        (_, "unlimited") => return Ok(Some(UNLIMITED)),
        _ => {}
    }
    let Some(value) = number(filled, scope)? else { return Ok(None) };
    match (kind, u64::try_from(value)) {
        (LimitKind::Nofile, Ok(value)) if value < LEAST_DESCRIPTORS => {
            Err(cannot("limit", name, filled, "no room for the actor's own")
                .help("descriptors 0 to 3 are the actor's own, so 4 is the least"))
        }
        (_, Ok(value)) if value < UNLIMITED => Ok(Some(value)),
        _ => Err(cannot("limit", name, filled, "not a limit")
            .help("a limit is 0 or more, or `unlimited` (setrlimit(2))")),
    }
}

/// The user, or why there is none; `None` where nobody can be asked.
fn user(filled: &Filled, scope: &Scope<'_>) -> Result<Option<Result<User, Skip>>, Problem> {
    let name = filled.text.trim();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
    // The last number means "as it is" to setresuid(2).
    let is_number = name.parse().is_ok_and(|uid: u32| uid < u32::MAX);
    if !is_name && !is_number {
        return Err(cannot("user", "user", filled, "neither a name nor a number of a user")
            .help("for example `nobody`, 65534, or `fresh` for somebody whom nobody else is"));
    }
    let skip = || Skip {
        reason: format!("this system has no user `{name}`"),
        remedy: "name one that it has, a number, or `fresh`".to_owned(),
    };
    Ok(scope.symbols.is_some().then(|| User::named(name).ok_or_else(skip)))
}

/// Another user's actors can't open what only the stage holds.
fn unreachable_pipes(scenario: &Scenario, keys: &SettingKeys, problems: &mut Vec<Problem>) {
    let Some((user, _)) = &keys.user else { return };
    let pipes = scenario.channels.iter().filter(|channel| channel.kind == Kind::Pipe);
    problems.extend(pipes.map(|pipe| {
        Problem::new("user", format!("`{}` can't be opened by actors of another user", pipe.name.value))
            .at(pipe.name.span.clone(), "an anonymous pipe, which only the stage's own user may open anew")
            .at(user.span.clone(), "who the actors are")
            .help("make it a `fifo`, or let a `raw` actor make the pipe (`pipe r w`) and `fork` the others")
    }));
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
