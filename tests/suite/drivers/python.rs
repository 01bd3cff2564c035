//! The Python driver, with every interpreter found.

use std::{
    io::Write,
    sync::{Arc, OnceLock},
};

use pipelab::{
    driver::{Catalog, Runtime, Version},
    outcome::Access,
    setting::Setting,
    stage::Launch,
};
use rstest::rstest;

use super::conformance::{Subject, check};
use crate::puppet::{Answer, Fifo, Puppet, drain, step, text, try_start, write, write_in_pieces};
use crate::support::{Script, forking, stage, told};

/// All Pythons; if there is none, says so.
fn pythons() -> Vec<&'static Runtime> {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| {
        let _forking = forking();
        Catalog::discover(&["python"], &Default::default())
    });
    for missing in &catalog.missing {
        eprintln!("skipped: {}; {}", missing.what, missing.remedy);
    }
    catalog.find("python", &Version::All)
}

fn command(runtime: &Runtime) -> &[String] {
    match &*runtime.launch {
        Launch::Program { command, .. } => command,
        other => panic!("{other:?} is no program"),
    }
}

fn start(runtime: &Runtime, mode: &[&str]) -> Puppet {
    println!("{} {mode:?}", runtime.full_version);
    Puppet::start(command(runtime), mode)
}

#[rstest]
fn every_python_conforms(
    #[values(
        &["text"], &["binary"], &["raw"], &["line"], &["write_through"],
        &["text", "buffer=100"], &["binary", "buffer=100"],
        &["text", "layers"], &["binary", "buffer=100", "layers"], &["line", "layers"]
    )]
    mode: &[&str],
) {
    for runtime in pythons() {
        check(&Subject { command: command(runtime), mode });
    }
}

#[rstest]
fn every_python_starts_programs(#[values(&["binary"], &["raw"], &["binary", "buffer=100"])] mode: &[&str]) {
    for runtime in pythons() {
        super::children::check(command(runtime), mode, ["returncode=3", "returncode=-9"]);
    }
}

#[test]
fn every_python_tells_its_sizes() {
    for runtime in pythons() {
        let mut names: Vec<&str> = runtime.symbols.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["buffer", "chunk"], "{}", runtime.full_version);
    }
}

#[test]
fn an_unknown_mode_is_refused_with_the_modes_there_are() {
    for runtime in pythons() {
        let reason = try_start(command(runtime), &["fast"]).unwrap_err();
        assert!(reason.contains("'fast'") && reason.contains("binary"), "{reason}");
    }
}

/// What the article's writer does: opens, loses its reader, writes, flushes unless
/// the write failed; a reader comes back, and the writer closes.
///
/// Gives the verbs that failed, and what the second reader got.
fn lose_the_reader(runtime: &Runtime, mode: &[&str], n: usize) -> (Vec<&'static str>, Vec<u8>) {
    let (fifo, mut driver) = (Fifo::new(), start(runtime, mode));
    let mut failed = Vec::new();
    let mut note = |verb, answer: Answer| {
        if answer.word() == "fail" {
            assert_eq!(answer.errno(), Some("EPIPE"), "{answer:?}");
            assert_eq!(answer.value("error"), Some("BrokenPipeError"), "{answer:?}");
            failed.push(verb);
            return true;
        }
        false
    };
    let reader = fifo.reader();
    driver.must(fifo.open("log", "write block"));
    drop(reader);
    if !note("write", driver.step(write("log", &text(n)))) {
        note("flush", driver.step(step("flush log")));
    }
    let reader = fifo.reader();
    note("close", driver.step(step("close log")));
    (failed, drain(&reader))
}

/// Seed 000's two tables: mode, N, where BrokenPipeError was raised, bytes that
/// the reader got in the end. "Python 3.5 and 3.6".
const ARTICLE: &[(&str, usize, &str, usize)] = &[
    ("text", 1, "flush", 1),
    ("text", 4096, "flush", 4096),
    ("text", 4097, "flush", 0),
    ("text", 8192, "flush", 0),
    ("text", 8193, "write", 0),
    ("binary", 1, "flush", 1),
    ("binary", 4096, "flush", 4096),
    ("binary", 4097, "write", 0),
    ("binary", 8192, "write", 0),
    ("binary", 8193, "write", 0),
];

/// A row as this release has it.
fn as_of(release: [u32; 3], row: &(&'static str, usize, &'static str, usize)) -> (&'static str, usize) {
    let &(mode, n, verb, got) = row;
    // https://github.com/python/cpython/pull/24592, also in the two older branches.
    let flushes_a_full_chunk = release >= [3, 9, 3] || (release[..2] == [3, 8] && release >= [3, 8, 9]);
    // https://github.com/python/cpython/pull/118037
    let bypasses_for_a_full_buffer = release >= [3, 13, 0];
    match (mode, n) {
        ("text", 8192) if flushes_a_full_chunk => ("write", 0),
        ("text", 4096) if bypasses_for_a_full_buffer => ("flush", 0),
        ("binary", 4096) if bypasses_for_a_full_buffer => ("write", 0),
        _ => (verb, got),
    }
}

