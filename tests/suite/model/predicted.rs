//! The model against the scenarios: what these expect, it says without playing, and what was
//! seen of them it allows.

use std::fs;

use pipelab::{
    model::{Explanation, Gave, Machine, ModelVerdict, Rule, Rules, explain, judge},
    outcome::Outcome,
    runner::{Lab, find},
    scenario::{Case, Overrides},
};

use crate::{
    lab, page,
    support::{forking, options},
};

/// Folders whose scenarios are about what the kernel does.
const FOLDERS: [&str; 3] = ["scenarios/semantics", "scenarios/fifo", "scenarios/pipe"];

fn opened() -> Lab {
    let _forking = forking();
    Lab::open(&options()).expect("a stage")
}

fn cases(lab: &mut Lab) -> Vec<(String, Case)> {
    let found = find(&FOLDERS.map(page::file)).expect("the scenarios");
    let loaded = lab.load(&found, &Overrides::default()).expect("they load");
    let of = |loaded: &pipelab::runner::Loaded| {
        let name = loaded.scenario.name.clone();
        let playable = loaded.cases.iter().filter(|case| case.skip.is_none());
        playable.map(move |case| (name.clone(), case)).collect::<Vec<_>>()
    };
    loaded.iter().flat_map(of).collect()
}

/// An outcome as a call on a handle says it: an end of file is a read of 0 bytes.
fn call_outcome(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Ok { bytes } => Outcome::Said { bytes: *bytes, words: Vec::new() },
        Outcome::Eof => Outcome::Said { bytes: Some(0), words: Vec::new() },
        other => other.clone(),
    }
}

/// Expectations of a case that the model speaks about, and those that it contradicts.
fn compare(name: &str, case: &Case, explanation: &Explanation, contradicted: &mut Vec<String>) -> usize {
    let mut compared = 0;
    for explained in &explanation.steps {
        let step = &case.steps[explained.step];
        let Some(expectation) = &step.expectation else { continue };
        // Whose bytes come, where exactly it sleeps and which signal kills aren't the model's.
        let beyond = ["blocked in", "killed", "exited"].iter().any(|word| expectation.text.starts_with(word))
            || expectation.writers().next().is_some();
        if beyond || explained.allowed.iter().any(|(settled, _)| settled.gave == Gave::Something) {
            continue;
        }
        compared += 1;
        for (settled, _) in &explained.allowed {
            let outcome = settled.gave.outcome();
            let as_call = call_outcome(&outcome);
            let allows = |outcome| expectation.allows(outcome, &[], &[], None, |_| String::new());
            if !allows(&outcome) && !allows(&as_call) {
                let (line, text, gave) = (step.line, &expectation.text, settled.gave.words());
                contradicted.push(format!("{name} line {line}: `{text}`, and the model says {gave}"));
            }
        }
        let (Some(then), [(settled, _)]) = (&expectation.then, &explained.allowed[..]) else { continue };
        if settled.gave != Gave::Blocked || expectation.text.contains("killed") {
            continue;
        }
        let later = explanation.steps.iter().filter(|later| later.step > explained.step);
        let released = later.filter_map(|later| {
            let (settled, _) = later.allowed.first()?;
            let (_, gave) = settled.released.iter().find(|(actor, _)| *actor == step.planned.actor)?;
            Some((later.step, gave.outcome()))
        });
        let released = { released }.next();
        // What comes behind the model's end it doesn't know.
        if released.is_none() && explanation.ends.is_some() {
            continue;
        }
        let resumed = released.as_ref().map(|(by, outcome)| (outcome, case.steps[*by].text.as_str()));
        let as_call = released.as_ref().map(|(by, outcome)| (call_outcome(outcome), *by));
        let resumed_call = as_call.as_ref().map(|(outcome, by)| (outcome, case.steps[*by].text.as_str()));
        if !then.allows(resumed, &[]) && !then.allows(resumed_call, &[]) {
            contradicted.push(format!(
                "{name} line {}: `{}`, and the model says {resumed:?}",
                step.line, expectation.text
            ));
        }
    }
    compared
}

fn compare_all(rules: Rules) -> (usize, Vec<String>) {
    let mut lab = opened();
    let machine = Machine::here(lab.stage().measures()).expect("a socket");
    let mut contradicted = Vec::new();
    let cases = cases(&mut lab);
    let explained = cases.iter().map(|(name, case)| (name, case, explain(&case.plan, &machine, rules)));
    let compared =
        explained.map(|(name, case, explanation)| compare(name, case, &explanation, &mut contradicted)).sum();
    (compared, contradicted)
}

