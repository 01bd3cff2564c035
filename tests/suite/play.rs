//! Cases played by the stage with the built-in drivers.

use std::sync::Arc;

use nix::libc;
use pipelab::{
    driver::{Catalog, Version},
    outcome::{Access, Action, Count, End, Ledger, Transcript, Verb, error_at, ledger::Place},
    setting::{Setting, Sigpipe},
    stage::{Condition, Fault, Handle, Launch, Options},
};

use crate::support::{Script, forking, options, stage, told};

#[test]
fn a_blocked_open_is_released_by_its_partner() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open("reader", Access::Read).open("writer", Access::Write);
    let transcript = script.play(&mut stage()).unwrap();
    assert_eq!(told(&transcript), ["0 open: blocked in open, by 1: ok", "1 open: ok"]);
}

#[test]
fn a_write_beyond_the_capacity_blocks_with_a_full_pipe_and_ends_when_it_is_read() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open("reader", Access::Read).open("writer", Access::Write);
    let transcript = script.write("writer", 200_000).read("reader", 200_000).play(&mut stage()).unwrap();
    assert_eq!(told(&transcript)[2..], ["1 write: blocked in write, by 3: ok 200000", "0 read: ok 200000"]);
    let counts = &transcript.steps[2].counts[0];
    assert_eq!((&counts.queued, &counts.accepted), (&Count::Known(65_536), &Count::Known(65_536)));
    let counts = &transcript.steps[3].counts[0];
    assert_eq!((&counts.accepted, &counts.taken), (&Count::Known(200_000), &Count::Known(200_000)));
}

/// More than the fork server forks at once.
#[test]
fn a_case_of_a_hundred_actors_is_played() {
    let names: Vec<String> = (0..100).map(|actor| format!("a{actor}")).collect();
    let script = names.iter().fold(Script::new(), |script, name| script.actor(name, "raw"));
    let script = script.open("a0", Access::Both);
    let script = names[1..].iter().fold(script, |script, name| script.open(name, Access::Write));
    let script = names[1..].iter().fold(script, |script, name| script.write(name, 10));
    let transcript = script.read("a0", 990).play(&mut stage()).unwrap();
    assert_eq!(told(&transcript).last().unwrap(), "0 read: ok 990");
}

#[test]
fn a_step_for_a_blocked_actor_ends_the_case_as_stuck() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open("reader", Access::Read).open("writer", Access::Write);
    let transcript = script.read("reader", 10).close("reader").play(&mut stage()).unwrap();
    let End::Stuck { step, waits } = transcript.end else { panic!("{:?}", transcript.end) };
    assert_eq!((step, waits.len()), (3, 1));
    assert_eq!((waits[0].actor, &waits[0].readers[..], &waits[0].writers[..]), (0, &[0][..], &[1][..]));
}

#[test]
fn an_actor_that_sleeps_waits_and_one_that_burns_cpu_spins() {
    let script = Script::new().actor("sleeper", "raw").actor("spinner", "raw");
    let script = script.step("sleeper", Action::Sleep).step("spinner", Action::Spin);
    let transcript = script.play(&mut stage()).unwrap();
    assert_eq!(told(&transcript), ["0 sleep: waiting in nanosleep", "1 spin: spinning"]);
}

#[test]
fn an_actor_in_its_event_loop_is_pending_and_takes_steps() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    let readable = Action::Await { channel: 0, readiness: pipelab::outcome::Readiness::Read };
    let script = script.step("reader", readable).drain("reader").write("writer", 7).drain("reader");
    let transcript = script.play(&mut stage()).unwrap();
    assert_eq!(
        told(&transcript)[2..],
        ["0 await: pending in poll, by 4: ok", "0 read: ok", "1 write: ok 7", "0 read: ok 7"]
    );
}

/// Nobody waits until a fresh actor of a built-in driver has started: what a signal
/// meets in it must be so from its first instruction.
#[test]
fn a_first_step_meets_a_fresh_actor_in_its_setting() {
    let mut stage = {
        let _forking = forking();
        Handle::start(&Options { fresh: true, ..options() }).expect("the stage starts")
    };
    let sigpipe = Action::Kill { signal: libc::SIGPIPE };
    for round in 0..50 {
        let told_of = |sigpipe: Sigpipe, action: &Action, stage: &mut Handle| {
            let script = Script::new().setting(Setting { sigpipe, ..Setting::default() }).actor("one", "raw");
            told(&script.step("one", action.clone()).play(stage).unwrap())
        };
        assert_eq!(told_of(Sigpipe::Ignore, &sigpipe, &mut stage), ["0 kill: ok"], "{round}");
        assert_eq!(told_of(Sigpipe::Default, &sigpipe, &mut stage), ["0 kill: killed SIGPIPE"], "{round}");
    }
}

#[test]
fn a_killed_writer_takes_its_blocked_call_along() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open("reader", Access::Read).open("writer", Access::Write).write("writer", 100_000);
    let transcript = script.kill("writer").read_to_eof("reader").play(&mut stage()).unwrap();
    assert_eq!(
        told(&transcript)[2..],
        ["1 write: blocked in write, by 3: killed SIGKILL", "1 kill: killed SIGKILL", "0 read: ok 65536"]
    );
}

#[test]
fn what_only_a_blocked_opener_kept_is_dropped_by_the_kernel() {
    let script = Script::new().actor("r1", "raw").actor("w", "raw").actor("r2", "raw");
    let script = script.open_nonblock("r1", Access::Read).open("w", Access::Write).write("w", 10);
    let script = script.close("w").open("r2", Access::Read).close("r1").kill("r2");
    let plan = script.plan();
    let transcript = stage().play(&plan).unwrap();
    assert_eq!(transcript.steps[6].counts[0].accepted, Count::Known(10));
    let ledger = &Ledger::of(&plan, &transcript)[0];
    let [loss] = &ledger.lost[..] else { panic!("{ledger:?}") };
    assert_eq!((loss.len, loss.place), (10, Place::Kernel));
}

