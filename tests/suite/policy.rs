//! The model of buffered writers against the runtimes that are here: fitted from runs, then
//! held against scripts that the fit hasn't seen.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use pipelab::{
    model::writer::{
        NoSay, Policy,
        rules::{ChunkError, Close, FlushError, OnFull, Rule, Start, Through},
    },
    policy::{Check, Fitted, Observed, Script, Subject, Words, fit_all, play, subjects},
    report::policy_page,
    runner::Lab,
    scenario::Skip,
};

use crate::{
    lab,
    page::{file, read},
    support::{forking, options, stage},
};

/// Whoever is in `docs/policies.md`.
const WRITERS: &[&str] = &[
    "python@all:text",
    "python@all:binary",
    "python:line",
    "python:raw",
    "stdio:full",
    "stdio:line",
    "rust:bufwriter",
    "rust:linewriter",
    "raw",
];

/// Scripts for each writer that its fit hasn't seen, and the moves of each before its close.
const SCRIPTS: u64 = 100;
const MOVES: usize = 12;
const SEED: u64 = 2018;

static FITTED: LazyLock<Vec<(Subject, Fitted)>> = LazyLock::new(|| {
    let (subjects, missing) = found(WRITERS);
    for skip in missing {
        eprintln!("SKIPPED: {}; {}", skip.reason, skip.remedy);
    }
    let fitted = fit_all(&subjects, vec![stage(), stage()]).expect("they play");
    subjects.into_iter().zip(fitted).collect()
});

fn found(specs: &[&str]) -> (Vec<Subject>, Vec<Skip>) {
    let _forking = forking();
    let mut lab = Lab::open(&options()).expect("a stage");
    let specs: Vec<String> = specs.iter().map(|spec| (*spec).to_owned()).collect();
    subjects(&mut lab, &specs).expect("specs without mistakes")
}

type Played = Vec<(Script, Observed)>;

/// By writer, what was seen of scripts that its fit hasn't seen.
static UNSEEN: LazyLock<Mutex<BTreeMap<String, Played>>> = LazyLock::new(Mutex::default);

fn unseen(subject: &Subject, fitted: &Fitted) -> Played {
    let mut known = UNSEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let played = known.entry(subject.name.clone()).or_insert_with(|| {
        let scripts: Vec<Script> =
            (0..SCRIPTS).map(|index| fitted.shape.random(SEED, index, MOVES)).collect();
        let observed = play(&mut stage(), &subject.writer, &scripts).expect("they play");
        scripts.into_iter().zip(observed).collect()
    });
    played.clone()
}

fn writer(name: &str) -> &'static (Subject, Fitted) {
    FITTED.iter().find(|(subject, _)| subject.name == name).expect("it is always here")
}

/// The first of these that the policy doesn't explain.
fn unexplained(policy: Policy, played: &[(Script, Observed)]) -> Option<(String, Check)> {
    let page = page_size();
    played.iter().find_map(|(script, observed)| match script.check(policy, page, observed) {
        Check::Agrees(_) => None,
        Check::NoSay { why: NoSay::Open(rule), .. } => panic!("{rule:?} is open"),
        check => Some((script.to_string(), check)),
    })
}

fn page_size() -> u64 {
    static PAGE: LazyLock<u64> = LazyLock::new(|| stage().measures().page);
    *PAGE
}

#[test]
fn a_policy_explains_each_writer() {
    for (subject, fitted) in FITTED.iter() {
        assert_eq!(fitted.unexplained, None, "{}", subject.name);
        assert!(fitted.explained == fitted.scripts && fitted.scripts > 300, "{fitted:?}");
    }
}

#[test]
fn it_explains_scripts_that_the_fit_has_not_seen() {
    for (subject, fitted) in FITTED.iter() {
        assert_eq!(unexplained(fitted.example, &unseen(subject, fitted)), None, "{}", subject.name);
    }
}

/// Each a rule or a size of a runtime's own policy, changed.
#[test]
fn a_policy_that_is_a_little_wrong_is_noticed() {
    let changed = |name: &str, change: fn(Policy) -> Policy| {
        let (subject, fitted) = writer(name);
        assert!(
            unexplained(change(fitted.example), &unseen(subject, fitted)).is_some(),
            "{name} isn't {:?}",
            change(fitted.example)
        );
    };
    changed("rust:bufwriter", |policy| {
        policy.with(Rule::Capacity, policy.get(Rule::Capacity).expect("a size") + 1)
    });
    changed("rust:bufwriter", |policy| {
        policy.with(Rule::Capacity, policy.get(Rule::Capacity).expect("a size") - 1)
    });
    changed("rust:bufwriter", |policy| policy.choose(FlushError::Drops));
    changed("rust:bufwriter", |policy| policy.choose(Through::Above));
    changed("rust:bufwriter", |policy| policy.choose(OnFull::WhatFits));
    changed("rust:bufwriter", |policy| policy.choose(Close::Tells));
    changed("rust:bufwriter", |policy| policy.choose(Close::Drops));
    changed("stdio:full", |policy| policy.choose(FlushError::Keeps));
    changed("stdio:full", |policy| policy.choose(Start::Room));
    for (subject, _) in FITTED.iter().filter(|(subject, _)| subject.name.ends_with(":text")) {
        changed(&subject.name, |policy| policy.choose(ChunkError::Keeps));
        changed(&subject.name, |policy| {
            policy.with(Rule::Chunk, policy.get(Rule::Chunk).expect("a size") + 1)
        });
    }
}

