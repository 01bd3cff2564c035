//! Which processes serve again, and which never do.

use std::{os::unix::process::CommandExt, process::Command};

use nix::sys::resource::{Resource, setrlimit};
use pipelab::{
    channel::Kind,
    outcome::{Access, Action, Call, Called, Outcome, Readiness},
    setting::{Setting, Sigpipe},
    stage::Options,
};
use rstest::rstest;

use super::Watched;
use crate::{
    lab::{Lab, ran},
    support::{Script, options},
};

fn one(driver: &str) -> Script {
    Script::new().actor("one", driver).open_nonblock("one", Access::Read)
}

#[rstest]
fn a_clean_actor_serves_again(#[values("raw", "stdio", "rust")] driver: &str) {
    let mut watched = Watched::start(&options());
    one(driver).close("one").play(&mut watched.stage).expect("it plays");
    let first = watched.idle();
    assert_eq!(first.len(), 1);
    // Another name, and an end that is still open.
    let script = Script::new().actor("another", driver).open_nonblock("another", Access::Read);
    script.play(&mut watched.stage).expect("it plays");
    assert_eq!(watched.idle(), first);
}

#[rstest]
#[case::of_another_mode(one("stdio:line"))]
#[case::of_another_driver(one("raw"))]
#[case::of_another_setting(one("stdio").setting(Setting { sigpipe: Sigpipe::Default, ..Setting::default() }))]
fn a_part_is_played_by_its_own_kind_alone(#[case] script: Script) {
    let mut watched = Watched::start(&options());
    one("stdio").play(&mut watched.stage).expect("it plays");
    script.play(&mut watched.stage).expect("it plays");
    assert_eq!(watched.idle().len(), 2);
}

#[test]
fn fresh_actors_serve_once() {
    let mut watched = Watched::start(&Options { fresh: true, ..options() });
    one("raw").play(&mut watched.stage).expect("it plays");
    assert!(watched.idle().is_empty());
}

fn call(name: &str, words: &[&str]) -> Action {
    let call = Call::named(name).expect("it is in the call table");
    Action::Call(Called { call, words: words.iter().map(|word| (*word).to_owned()).collect() })
}

const AWAIT: Action = Action::Await { channel: 0, readiness: Readiness::Read };

#[rstest]
#[case::that_was_killed(one("raw").kill("one"))]
#[case::that_survived_a_signal(one("raw").step("one", Action::Kill { signal: libc::SIGWINCH }))]
#[case::that_exited(one("raw").step("one", Action::Exit { status: 0 }))]
#[case::that_only_itself_could_wake(Script::new().actor("one", "raw").open("one", Access::Both).read("one", 1))]
#[case::that_would_go_on(Script::new().actor("one", "raw").open("one", Access::Read).read("one", 1))]
#[case::that_sleeps(one("raw").step("one", Action::Sleep))]
#[case::that_spins(one("raw").setting(Setting { sigpipe: Sigpipe::Ignore, budget_ms: 1, ..Setting::default() }).step("one", Action::Spin))]
#[case::that_awaits(one("raw").step("one", AWAIT))]
#[case::that_gave_up_its_capabilities(one("raw").step("one", call("capset", &[])))]
#[case::that_has_another_limit(one("raw").step("one", call("setrlimit", &["nofile", "10"])))]
#[case::that_would_read_for_ever(pair("stream").call("one", "tail x 5"))]
fn no_actor_serves_again(#[case] script: Script) {
    let mut watched = Watched::start(&options());
    script.play(&mut watched.stage).expect("it plays");
    assert!(watched.idle().is_empty());
}

#[test]
fn an_actor_that_was_blocked_and_released_serves_again() {
    let mut watched = Watched::start(&options());
    let script = Script::new().actor("one", "raw").actor("two", "raw");
    let script = script.open("one", Access::Read).open("two", Access::Write);
    script.play(&mut watched.stage).expect("it plays");
    assert_eq!(watched.idle().len(), 2);
}

fn two(driver: &str) -> Script {
    let script = Script::new().actor("one", "raw").actor("two", driver);
    script.open_nonblock("one", Access::Read).open("two", Access::Write)
}