#[test]
fn the_articles_tables_hold_with_the_changes_since() {
    for runtime in pythons() {
        let Some(release) = runtime.full_version.strip_prefix("CPython ") else { continue };
        let numbers: Vec<u32> = release.split('.').filter_map(|part| part.parse().ok()).collect();
        let Ok(release) = <[u32; 3]>::try_from(numbers) else { continue };
        if release >= [3, 14, 0] {
            eprintln!("skipped: the tables of {} have not been looked into yet", runtime.full_version);
            continue;
        }
        for row in ARTICLE {
            let &(mode, n, ..) = row;
            let (verb, got) = as_of(release, row);
            let (failed, received) = lose_the_reader(runtime, &[mode], n);
            assert_eq!((failed, received.len()), (vec![verb], got), "{release:?} {mode} {n}");
            assert_eq!(received, text(got));
        }
    }
}

/// What a mode tells of 4,097 characters: after the open, the write, a flush that fails.
#[rstest]
#[case("text", ["text:0,buffer:0", "text:4097,buffer:0", "text:0,buffer:0"])]
#[case("binary", ["buffer:0", "buffer:0", "buffer:0"])]
#[case("write_through", ["text:0,buffer:0", "text:0,buffer:0", "text:0,buffer:0"])]
fn every_cpython_shows_its_layers(#[case] mode: &str, #[case] expected: [&str; 3]) {
    for runtime in pythons() {
        if !runtime.full_version.starts_with("CPython ") {
            continue;
        }
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &[mode, "layers"]));
        let reader = fifo.reader();
        let opened = driver.must(fifo.open("log", "write block"));
        drop(reader);
        let answers = [opened, driver.step(write("log", &text(4097))), driver.step(step("flush log"))];
        let held = answers.each_ref().map(|answer| answer.held.as_deref().expect("it was asked"));
        assert_eq!(held, expected, "{}", runtime.full_version);
        assert!(answers.iter().any(|answer| answer.errno() == Some("EPIPE")), "{answers:?}");
    }
}

#[test]
fn text_on_its_way_is_counted_whole_and_in_pieces() {
    for runtime in pythons() {
        if !runtime.full_version.starts_with("CPython ") {
            continue;
        }
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["text", "layers"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write block"));
        // One object pending, then a list of them.
        assert_eq!(driver.must(write("log", b"x")).held.as_deref(), Some("text:1,buffer:0"));
        let pieces = driver.must(write_in_pieces("log", &text(1000), 30));
        assert_eq!(pieces.held.as_deref(), Some("text:1001,buffer:0"));
        // Both layers at once: the bytes of a failed flush, and younger text.
        drop(reader);
        assert_eq!(driver.step(step("flush log")).held.as_deref(), Some("text:0,buffer:1001"));
        assert_eq!(driver.must(write("log", &text(50))).held.as_deref(), Some("text:50,buffer:1001"));
        assert_eq!(driver.step(step("close log")).held, None);
    }
}

#[test]
fn without_layers_nothing_is_told_of_them() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["text"]));
        let _reader = fifo.reader();
        assert_eq!(driver.must(fifo.open("log", "write block")).held, None);
        assert_eq!(driver.must(write("log", b"x")).held, None);
    }
}

#[test]
fn without_a_buffer_the_write_itself_fails() {
    for runtime in pythons() {
        for n in [1, 4096, 8193] {
            assert_eq!(lose_the_reader(runtime, &["raw"], n), (vec!["write"], vec![]));
        }
    }
}

#[test]
fn a_given_buffer_moves_the_boundary() {
    for runtime in pythons() {
        assert_eq!(lose_the_reader(runtime, &["binary", "buffer=100"], 99), (vec!["flush"], text(99)));
        assert_eq!(lose_the_reader(runtime, &["binary", "buffer=100"], 101), (vec!["write"], vec![]));
    }
}

#[test]
fn a_line_feed_flushes_in_line_mode_only() {
    for runtime in pythons() {
        for (mode, arrived) in [("line", &b"line\n"[..]), ("text", b"")] {
            let (fifo, mut driver) = (Fifo::new(), start(runtime, &[mode]));
            let reader = fifo.reader();
            driver.must(fifo.open("log", "write block"));
            driver.must(write("log", b"line\n"));
            assert_eq!(drain(&reader), arrived, "{} {mode}", runtime.full_version);
        }
    }
}

#[test]
fn pieces_stop_at_the_first_that_fails() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["binary", "buffer=100"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write block"));
        drop(reader);
        // Two pieces fit into the buffer, the third makes it flush.
        let answer = driver.step(write_in_pieces("log", &text(200), 40));
        assert_eq!((answer.errno(), answer.bytes()), (Some("EPIPE"), 80), "{answer:?}");
    }
}

