//! From a scenario to its cases.

use std::collections::HashSet;

use super::{super::*, *};
use crate::{
    outcome::{Access, Action, Amount, snapshot},
    stage::{Condition, PlannedStep},
};

#[test]
fn the_sketch_of_the_design_makes_ten_cases() {
    let cases = cases_of(SKETCH);
    let titles: Vec<String> = cases.iter().map(Case::title).collect();
    assert_eq!(titles.len(), 10);
    assert_eq!(titles[0], "n = 1, writer = python:text");
    assert_eq!(titles[5], "n = blksize+1, writer = python:binary");
    let case = &cases[5];
    assert_eq!(*case.snapshot_key, *"python-3.13");
    assert_eq!(case.plan.actors[1].mode, ["binary"]);
    assert!(case.plan.actors[1].ignores_sigpipe);
    assert_eq!(case.steps.len(), 8);
    let write = &case.steps[3];
    assert_eq!((write.line, write.text.as_str()), (19, "writer write log {n}"));
    assert_eq!(write.size_text.as_deref(), Some("blksize+1"));
    assert_eq!(
        write.planned.action,
        Action::Write { channel: 0, bytes: 4097, wide: false, newline: false, pieces: None }
    );
    assert_eq!(case.steps[4].planned.condition, Condition::UnlessFailed);
    assert_eq!(case.steps[7].planned.action, Action::Read { channel: 0, amount: Amount::ToEof });
    assert_eq!(case.plan.steps.len(), 8);
    let lost = &case.expect.bytes[0];
    assert_eq!((lost.quantity, lost.name_of(0).as_deref(), lost.line), (Quantity::Lost, Some("0"), 27));
}

#[rstest::rstest]
#[case("4097", 4097, "4097")]
#[case("{n}", 7, "page/1024+3")]
#[case("n", 7, "page/1024+3")]
#[case("{2*n+1}", 15, "2*(page/1024+3)+1")]
#[case("2*{n}", 14, "2*(page/1024+3)")]
#[case("2 * n + 1", 15, "2 * (page/1024+3) + 1")]
#[case("{ n }", 7, "page/1024+3")]
#[case("blksize+1", 4097, "blksize+1")]
#[case("8 KiB", 8192, "8 KiB")]
#[case("8KiB-1", 8191, "8KiB-1")]
#[case("w.buffer", 8192, "w.buffer")]
#[case("rust.buffer+1", 8193, "rust.buffer+1")]
#[case("1_000", 1000, "1_000")]
fn sizes_are_expressions(#[case] size: &str, #[case] bytes: u64, #[case] shown: &str) {
    let script = format!("w open log write\nw write log {size} newline\nw write log {{n}}");
    let text = format!("{}\n[params]\nn = \"page/1024+3\"\n", with_script("rust", &script));
    let cases = cases_of(&text);
    let step = &cases[0].steps[1];
    assert_eq!(
        step.planned.action,
        Action::Write { channel: 0, bytes, wide: false, newline: true, pieces: None }
    );
    assert_eq!(step.size_text.as_deref(), Some(shown));
}

#[test]
fn a_parameter_may_be_a_phrase_or_empty() {
    let text = with_script("raw", "w open log write {how}\nw {ending}\n{last}")
        + "[params]\nhow = [\"\", \"nonblock\"]\nending = [\"exit 3\", \"close log\"]\nlast = [\"\", \"r sleep\"]\n";
    let cases = cases_of(&text);
    assert_eq!(cases.len(), 8);
    let verbs = |case: &Case| case.steps.iter().map(|step| step.planned.action.clone()).collect::<Vec<_>>();
    let open = |nonblock| Action::Open { channel: 0, access: Access::Write, nonblock };
    assert_eq!(verbs(&cases[0]), [open(false), Action::Exit { status: 3 }]);
    assert_eq!(verbs(&cases[7]), [open(true), Action::Close { channel: 0 }, Action::Sleep]);
}

