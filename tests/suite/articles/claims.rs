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
    #[serde(default)]
    expect: BTreeMap<String, String>,
    /// Cases that differ in this parameter alone must give the same there: `then = "fate"`.
    #[serde(default)]
    same: BTreeMap<String, String>,
    /// Other cases, in which something else must be so.
    #[serde(default)]
    also: Vec<Proof>,
    /// What to say of the versions in which it is so, and of the others.
    #[serde(default = "holds")]
    so: String,
    #[serde(default = "fails")]
    otherwise: String,
    /// The cause, or what else there is to say.
    #[serde(default)]
    because: String,
}

/// Cases of a scenario, and what must be so in them (see `Claim`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    scenario: String,
    #[serde(default)]
    cases: BTreeMap<String, Vec<toml::Value>>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
    #[serde(default)]
    same: BTreeMap<String, String>,
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
        let mut links: Vec<String> = claim.proofs().iter().map(|proof| link(&proof.scenario)).collect();
        links.dedup();
        text.push_str(&format!("| {} | {} | {} |\n", claim.claim, verdict(claim), links.join(", ")));
    }
    text.trim_end().to_owned()
}

fn link(scenario: &str) -> String {
    let name = scenario.rsplit('/').next().unwrap_or(scenario);
    format!("[{name}](../../scenarios/{scenario}.toml)")
}

impl Claim {
    fn proofs(&self) -> Vec<Proof> {
        let own = Proof {
            scenario: self.scenario.clone(),
            cases: self.cases.clone(),
            expect: self.expect.clone(),
            same: self.same.clone(),
        };
        [vec![own], self.also.clone()].concat()
    }
}

impl Proof {
    /// The recorded cases that it is about.
    fn records(&self, claim: &str) -> Vec<Record> {
        assert!(!self.expect.is_empty() || !self.same.is_empty(), "`{claim}` expects nothing");
        let mut wanted = Wanted::default();
        for (param, values) in &self.cases {
            let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            wanted.only(param, values.iter().map(text).collect());
        }
        let all: Vec<Record> =
            records(&self.scenario).into_iter().filter(|record| wanted.fits(record)).collect();
        assert!(!all.is_empty(), "no case of {} is about `{claim}`", self.scenario);
        all
    }

    /// What is seen of a version instead of what is expected, and in which case; nothing if
    /// all is so.
    fn instead(&self, own: &[&Record]) -> Option<String> {
        let (record, seen) = own
            .iter()
            .find_map(|record| Some((*record, difference(&self.expect, record)?)))
            .or_else(|| self.same.iter().find_map(|(param, cell)| unlike(param, cell, own)))?;
        let varies = self.cases.iter().filter(|(_, values)| values.len() != 1).map(|(name, _)| name);
        let case: Vec<String> = varies.map(|name| format!("{name} = {}", record.param(name))).collect();
        let case = if case.is_empty() { String::new() } else { format!(" for {}", case.join(", ")) };
        Some(format!("{seen}{case}"))
    }
}

fn verdict(claim: &Claim) -> String {
    let proofs = claim.proofs();
    let all: Vec<Vec<Record>> = proofs.iter().map(|proof| proof.records(&claim.claim)).collect();
    let known = versions::known(all.iter().flatten().map(|record| record.key.as_str()));
    let own = |records: &[Record], key: &str| -> Vec<usize> {
        (0..records.len()).filter(|at| records[*at].key == key).collect()
    };
    // What is seen instead, by version: the first case in which it is.
    let instead = |key: &str| {
        proofs.iter().zip(&all).find_map(|(proof, records)| {
            let own: Vec<&Record> = own(records, key).into_iter().map(|at| &records[at]).collect();
            proof.instead(&own)
        })
    };
    // A version that isn't at hand keeps its old records, which don't know the newest cases.
    let count = |key: &str| all.iter().map(|records| own(records, key).len()).sum::<usize>();
    let most = known.iter().map(|key| count(key)).max().unwrap_or(0);
    let (so, not): (Vec<&str>, Vec<&str>) = known.iter().partition(|key| instead(key).is_none());
    let (whole, partly): (Vec<&str>, Vec<&str>) = so.iter().partition(|key| count(key) == most);
    let mut told = Vec::new();
    if !whole.is_empty() {
        told.push(versions::told(&whole, &known));
    }
    for key in partly {
        told.push(format!("{} in {} of {most} cases", versions::told(&[key], &known), count(key)));
    }
    let mut parts = Vec::new();
    if !told.is_empty() {
        parts.push(format!("**{}** ({})", claim.so, told.join("; ")));
    }
    if let Some(first) = not.first() {
        let seen = instead(first).expect("it isn't so there");
        let versions = versions::told(&not, &known);
        parts.push(match claim.otherwise == fails() {
            true => format!("**{}** ({versions}): {seen}", claim.otherwise),
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
fn difference(expect: &BTreeMap<String, String>, record: &Record) -> Option<String> {
    expect.iter().find_map(|(what, expected)| match what.as_str() {
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

/// The first of a version's cases that gives something else than another from which it
/// differs in one parameter alone.
fn unlike<'r>(param: &str, cell: &str, own: &[&'r Record]) -> Option<(&'r Record, String)> {
    own.iter().enumerate().find_map(|(at, record)| {
        let other = own[..at].iter().find(|other| other.is_like_but_for(record, param))?;
        let [seen, before] = [record.cell(cell), other.cell(cell)];
        (seen != before).then(|| (*record, format!("{before} and {seen}")))
    })
}
