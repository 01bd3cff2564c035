//! Drivers that leave something behind: each is found out, and another process plays
//! the next case. Where a check is switched off, the next case's record is wrong.

use std::{path::Path, sync::Arc};

use pipelab::{
    observe::Check,
    outcome::{Access, Action},
    stage::{Fault, Launch, Options},
};
use rstest::rstest;

use super::{Watched, case, fresh, python, record};
use crate::support::{Script, options, told};

/// The driver that leaves behind what `leak` names.
fn leaky(leak: &str) -> Option<Launch> {
    let (python, env) = python()?;
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/leaky.py");
    let command = [&python, "-I", "-S", "-B", &*driver.to_string_lossy(), leak].map(str::to_owned).to_vec();
    Some(Launch::Program { command, env, pinned: false })
}

fn leaving(script: Script) -> Script {
    script.open_nonblock("reader", Access::Read).open("writer", Access::Write).close("writer").flush("writer")
}

/// Opens, loses its reader, and writes on.
fn lose_the_reader(script: Script) -> Script {
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    script.close("reader").write("writer", 1)
}

fn end_by_a_signal(script: Script) -> Script {
    script.step("writer", Action::Kill { signal: libc::SIGTERM })
}

fn exit(script: Script) -> Script {
    script.step("writer", Action::Exit { status: 0 })
}

#[test]
fn a_program_that_leaves_nothing_serves_again() {
    let Some(launch) = leaky("nothing") else { return };
    let mut watched = Watched::start(&options());
    watched.stage.play(&case(&launch, leaving)).expect("it plays");
    let first = watched.idle_programs("python");
    assert_eq!(first.len(), 1);
    let plan = case(&launch, lose_the_reader);
    let transcript = watched.stage.play(&plan).expect("it plays");
    assert_eq!(watched.idle_programs("python"), first);
    assert_eq!(record(&plan, &transcript), fresh(&plan));
}

/// Their starts and their ends come at the same time, and none waits for another's.
#[test]
fn two_programs_of_a_case_serve_again() {
    let Some(launch) = leaky("nothing") else { return };
    let mut plan = Script::new().actor("reader", "raw").actor("writer", "raw").actor("other", "raw");
    plan = leaving(plan).open_nonblock("other", Access::Read);
    let mut plan = plan.plan();
    for actor in &mut Arc::make_mut(&mut plan.actors)[1..] {
        actor.launch = launch.clone().into();
    }
    let mut watched = Watched::start(&options());
    watched.stage.play(&plan).expect("it plays");
    let first = watched.idle_programs("python");
    assert_eq!(first.len(), 2);
    watched.stage.play(&plan).expect("it plays");
    assert_eq!(watched.idle_programs("python"), first);
}

/// What is left, the case after it, the checks that find it, and what the case says
/// where nobody checks. (With its first thread, glibc catches a real-time signal.)
#[rstest]
#[case::descriptors("descriptors", lose_the_reader, &[Check::Descriptors], "1 open: EMFILE")]
#[case::descriptors_late("descriptors_late", lose_the_reader, &[Check::Descriptors], "1 open: EMFILE")]
#[case::disposition("disposition", lose_the_reader, &[Check::Signals], "1 write: killed SIGPIPE")]
#[case::mask("mask", end_by_a_signal, &[Check::Signals], "1 kill: ok")]
#[case::thread("thread", exit, &[Check::Threads, Check::Signals], "1 exit: blocked in futex")]
#[case::child("child", exit, &[Check::Children], "1 exit: blocked in wait4")]
#[case::limit("limit", lose_the_reader, &[Check::Surroundings], "1 open: EMFILE")]
fn what_is_left_is_found_and_would_have_a_say(
    #[case] leak: &str,
    #[case] second: fn(Script) -> Script,
    #[case] checks: &[Check],
    #[case] wrong: &str,
) {
    let Some(launch) = leaky(leak) else { return };
    let (first, second) = (case(&launch, leaving), case(&launch, second));
    let fresh = fresh(&second);

    let mut watched = Watched::start(&options());
    watched.stage.play(&first).expect("it plays");
    assert!(watched.idle_programs("python").is_empty(), "it is found out");
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_eq!(record(&second, &transcript), fresh);

    let mut unchecked = Watched::start(&Options { unchecked: checks.to_vec(), ..options() });
    unchecked.stage.play(&first).expect("it plays");
    assert_eq!(unchecked.idle_programs("python").len(), 1, "nobody finds it out");
    let transcript = unchecked.stage.play(&second).expect("it plays");
    assert_ne!(record(&second, &transcript), fresh);
    assert!(told(&transcript).iter().any(|line| line == wrong), "{:?}", told(&transcript));
}

/// What no case of ours would notice, and what a reset itself can do wrong.
#[rstest]
fn who_isnt_as_before_never_serves_again(
    #[values(
        "another_descriptor",
        "flags",
        "real_time_signal",
        "umask",
        "folder",
        "priority",
        "thread_late",
        "grandchild",
        "two_answers_to_reset",
        "no_answer_to_reset",
        "deaf_to_reset",
        "hang_up_at_reset"
    )]
    leak: &str,
) {
    let Some(launch) = leaky(leak) else { return };
    let mut watched = Watched::start(&options());
    let (first, second) = (case(&launch, leaving), case(&launch, lose_the_reader));
    let transcript = watched.stage.play(&first).expect("what follows a case is no fault of it");
    assert_eq!(told(&transcript)[2..], ["1 close: ok", "1 flush: ok"]);
    assert!(watched.idle_programs("python").is_empty());
    let transcript = watched.stage.play(&second).expect("it plays");
    assert_eq!(record(&second, &transcript), fresh(&second));
}

#[test]
fn an_idle_program_that_ends_is_replaced() {
    let Some(launch) = leaky("nothing") else { return };
    let mut watched = Watched::start(&options());
    let plan = case(&launch, leaving);
    watched.stage.play(&plan).expect("it plays");
    let first = watched.idle_programs("python");
    for &pid in &first {
        let pid = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is ours");
    }
    watched.stage.play(&plan).expect("it plays");
    assert!(watched.idle_programs("python").is_disjoint(&first));
}

#[test]
fn a_file_that_is_left_isnt_in_the_next_cases_way() {
    let Some(launch) = leaky("file") else { return };
    let mut watched = Watched::start(&options());
    watched.stage.play(&case(&launch, leaving)).expect("it plays");
    let mut plan = case(&launch, lose_the_reader);
    Arc::make_mut(&mut plan.channels)[0].name = "other".into();
    let transcript = watched.stage.play(&plan).expect("it plays");
    assert_eq!(told(&transcript).last().map(String::as_str), Some("1 write: EPIPE"));
}

#[test]
fn last_words_are_of_this_case() {
    let Some(launch) = leaky("words") else { return };
    let mut watched = Watched::start(&options());
    watched.stage.play(&case(&launch, leaving)).expect("it plays");
    assert_eq!(watched.idle_programs("python").len(), 1, "words are nothing that is left");
    let awaits = Action::Await { channel: 0, readiness: pipelab::outcome::Readiness::Read };
    let failing = case(&launch, |script| script.step("writer", awaits));
    let Err(Fault::Driver { message, .. }) = watched.stage.play(&failing) else { panic!("it can't await") };
    assert!(message.ends_with("; it said: words of the start"), "{message}");
}