#[test]
fn a_size_in_a_phrase_is_read_too() {
    let text = with_script("raw", "w open log write\nw {step}")
        + "[params]\nstep = [\"write log 2*page newline\", \"write log 5 pieces 2\"]\n";
    let actions: Vec<Action> =
        cases_of(&text).iter().map(|case| case.steps[1].planned.action.clone()).collect();
    assert_eq!(
        actions,
        [
            Action::Write { channel: 0, bytes: 8192, wide: false, newline: true, pieces: None },
            Action::Write { channel: 0, bytes: 5, wide: false, newline: false, pieces: Some(2) },
        ]
    );
}

#[test]
fn a_step_carries_its_expectation_condition_and_repeat() {
    let script = "w open log write nonblock if failed repeat 3 until ok -> ok or ENXIO   # no reader";
    let step = cases_of(&with_script("raw", script))[0].steps[0].clone();
    assert_eq!(step.text, "w open log write nonblock if failed repeat 3 until ok");
    assert_eq!(step.planned.condition, Condition::IfFailed);
    assert_eq!(step.planned.attempts, 3);
    assert_eq!(step.expectation.as_ref().unwrap().text, "ok or ENXIO");
}

#[test]
fn layers_reach_the_driver_as_a_word_and_stay_out_of_nothing_else() {
    let case = &cases_of(&with_script("python@3.8:text,layers,buffer=page", "w sleep"))[0];
    assert_eq!(case.plan.actors[1].mode, ["text", "layers", "buffer=4096"]);
    // A driver of one's own may have layers that nobody here knows.
    let own = with_script("mine:fast,layers", "w sleep") + "[drivers.mine]\ncommand = [\"/bin/mine\"]\n";
    assert_eq!(cases_of(&own)[0].plan.actors[1].mode, ["fast", "layers"]);
}

#[test]
fn the_buffer_reaches_the_driver_as_a_number() {
    let text = with_script("python@3.8:text,buffer=2*{n}", "w open log write") + "[params]\nn = \"page+1\"\n";
    let case = &cases_of(&text)[0];
    assert_eq!(case.plan.actors[1].mode, ["text", "buffer=8194"]);
    assert_eq!(case.actors[1].runtime.as_ref().unwrap().version, "3.8");
}

#[test]
fn a_mode_is_always_named() {
    let case = &cases_of(&with_script("python", "w open log write"))[0];
    assert_eq!(case.plan.actors[0].mode, ["syscalls"]);
    assert_eq!(case.plan.actors[1].mode, ["text"]);
    assert_eq!(case.actors[1].runtime.as_ref().unwrap().version, "3.13");
}

#[test]
fn raw_alone_has_one_snapshot_everywhere() {
    assert_eq!(*cases_of(&with_script("raw", "w sleep"))[0].snapshot_key, *"raw");
    assert_eq!(*cases_of(&with_script("stdio", "w sleep"))[0].snapshot_key, *"stdio-glibc");
}

#[test]
fn all_versions_multiply_a_parameter() {
    let text = SKETCH.replace("\"python:text\", \"python:binary\"", "\"python@all:text\"");
    let cases = cases_of(&text);
    assert_eq!(cases.len(), 10);
    assert_eq!(cases[0].params[1], ("writer".to_owned(), "python@3.8:text".to_owned()));
    assert_eq!(cases[1].params[1], ("writer".to_owned(), "python@3.13:text".to_owned()));
    assert_eq!(*cases[0].snapshot_key, *"python-3.8");
}

#[test]
fn all_versions_multiply_an_actor() {
    let cases = cases_of(&with_script("python@all", "w sleep"));
    let titles: Vec<String> = cases.iter().map(Case::title).collect();
    assert_eq!(titles, ["w = python@3.8", "w = python@3.13"]);
}

