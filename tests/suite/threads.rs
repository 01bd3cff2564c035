//! Threads that share descriptors: each is watched by itself, and proved by all.

use crate::lab::Lab;

/// Plays a script of `a`, its threads `b` and `c`, and `d`, a copy. The records.
fn play(script: &str) -> serde_json::Value {
    let actors = "[channels]\nlog = \"fifo\"\n[actors]\na = \"raw\"\nb = \"raw:thread\"\nc = \"raw:thread\"\nd = \"raw:fork\"\n";
    let lab = Lab::new(&[("case", &format!("{actors}script = '''\n{script}\n'''\n"))]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    let mut objects = ran.objects();
    assert_eq!(objects.len(), 1, "{ran:?}");
    objects.remove(0)
}

fn as_expected(script: &str) {
    let played = play(script);
    assert_eq!(played["status"], "unrecorded", "{played}");
}

#[test]
fn what_one_rests_in_is_told_of_that_one() {
    as_expected(
        "a open log both\na pipe r w\na fork d\na thread b\na thread c\nb sleep -> waiting\nc await log read -> pending\n\
         a read r 1 -> blocked",
    );
}

#[test]
fn one_that_spins_keeps_no_other_from_being_proved() {
    let text = "[setting]\ncpu_budget = \"5 ms\"\n[actors]\na = \"raw\"\nb = \"raw:thread\"\nc = \"raw:thread\"\n\
                script = '''\na pipe r w\na thread b\na thread c\nb spin -> spinning\n\
                a read r 9 -> blocked then ok 2 by c write\nc write w 2 -> ok 2\na exit 4 -> exited 4\n'''\n";
    let lab = Lab::new(&[("case", text)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    assert_eq!(ran.objects()[0]["status"], "unrecorded", "{ran:?}");
}

#[test]
fn what_is_read_is_counted_by_thread() {
    let played = play(
        "a pipe r w\na pipe r2 w2\na fork d\na thread b\na thread c\na drain r 9 -> blocked\n\
         b drain r2 9 -> blocked\nc write w 5\nc write w2 7\nc fionread r -> ok 0",
    );
    let counts = &played["steps"][9]["counts"];
    let taken = |channel: &str| (counts[channel]["taken"].as_u64(), counts[channel]["queued"].as_u64());
    assert_eq!((taken("r"), taken("r2")), ((Some(5), Some(0)), (Some(7), Some(0))), "{played}");
}

#[test]
fn an_end_is_the_end_of_all() {
    as_expected(
        "a pipe r w\na fork d\na thread b\nb thread c\na read r 1 -> blocked then killed SIGTERM by c kill\n\
         c kill SIGTERM -> killed SIGTERM\na close r -> gone\nb close r -> gone\nd write w 1 -> ok 1",
    );
}

/// One that was idle owes nothing, and has said nothing.
#[test]
fn the_end_of_one_is_noticed_of_idle_ones_at_once() {
    as_expected(
        "a pipe r w\na fork d\nd close r\na close r\na thread b\na thread c\nc write w 1 -> killed SIGPIPE\na close w -> gone\n\
         b close w -> gone",
    );
}

#[test]
fn a_copy_of_a_thread_has_no_other_thread() {
    as_expected(
        "a pipe r w\na thread b\na thread c\nb fork d\na read r 1 -> blocked then ok 0 by d kill\n\
         d write w 0 -> ok 0\nb close w\nd kill -> killed SIGKILL",
    );
}

/// A thread ends with its process, so who made one never plays another case.
#[test]
fn a_process_with_threads_serves_one_case() {
    let threads = "[actors]\na = \"raw\"\nb = \"raw:thread\"\nscript = '''\na thread b\nb pipe r w\n'''\n";
    let plain = "[actors]\na = \"raw\"\nscript = '''\na pipe r w\na close w\na read r 1 -> ok 0\n'''\n";
    let lab = Lab::new(&[("a-threads", threads), ("b-plain", plain)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl", "--jobs", "1"]);
    let last = ran.objects().pop().expect("two cases");
    assert_eq!(last["status"], "unrecorded", "{last}");
}
