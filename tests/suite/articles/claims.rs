//! The claims of an article, and what the snapshots say of each.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    records::{Record, Wanted, records},
    versions,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    claim: Vec<Claim>,
}

/// One claim and its proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    /// In the article's words, shortened.
    claim: String,
    scenario: String,
    /// Parameters and the values that the claim is about.
    #[serde(default)]
    cases: BTreeMap<String, Vec<toml::Value>>,
    /// What must be so in each of these cases: `error`, `delivered`, `fate`, or a pattern,
    /// with what it must give; `text`, which the block must hold.
    expect: BTreeMap<String, String>,
    /// What to say of the versions in which it is so, and of the others.
    #[serde(default = "holds")]
    so: String,
    #[serde(default = "fails")]
    otherwise: String,
    /// The cause, or what else there is to say.
    #[serde(default)]
    because: String,
}

fn holds() -> String {
    "holds".to_owned()
}

fn fails() -> String {
    "doesn't hold".to_owned()
}

pub fn read(text: &str) -> Claims {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A row a claim.
pub fn table(claims: &Claims) -> String {
    let mut text = "| the article | what the runs say | scenario |\n|---|---|---|\n".to_owned();
    for claim in &claims.claim {
        let name = claim.scenario.rsplit('/').next().unwrap_or(&claim.scenario);
        let link = format!("[{name}](../../scenarios/{}.toml)", claim.scenario);
        text.push_str(&format!("| {} | {} | {link} |\n", claim.claim, verdict(claim)));
    }
    text.trim_end().to_owned()
}

fn verdict(claim: &Claim) -> String {
    let mut wanted = Wanted::default();
    for (param, values) in &claim.cases {
        let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        wanted.only(param, values.iter().map(text).collect());
    }
    let all: Vec<Record> =
        records(&claim.scenario).into_iter().filter(|record| wanted.fits(record)).collect();
    assert!(!all.is_empty(), "no case of {} is about `{}`", claim.scenario, claim.claim);
    let known = versions::known(all.iter().map(|record| record.key.as_str()));
    // What is seen instead, by version: the first case in which it is.
    let instead = |key: &str| {
        let mut own = all.iter().filter(|record| record.key == key);
        own.find_map(|record| Some((record, difference(claim, record)?)))
    };
    let (so, not): (Vec<&str>, Vec<&str>) = known.iter().partition(|key| instead(key).is_none());
    let mut parts = Vec::new();
    if !so.is_empty() {
        parts.push(format!("**{}** ({})", claim.so, versions::told(&so, &known)));
    }
    if let Some(first) = not.first() {
        let (record, seen) = instead(first).expect("it isn't so there");
        let varies = claim.cases.iter().filter(|(_, values)| values.len() != 1).map(|(name, _)| name);
        let case: Vec<String> = varies.map(|name| format!("{name} = {}", record.param(name))).collect();
        let case = if case.is_empty() { String::new() } else { format!(" for {}", case.join(", ")) };
        let versions = versions::told(&not, &known);
        parts.push(match claim.otherwise == fails() {
            true => format!("**{}** ({versions}): {seen}{case}", claim.otherwise),
            false => format!("**{}** ({versions})", claim.otherwise),
        });
    }
    let mut text = parts.join("; ");
    if !claim.because.is_empty() {
        text.push_str(&format!(". {}", claim.because));
    }
    text
}

/// What is seen instead of what is expected; nothing if all is so.
fn difference(claim: &Claim, record: &Record) -> Option<String> {
    claim.expect.iter().find_map(|(what, expected)| match what.as_str() {
        "text" => (!record.holds(expected)).then(|| format!("not `{expected}`")),
        _ => {
            let seen = record.cell(what);
            let name = if ["error", "delivered"].contains(&what.as_str()) {
                format!("{what} ")
            } else {
                String::new()
            };
            (seen != *expected).then(|| format!("{name}{seen}"))
        }
    })
}
