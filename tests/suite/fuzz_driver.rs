//! `pipelab fuzz --driver`: writers do what their policies say of scripts that no fit has seen, a
//! policy that is a little wrong is noticed and shrunk, and what is written plays.

use std::{fs, sync::LazyLock};

use pipelab::{
    explore::fuzz::{Budget, Campaign, DriversTally, Found, Game, Outcome, Writer, Writers},
    model::writer::{Policy, rules::Rule},
    policy::{Check, Fitted, Shape, Subject, fit_all, subjects},
    runner,
    stage::{Launch, PlannedActor},
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    lab::{Lab, Ran, play},
    support::{forking, options, stage},
};

/// The longest script that may be left of one that shows a mistake.
const LONGEST: usize = 6;

const RUST: &str = "rust:bufwriter,buffer=100";
const STDIO: &str = "stdio:full,buffer=200";

/// Plays some scripts; the object that `--format json` gives.
fn fuzz(lab: &Lab, words: &[&str]) -> (Ran, Value) {
    let ran = lab.run(&[&["fuzz", "--format", "json"], words].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran, report)
}

fn empty() -> Lab {
    Lab::new(&[])
}

/// Both with the policies that were fitted to them: once for all tests that break these.
static FITTED: LazyLock<Vec<Writer>> = LazyLock::new(|| {
    let specs = [RUST, STDIO].map(str::to_owned);
    let (subjects, _) = {
        let _forking = forking();
        subjects(&mut runner::Lab::open(&options()).expect("a stage"), &specs)
            .expect("specs without mistakes")
    };
    let fitted = fit_all(&subjects, vec![stage(), stage()]).expect("they play");
    let writers = subjects.into_iter().zip(fitted);
    writers.map(|(subject, fitted)| Writer::new(subject, fitted).expect("a policy")).collect()
});

/// A writer of which nothing is known but its buffer's size.
fn unknown() -> (Subject, Fitted) {
    let launch = Launch::BuiltIn("rust".to_owned()).into();
    let writer = PlannedActor { name: "writer".to_owned(), launch, mode: vec![], ignores_sigpipe: true };
    let subject = Subject { name: "rust:bufwriter".to_owned(), version: String::new(), key: None, writer };
    let policy = Policy::default().with(Rule::Capacity, 10);
    let shape = Shape::around(&[10], 4096, 1 << 20);
    let fitted = Fitted {
        policy,
        example: policy,
        undecided: vec![],
        unasked: vec![],
        others: 0,
        scripts: 300,
        explained: 300,
        unexplained: None,
        shape,
    };
    (subject, fitted)
}

/// What comes of so many scripts with these.
fn played(all: Vec<Writer>, scripts: u64, jobs: usize) -> Outcome<DriversTally> {
    let budget = Budget { scripts: Some(scripts), ..Budget::default() };
    let campaign = Campaign { seed: 1, first: 0, budget, jobs, game: Writers { all, skipped: vec![] } };
    let _forking = forking();
    campaign.run(&options(), DriversTally::default(), |_, _| ()).expect("they play")
}

/// What is found with a broken rule.
fn broken(driver: &str, rule: Rule, jobs: usize) -> Option<Found> {
    let writer = FITTED.iter().find(|writer| writer.subject.name == driver).expect("it is always here");
    let writer = writer.clone().broken(rule).expect("not an open rule");
    played(vec![writer], 1000, jobs).found
}

#[test]
fn nothing_differs_and_every_rule_has_its_say() {
    let Outcome { tally, next, found } = played(FITTED.clone(), 400, 2);
    assert!(found.is_none(), "{found:?}");
    assert_eq!((next, tally.drivers.len()), (400, 2));
    for (name, driver) in &tally.drivers {
        assert_eq!((driver.scripts, driver.no_say.len()), (200, 0), "{name}: {driver:?}");
        // 24 moves, a close, and mostly something of the reader's.
        assert!((200 * 25..=200 * 27).contains(&driver.steps), "{name}: {driver:?}");
        assert!(driver.rules.len() >= 10 && driver.rules["capacity"] == 200, "{name}: {driver:?}");
        assert!(driver.rules.values().all(|scripts| *scripts > 0), "{name}: {driver:?}");
    }
}