#[test]
fn the_dead_hold_no_end() {
    let script = Script::new().actor("r1", "raw").actor("r2", "raw").actor("w", "raw");
    let script = script.open_nonblock("r1", Access::Read).open_nonblock("r2", Access::Read);
    let script = script.open("w", Access::Write).kill("r1").write("w", 100_000).close("w");
    let transcript = script.play(&mut stage()).unwrap();
    let End::Stuck { waits, .. } = transcript.end else { panic!("{:?}", transcript.end) };
    assert_eq!(waits[0].readers, [1]);
}

#[test]
fn a_sigpipe_that_a_kill_brings_about_is_an_error_of_the_writer() {
    let script = Script::new().actor("r", "raw").actor("w", "raw");
    let script = script.setting(Setting { sigpipe: Sigpipe::Default, ..Setting::default() });
    let script = script.open("r", Access::Read).open("w", Access::Write).write("w", 100_000).kill("r");
    let plan = script.plan();
    let transcript = stage().play(&plan).unwrap();
    let error = error_at(&plan, &transcript).expect("an error");
    assert_eq!((error.verb, error.errno.as_str()), (Verb::Write, "SIGPIPE"));
}

#[test]
fn nothing_becomes_ready_on_a_channel_that_is_closed() {
    let script = Script::new().actor("reader", "raw").actor("writer", "raw");
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    let readable = Action::Await { channel: 0, readiness: pipelab::outcome::Readiness::Read };
    let transcript = script.step("reader", readable).close("reader").play(&mut stage()).unwrap();
    assert_eq!(told(&transcript)[2..], ["0 await: pending in poll, by 3: EBADF", "0 close: ok"]);
}

#[test]
fn a_condition_is_looked_at_once_for_all_attempts() {
    let mut plan = {
        let script = Script::new().actor("reader", "raw").actor("writer", "rust");
        let script = script.open("reader", Access::Read).open("writer", Access::Write);
        script.close("reader").write("writer", 10).flush("writer").plan()
    };
    let flush = Arc::make_mut(plan.steps.last_mut().expect("the flush"));
    (flush.condition, flush.attempts) = (Condition::UnlessFailed, 3);
    let transcript = stage().play(&plan).unwrap();
    assert_eq!(told(&transcript)[4..], ["1 flush: EPIPE", "1 flush: EPIPE", "1 flush: EPIPE"]);
}

#[test]
fn a_read_that_failed_once_says_nothing_of_the_next() {
    let script = Script::new().actor("reader", "stdio").actor("writer", "raw");
    let script = script.open_nonblock("reader", Access::Read).open("writer", Access::Write);
    let script = script.read("reader", 5).write("writer", 5).close("writer").read_to_eof("reader");
    let transcript = script.play(&mut stage()).unwrap();
    assert_eq!(told(&transcript)[2], "0 read: EAGAIN");
    assert_eq!(told(&transcript)[5], "0 read: ok 5");
}

/// A program in Python that greets with `before` run first and then takes orders
/// with `answer` as its answer to every step.
fn program(before: &str, answer: &str) -> Option<Launch> {
    let python = Catalog::discover(&["python"], &Default::default())
        .find("python", &Version::Newest)
        .pop()?
        .launch
        .clone();
    let Launch::Program { command, env, .. } = &*python else { return None };
    let source = format!(
        "import socket, threading, time, os, sys\ns = socket.socket(fileno=3)\n{before}\n\
         s.sendall(b'hello 1 test 1\\n')\nwhile True:\n    b = s.recv(65536)\n    if not b: break\n    \
         i = b.split(b'\\n')[1].split()[0]\n    {answer}\n"
    );
    Some(Launch::Program {
        command: vec![command[0].clone(), "-c".into(), source],
        env: env.clone(),
        pinned: true,
    })
}

fn played_by(launch: Launch) -> Result<Transcript, Fault> {
    let mut plan = Script::new().actor("odd", "raw").open_nonblock("odd", Access::Read).plan();
    Arc::make_mut(&mut plan.actors)[0].launch = launch.into();
    stage().play(&plan)
}

#[test]
fn a_thread_that_ends_leaves_its_process_observable() {
    let before = "t = threading.Thread(target=lambda: r.recv(1)); r, w = socket.socketpair(); t.start()";
    let answer = "w.send(b'x'); t.join(); s.recv(1)";
    let Some(launch) = program(before, answer) else { return eprintln!("SKIPPED: no Python") };
    let transcript = played_by(launch).unwrap();
    // It waits on the control socket, so it takes steps: that is what can be said of it.
    assert!(transcript.steps[0].outcome.is_outstanding(), "{:?}", told(&transcript));
}

#[test]
fn drivers_that_break_the_wire_are_named_at_once() {
    let broken = |before, answer| match program(before, answer).map(played_by) {
        None => None,
        Some(Err(Fault::Driver { message, .. })) => Some(message),
        Some(other) => panic!("{other:?}"),
    };
    let expect = |message: Option<String>, part: &str| match message {
        None => eprintln!("SKIPPED: no Python"),
        Some(message) => assert!(message.contains(part), "{message}"),
    };
    expect(broken("", "s.sendall(i + b' ok\\n')"), "`fd=N`");
    expect(broken("", "s.sendall(i + b' ok data=0\\n')"), "`fd=N`");
    expect(broken("if os.fork(): os.wait()", "pass"), "through a child process");
}
