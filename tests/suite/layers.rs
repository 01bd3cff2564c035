//! `layers`: what a runtime's layers say that they hold, against what must be there.
//!
//! The law: what the calls accepted is in the kernel, in a layer, or lost. The kernel's
//! count comes from outside (strace.rs holds it against write(2)), and what was lost
//! from the bytes that readers got.

use std::sync::LazyLock;

use pipelab::driver::DRIVERS;
use rstest::rstest;
use serde_json::Value;

use crate::lab::Lab;

/// Writers that have layers, with buffers from small to large. `@all` is one case a version.
const WRITERS: &[&str] = &[
    "python@all:text",
    "python@all:line",
    "python@all:binary",
    "python@all:binary,buffer=100",
    "stdio:full",
    "stdio:line",
    "stdio:full,buffer=10_000",
    "rust:bufwriter",
    "rust:bufwriter,buffer=100",
];

const HEAD: &str = r#"
[params]
n      = [1, 100, "blksize", "blksize+1", "2*blksize", "2*blksize+1", 20_000]
writer = [WRITERS]
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
[setting]
sigpipe = "ignore"
"#;

/// Nothing fails, so nothing is lost.
const KEPT: &str = "
reader open log read
writer open log write
writer write log {n}
writer write log 7 newline
writer write log {n} pieces 50
writer flush log
writer write log 3
writer write log {n} newline
reader read log available
writer flush log
writer write log 30
writer close log
reader read log to-eof
";

/// The reader goes, with bytes in the layers, and comes back.
const DESERTED: &str = "
reader open log read
writer open log write
writer write log 20
reader close log
writer write log 30
writer flush log
writer write log {n}
writer flush log
writer write log 7 newline
writer write log {n} pieces 50
reader open log read
writer write log 11
writer flush log
writer write log 13
writer close log
reader read log to-eof
";

/// The pipe is full, and the writer's end doesn't block.
const FULL: &str = "
reader open log read nonblock
writer open log write nonblock
writer write log capacity-100
writer flush log
writer write log {n}
writer flush log
writer write log 60
reader read log {n}
writer flush log
reader read log available
writer close log
reader read log to-eof
";

/// What the scripts gave with `layers`, each played once; as text, since values are many
/// times as large.
static ASKED: [LazyLock<Vec<String>>; 3] = [
    LazyLock::new(|| play(KEPT, WRITERS, ",layers", &[])),
    LazyLock::new(|| play(DESERTED, WRITERS, ",layers", &[])),
    LazyLock::new(|| play(FULL, WRITERS, ",layers", &[])),
];

/// The cases of a script as lines of JSON, `option` behind each writer.
fn play(script: &str, writers: &[&str], option: &str, words: &[&str]) -> Vec<String> {
    let writers: Vec<String> = writers.iter().map(|writer| format!("\"{writer}{option}\"")).collect();
    let text = format!("{}script = '''{script}'''\n", HEAD.replace("WRITERS", &writers.join(", ")));
    let ran =
        Lab::new(&[("layers", &text)]).run(&[&["run", "--format", "jsonl", "scenarios"], words].concat());
    let mut lines: Vec<String> = ran.out.lines().map(str::to_owned).collect();
    lines.retain(|line| object(line)["status"] != "skipped");
    let played = lines.iter().all(|line| object(line)["status"] == "unrecorded");
    assert!(!lines.is_empty() && played, "{}", ran.err);
    lines
}

fn object(line: impl AsRef<str>) -> Value {
    serde_json::from_str(line.as_ref()).expect("an object a line")
}

/// The state after a writer's step, in bytes since the start.
struct Told<'case> {
    step: &'case Value,
    /// Accepted by calls.
    accepted: i64,
    /// Accepted by the kernel.
    kernel: i64,
    /// In the layers now.
    held: i64,
}

impl Told<'_> {
    /// What was accepted and is nowhere.
    fn missing(&self) -> i64 {
        self.accepted - self.kernel - self.held
    }
}

/// The steps of a case after which all layers are told; none where a runtime hides one.
fn told(case: &Value) -> Vec<Told<'_>> {
    let mut accepted = 0;
    let mut told = Vec::new();
    for step in case["steps"].as_array().expect("steps") {
        if step["verb"] == "write" {
            accepted += step["bytes"].as_i64().expect("a count");
        }
        let layers = step["held"].as_object().into_iter().flat_map(|layers| layers.values());
        let layers: Option<Vec<i64>> = layers.map(Value::as_i64).collect();
        let Some(layers) = layers.filter(|layers| !layers.is_empty()) else { continue };
        let kernel = step["counts"]["log"]["accepted"].as_i64().expect("a count");
        told.push(Told { step, accepted, kernel, held: layers.iter().sum() });
    }
    told
}

fn place(case: &Value, told: &Told<'_>) -> String {
    format!("{} {} {}", case["runtimes"], case["params"], told.step)
}

#[test]
fn where_nothing_is_lost_what_the_kernel_hasnt_is_in_a_layer() {
    let (mut looks, mut finds) = (0, 0);
    for case in ASKED[0].iter().map(object) {
        assert_eq!(case["ledger"]["log"]["lost"], 0, "{}", case["params"]);
        for told in told(&case) {
            assert_eq!(told.missing(), 0, "{}", place(&case, &told));
            looks += 1;
            finds += i32::from(told.held > 0);
        }
    }
    // Nine steps that leave the channel open, for each size of at least five writers.
    assert!(looks >= 5 * 7 * 9 && finds > looks / 10, "{finds} of {looks}");
}