#[rstest]
#[case::a_byte_more(RUST, Rule::Capacity)]
#[case::what_a_failed_flush_keeps(RUST, Rule::FlushError)]
#[case::what_a_full_buffer_s_worth_does(RUST, Rule::Through)]
#[case::what_a_refused_write_leaves(RUST, Rule::OnFull)]
#[case::what_a_close_tells(RUST, Rule::Close)]
#[case::what_a_failed_flush_drops(STDIO, Rule::FlushError)]
#[case::what_a_failed_write_counts(STDIO, Rule::Count)]
#[case::a_first_write(STDIO, Rule::Start)]
#[case::whole_blocks(STDIO, Rule::Direct)]
fn a_policy_that_is_a_little_wrong_is_noticed_and_shrunk(#[case] driver: &str, #[case] rule: Rule) {
    let found = broken(driver, rule, 2).expect("it is noticed");
    let scenario = &found.regression.text;
    assert!(found.again && found.tries > 1, "{found:?}");
    assert!((1..=LONGEST).contains(&found.shrunk_to), "{} moves:\n{scenario}", found.shrunk_to);
    assert!(scenario.contains("# runtime: ") && scenario.contains("# policy:  "), "{scenario}");
    // It expects what the wrong policy says, and what was seen is something else.
    let lab = Lab::new(&[("found", scenario)]);
    let played = lab.run(&["run", "scenarios"]);
    assert_eq!(played.status, Some(1), "{}{}\n{scenario}", played.out, played.err);
    assert!(played.out.contains("expected"), "{}", played.out);
}

#[test]
fn what_is_found_is_the_same_for_any_number_of_jobs() {
    let found = |jobs| broken(STDIO, Rule::Start, jobs).map(|found| (found.index, found.regression));
    assert!(found(1).is_some());
    assert_eq!(found(1), found(3));
}

#[test]
fn what_is_found_is_written_and_true_once_the_wrong_policy_is_right() {
    let lab = empty();
    let (ran, report) = fuzz(&lab, &["--driver", RUST, "--broken-policy", "capacity", "--scripts", "100"]);
    let found = &report["found"];
    assert_eq!((ran.status, &found["driver"]), (Some(1), &Value::from(RUST)), "{report}");
    let file = lab.path(found["file"].as_str().expect("a file"));
    let scenario = found["scenario"].as_str().expect("a scenario");
    assert_eq!(fs::read_to_string(file).expect("it is there"), scenario);
    // One write more than the buffer holds flushes the first one; the wrong policy holds both.
    let (held, seen) = ("kernel     = 0", "kernel     = 58");
    assert!(scenario.contains(held) && scenario.contains("# runtime: ok 43, 58 in the kernel"), "{scenario}");
    // It asserts that nothing differs.
    play(&scenario.replace(held, seen), &[]);
}

#[test]
fn the_report_is_the_same_for_any_number_of_jobs_and_of_runs() {
    let lab = empty();
    let report = |words: &[&str]| fuzz(&lab, &[&["--driver", "raw"], words].concat()).1;
    let one = report(&["--steps", "1600", "--jobs", "1"]);
    let next = one["next"].as_u64().expect("a number");
    assert!((58..=64).contains(&next), "{one}");
    assert_eq!(one, report(&["--steps", "1600", "--jobs", "2"]));
    assert_eq!(report(&["--scripts", "30", "--resume", "state.json"])["next"], 30);
    let rest = (next - 30).to_string();
    assert_eq!(one, report(&["--scripts", &rest, "--resume", "state.json"]));
    let other = lab.run(&["fuzz", "--channel", "fifo", "--scripts", "1", "--resume", "state.json"]);
    assert_eq!(other.status, Some(2), "{other:?}");
    assert!(other.err.contains("its drivers are raw, not the channels fifo"), "{}", other.err);
    // What an older kernel's or runtime's writer did isn't added to.
    let state = fs::read_to_string(lab.path("state.json")).expect("a state");
    assert_eq!(state.matches("(holds nothing)").count(), 1, "{state}");
    fs::write(lab.path("state.json"), state.replace("holds nothing", "holds 7")).expect("written");
    let other = lab.run(&["fuzz", "--driver", "raw", "--scripts", "1", "--resume", "state.json"]);
    assert_eq!(other.status, Some(2), "{other:?}");
    assert!(
        other.err.contains("it counts scripts with raw ") && other.err.contains("(holds 7)"),
        "{}",
        other.err
    );
}

