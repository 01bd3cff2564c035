//! `pipelab fuzz`: nothing differs from the model on this kernel, every mistake that is made
//! in the model on purpose is noticed and shrunk, and what is written plays.

use std::fs;

use pipelab::{
    explore::fuzz::GROUNDS,
    model::{Rule, Rules},
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    lab::{Lab, Ran},
    page,
};

/// Steps within which a mistake in the model must be noticed.
const STEPS: u64 = 100_000;

/// Where a rule of the kernel's fs/pipe.c shows, and where others do.
const PIPES: &[&str] = &["fifo,pipe,packet"];
const SOCKETS: &[&str] = &["stream,seqpacket", "dgram", "oneway"];
/// Where one shows for which three must have the pipe: there nobody has to open it.
const COPIES: &[&str] = &["packet"];

/// The longest script that may be left of one, without its preamble.
const LONGEST: u64 = 6;

/// Plays some scripts; the object that `--format json` gives.
fn fuzz(lab: &Lab, words: &[&str]) -> (Ran, Value) {
    let ran = lab.run(&[&["fuzz", "--format", "json"], words].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran, report)
}

/// The report but for what hangs on the kernel, where it may choose: of a step behind such a choice
/// another number of results is allowed, and other rules have a say.
fn chosen_by_nobody(mut report: Value) -> Value {
    let channels = report["channels"].as_object_mut().expect("by channel");
    channels.values_mut().for_each(|channel| channel["allowed"] = Value::Null);
    report["rules"] = Value::Null;
    report
}

/// The scripts in which a rule had a say.
fn rules(report: &Value) -> impl Iterator<Item = (&str, u64)> {
    let rules = report["rules"].as_object().expect("by rule");
    rules.iter().map(|(name, count)| (name.as_str(), count.as_u64().expect("a number")))
}

fn empty() -> Lab {
    Lab::new(&[])
}

/// More are played by `pipelab fuzz` itself.
#[test]
fn nothing_differs_on_any_kind_of_channel() {
    let (ran, report) = fuzz(&empty(), &["--seed", "1", "--scripts", "1400"]);
    assert_eq!(ran.status, Some(0), "{}", report["found"]["scenario"]);
    let channels = report["channels"].as_object().expect("by channel");
    assert_eq!(channels.len(), GROUNDS.len());
    for (name, channel) in channels {
        assert_eq!(channel["scripts"], 1400 / GROUNDS.len() as u64, "{name}");
        let steps = channel["steps"].as_u64().expect("a number");
        assert!(steps > 1000, "{name}: the model judged {steps} steps");
    }
}

#[test]
fn every_regression_is_told_of_with_its_cause() {
    let page = page::read("docs/fuzz.md");
    let kept = fs::read_dir(page::file("scenarios/regressions")).expect("a folder");
    for entry in kept {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").display().to_string();
        assert!(page.contains(&format!("`{name}`: ")), "docs/fuzz.md doesn't say what {name} was");
    }
}

#[test]
fn every_mistake_in_the_model_is_noticed_and_shrunk() {
    let lab = empty();
    let mut rules = 0;
    for (rule, _) in Rules::broken() {
        let name = rule.info().name;
        let channels = match rule {
            Rule::MergeAtEntry => COPIES,
            _ if rule.info().source.contains("fs/pipe.c") => PIPES,
            _ => SOCKETS,
        };
        let steps = (STEPS / channels.len() as u64).to_string();
        let broken =
            |channel: &&str| fuzz(&lab, &["--channel", channel, "--broken", name, "--steps", &steps]);
        let noticed = channels.iter().map(broken).find(|(ran, _)| ran.status != Some(0));
        let (ran, report) = noticed.unwrap_or_else(|| panic!("{name} isn't noticed"));
        assert_eq!(ran.status, Some(1), "{name}: {report}");
        let found = &report["found"];
        let left = found["shrunk_to"].as_u64().expect("a number");
        assert!(left <= LONGEST, "{name} has {left} steps:\n{}", found["scenario"].as_str().unwrap_or(""));
        // The scenario is one, and differs, since it expects what the broken model allows.
        let played = lab.run(&["run", found["file"].as_str().expect("a file")]);
        assert_eq!(played.status, Some(1), "{name}: {}{}\n{}", played.out, played.err, found["scenario"]);
        rules += 1;
    }
    assert!(rules >= 12, "{rules} rules were broken");
}

#[test]
fn a_resumed_run_goes_on_with_the_next_script() {
    let lab = empty();
    let args = |scripts| ["--channel", "fifo,pipe", "--scripts", scripts, "--resume", "state.json"];
    let (_, first) = fuzz(&lab, &args("30"));
    assert_eq!(first["next"], 30);
    let (_, second) = fuzz(&lab, &args("34"));
    let (_, whole) = fuzz(&empty(), &["--channel", "fifo,pipe", "--scripts", "64"]);
    assert!(rules(&first).count() > 10, "{first}");
    for (name, count) in rules(&first) {
        let in_all = rules(&second).find(|(other, _)| *other == name).map(|(_, in_all)| in_all);
        assert!(in_all >= Some(count), "{name}: {count} scripts, then {in_all:?}");
    }
    assert_ne!(first["channels"], whole["channels"]);
    assert_eq!(chosen_by_nobody(second), chosen_by_nobody(whole));
}

