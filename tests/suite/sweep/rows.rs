//! Two parameters at once.

use super::{begins, map, page};
use crate::lab::Lab;

/// Up to three writes of n bytes into a pipe of so many pages.
const WRITES: &str = r#"
[params]
n = 1
m = 1
pages = 1
[channels]
log = { kind = "pipe", capacity = "{pages}*page" }
[actors]
reader = "raw"
writer = "raw"
script = '''
reader open log read
writer open log write
writer write log {n}; write log {n} when {m} >= 2; write log {n} when {m} >= 3
'''
[expect]
delivered = 0
"#;

/// The first size that doesn't fit.
fn firsts(swept: &serde_json::Value) -> Vec<(u64, u64)> {
    let rows = swept["maps"].as_array().expect("maps").iter().map(|map| map["row"].as_u64().expect("a row"));
    rows.zip(begins(swept).into_iter().map(|(_, begins)| begins[1])).collect()
}

#[test]
fn size_by_capacity() {
    let lab = Lab::new(&[("writes", WRITES)]);
    let words = ["sweep", "scenarios/writes.toml", "--param", "n", "--range", "1..=5*page"];
    let values = ["--param", "pages", "--values", "1,2,4", "--format", "json"];
    let swept = map(&lab.run(&[&words[..], &values].concat()));
    assert_eq!(swept["rows"], "pages");
    assert_eq!(firsts(&swept), [1, 2, 4].map(|pages| (pages, pages * page() + 1)));
    // Of several rows each has its bands; the rows come first or last on the command line.
    let swapped = ["sweep", "scenarios/writes.toml", "--param", "pages", "--values", "1,2,4"];
    let range = ["--param", "n", "--range", "1..=5*page", "--format", "json"];
    assert_eq!(map(&lab.run(&[&swapped[..], &range].concat())), swept);
}

#[test]
fn size_by_number_of_writes() {
    let lab = Lab::new(&[("writes", WRITES)]);
    let words = ["sweep", "scenarios/writes.toml", "--param", "n", "--range", "1..=2*page"];
    let rows = ["--param", "m", "--range", "1..=3"];
    let json = map(&lab.run(&[&words[..], &rows, &["--format", "json"]].concat()));
    let page = page();
    // A second write goes into a slot of its own unless it fits into what the first has left of its
    // page: so two of them fit if both fit into one page.
    assert_eq!(firsts(&json), [(1, page + 1), (2, page / 2 + 1), (3, page / 3 + 1)]);
    let human = lab.run(&[&words[..], &rows].concat());
    assert!(human.out.contains("\npages = 1, m = 2\n") && human.out.contains("3 maps, "), "{}", human.out);
}

#[test]
fn rows_of_a_long_range_are_searched() {
    let lab = Lab::new(&[("writes", WRITES)]);
    let words = ["sweep", "scenarios/writes.toml", "--param", "n", "--range", "1..=100"];
    let rows = ["--param", "m", "--range", "1..=1000", "--format", "json"];
    let swept = map(&lab.run(&[&words[..], &rows].concat()));
    let rows: Vec<u64> = swept["maps"]
        .as_array()
        .expect("maps")
        .iter()
        .map(|map| map["row"].as_u64().expect("a row"))
        .collect();
    // Rows differ in kind up to 3, and no more from there on.
    for row in [1, 2, 3, 4, 1000] {
        assert!(rows.contains(&row), "{rows:?}");
    }
    assert!(rows.is_sorted() && rows.len() < 60, "{rows:?}");
}