/// What docs/articles/000.md found out by other scenarios.
#[test]
fn the_policies_say_what_the_article_says() {
    let (_, stdio) = writer("stdio:full");
    assert_eq!(stdio.policy.choice(), Some(FlushError::Drops));
    let (_, rust) = writer("rust:bufwriter");
    assert_eq!(rust.policy.choice(), Some(FlushError::Keeps));
    let (_, raw) = writer("raw");
    assert_eq!(Words::of(&raw.policy).capacity, "none");
    let minor = |name: &str, mode: &str| {
        name.strip_prefix("python@3.")?.strip_suffix(mode)?.strip_suffix(':')?.parse::<u32>().ok()
    };
    for (subject, fitted) in FITTED.iter() {
        // gh-117151: a write of the buffer's own size isn't kept since 3.13.
        let (text, binary) = (minor(&subject.name, "text"), minor(&subject.name, "binary"));
        if let Some(minor) = text.or(binary) {
            let at = if minor >= 13 { Through::At } else { Through::Above };
            assert_eq!(fitted.policy.choice(), Some(at), "{}", subject.name);
            assert_eq!(fitted.policy.choice(), Some(FlushError::Keeps), "{}", subject.name);
            assert_eq!(fitted.policy.get(Rule::Capacity), Some(4096), "{}", subject.name);
        }
        if let Some(minor) = text {
            assert_eq!(fitted.policy.choice(), Some(ChunkError::Forgets), "{}", subject.name);
            // bpo-43260: 8,192 characters are handed down at once since 3.8.9.
            let through = if minor >= 8 { "8192" } else { "8193" };
            assert_eq!(Words::of(&fitted.policy).through, through, "{}", subject.name);
        }
    }
}

/// Sizes aren't assumed: whatever a program asks for is found.
#[test]
fn a_buffer_of_any_size_is_found() {
    let specs = [
        "rust:bufwriter,buffer=3",
        "rust:bufwriter,buffer=5000",
        "stdio:full,buffer=100",
        "stdio:full,buffer=777",
    ];
    let fitted = fit_all(&found(&specs).0, vec![stage(), stage()]).expect("they play");
    let sizes: Vec<String> = fitted.iter().map(|fitted| Words::of(&fitted.policy).capacity).collect();
    assert_eq!(sizes, ["3", "5000", "100", "777"]);
    assert!(fitted.iter().all(|fitted| fitted.unexplained.is_none()));
}

#[test]
fn the_page_is_what_the_runtimes_here_do() {
    let fitted: Vec<_> = FITTED.iter().map(|(subject, fitted)| (subject, fitted.clone())).collect();
    if std::env::var_os("PIPELAB_UPDATE").is_some() {
        std::fs::write(file("docs/policies.md"), policy_page::page(&fitted)).expect("written");
    }
    let page = read("docs/policies.md");
    for (subject, fitted) in &fitted {
        let row = policy_page::row(subject, fitted);
        assert!(page.contains(&row), "docs/policies.md has no line\n{row}(PIPELAB_UPDATE=1 makes it anew)");
        let rules = policy_page::answers(&fitted.policy);
        assert!(page.contains(&rules), "docs/policies.md doesn't say of {}\n{rules}", subject.name);
    }
}

#[test]
fn the_command_shows_the_same_for_any_number_of_jobs() {
    let lab = lab::Lab::new(&[]);
    let words = ["policy", "raw", "stdio:unbuffered", "--format", "json", "--jobs"];
    let one = lab.run(&[&words[..], &["1"]].concat());
    let two = lab.run(&[&words[..], &["2"]].concat());
    assert_eq!((one.status, &one.out), (Some(0), &two.out), "{one:?}");
    let object: serde_json::Value = serde_json::from_str(&one.out).expect("an object");
    assert_eq!(object["policies"][1]["rules"]["capacity"], 0);
}

#[test]
fn a_driver_that_is_none_is_told_with_the_way_out() {
    let ran = lab::Lab::new(&[]).run(&["policy", "pyhton"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("did you mean `python`?"), "{ran:?}");
}