#[test]
fn a_full_pipe_is_a_blocking_io_error_where_there_is_a_buffer() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["binary"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write nonblock"));
        let answer = driver.step(write("log", &text(1 << 20)));
        assert_eq!(answer.errno(), Some("EAGAIN"), "{answer:?}");
        assert_eq!(answer.value("error"), Some("BlockingIOError"), "{answer:?}");
        let queued = drain(&reader);
        assert!(answer.bytes() > queued.len(), "the buffer took some, too: {answer:?}");
        // What was accepted arrives, and nothing else.
        driver.must(step("close log"));
        assert_eq!([queued, drain(&reader)].concat(), text(answer.bytes()));
    }
}

#[test]
fn a_full_pipe_is_a_short_write_and_then_none_where_there_is_no_buffer() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["raw"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write nonblock"));
        let short = driver.must(write("log", &text(1 << 20)));
        assert_eq!(drain(&reader), text(short.bytes()));
        driver.must(write("log", &text(1 << 20)));
        let none = driver.step(write("log", b"x"));
        assert_eq!(none.line, "fail EAGAIN bytes=0 message=write returned None");
    }
}

#[test]
fn pieces_stop_at_a_short_write_which_would_leave_a_hole() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["raw"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write nonblock"));
        // No capacity is a multiple of this.
        let short = driver.must(write_in_pieces("log", &text(1 << 20), 49_999));
        assert_eq!(drain(&reader), text(short.bytes()));
    }
}

#[test]
fn an_empty_pipe_read_without_blocking_is_eagain() {
    for runtime in pythons() {
        for mode in ["raw", "binary"] {
            let (fifo, mut driver) = (Fifo::new(), start(runtime, &[mode]));
            let _writer = fifo.writer();
            driver.must(fifo.open("log", "read nonblock"));
            let answer = driver.step(step("read log 10"));
            assert_eq!((answer.errno(), answer.bytes()), (Some("EAGAIN"), 0), "{answer:?}");
        }
    }
}

#[test]
fn what_came_before_a_failed_read_is_delivered() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["raw"]));
        let writer = fifo.writer();
        driver.must(fifo.open("log", "read nonblock"));
        (&*writer).write_all(b"half").unwrap();
        let answer = driver.step(step("read log 10"));
        assert_eq!((answer.errno(), answer.value("data")), (Some("EAGAIN"), Some("4")), "{answer:?}");
        assert_eq!(answer.data, b"half");
    }
}

#[test]
fn a_file_object_says_itself_what_it_is_not_for() {
    for runtime in pythons() {
        for mode in ["text", "binary", "raw"] {
            let (fifo, mut driver) = (Fifo::new(), start(runtime, &[mode]));
            driver.must(fifo.open("log", "read nonblock"));
            let answer = driver.step(write("log", b"x"));
            assert_eq!((answer.errno(), answer.value("error")), (Some("-"), Some("UnsupportedOperation")));
        }
    }
}

#[test]
fn a_closed_object_is_forgotten_also_when_its_close_failed() {
    for runtime in pythons() {
        let (fifo, mut driver) = (Fifo::new(), start(runtime, &["binary"]));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write block"));
        driver.must(write("log", b"old"));
        drop(reader);
        assert_eq!(driver.step(step("close log")).errno(), Some("EPIPE"));
        assert_eq!(driver.step(step("close log")).errno(), Some("-"));
        let reader = fifo.reader();
        driver.must(fifo.open("log", "write block"));
        driver.must(write("log", b"new"));
        driver.must(step("close log"));
        assert_eq!(drain(&reader), b"new");
    }
}

#[test]
fn the_callers_python_variables_have_no_say() {
    let environment = pipelab::driver::environment();
    assert!(environment.iter().all(|(name, _)| !name.starts_with("PYTHON")), "{environment:?}");
    for runtime in pythons() {
        let Launch::Program { env, .. } = &*runtime.launch else { unreachable!() };
        assert_eq!(*env, environment);
    }
}

/// The article's story as the stage plays it, with blocked opens and counts.
#[test]
fn a_stage_plays_the_article_with_every_python() {
    for runtime in pythons() {
        println!("{}", runtime.full_version);
        let mut plan = Script::new()
            .setting(Setting::default())
            .actor("reader", "raw")
            .actor("writer", "python:binary")
            .open("reader", Access::Read)
            .open("writer", Access::Write)
            .close("reader")
            .write("writer", 100)
            .flush("writer")
            .open("reader", Access::Read)
            .close("writer")
            .read_to_eof("reader")
            .plan();
        Arc::make_mut(&mut plan.actors)[1].launch = runtime.launch.clone();
        let transcript = stage().play(&plan).unwrap();
        assert_eq!(
            told(&transcript),
            [
                "0 open: blocked in open, by 1: ok",
                "1 open: ok",
                "0 close: ok",
                "1 write: ok 100",
                "1 flush: EPIPE",
                "0 open: ok",
                "1 close: ok",
                "0 read: ok 100",
            ]
        );
    }
}