#[test]
fn all_versions_name_the_only_one_too() {
    let scenario = parse(&with_script("python@all:line", "w sleep")).unwrap();
    let mut catalog = catalog();
    catalog.runtimes.retain(|runtime| runtime.version != "3.13");
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].title(), "w = python@3.8:line");
}

#[rstest::rstest]
#[case("python")]
#[case("python@all")]
fn a_runtime_given_by_path_is_nobody_elses(#[case] spec: &str) {
    let scenario = parse(&with_script(spec, "w sleep")).unwrap();
    let mut catalog = catalog();
    catalog.runtimes.retain(|runtime| runtime.driver != "python");
    catalog.runtimes.push(runtime("python", "/opt/python3", None, &[]));
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert!(cases[0].skip.is_some());
}

#[rstest::rstest]
#[case("3.8", "python 3.8 isn't on this machine")]
#[case("3", "python 3 isn't on this machine")]
#[case("3.6", "python 3.6 can't be used here: /usr/bin/python3.6 doesn't run the driver")]
fn a_reason_is_about_the_version_asked_for(#[case] version: &str, #[case] reason: &str) {
    let scenario = parse(&with_script(&format!("python@{version}"), "w sleep")).unwrap();
    let mut catalog = catalog();
    catalog.runtimes.retain(|runtime| runtime.version != "3.8");
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert_eq!(cases[0].skip.as_ref().unwrap().reason, reason);
}

#[test]
fn a_version_listed_beside_all_makes_no_second_case() {
    let text = with_script("{d}", "w sleep") + "[params]\nd = [\"python@3.13\", \"python@all\"]\n";
    let titles: Vec<String> = cases_of(&text).iter().map(Case::title).collect();
    assert_eq!(titles, ["d = python@3.13", "d = python@3.8"]);
}

#[test]
fn a_missing_runtime_is_one_skip_for_all_sizes() {
    let cases = cases_of(&SKETCH.replace("python:text", "python@3.6:text"));
    let skipped: Vec<&Case> = cases.iter().filter(|case| case.skip.is_some()).collect();
    assert_eq!((cases.len(), skipped.len()), (6, 1));
    assert_eq!(skipped[0].params, [("writer".to_owned(), "python@3.6:text".to_owned())]);
}

#[test]
fn a_version_that_was_recorded_and_is_gone_is_one_visible_skip() {
    let text = SKETCH.replace("\"python:text\", \"python:binary\"", "\"python@all:text\"");
    let recorded = vec![("python".to_owned(), "3.6".to_owned()), ("python".to_owned(), "3.8".to_owned())];
    let cases = cases_with(&text, &Overrides { recorded, ..Overrides::default() });
    let skipped: Vec<&Case> = cases.iter().filter(|case| case.skip.is_some()).collect();
    assert_eq!((cases.len(), skipped.len()), (11, 1));
    assert_eq!(skipped[0].title(), "writer = python@3.6:text");
    assert_eq!(*skipped[0].snapshot_key, *"python-3.6");
    assert!(skipped[0].plan.steps.is_empty());
    let skip = skipped[0].skip.as_ref().unwrap();
    assert_eq!(skip.reason, "python 3.6 can't be used here: /usr/bin/python3.6 doesn't run the driver");
    assert_eq!(skip.remedy, "reinstall it");
}

#[test]
fn without_any_version_all_is_one_skip() {
    let scenario = parse(&with_script("python@all", "w sleep")).unwrap();
    let mut catalog = catalog();
    catalog.runtimes.retain(|runtime| runtime.driver != "python");
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(
        cases[0].skip.as_ref().unwrap().reason,
        "python can't be used here: /usr/bin/python3.6 doesn't run the driver"
    );
}

#[test]
fn a_size_that_the_runtime_does_not_tell_is_a_skip() {
    let scenario = parse(&with_script("python@3.8", "w open log write\nw write log w.chunk")).unwrap();
    let mut catalog = catalog();
    for runtime in &mut catalog.runtimes {
        runtime.symbols.remove("chunk");
    }
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert_eq!(cases[0].skip.as_ref().unwrap().reason, "the runtime here tells no size `w.chunk`");
}