#[test]
fn the_model_says_what_scenarios_expect() {
    let (compared, contradicted) = compare_all(Rules::linux());
    assert!(contradicted.is_empty(), "{contradicted:#?}");
    assert!(compared > 500, "only {compared} expectations are within the model");
}

#[test]
fn a_broken_rule_contradicts_what_scenarios_expect() {
    for rule in [Rule::Slots, Rule::Packets, Rule::QueueLimit, Rule::Unread, Rule::MessageRest] {
        let (_, contradicted) = compare_all(Rules::without(rule));
        assert!(!contradicted.is_empty(), "{rule:?} went unnoticed");
    }
}

#[test]
fn the_model_allows_what_is_seen_of_scenarios() {
    let mut lab = opened();
    let machine = Machine::here(lab.stage().measures()).expect("a socket");
    let (mut steps, mut whole) = (0, 0);
    for (name, case) in cases(&mut lab) {
        let case = std::sync::Arc::new(case);
        let judged = lab.play(&case, None).expect("it plays");
        let Some(played) = judged.played else { continue };
        let judgement = judge(&case.plan, &played.transcript, &machine, Rules::linux());
        assert!(!matches!(judgement.verdict, ModelVerdict::Differs { .. }), "{name}: {judgement:?}");
        steps += judgement.steps;
        whole += usize::from(matches!(judgement.verdict, ModelVerdict::Agrees));
    }
    assert!(steps > 1000 && whole > 60, "only {steps} steps and {whole} whole cases are within the model");
}

const FULL: &str = r#"
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "raw"
[setting]
sigpipe = "ignore"
[params]
n = ["capacity", "capacity+1"]
script = '''
reader open log read
writer open log write
writer write log {n}
reader close log
'''
"#;

#[test]
fn records_are_judged_as_what_was_played() {
    let lab = lab::Lab::new(&[("full", FULL)]);
    let records = lab.run(&["run", "scenarios", "--format", "jsonl"]).out;
    fs::write(lab.path("seen.jsonl"), &records).expect("written");
    let played = lab.run(&["judge", "scenarios"]);
    let judged = lab.run(&["judge", "seen.jsonl"]);
    assert_eq!((played.status, judged.status), (Some(0), Some(0)), "{played:?} {judged:?}");
    assert_eq!(played.out, judged.out);
    assert!(played.out.starts_with("2 cases: 2 agree to their end"), "{played:?}");
    // Another kernel's record, in which the reader's leaving isn't told.
    let other = records.replacen("\"bytes\":65536", "\"bytes\":65535", 1);
    assert_ne!(other, records);
    fs::write(lab.path("other.jsonl"), other).expect("written");
    let differs = lab.run(&["judge", "other.jsonl"]);
    assert_eq!(differs.status, Some(1), "{differs:?}");
    assert!(differs.out.contains("full (n = capacity): line 14: `writer write log {n}`"), "{differs:?}");
    assert!(differs.out.contains("allowed: ok 65536; 65536 in log"), "{differs:?}");
}

#[test]
fn a_record_that_fits_nothing_is_told_with_its_line() {
    let lab = lab::Lab::new(&[("full", FULL)]);
    let records = lab.run(&["run", "scenarios", "--format", "jsonl"]).out;
    let cases = [
        (format!("{records}nonsense\n"), "line 3: no record of `pipelab run --format jsonl`"),
        (records.replace("\"v\":1", "\"v\":7"), "line 1: records of version 7"),
        (records.replace("\"scenario\":\"full\"", "\"scenario\":\"gone\""), "--scenarios"),
        (records.replace("\"verb\":\"write\"", "\"verb\":\"read\""), "the scenario has changed since"),
        (
            records.replace("\"then\":{\"outcome\":\"ok\"", "\"then\":{\"outcome\":\"odd\""),
            "line 1: `odd` is no outcome",
        ),
        (
            records.replace("\"stuck\":null", "\"stuck\":{\"line\":99,\"waits\":[]}"),
            "line 1: the scenario has changed since",
        ),
        (records.replace("\"resumed_by\":4", "\"resumed_by\":0"), "line 2: the scenario has changed since"),
    ];
    for (text, why) in cases {
        fs::write(lab.path("bad.jsonl"), text).expect("written");
        let ran = lab.run(&["judge", "bad.jsonl"]);
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.err.contains("bad.jsonl") && ran.err.contains(why), "{ran:?}");
    }
}

