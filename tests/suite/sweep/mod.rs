//! `pipelab sweep`: the boundaries that it finds, however it looks for them, and what it says.

mod article;
mod mistakes;
mod reduction;
mod rows;
mod shown;

use rstest::rstest;
use serde_json::Value;

use crate::lab::{Lab, Ran};

/// A pipe of one page, and a reader that only sits there.
const IDLE: &str = r#"
[params]
n = 1
writer = ["raw", "stdio:full", "rust:bufwriter,buffer=page-96"]
[channels]
log = { kind = "pipe", capacity = "page" }
[actors]
reader = "raw"
writer = "{writer}"
[setting]
sigpipe = "ignore"
script = '''
reader open log read
writer open log write
writer write log {n}
'''
"#;

/// The one object of `--format json`.
fn map(ran: &Ran) -> Value {
    assert_eq!(ran.status, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

/// Of each map: its writer, and where its bands begin.
fn begins(swept: &Value) -> Vec<(String, Vec<u64>)> {
    let of = |map: &Value| {
        let bands = map["bands"].as_array().expect("bands");
        let writer = map["params"]["writer"].as_str().unwrap_or_default().to_owned();
        (writer, bands.iter().map(|band| band["from"].as_u64().expect("a size")).collect())
    };
    swept["maps"].as_array().expect("maps").iter().map(of).collect()
}

/// Where the bands begin by these bounds, on this machine.
fn page() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().expect("a page") as u64
}

#[rstest]
#[case::every_size(&["--exhaustive"], "exhaustive")]
#[case::candidates(&[], "search")]
#[case::a_grid(&["--no-candidates"], "search")]
#[case::both_ends(&["--no-candidates", "--step", "100000"], "search")]
fn the_boundaries_of_a_full_pipe_and_of_buffers_are_found(#[case] words: &[&str], #[case] method: &str) {
    let lab = Lab::new(&[("idle", IDLE)]);
    let words = [&["sweep", "scenarios/idle.toml", "--param", "n"], words].concat();
    let range = ["--range", "3*page/4..=2*page+100", "--format", "json"];
    let swept = map(&lab.run(&[&words[..], &range].concat()));
    let page = page();
    let from = 3 * page / 4;
    let expected = [
        // The kernel takes a page, and then the call waits.
        ("raw", vec![from, page + 1]),
        // fwrite(3) hands whole blocks on at once: the rest of the second page stays in its buffer.
        ("stdio:full", vec![from, page, page + 1, 2 * page]),
        // What doesn't fit into the buffer isn't put there.
        ("rust:bufwriter,buffer=page-96", vec![from, page - 96, page + 1]),
    ];
    let expected = expected.map(|(writer, begins)| (writer.to_owned(), begins));
    let found = begins(&swept);
    if words.contains(&"--step") {
        // From the ends alone a band may hide; but none is made up.
        for ((_, found), (_, all)) in found.iter().zip(&expected) {
            assert!(found.iter().all(|begin| all.contains(begin)), "{found:?} of {all:?}");
        }
    } else {
        assert_eq!(found, expected);
    }
    for map in swept["maps"].as_array().expect("maps") {
        assert_eq!((map["method"].as_str(), map["exact"].as_bool()), (Some(method), Some(true)));
        let (cases, gap) = (map["cases"].as_u64().expect("a number"), map["gap"].as_u64());
        match method {
            "exhaustive" => assert_eq!((cases, gap), (2 * page + 101 - from, Some(0))),
            _ => assert!(cases < 400 && gap > Some(0), "{cases} {gap:?}"),
        }
    }
}

#[test]
fn the_output_is_the_same_for_any_number_of_stages() {
    let lab = Lab::new(&[("idle", IDLE)]);
    let words =
        ["sweep", "scenarios/idle.toml", "--param", "n", "--range", "1..=900", "--exhaustive", "--jobs"];
    let [one, three] = ["1", "3"].map(|jobs| lab.run(&[&words[..], &[jobs]].concat()));
    assert_eq!(one.status, Some(0), "{one:?}");
    assert!(one.out.contains("every size was played (900 cases)"), "{}", one.out);
    assert_eq!(one.without_cost(), three.without_cost());
}
