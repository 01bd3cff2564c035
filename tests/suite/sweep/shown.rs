//! What the forms of a map say: names, a picture.

use serde_json::Value;

use super::{IDLE, map};
use crate::lab::Lab;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn names_are_stable() {
    let lab = Lab::new(&[("idle", IDLE)]);
    let words = ["sweep", "scenarios/idle.toml", "--param", "n", "--range", "1..=5*page", "--format", "json"];
    let swept = map(&lab.run(&words));
    assert_eq!(keys(&swept), ["v", "scenario", "param", "from", "to", "rows", "maps"]);
    let map = &swept["maps"][1];
    let names = [
        "params",
        "row",
        "skipped",
        "method",
        "step",
        "candidates",
        "cases",
        "exact",
        "gap",
        "unexpected",
        "sizes",
        "bands",
        "repeats",
        "boundaries",
    ];
    assert_eq!(keys(map), names);
    assert_eq!(keys(&map["bands"][0]), ["from", "to", "samples", "gap", "kind", "summary", "details"]);
    assert_eq!(keys(&map["bands"][0]["summary"]), ["error at", "error", "arrived", "and the rest", "end"]);
    assert_eq!(keys(&map["boundaries"][0]), ["after", "before", "name", "changes", "more"]);
    assert_eq!(keys(&map["boundaries"][0]["changes"][0]), ["step", "was", "is"]);
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results.md")).expect("the page");
    for name in keys(&swept).iter().chain(&names) {
        assert!(page.contains(&format!("`{name}`")), "docs/results.md doesn't tell `{name}`");
    }
}

#[test]
fn bands_that_repeat_are_one_row() {
    let whole = IDLE.replace("capacity = \"page\"", "capacity = \"64*page\"");
    let lab = Lab::new(&[("idle", &whole)]);
    let words = [
        "sweep",
        "scenarios/idle.toml",
        "--param",
        "n",
        "--range",
        "1..=9*page",
        "--set",
        "writer=stdio:full",
    ];
    let human = lab.run(&words);
    // Whole pages, and what lies between them.
    assert_eq!(human.out.matches(&format!(", and every page up to {}", 9 * super::page())).count(), 2);
    assert!(human.out.contains("n%page held by the writer; n/page*page queued"), "{}", human.out);
    let swept = map(&lab.run(&[&words[..], &["--format", "json"]].concat()));
    let repeats = &swept["maps"][0]["repeats"];
    assert_eq!(repeats.as_array().map(Vec::len), Some(1), "{repeats}");
    assert_eq!(keys(&repeats[0]), ["from", "to", "period", "first", "bands", "parts"]);
    assert_eq!(repeats[0]["period"], super::page());
}

#[test]
fn a_picture_has_a_row_for_each_map_and_tells_its_kinds() {
    let lab = Lab::new(&[("idle", IDLE)]);
    let words = ["sweep", "scenarios/idle.toml", "--param", "n", "--range", "1..=2*page", "--format", "svg"];
    let ran = lab.run(&words);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let svg = &ran.out;
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(!svg.contains("{{") && !svg.contains("{%"), "{svg}");
    for text in [
        "writer = stdio:full</text>",
        "n, logarithmic</text>",
        "n unanswered; page queued</text>",
        "each boundary is exact",
        "4097 (page+1)</text>",
    ] {
        assert!(svg.contains(text), "no {text} in {svg}");
    }
    // A rectangle for each band, beside the ground and the legend's.
    let bands = super::map(&lab.run(&[&words[..words.len() - 1], &["json"]].concat()));
    let count: usize = bands["maps"]
        .as_array()
        .expect("maps")
        .iter()
        .map(|map| map["bands"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(svg.matches("<rect x=\"").count() - svg.matches("width=\"14\" height=\"14\"").count(), count);
}

#[test]
fn what_a_scenario_expects_is_a_note_alone() {
    let lab = Lab::new(&[("idle", &format!("{IDLE}[expect]\nqueued = \"n\"\n"))]);
    let words =
        ["sweep", "scenarios/idle.toml", "--param", "n", "--range", "1..=2*page", "--set", "writer=raw"];
    let ran = lab.run(&words);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let note = format!("n = {} the first", super::page() + 1);
    assert!(ran.out.contains("not as the scenario expects: ") && ran.out.contains(&note), "{}", ran.out);
    let swept = map(&lab.run(&[&words[..], &["--format", "json"]].concat()));
    assert_eq!(swept["maps"][0]["unexpected"]["first"], super::page() + 1);
}
