//! Expectations that are wrong on purpose: each is seen to fail, in words that name its
//! line. As they stand here the scenarios hold.

mod scenes;

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use pipelab::{
    outcome::{Recorded, Status, snapshot},
    runner::{Lab, Loaded, find},
    scenario::Overrides,
};
use rstest::rstest;

use crate::{
    lab,
    support::{forking, options},
};
use scenes::{CALLS, EDGES, ORDER, SPINS, STUCK, TORN, WAITS};

/// One lab for all.
fn play(text: &str, recorded: Option<&Recorded>) -> (Status, Vec<String>, String) {
    static LAB: Mutex<Option<Lab>> = Mutex::new(None);
    let folder = lab::Lab::new(&[("broken", text)]);
    let found = find(&[folder.path("scenarios/broken.toml")]).expect("the scenario");
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = lab.get_or_insert_with(|| {
        let _forking = forking();
        Lab::open(&options()).expect("a stage")
    });
    let loaded: Vec<Loaded> =
        lab.load(&found, &Overrides::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let case = loaded[0].cases.maker().case(0).into();
    let judged = lab.play(&case, recorded).expect("it plays");
    let block = judged.block().expect("it was played");
    (judged.status, judged.differences, block)
}

#[rstest]
#[case(CALLS)]
#[case(WAITS)]
#[case(TORN)]
#[case(ORDER)]
#[case(EDGES)]
#[case(STUCK)]
#[case(SPINS)]
fn unbroken_it_holds(#[case] text: &str) {
    let (status, differences, _) = play(text, None);
    assert_eq!((status, differences), (Status::Unrecorded, vec![]));
}

/// With `right` replaced by `wrong`. In what must be said, `LINE` is the line of `wrong`.
#[rstest]
// errno
#[case(
    CALLS,
    "a read r 1       -> EAGAIN",
    "a read r 1       -> EPIPE",
    "line LINE: `a read r 1` expected EPIPE, gave EAGAIN"
)]
#[case(
    CALLS,
    "a write w 1      -> EPIPE",
    "a write w 1      -> ok 1",
    "line LINE: `a write w 1` expected ok 1, gave EPIPE"
)]
#[case(
    CALLS,
    "a write w 1      -> EPIPE",
    "a write w 1      -> EPIPE BrokenPipeError",
    "line LINE: `a write w 1` expected EPIPE BrokenPipeError, gave EPIPE"
)]
// count
#[case(
    CALLS,
    "a write w 10     -> ok 10",
    "a write w 10     -> ok 9",
    "line LINE: `a write w 10` expected ok 9, gave ok 10"
)]
#[case(
    CALLS,
    "a read r 100     -> ok 10",
    "a read r 100     -> ok 100",
    "line LINE: `a read r 100` expected ok 100, gave ok 10"
)]
#[case(
    CALLS,
    "a read r 100     -> ok 10",
    "a read r 100     -> eof",
    "line LINE: `a read r 100` expected eof, gave ok 10"
)]
// range
#[case(CALLS, "-> ok 1 to 4096", "-> ok 1 to 9", "line LINE: `a fionread r` expected ok 1 to 9, gave ok 10")]
#[case(
    CALLS,
    "-> ok 1 to 4096",
    "-> ok 11 to 4096",
    "line LINE: `a fionread r` expected ok 11 to 4096, gave ok 10"
)]
#[case(
    CALLS,
    "offered   = \"10 to 11\"",
    "offered   = \"12 to 20\"",
    "line LINE: offered of r expected 12 to 20, is 11"
)]
// words
#[case(
    CALLS,
    "-> says in",
    "-> says in hup",
    "line LINE: `a poll r in now` expected says in hup, gave says in"
)]
#[case(
    CALLS,
    "-> says wronly nonblock",
    "-> says wronly",
    "line LINE: `a getfl w` expected says wronly, gave says wronly nonblock"
)]
#[case(
    CALLS,
    "-> says wronly nonblock",
    "-> says rdonly nonblock",
    "line LINE: `a getfl w` expected says rdonly nonblock, gave says wronly nonblock"
)]
// blocked
#[case(
    CALLS,
    "a read r 1       -> EAGAIN",
    "a read r 1       -> blocked",
    "line LINE: `a read r 1` expected blocked, gave EAGAIN"
)]
#[case(
    WAITS,
    "-> blocked then ok 4 by b write",
    "-> ok 4",
    "line LINE: `a read r 4` expected ok 4, gave blocked in read"
)]
#[case(
    WAITS,
    "-> blocked then ok 4 by b write",
    "-> waiting then ok 4",
    "line LINE: `a read r 4` expected waiting then ok 4, gave blocked in read"
)]
// what becomes of it, and by whom
#[case(
    WAITS,
    "-> blocked then ok 4 by b write",
    "-> blocked then ok 4 by b exit",
    "line LINE: `a read r 4` expected blocked then ok 4 by b exit, then gave ok 4 by b write w 4"
)]
#[case(
    WAITS,
    "-> blocked then eof by b exit",
    "-> blocked then EPIPE by b exit",
    "line LINE: `a read r 4` expected blocked then EPIPE by b exit, then gave ok 0 by b exit"
)]
#[case(
    WAITS,
    "-> blocked then eof by b exit",
    "-> blocked then nothing",
    "line LINE: `a read r 4` expected blocked then nothing, then gave ok 0 by b exit"
)]
#[case(
    STUCK,
    "-> blocked then nothing",
    "-> blocked then ok",
    "line LINE: `r open log read` expected blocked then ok, then gave nothing"
)]
#[case(
    TORN,
    "by r read log page",
    "by r read log capacity",
    "line LINE: `v write log capacity+3*page` expected blocked then ok capacity+3*page by r read log capacity, then gave ok 77824 by r read log page"
)]
// the end of an actor
#[case(CALLS, "-> exited 3", "-> exited 0", "line LINE: `a exit 3` expected exited 0, gave exited with 3")]
#[case(
    WAITS,
    "-> exited 0",
    "-> killed SIGPIPE",
    "line LINE: `b exit` expected killed SIGPIPE, gave exited with 0"
)]
// two writers' records
#[case(
    ORDER,
    "a read r 100  -> ok 10 from a",
    "a read r 100  -> ok 20 from a",
    "line LINE: `a read r 100` expected ok 20 from a, gave ok 10 from a 10"
)]
#[case(
    ORDER,
    "a read r 100  -> ok 10 from a",
    "a read r 100  -> ok 10 from b",
    "line LINE: `a read r 100` expected ok 10 from b, gave ok 10 from a 10"
)]
#[case(
    ORDER,
    "-> ok 20 from b 20",
    "-> ok 20 from b 19",
    "line LINE: `a read r 100` expected ok 20 from b 19, gave ok 20 from b 20"
)]
#[case(
    ORDER,
    "then ok 5 from b by b write",
    "then ok 5 from a by b write",
    "line LINE: `a read r 100` expected blocked then ok 5 from a by b write, then gave ok 5 from b 5 by b write w 5"
)]
#[case(
    TORN,
    "from v capacity-3*page, w page, v 2*page",
    "from v capacity-3*page, v 2*page, w page",
    "line LINE: `r read log capacity` expected ok capacity from v capacity-3*page, v 2*page, w page, gave ok 65536 from v 53248, w 4096, v 8192"
)]
#[case(
    TORN,
    "from v capacity-3*page, w page, v 2*page",
    "from v, w",
    "line LINE: `r read log capacity` expected ok capacity from v, w, gave ok 65536 from v 53248, w 4096, v 8192"
)]
#[case(TORN, "torn = 1", "torn = 0", "line LINE: torn of log expected 0, is 1")]
#[case(TORN, "torn = 1", "torn = \"> 1\"", "line LINE: torn of log expected > 1, is 1")]
// edges
#[case(
    EDGES,
    "a edges e        -> ok 1",
    "a edges e        -> ok 2",
    "line LINE: `a edges e` expected ok 2, gave ok 1"
)]
#[case(EDGES, "-> ok 0 to 1", "-> ok 1 to 2", "line LINE: `a edges e` expected ok 1 to 2, gave ok 0")]
// the ledger
#[case(
    CALLS,
    "delivered = \"accepted\"",
    "delivered = \"offered\"",
    "line LINE: delivered of r expected offered = 11, is 10"
)]
#[case(
    CALLS,
    "accepted  = \"<= capacity\"",
    "accepted  = \"> capacity\"",
    "line LINE: accepted of r expected > capacity = 65536, is 10"
)]
#[case(CALLS, "lost      = 0", "lost      = 1", "line LINE: lost of r expected 1, is 0")]
#[case(CALLS, "lost      = 0", "lost      = \"!= 0\"", "line LINE: lost of r expected != 0, is 0")]
#[case(
    WAITS,
    "kernel = \"delivered\"",
    "kernel = \"2*delivered\"",
    "line LINE: kernel of r expected 2*delivered = 8, is 4"
)]
#[case(
    TORN,
    "queued = \"0 to 0\"",
    "queued = \"1 to page\"",
    "line LINE: queued of log expected 1 to page = 1 to 4096, is 0"
)]
#[case(
    TORN,
    "delivered = \"> capacity\"",
    "delivered = \"< capacity\"",
    "line LINE: delivered of log expected < capacity = 65536, is 81920"
)]
// the whole case
#[case(CALLS, "error_at = \"read\"", "error_at = \"write\"", "line LINE: error_at expected write, is read")]
#[case(WAITS, "error_at = \"none\"", "error_at = \"read\"", "line LINE: error_at expected read, is none")]
#[case(WAITS, "end = \"played\"", "end = \"stuck\"", "line LINE: end expected stuck, is played")]
#[case(STUCK, "end = \"stuck\"", "end = \"played\"", "line LINE: end expected played, is stuck")]
#[case(
    SPINS,
    "r tail r 5       -> spinning",
    "r tail r 5       -> ok 5",
    "line LINE: `r tail r 5` expected ok 5, gave spinning: it has used up its CPU time; if it needs more, raise \
     `setting.cpu_budget`"
)]
#[case(STUCK, "r read log 1", "r read log 1     -> ok 1", "line LINE: `r read log 1` was never reached")]
fn broken_it_is_told(#[case] text: &str, #[case] right: &str, #[case] wrong: &str, #[case] said: &str) {
    assert_eq!(text.matches(right).count(), 1, "{right}");
    let broken = text.replace(right, wrong);
    let line = 1 + broken[..broken.find(wrong).expect("it was put in")].matches('\n').count();
    let (status, differences, _) = play(&broken, None);
    assert!(matches!(status, Status::Differs | Status::Stuck), "{status:?}");
    assert_eq!(differences, [said.replace("LINE", &line.to_string())]);
}