/// Two writes and a read in any order.
const OPEN: &str = r#"
[channels]
log = "pipe"
[actors]
w = "raw"
r = "raw"
script = '''
w open log write
r open log read
together
w write log 1
w write log 1
r read log available
end
'''
"#;

#[test]
fn each_outcome_of_open_orders_is_judged() {
    let lab = lab::Lab::new(&[("open", OPEN)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    fs::write(lab.path("seen.jsonl"), &ran.out).expect("written");
    let played = lab.run(&["judge", "scenarios"]);
    let judged = lab.run(&["judge", "seen.jsonl"]);
    assert_eq!((played.status, judged.status), (Some(0), Some(0)), "{played:?} {judged:?}");
    assert_eq!(played.out, judged.out);
    // Three outcomes of five steps.
    assert!(played.out.starts_with("1 cases: 1 agree to their end"), "{played:?}");
    assert!(played.out.contains("; 15 steps, "), "{played:?}");
    // What the read got that came before both writes.
    let mut case = ran.objects().remove(0);
    let read = &mut case["orders"]["outcomes"][2]["steps"][2];
    assert_eq!((&read["line"], &read["bytes"]), (&13.into(), &0.into()), "{read}");
    read["bytes"] = 1.into();
    fs::write(lab.path("other.jsonl"), format!("{case}\n")).expect("written");
    let differs = lab.run(&["judge", "other.jsonl"]);
    assert_eq!(differs.status, Some(1), "{differs:?}");
    assert!(
        differs.out.starts_with("open in the order 13 11 12: line 13: `r read log available`"),
        "{differs:?}"
    );
    assert!(differs.out.contains("1 cases: 0 agree to their end, 0 as far"), "{differs:?}");
    // Whose lines have an order now.
    let closed = OPEN.replace("together\n", "\n").replace("end\n", "\n");
    fs::write(lab.path("scenarios/open.toml"), closed).expect("written");
    let changed = lab.run(&["judge", "seen.jsonl"]);
    assert_eq!(changed.status, Some(2), "{changed:?}");
    assert!(changed.err.contains("the scenario has changed since"), "{changed:?}");
}

#[test]
fn a_record_of_a_later_attempt_is_of_its_own_step() {
    let again = r#"
[channels]
log = { kind = "fifo", capacity = "page" }
[actors]
reader = "raw"
writer = "raw"
script = '''
reader open log read
writer open log write nonblock
writer write log 1; write log page repeat 3 until ok
writer close log
'''
"#;
    let lab = lab::Lab::new(&[("again", again)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    fs::write(lab.path("seen.jsonl"), &ran.out).expect("written");
    assert!(ran.out.contains("\"attempt\":3"), "{ran:?}");
    let played = lab.run(&["judge", "scenarios"]);
    let judged = lab.run(&["judge", "seen.jsonl"]);
    assert!(played.out.starts_with("1 cases: 1 agree to their end"), "{played:?}");
    assert_eq!((judged.status, &judged.out), (Some(0), &played.out), "{judged:?}");
}

/// Nothing is left out without a word.
#[test]
fn cases_that_arent_played_are_counted() {
    let missing = FULL.replace("writer = \"raw\"", "writer = \"python@3.99:text\"");
    let lab = lab::Lab::new(&[("full", FULL), ("missing", &missing)]);
    fs::write(lab.path("seen.jsonl"), lab.run(&["run", "scenarios", "--format", "jsonl"]).out)
        .expect("written");
    for what in ["scenarios", "seen.jsonl"] {
        let judged = lab.run(&["judge", what]);
        assert_eq!(judged.status, Some(0), "{judged:?}");
        assert!(judged.out.starts_with("2 cases: "), "{judged:?}");
        assert!(judged.out.trim_end().ends_with("; 1 more not played"), "{judged:?}");
    }
}

#[test]
fn an_explanation_names_results_and_rules() {
    let lab = lab::Lab::new(&[("full", FULL)]);
    let ran = lab.run(&["explain", "scenarios/full.toml", "--set", "n=capacity+1"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let blocked = ran.out.lines().find(|line| line.contains("writer write log")).expect("the step");
    assert!(blocked.contains("blocked; 65536 in log") && blocked.contains("full-write"), "{ran:?}");
    assert!(ran.out.contains("writer: then ok 65536"), "{ran:?}");
    assert!(ran.out.contains("short-before-epipe: a write that moved something"), "{ran:?}");
}