#[test]
fn set_replaces_the_values_of_a_parameter() {
    let mut overrides = Overrides::default();
    overrides.set("n=5000").unwrap();
    overrides.set("n=blksize+7").unwrap();
    overrides.set("writer=[\"stdio:full,buffer=100\", \"raw\"]").unwrap();
    let titles: Vec<String> = cases_with(SKETCH, &overrides).iter().map(Case::title).collect();
    assert_eq!(titles[0], "n = 5000, writer = stdio:full,buffer=100");
    assert_eq!(titles[3], "n = blksize+7, writer = raw");
    assert_eq!(titles.len(), 4);
}

#[rstest::rstest]
#[case("n", "`n` isn't `name=value`")]
#[case("=5", "`=5` isn't `name=value`")]
#[case("n=[1", "unclosed array")]
#[case("n=[]", "an empty list makes no case at all")]
#[case("n=[1.5]", "not a float")]
fn set_says_what_is_wrong(#[case] text: &str, #[case] message: &str) {
    let error = Overrides::default().set(text).unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[test]
fn set_of_an_unknown_parameter_lists_the_parameters() {
    let mut overrides = Overrides::default();
    overrides.set("m=5").unwrap();
    let problems = bind(&parse(SKETCH).unwrap(), &catalog(), &overrides).unwrap_err();
    assert_eq!(problems.list[0].message, "`test` has no parameter `m` to set");
    assert_eq!(problems.list[0].help.as_deref(), Some("its parameters are `n` and `writer`"));
    assert!(problems.render(false).contains("help: its parameters"), "{problems}");
}

#[test]
fn a_bad_value_that_was_set_is_named() {
    let mut overrides = Overrides::default();
    overrides.set("n=[5, \"0-1\"]").unwrap();
    let problems = bind(&parse(SKETCH).unwrap(), &catalog(), &overrides).unwrap_err();
    assert_eq!(problems.list.len(), 1, "{problems}");
    assert_eq!(problems.list[0].message, "a size of -1 bytes");
    assert_eq!(problems.list[0].when.as_deref(), Some("n = 0-1"));
}

#[test]
fn a_driver_of_ones_own_starts_at_the_scenarios_folder() {
    let text = with_script("mine:fast,buffer=page", "w open log write\nw await log write")
        + "[drivers]\nmine = { command = [\"./bin/drive\", \"--fast\"] }\nother = { command = [\"prog\"] }\n";
    let case = &cases_of(&text)[0];
    let actor = &case.plan.actors[1];
    assert_eq!(actor.mode, ["fast", "buffer=4096"]);
    let Launch::Program { command, env, .. } = &*actor.launch else { panic!("{:?}", actor.launch) };
    // Drivers don't start in the caller's folder.
    let program = std::env::current_dir().unwrap().join("dir/bin/drive");
    assert_eq!(*command, [program.to_str().unwrap(), "--fast"]);
    assert_eq!(*env, crate::driver::environment());
    assert_eq!(*case.snapshot_key, *"custom-mine");
    assert_eq!(parse(&text).unwrap().drivers[1].command, ["prog"]);
}

#[test]
fn expectations_of_several_channels() {
    let text = "[channels]\na = \"fifo\"\nb = { kind = \"fifo\" }\n[actors]\nw = { driver = \"raw\" }\n[params]\nn = [2]\n\
        [expect]\nerror_at = \"close\"\nend = \"stuck\"\n[expect.b]\nlost = \"n*page\"\nkernel = 3\n";
    let text = format!("script = 'w sleep'\n{text}");
    let case = &cases_of(&text)[0];
    assert_eq!((case.expect.error_at, case.expect.end), (Some(ErrorAt::Close), Some(EndKind::Stuck)));
    assert_eq!((case.expect.error_at_line, case.expect.end_line), (10, 11));
    let bytes: Vec<_> =
        case.expect.bytes.iter().map(|b| (b.channel, b.quantity, b.wanted.exactly(), b.line)).collect();
    assert_eq!(bytes, [(1, Quantity::Lost, Some(8192), 13), (1, Quantity::Kernel, Some(3), 14)]);
    assert_eq!(case.expect.bytes[0].wanted.text(), "2*page");
}

#[test]
fn programs_asked_for_by_path_are_told() {
    let text = with_script("python@/opt/py/bin/python3:text", "w sleep") + "[params]\nx = \"python@/a\"\n";
    let text = text.replace("r = \"raw\"", "r = \"{x}\"");
    let scenario = parse(&text).unwrap();
    let programs = scenario.programs(&Overrides::default());
    let expected = [("python", "/a"), ("python", "/opt/py/bin/python3")];
    assert_eq!(programs, expected.map(|(driver, path)| (driver.to_owned(), path.to_owned())).into());
    let named = scenario.drivers_named(&Overrides::default());
    assert!(named.is_empty(), "what is given by path needs no search: {named:?}");
    let mut catalog = catalog();
    catalog.runtimes.push(runtime("python", "/a", Some("python-x"), &[]));
    let cases = bind(&scenario, &catalog, &Overrides::default()).unwrap();
    assert_eq!(cases[0].skip.as_ref().unwrap().reason, "python /opt/py/bin/python3 isn't on this machine");
}

#[rstest::rstest]
#[case("script = '''\nw sleep\n\n  w spin'''", [2, 4])]
#[case("script = '''w sleep\n\n  w spin'''", [1, 3])]
#[case("script = \"\"\"\r\nw sleep\r\n\r\nw spin\"\"\"", [2, 4])]
#[case("script = \"w sleep\\nw spin\"", [1, 1])]
#[case("script = \"\"\"w sl\\u0065ep\n\\\n\n   w spin\"\"\"", [1, 4])]
fn lines_are_those_of_the_file(#[case] script: &str, #[case] lines: [usize; 2]) {
    let case = &cases_of(&format!("{script}\n[actors]\nw = \"raw\"\n"))[0];
    assert_eq!(case.steps.iter().map(|step| step.line).collect::<Vec<_>>(), lines);
}

/// The words of a script's steps, as records call them, with what holds for each.
fn told(script: &str, set: &str) -> Vec<String> {
    let text = format!("[params]\nn = {set}\n{}", with_script("raw", script));
    let cases = cases_of(&text);
    let told = |step: &CaseStep| {
        let PlannedStep { condition, attempts, joined, .. } = *step.planned;
        format!("{}|{condition:?}|{attempts}|{joined}", step.text)
    };
    cases.iter().flat_map(|case| case.steps.iter().map(|step| told(step))).collect()
}

#[test]
fn a_sequence_is_steps_that_stand_and_fall_together() {
    let script = "w open log write\nw write log {n}; flush log\n\
                  w write log again when n > 4; flush log  if failed repeat 3 until ok";
    assert_eq!(
        told(script, "[4]"),
        [
            "w open log write|Always|1|false",
            "w write log {n}|Always|1|false",
            "w then flush log|Always|1|true",
            // What isn't in the case leaves its conditions to the next.
            "w flush log if failed repeat 3 until ok|IfFailed|3|false",
        ]
    );
    assert_eq!(
        told(script, "[5]")[3..],
        [
            "w write log again when n > 4 if failed repeat 3 until ok|IfFailed|3|false",
            "w then flush log|IfFailed|3|true"
        ]
    );
}

#[test]
fn a_step_that_is_repeated_no_times_isnt_in_the_case() {
    assert_eq!(told("w open log write\nw write log 1 repeat {n} until ok", "[0]").len(), 1);
    assert_eq!(told("w open log write\nw write log 1 repeat {n} until ok", "[2]").len(), 2);
}

#[test]
fn wide_sizes_count_characters_of_two_bytes() {
    let cases = cases_of(&with_script("raw", "w open log write\nw write log 100 wide pieces 7"));
    let step = &cases[0].steps[1];
    let wide = Action::Write { channel: 0, bytes: 200, wide: true, newline: false, pieces: Some(14) };
    assert_eq!((&step.planned.action, step.size_text.as_deref()), (&wide, Some("100 wide")));
}

#[test]
fn a_comparison_needs_no_spaces() {
    for comparison in ["{n}>4", "n >=5", "(n)> 4", "n!=4", "4<n"] {
        let script = format!("w open log write\nw flush log when {comparison}");
        assert_eq!((told(&script, "[4]").len(), told(&script, "[5]").len()), (1, 2), "{comparison}");
    }
}

#[test]
fn a_pipe_larger_than_can_be_had_is_a_visible_skip() {
    let text = r#"
params = { size = ["1 MiB", "1 MiB + 1"] }
channels = { log = { kind = "pipe", capacity = "{size}" } }
actors = { w = "raw" }
script = "w open log write"
"#;
    let cases = cases_of(text);
    assert_eq!(cases[0].skip, None);
    assert_eq!(cases[0].plan.channels[0].capacity, Some(1 << 20));
    let skip = cases[1].skip.as_ref().expect("it can't be had");
    assert_eq!(skip.reason, "a pipe of 1048577 bytes, where 1048576 are the most");
    assert!(skip.remedy.contains("CAP_SYS_RESOURCE"));
}

#[test]
fn a_case_whose_call_cant_be_had_here_is_skipped() {
    let skip = |limit: &str| {
        let cases = cases_of(&with_script("raw", &format!("w setrlimit nofile {limit}")));
        cases[0].skip.as_ref().map(|skip| skip.remedy.clone())
    };
    assert_eq!(skip("8"), None);
    assert_eq!(skip("1_000_000_000_000"), Some("raise it (ulimit -Hn)".to_owned()));
}

/// The block of each case in a snapshot has to be found again.
#[rstest::rstest]
#[case::versions(
    "params = { w = [\"python@3.8:text\", \"python@3.13:text\"], r = [\"python@3.8\", \"python@3.13\"] }\n\
     channels = { log = \"fifo\" }\nactors = { w = \"{w}\", r = \"{r}\" }\n\
     script = \"w open log write\\nr open log read\"",
    &["[w = python:text, r = python]", "[w = python@3.8:text, r = python@3.13]",
      "[w = python@3.13:text, r = python@3.8]", "[w = python:text, r = python]"]
)]
#[case::every_version(
    "channels = { log = \"fifo\" }\nactors = { w = \"python@all\", r = \"python@all\" }\n\
     script = \"w open log write\\nr open log read\"",
    &["[w = python, r = python]", "[w = python@3.8, r = python@3.13]",
      "[w = python@3.13, r = python@3.8]", "[w = python, r = python]"]
)]
#[case::no_version(
    "params = { to = [\"connect c @log\", \"connect c @none\"] }\nactors = { a = \"raw\" }\n\
     script = \"a socket c unix stream\\na {to} -> failed\"",
    &["[to = connect c @log]", "[to = connect c @none]"]
)]
#[case::several_lines(
    "params = { code = [\"a\\nb\", \"a\\nc\"] }\nactors = { a = { command = [\"sh\", \"-c\", \"{code}\"] } }\n\
     script = \"a start\"",
    &["[code = a\\nb]", "[code = a\\nc]"]
)]
fn a_heading_tells_cases_of_one_snapshot_apart(#[case] text: &str, #[case] headings: &[&str]) {
    let cases = cases_of(text);
    assert_eq!(Vec::from_iter(cases.iter().map(snapshot::heading)), headings);
    let places: HashSet<_> = cases.iter().map(|case| (&case.snapshot_key, snapshot::heading(case))).collect();
    assert_eq!(places.len(), cases.len());
}
