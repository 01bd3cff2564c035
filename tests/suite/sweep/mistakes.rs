//! What can't be swept, and what a sweep says of cases that can't be played.

use rstest::rstest;
use serde_json::Value;

use super::{IDLE, begins, map, page};
use crate::lab::Lab;

const FILE: &str = "scenarios/idle.toml";

#[rstest]
#[case::no_such_param(&[FILE, "--param", "m", "--range", "1..=9"], "`idle` has no such parameter: it has n, writer")]
#[case::no_number(&[FILE, "--param", "writer", "--range", "1..=9"], "it isn't a number in `idle`: its values are such as `raw`")]
#[case::no_range(&[FILE, "--param", "n"], "over which values? `--range 1..=3*capacity`")]
#[case::two_forms(&[FILE, "--param", "n", "--range", "1..=9", "--values", "1"], "either --range or --values")]
#[case::two_ranges(&[FILE, "--param", "n", "--range", "1..=9", "--range", "1..=2"], "has two --range; the first is 1..=9")]
#[case::range_before_param(&[FILE, "--range", "1..=9", "--param", "n"], "--range 1..=9 stands before the --param")]
#[case::an_empty_range(&[FILE, "--param", "n", "--range", "9..=1"], "it is empty: it goes from 9 up to 1")]
#[case::half_open_and_empty(&[FILE, "--param", "n", "--range", "0..0"], "it is empty")]
#[case::no_dots(&[FILE, "--param", "n", "--range", "9"], "the form is `1..=200000`")]
#[case::no_end(&[FILE, "--param", "n", "--range", "1..="], "the form is `1..=200000`")]
#[case::an_unknown_name(&[FILE, "--param", "n", "--range", "1..=capacty"], "did you mean `capacity`?")]
#[case::below_nothing(&[FILE, "--param", "n", "--range", "1-page..=9"], "which is no size")]
#[case::beyond_all(&[FILE, "--param", "n", "--range", "1..=9999999999999"], "is beyond all sizes")]
#[case::beyond_a_message(&[FILE, "--param", "n", "--range", "1..=1 GiB"], "more than 256 MiB")]
#[case::only_values(&[FILE, "--param", "n", "--values", "1,2"], "no parameter has a range")]
#[case::a_value_twice(&[FILE, "--param", "n", "--values", "page,4096,capacity"], "stands there twice")]
#[case::a_param_twice(&[FILE, "--param", "n", "--range", "1..=9", "--param", "n", "--range", "1..=9"], "--param n stands there twice")]
#[case::set_too(&[FILE, "--param", "n", "--range", "1..=9", "--set", "n=7"], "--param n and --set n")]
#[case::an_unknown_set(&[FILE, "--param", "n", "--range", "1..=9", "--set", "m=7"], "has no parameter `m` to set")]
#[case::no_file(&["nowhere.toml", "--param", "n", "--range", "1..=9"], "nowhere.toml: No such file or directory")]
#[case::several(&["scenarios", "--param", "n", "--range", "1..=9"], "has several scenarios; name one:")]
#[case::no_param(&[FILE], "--param <NAME>")]
#[case::both_methods(&[FILE, "--param", "n", "--range", "1..=9", "--exhaustive", "--no-candidates"], "cannot be used with")]
#[case::at_fault(&["scenarios/faulty.toml", "--param", "n", "--range", "1..=9"], "scenarios/faulty.toml")]
fn a_mistake_is_told_with_a_way_out(#[case] words: &[&str], #[case] said: &str) {
    let lab = Lab::new(&[("idle", IDLE), ("faulty", &IDLE.replace("write log {n}", "wirte log {n}"))]);
    let ran = lab.run(&[&["sweep"], words].concat());
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains(said), "{}", ran.err);
}

#[test]
fn a_runtime_that_isnt_here_is_a_map_that_is_skipped() {
    let lab = Lab::new(&[("idle", IDLE)]);
    let words = ["sweep", FILE, "--param", "n", "--range", "1..=20"];
    let set = ["--set", r#"writer=["raw", "python@3.99:text"]"#];
    let human = lab.run(&[&words[..], &set].concat());
    assert_eq!(human.status, Some(0), "{human:?}");
    assert!(
        human.out.contains("  skipped: python") || human.out.contains("  skipped: 3.99"),
        "{}",
        human.out
    );
    let swept = map(&lab.run(&[&words[..], &set, &["--format", "json"]].concat()));
    assert!(swept["maps"][0]["skipped"].is_null());
    assert!(swept["maps"][1]["skipped"].is_string(), "{swept}");
    // Nothing was played at all.
    assert_eq!(lab.run(&[&words[..], &["--set", "writer=python@3.99:text"]].concat()).status, Some(4));
}

/// One version of `@all` that is missing leaves the others their maps.
#[test]
fn a_version_that_isnt_here_is_its_own_map() {
    let text = IDLE.replace("writer = [\"raw\", \"stdio:full\", \"rust:bufwriter,buffer=page-96\"]\n", "");
    let lab = Lab::new(&[("idle", &text.replace("writer = \"{writer}\"", "writer = \"python@all:raw\""))]);
    std::fs::create_dir(lab.path("snapshots")).expect("a directory");
    std::fs::write(lab.path("snapshots/idle@python-3.99.snap"), "").expect("written");
    let swept = lab.run(&["sweep", FILE, "--param", "n", "--range", "1..=2*page", "--format", "json"]);
    if swept.status == Some(4) {
        return eprintln!("SKIPPED: no Python is here");
    }
    let swept = map(&swept);
    let mut here = 0;
    for ((writer, begins), map) in begins(&swept).iter().zip(swept["maps"].as_array().expect("maps")) {
        match writer.as_str() {
            "python@3.99:raw" => assert!(map["skipped"].is_string() && begins.is_empty(), "{map}"),
            _ => {
                assert_eq!((&map["skipped"], &map["exact"]), (&Value::Null, &true.into()), "{map}");
                assert_eq!(*begins, [1, page() + 1], "{writer}");
                here += 1;
            }
        }
    }
    assert_eq!(swept["maps"].as_array().map(Vec::len), Some(here + 1), "{swept}");
}

#[test]
fn sizes_that_cant_be_played_are_a_band() {
    let lab = Lab::new(&[("large", &IDLE.replace("capacity = \"page\"", "capacity = \"{n}\""))]);
    let words = ["sweep", "scenarios/large.toml", "--param", "n", "--set", "writer=raw", "--format", "json"];
    let swept = map(&lab.run(&[&words[..], &["--range", "1..=8 MiB"]].concat()));
    let bands = swept["maps"][0]["bands"].as_array().expect("bands").clone();
    // Who may have pipes as large as that sees none.
    let last = &bands.last().expect("a band")["summary"];
    if last["end"] == "skipped" {
        assert!(last["and the rest"].as_str().is_some_and(|why| why.contains("a pipe of n bytes")), "{last}");
    } else {
        assert_eq!(last["end"], "played", "{last}");
    }
}
