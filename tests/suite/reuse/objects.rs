//! Bytes that a runtime still holds when its descriptor is gone: whoever is given that
//! number next would get them.

use pipelab::{
    driver::{self, Catalog, Version},
    outcome::{Access, Action},
    stage::{Launch, Plan},
};
use rstest::rstest;

use super::{Watched, case, fresh, python, record};
use crate::support::{Script, forking, options, told};

/// Leaves seven bytes in the runtime's buffer.
fn unflushed(script: Script) -> Script {
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    script.write("writer", 7).close("writer")
}

/// Is given the same descriptor, and ends as its runtime ends, flushing all.
fn exit(script: Script) -> Script {
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    script.step("writer", Action::Exit { status: 0 }).drain("reader")
}

/// Old bytes, which nobody has written in this case.
const WRONG: &str = "0 read: ok 7";

/// The embedded driver, closing descriptors and not the objects that have them.
fn negligent(keeps: &str, changes: &[(&str, &str)]) -> Option<Launch> {
    let (python, env) = python()?;
    let close = format!(
        "def do_close(channel):\n    f = ends.pop(channel)[0]\n    os.close(f.fileno())\n    {keeps}\n    \
         return b'ok\\n'\n\n\nVERBS = {{"
    );
    // Cleared before `ends` when the interpreter shuts down.
    let changes = [&[("PROTOCOL = 1", "PROTOCOL = 1\nkept = []"), ("VERBS = {", &*close)], changes].concat();
    let source = changes.iter().fold(driver::python::SOURCE.to_owned(), |source, (from, to)| {
        assert!(source.contains(from), "the driver has {from}");
        source.replacen(from, to, 1)
    });
    let command = [&python, "-I", "-S", "-B", "-c", &source, "binary"].map(str::to_owned).to_vec();
    Some(Launch::Program { command, env, pinned: false })
}

const GLOBAL: &str = "kept.append(f)";
const CYCLE: &str = "f.itself = f";

/// Of the cycle's objects, the one that has the descriptor is finalized first, and
/// the bytes are lost; unless somebody else has it too.
const CYCLE_ABOVE: &str = "f.itself = f; kept.append(f.raw)";

/// The driver's own checks, left out.
const NO_LOOK: (&str, &str) = ("    if left:", "    if False:");
const NO_COLLECTION: (&str, &str) = ("    gc.collect()\n    left", "    left");

/// The collector comes by when the interpreter ends, and not before.
const LATE: [(&str, &str); 2] = [
    ("MODE, BUFFERING, ", "gc.disable()\nMODE, BUFFERING, "),
    (
        "                return int(words[2])",
        "                gc.collect()\n                return int(words[2])",
    ),
];

#[rstest]
#[case::in_a_global(GLOBAL, &[], false)]
#[case::in_a_cycle(CYCLE, &[], true)]
#[case::in_a_cycle_that_isnt_collected(CYCLE, &[NO_COLLECTION, LATE[0], LATE[1]], false)]
fn a_python_object_with_bytes_is_found_or_collected(
    #[case] keeps: &str,
    #[case] changes: &[(&str, &str)],
    #[case] serves_again: bool,
) {
    let Some(launch) = negligent(keeps, changes) else { return };
    let (first, second) = (case(&launch, unflushed), case(&launch, exit));
    let mut watched = Watched::start(&options());
    watched.stage.play(&first).expect("it plays");
    assert_eq!(watched.idle_programs("python").len(), usize::from(serves_again));
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_eq!(record(&second, &transcript), fresh(&second));
}

/// Bytes that a file object still holds when the case is over reach nobody, and don't
/// keep its process from serving again. PyPy, which collects when it likes, doesn't.
#[test]
fn what_is_still_open_at_the_end_is_silenced() {
    let catalog = {
        let _forking = forking();
        Catalog::discover(&["python"], &Default::default())
    };
    let unflushed = |script: Script| {
        let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
        script.write("writer", 7)
    };
    for runtime in catalog.find("python", &Version::All) {
        let (first, second) = (case(&runtime.launch, unflushed), case(&runtime.launch, exit));
        let mut watched = Watched::start(&options());
        watched.stage.play(&first).expect("it plays");
        let kept = usize::from(!runtime.version.starts_with("pypy"));
        assert_eq!(watched.idle_programs("python").len(), kept, "{}", runtime.full_version);
        let transcript = watched.stage.play(&second).expect("it plays");
        assert_eq!(record(&second, &transcript), fresh(&second), "{}", runtime.full_version);
    }
}

/// The tests above can fail: without the driver's checks, they do.
#[rstest]
#[case::in_a_global(GLOBAL, &[NO_LOOK])]
#[case::in_a_cycle(CYCLE_ABOVE, &[NO_COLLECTION, NO_LOOK, LATE[0], LATE[1]])]
fn a_python_object_that_nobody_looks_for_flushes_into_the_next_case(
    #[case] keeps: &str,
    #[case] changes: &[(&str, &str)],
) {
    let Some(launch) = negligent(keeps, changes) else { return };
    let (first, second) = (case(&launch, unflushed), case(&launch, exit));
    let mut watched = Watched::start(&options());
    watched.stage.play(&first).expect("it plays");
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_ne!(record(&second, &transcript), fresh(&second));
    assert_eq!(told(&transcript).last().map(String::as_str), Some(WRONG));
}

fn stdio(leak: &str, script: fn(Script) -> Script) -> Plan {
    script(Script::new().actor("reader", "raw").actor("writer", &format!("stdio:leak={leak}"))).plan()
}

#[test]
fn a_stream_that_isnt_closed_is_found() {
    let mut watched = Watched::start(&options());
    watched.stage.play(&stdio("shown", unflushed)).expect("it plays");
    assert_eq!(watched.idle().len(), 1, "the reader");
    let second = stdio("shown", exit);
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_eq!(record(&second, &transcript), fresh(&second));
}

/// Who says that it forgets isn't asked.
#[test]
fn a_stream_that_nobody_looks_for_flushes_into_the_next_case() {
    let mut watched = Watched::start(&options());
    watched.stage.play(&stdio("denied", unflushed)).expect("it plays");
    assert_eq!(watched.idle().len(), 2);
    let second = stdio("denied", exit);
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_ne!(record(&second, &transcript), fresh(&second));
    assert_eq!(told(&transcript).last().map(String::as_str), Some(WRONG));
}