#[test]
fn who_is_not_here_is_skipped_with_the_way_to_get_it() {
    let (ran, report) = fuzz(&empty(), &["--driver", "python@3.99", "--driver", "raw", "--scripts", "2"]);
    assert_eq!((ran.status, &report["drivers"]["raw"]["scripts"]), (Some(0), &Value::from(2)), "{ran:?}");
    assert!(ran.err.contains("fitting a policy to raw, Linux"), "{}", ran.err);
    assert_eq!(report["policies"]["raw"], "holds nothing", "{report}");
    assert!(ran.err.contains("skipped: python 3.99 isn't on this machine; install it"), "{}", ran.err);
    let remedy = report["skipped"][0]["remedy"].as_str().expect("a remedy");
    assert!(remedy.contains("pyenv install 3.99"), "{report}");
    let alone = empty().run(&["fuzz", "--driver", "python@3.99"]);
    assert_eq!((alone.status, alone.out.as_str()), (Some(4), ""), "{alone:?}");
    let (alone, report) = fuzz(&empty(), &["--driver", "python@3.99"]);
    assert_eq!((alone.status, report["skipped"][0]["remedy"].as_str()), (Some(4), Some(remedy)), "{alone:?}");
}

#[test]
fn a_person_is_shown_the_policy_and_what_each_of_its_rules_had_to_say() {
    let ran = empty().run(&["fuzz", "--driver", "raw", "--scripts", "50"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let words: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |begin: &[&str]| {
        words.iter().find(|row| row.starts_with(begin)).map(|row| *row.last().expect("words"))
    };
    assert_eq!(row(&["raw", "50"]), Some("nothing"), "it holds nothing: {}", ran.out);
    assert_eq!(row(&["raw", "capacity", "0"]), Some("50"), "{}", ran.out);
    let short = row(&["raw", "short", "says", "so"]).and_then(|scripts| scripts.parse::<u64>().ok());
    assert!(short.is_some_and(|scripts| (1..50).contains(&scripts)), "{}", ran.out);
    assert!(ran.out.contains("\nnothing differs\n"), "{}", ran.out);
}

#[rstest]
#[case::channels_too(&["--driver", "raw", "--channel", "fifo"], "'--driver <DRIVER>' cannot be used with '--channel <KIND>'")]
#[case::no_driver(&["--driver", "pyhton"], "did you mean `python`?")]
#[case::no_mode(&["--driver", "rust:bufwritter"], "did you mean `bufwriter`?")]
#[case::the_kernel_s_rule(&["--driver", "raw", "--broken", "slots"], "cannot be used with")]
#[case::a_rule_that_is_open(&["--driver", "raw", "--broken-policy", "lines"], "the policy of raw leaves `lines` open")]
fn mistakes_are_told(#[case] words: &[&str], #[case] why: &str) {
    let ran = empty().run(&[&["fuzz"], words].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains(why), "{}", ran.err);
}

#[test]
fn a_writer_without_a_policy_is_left_out_with_the_way_to_see_why() {
    let (subject, fitted) = unknown();
    let script = fitted.shape.random(1, 1, 12);
    let differs = Check::Differs { at: 0, predicted: String::new(), seen: String::new() };
    let none = Fitted { explained: 299, unexplained: Some((script, differs)), ..fitted.clone() };
    let skip = Writer::new(subject.clone(), none).expect_err("it is left out");
    assert!(skip.reason.contains("no policy explains all of 300 scripts with rust:bufwriter"), "{skip:?}");
    assert!(skip.remedy.contains("`pipelab policy rust:bufwriter`"), "{skip:?}");
    assert!(Writer::new(subject, fitted).is_ok());
}

#[test]
fn a_rule_that_is_open_cannot_be_broken() {
    let broken = |rule| {
        let (subject, fitted) = unknown();
        Writer::new(subject, fitted).expect("a policy").broken(rule)
    };
    assert_eq!(broken(Rule::Capacity).and_then(|writer| writer.policy.get(Rule::Capacity)), Some(11));
    assert!(broken(Rule::Close).is_none());
}

/// So a script of several drivers' is played again with its driver alone.
#[test]
fn a_script_hangs_on_nothing_but_its_writer_its_seed_and_its_index() {
    let plan = |writers, seed, index| {
        let (subject, fitted) = unknown();
        let all = vec![Writer::new(subject, fitted).expect("a policy"); writers];
        let game = Writers { all, skipped: vec![] };
        game.plan(&game.script(&4096, seed, index)).into_owned()
    };
    assert_eq!(plan(1, 7, 5), plan(3, 7, 5));
    assert_ne!(plan(1, 7, 5), plan(1, 7, 6));
    assert_ne!(plan(1, 7, 5), plan(1, 8, 5));
}
