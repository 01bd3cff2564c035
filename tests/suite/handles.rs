//! System calls on handles: who holds what, and what becomes of the bytes.

use crate::lab::Lab;

/// Plays a script of `raw` actors a, and b, its copy. The records.
fn play(script: &str) -> serde_json::Value {
    let actors = "[actors]\na = \"raw\"\nb = \"raw:fork\"\n[setting]\nsigpipe = \"ignore\"\n";
    let lab = Lab::new(&[("case", &format!("{actors}script = '''\n{script}\n'''\n"))]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    let mut objects = ran.objects();
    assert_eq!(objects.len(), 1, "{ran:?}");
    objects.remove(0)
}

#[test]
fn a_copy_keeps_a_pipe_open_until_it_closes_it_too() {
    let played = play(
        "a pipe r w\na fork b\na close w\na write w 1 -> EBADF\na read r 9 -> blocked then ok 0 by b close w\n\
         b close w\nb write r 1 -> EBADF",
    );
    assert_eq!(played["differences"], serde_json::Value::Null, "{played}");
}

#[test]
fn what_a_copy_writes_is_its_own() {
    let played = play("a pipe r w\na fork b\na write w 100\nb write w 50\na read r 1000 -> ok 150");
    assert_eq!(played["differences"], serde_json::Value::Null, "{played}");
    let ledger = &played["ledger"]["r"];
    assert_eq!((&ledger["offered"], &ledger["delivered"]), (&150.into(), &150.into()), "{ledger}");
    assert_eq!((&ledger["foreign"], &ledger["reordered"]), (&0.into(), &0.into()), "{ledger}");
    assert!(played["ledger"].get("w").is_none(), "nothing arrives at a write end");
}

/// pipe(7), packet mode: what doesn't fit into the reader's room is discarded.
#[test]
fn the_rest_of_a_packet_is_cut_off() {
    let played = play("a pipe r w direct\na fork b\na write w 100\na write w 30\na read r 40\na read r 40");
    let ledger = &played["ledger"]["r"];
    assert_eq!(
        (&ledger["kernel"], &ledger["delivered"], &ledger["lost"]),
        (&130.into(), &70.into(), &60.into())
    );
    let lost = &ledger["extents"]["lost"];
    assert_eq!(
        (&lost[0]["start"], &lost[0]["len"], &lost[0]["place"]),
        (&40.into(), &60.into(), &"cut".into())
    );
}

#[test]
fn a_blocked_fill_leaves_what_it_moved_in_the_pipe() {
    let played = play("a pipe r w\na fork b\na fill w 1000\nb fionread r");
    let steps = played["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    let (queued, told) = (&last["counts"]["r"]["queued"], &last["bytes"]);
    assert_eq!(queued, told, "{last}");
    assert!(told.as_u64().expect("a number") > 60_000, "{last}");
    assert_eq!(steps[2]["outcome"], "blocked");
}

#[test]
fn names_of_handles_dont_outlive_their_case() {
    let first = "[actors]\na = \"raw\"\nscript = '''\na pipe log w\na close log\na close w\n'''\n";
    let second =
        "[channels]\nlog = \"fifo\"\n[actors]\na = \"raw\"\nscript = '''\na open log both -> ok\n'''\n";
    let lab = Lab::new(&[("a-first", first), ("b-second", second)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl", "--jobs", "1"]);
    let last = ran.objects().pop().expect("two cases");
    assert_eq!(last["differences"], serde_json::Value::Null, "{last}");
}