fn pair(kind: &str) -> Script {
    let script =
        Script::new().actor("one", "raw").handle("x", Kind::UnixStream).handle("y", Kind::UnixStream);
    script.call("one", &format!("socketpair x y {kind}"))
}

/// Its call ends once the others hold nothing, or once the stage sees to it; and nothing of it is in
/// the next case.
#[rstest]
#[case::in_an_open(|| Script::new().actor("one", "raw").open("one", Access::Write), 1)]
#[case::in_a_read(|| Script::new().actor("one", "raw").actor("two", "raw").open("one", Access::Read)
    .open("two", Access::Write).read("one", 1), 2)]
#[case::in_a_write(|| two("raw").write("two", 70_000), 2)]
#[case::in_a_write_of_stdio(|| two("stdio").write("two", 200_000), 2)]
#[case::in_a_write_of_rust(|| two("rust").write("two", 200_000), 2)]
#[case::in_a_receive(|| pair("stream").call("one", "recv x 1"), 1)]
#[case::in_a_receive_of_a_message(|| pair("dgram").call("one", "recv x 1"), 1)]
#[case::in_a_send(|| pair("stream").call("one", "fill x 4096"), 1)]
fn who_sleeps_as_its_case_ends_serves_again(#[case] script: fn() -> Script, #[case] actors: usize) {
    let mut watched = Watched::start(&options());
    let first = script().play(&mut watched.stage).expect("it plays");
    let last = first.steps.last().expect("a step");
    assert!(matches!(last.outcome, Outcome::Blocked { .. }), "{last:?}");
    let idle = watched.idle();
    assert_eq!(idle.len(), actors);
    assert_eq!(script().play(&mut watched.stage).expect("it plays"), first);
    assert_eq!(watched.idle(), idle);
}

/// With few descriptors, idle actors must not take those of the next case.
#[test]
fn idle_actors_leave_a_large_case_its_descriptors() {
    let readers = |count: usize, open: &str, mode: &dyn Fn(usize) -> String| {
        let names: Vec<String> = (0..count).map(|at| format!("w{at}")).collect();
        let actors: String =
            names.iter().enumerate().map(|(at, name)| format!("{name} = {:?}\n", mode(at))).collect();
        let steps: String = names.iter().map(|name| format!("{name} open log {open}\n")).collect();
        format!("[channels]\nlog = \"fifo\"\n[actors]\n{actors}script = '''\n{steps}'''\n")
    };
    let small = readers(5, "read nonblock", &|at| format!("stdio:full,buffer={}", at + 1));
    let lab = Lab::new(&[("a-small", &small), ("b-large", &readers(22, "read", &|_| "raw".into()))]);
    let mut command: Command = lab.command(&["run", "--format", "jsonl", "scenarios"]);
    // SAFETY: a system call on numbers between fork and exec.
    unsafe { command.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_NOFILE, 200, 200)?)) };
    let ran = ran(&mut command);
    assert_eq!(ran.statuses(), ["unrecorded", "unrecorded"], "{}", ran.err);
}

/// What a case has counted, or its children have done, is in no other's record.
#[rstest]
#[case::signals_that_were_caught(
    r#"
        [params]
        n = [1, 2, 3]
        [actors]
        w = "raw"
        [setting]
        sigpipe = "ignore"
        script = '''
        w sigaction SIGPIPE count
        w pipe r p
        w close r
        w write p {n}           -> EPIPE
        w caught SIGPIPE        -> ok 1
        w sigaction SIGPIPE ignore
        w close p
        '''
    "#
)]
#[case::a_child_behind_another_step(
    r#"
        [channels]
        f = "fifo"
        [actors]
        parent = "rust"
        r = "raw"
        cat = { command = ["cat"], by = "parent", stdin = "pipe" }
        script = '''
        r open f read nonblock
        parent open f write
        parent spawn cat
        parent write cat.stdin 5
        '''
    "#
)]
fn records_are_those_of_fresh_processes(#[case] text: &str) {
    let lab = Lab::new(&[("one", text)]);
    let play = |more: &[&str]| {
        let ran = lab.run(&[&["run", "--format", "jsonl", "--jobs", "1", "scenarios"], more].concat());
        assert!(ran.statuses().iter().all(|status| status == "unrecorded"), "{ran:?}");
        ran.out
    };
    assert_eq!(play(&[]), play(&["--fresh"]));
}
