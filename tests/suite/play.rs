//! Cases played by the stage with the built-in drivers.

use pipelab::outcome::{Access, Action, Count, End};

use crate::support::{Script, stage, told};

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