#[test]
fn records_in_another_order_are_told_by_expectations() {
    let broken = ORDER.replace("a write w 10\nb write w 20", "b write w 20\na write w 10");
    let (status, differences, _) = play(&broken, None);
    assert_eq!(status, Status::Differs);
    assert_eq!(
        differences,
        [
            "line 10: `a read r 100` expected ok 10 from a, gave ok 20 from b 20",
            "line 11: `a read r 100` expected ok 20 from b 20, gave ok 10 from a 10"
        ]
    );
}

/// A snapshot in which either read got the other packet.
#[rstest]
#[case(5, "all of 3", "all of 4")]
#[case(6, "all of 4", "all of 3")]
fn records_in_another_order_are_told_by_snapshots(
    #[case] step: usize,
    #[case] right: &str,
    #[case] wrong: &str,
) {
    let (_, _, block) = play(ORDER, None);
    assert_eq!(block.matches(right).count(), 1, "{block}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = snapshot::path(folder.path(), "broken", "raw");
    fs::write(&path, block.replace(right, wrong)).expect("written");
    let recorded = Recorded::read(&path).expect("readable").expect("there");
    let (status, differences, _) = play(ORDER, Some(&recorded));
    assert_eq!(status, Status::Differs);
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    let step = format!("  {step}  a read r 100");
    for (sign, name) in [('-', wrong), ('+', right)] {
        let is_told = |line: &str| line.starts_with(sign) && line.contains(&step) && line.ends_with(name);
        assert!(difference.lines().any(is_told), "{difference}");
    }
}