/// What is nowhere after the last look was lost; unless a call failed and its bytes were
/// kept all the same, as by line buffering where the layer below has room: these are in a
/// layer, or delivered in the end, and accepted by nobody (`uncredited`).
#[rstest]
#[case::the_reader_is_gone(1)]
#[case::the_pipe_is_full(2)]
fn what_is_nowhere_is_what_the_ledger_calls_lost(#[case] script: usize) {
    let (mut losses, mut refused_and_kept) = (0, 0);
    for case in ASKED[script].iter().map(object) {
        let steps = told(&case);
        let Some(last) = steps.last() else { continue };
        for pair in steps.windows(2) {
            let failed_write = pair[1].step["verb"] == "write" && pair[1].step["outcome"] == "failed";
            let grew = pair[1].missing() >= pair[0].missing();
            assert!(grew || failed_write, "{} before {}", pair[0].missing(), place(&case, &pair[1]));
            refused_and_kept += i32::from(!grew);
        }
        // The close at the end finds a reader and room, so that it loses nothing.
        let ledger = |name: &str| case["ledger"]["log"][name].as_i64().expect("a count");
        assert_eq!(ledger("lost") - ledger("uncredited"), last.missing(), "{}", place(&case, last));
        losses += i32::from(last.missing() > 0);
    }
    assert!(losses >= 10, "the sample has losses: {losses}");
    assert!(refused_and_kept >= 1, "the sample has bytes that were refused and kept");
}

#[test]
fn a_full_pipe_costs_a_buffered_writer_nothing() {
    let binary =
        |case: &Value| case["params"]["writer"].as_str().is_some_and(|name| name.contains(":binary"));
    for case in ASKED[2].iter().map(object).filter(binary) {
        for told in told(&case) {
            assert_eq!(told.missing(), 0, "{}", place(&case, &told));
        }
    }
}

#[rstest]
#[case(KEPT, 0)]
#[case(DESERTED, 1)]
#[case(FULL, 2)]
fn to_ask_changes_nothing_else(#[case] script: &str, #[case] asked: usize) {
    let sizes = ["100", "blksize+1", "2*blksize"];
    let unasked = play(script, WRITERS, "", &["--set", &format!("n={sizes:?}")]);
    let asked =
        ASKED[asked].iter().map(object).filter(|case| sizes.iter().any(|size| case["params"]["n"] == *size));
    let asked: Vec<Value> = asked.collect();
    assert_eq!(asked.len(), unasked.len());
    for (mut asked, mut unasked) in asked.into_iter().zip(unasked.iter().map(object)) {
        let mut told = 0;
        for step in asked["steps"].as_array_mut().expect("steps") {
            told += u32::from(step.as_object_mut().expect("a step").remove("held").is_some());
        }
        assert!(told > 5, "{} {}", asked["runtimes"], asked["params"]);
        let [with, without] = [&mut asked, &mut unasked]
            .map(|case| case["params"].as_object_mut().expect("them").remove("writer").expect("it"));
        assert_eq!(with.as_str(), without.as_str().map(|name| format!("{name},layers")).as_deref());
        assert_eq!(asked, unasked, "{with}");
    }
}

#[test]
fn the_table_of_steps_shows_them_beside_the_kernels_count() {
    let script = "reader open log read\nwriter open log write\nwriter write log {n}\nreader close log\n";
    let text = format!("{}script = '''\n{script}'''\n", HEAD.replace("WRITERS", "\"stdio:full,layers\""));
    let lab = Lab::new(&[("layers", &text)]);
    let ran = lab.run(&["run", "--steps", "--set", "n=77", "scenarios"]);
    let line = |start: &str| ran.out.lines().find(|line| line.contains(start)).expect("the step").to_owned();
    let write = line("writer write log");
    let order = ["ok 77", "buffer 77", "log: 0 in, 0 queued"].map(|words| write.find(words));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{write}");
    assert!(!line("reader close log").contains("buffer"), "it wasn't asked");
}

#[test]
fn a_driver_tells_the_layers_that_its_table_promises() {
    let modes = || DRIVERS.iter().flat_map(|info| info.modes.iter().map(move |mode| (info.name, mode)));
    let promised: Vec<(String, &[&str])> = modes()
        .filter(|(_, mode)| !mode.layers.is_empty())
        .map(|(driver, mode)| (format!("{driver}:{}", mode.name), mode.layers))
        .collect();
    let names: Vec<&str> = promised.iter().map(|(name, _)| name.as_str()).collect();
    for case in play(KEPT, &names, ",layers", &["--set", "n=1"]).iter().map(object) {
        let writer = case["params"]["writer"].as_str().expect("a name");
        let (_, layers) = promised
            .iter()
            .find(|(name, _)| writer.strip_suffix(",layers") == Some(name))
            .unwrap_or_else(|| panic!("{writer} was asked for"));
        let mut layers = layers.to_vec();
        layers.sort_unstable();
        for step in case["steps"].as_array().expect("steps").iter().filter(|step| step["actor"] == "writer") {
            let told = step["held"].as_object().into_iter().flat_map(|held| held.keys());
            let mut told: Vec<&str> = told.map(String::as_str).collect();
            told.sort_unstable();
            let open = step["verb"] != "close";
            assert_eq!(told, if open { layers.clone() } else { vec![] }, "{writer} {step}");
        }
    }
}
