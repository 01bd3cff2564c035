//! Actors that replace their program: the new one goes on as the same actor.

use crate::lab::Lab;

/// Plays a script of `a`, its copy `b`, and `c`, a copy of one of them. The records.
fn as_expected(script: &str) {
    let actors = "[channels]\nlog = \"fifo\"\n[actors]\na = \"raw\"\nb = \"raw:fork\"\nc = \"raw:fork\"\n";
    let lab = Lab::new(&[("case", &format!("{actors}script = '''\n{script}\n'''\n"))]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    let played = ran.objects().pop().unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!(played["status"], "unrecorded", "{played}");
}

#[test]
fn what_it_rests_in_is_seen() {
    as_expected(
        "a pipe r w\na fork b\na fork c\nb exec -> says r w\nb read r 1 -> blocked then ok 1 by c write\nc write w 1\n\
         b open log both\nb await log read -> pending\nc exec\nc sleep -> waiting",
    );
}

#[test]
fn it_makes_copies_and_threads() {
    let text = "[actors]\na = \"raw\"\nb = \"raw:fork\"\nc = \"raw:thread\"\nscript = '''\na pipe r w\na exec -> says r w\n\
                a fork b\nb thread c\nb read r 1 -> blocked then ok 1 by c write\nc write w 1\nc kill SIGTERM -> killed SIGTERM\n\
                b close r -> gone\n'''\n";
    let lab = Lab::new(&[("case", text)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    assert_eq!(ran.objects()[0]["status"], "unrecorded", "{ran:?}");
}

#[test]
fn what_it_holds_is_known() {
    let text = "[setting]\nsigpipe = \"ignore\"\n[actors]\na = \"raw\"\nb = \"raw:fork\"\nscript = '''\na pipe r w cloexec\n\
                a write w 20\na fork b\nb close r\na exec -> says nothing\nb write w 1 -> EPIPE\n'''\n";
    let lab = Lab::new(&[("case", text)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl"]);
    let played = ran.objects().pop().expect("a case");
    assert_eq!(played["status"], "unrecorded", "{played}");
    // The write end keeps the pipe, and nobody can read it.
    assert_eq!(played["steps"][4]["counts"]["r"]["queued"], 20, "{played}");
}

/// Its memory, its handlers and its descriptors may be others.
#[test]
fn it_serves_one_case() {
    let exec = "[actors]\na = \"raw\"\nscript = '''\na pipe r w cloexec\na exec\n'''\n";
    let plain = "[actors]\na = \"raw\"\nscript = '''\na pipe r w\na close w\na read r 1 -> ok 0\n'''\n";
    let lab = Lab::new(&[("a-exec", exec), ("b-plain", plain)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl", "--jobs", "1"]);
    let last = ran.objects().pop().expect("two cases");
    assert_eq!(last["status"], "unrecorded", "{last}");
}