#[rstest]
#[case::of_another_seed(&["--seed", "2", "--channel", "fifo"], "its seed is 1, not 2")]
#[case::of_other_channels(&["--channel", "pipe"], "its channels are fifo, not pipe")]
fn a_state_is_not_taken_for_another_run(#[case] words: &[&str], #[case] why: &str) {
    let lab = empty();
    let resume = ["--scripts", "2", "--resume", "state.json"];
    fuzz(&lab, &[&resume[..], &["--channel", "fifo"]].concat());
    let ran = lab.run(&[&["fuzz"], &resume[..], words].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("state.json") && ran.err.contains(why), "{}", ran.err);
}

#[test]
fn a_file_that_is_no_state_is_left_alone() {
    let lab = empty();
    fs::write(lab.path("state.json"), "{}").expect("a file");
    let ran = lab.run(&["fuzz", "--scripts", "2", "--resume", "state.json"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("it is no state of a fuzz run"), "{}", ran.err);
    assert_eq!(fs::read_to_string(lab.path("state.json")).expect("a file"), "{}");
}

/// Whoever asks for it is told at once.
#[test]
fn a_state_that_cant_be_kept_ends_the_run_before_it_begins() {
    let lab = empty();
    let (missing, taken) = (lab.path("nowhere/state.json"), lab.path("state.json.new"));
    fs::create_dir(&taken).expect("a folder");
    for (state, file) in [(&missing, lab.path("nowhere/state.json.new")), (&lab.path("state.json"), taken)] {
        let ran = lab.run(&["fuzz", "--steps", "1000000000", "--resume", state.to_str().expect("UTF-8")]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        let said = format!("writing {}: ", file.display());
        assert!(ran.err.contains(&said) && ran.err.contains("let --resume name"), "{}", ran.err);
    }
}

/// Nothing goes on behind a finding that nobody has.
#[test]
fn a_finding_that_cant_be_written_is_shown_and_found_again() {
    let lab = empty();
    fs::write(lab.path("file"), "").expect("a file");
    let find = |folder: &str| {
        let words =
            ["--channel", "fifo", "--broken", "merge", "--resume", "state.json", "--regressions", folder];
        fuzz(&lab, &words)
    };
    let (ran, first) = find("file/folder");
    let index = first["found"]["index"].as_u64().expect("a script");
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let way_out = format!("`--first {index} --scripts 1` finds it again");
    assert!(ran.err.contains("file/folder") && ran.err.contains(&way_out), "{}", ran.err);
    let (ran, second) = find("folder");
    assert_eq!((ran.status, &second["found"]["index"]), (Some(1), &first["found"]["index"]), "{ran:?}");
    assert_eq!(second["found"]["scenario"], first["found"]["scenario"]);
    // Behind it; and what lies there already is left alone.
    let path = lab.path(second["found"]["file"].as_str().expect("a file"));
    fs::write(&path, "# explained").expect("written");
    let words = ["--channel", "fifo", "--broken", "merge", "--scripts", "1", "--regressions", "folder"];
    let index = index.to_string();
    let (_, third) = fuzz(&lab, &[&words[..], &["--first", &index]].concat());
    assert_ne!(third["found"]["file"], second["found"]["file"]);
    assert_eq!(fs::read_to_string(&path).expect("a file"), "# explained");
    let (_, next) = find("folder");
    assert!(next["found"]["index"].as_u64() > second["found"]["index"].as_u64(), "{next}");
}

#[test]
fn the_report_is_the_same_for_any_number_of_jobs() {
    let play = |jobs| chosen_by_nobody(fuzz(&empty(), &["--seed", "5", "--steps", "3000", "--jobs", jobs]).1);
    let one = play("1");
    assert!(one["next"].as_u64().is_some_and(|next| next > 70), "{one}");
    assert_eq!(one, play("2"));
    assert_eq!(one, play("3"));
}

#[test]
fn what_is_found_is_the_same_for_any_number_of_jobs() {
    let play = |jobs| {
        let (_, report) = fuzz(&empty(), &["--channel", "fifo", "--broken", "slots", "--jobs", jobs]);
        report["found"]["index"].clone()
    };
    assert!(play("1").is_u64());
    assert_eq!(play("1"), play("2"));
}

#[rstest]
#[case::a_channel(&["--channel", "carrier-pigeon"], "the kinds are fifo, pipe")]
#[case::no_scripts(&["--scripts", "0"], "0 is not in 1..")]
#[case::a_time(&["--time", "soon"], "--time")]
#[case::an_index(&["--first", "18446744073709551615"], "--first")]
#[case::two_beginnings(&["--first", "3", "--resume", "state.json"], "cannot be used with")]
fn mistakes_are_told(#[case] words: &[&str], #[case] why: &str) {
    let ran = empty().run(&[&["fuzz"], words].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains(why), "{}", ran.err);
}
