//! System calls on handles: who holds what, and what becomes of the bytes.

use serde_json::{Value, json};

use crate::lab::Lab;

/// Plays a script of `raw` actors a, and b, its copy. The records.
fn play(script: &str) -> Value {
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
    assert_eq!(played["differences"], Value::Null, "{played}");
}

#[test]
fn what_a_copy_writes_is_its_own() {
    let played = play("a pipe r w\na fork b\na write w 100\nb write w 50\na read r 1000 -> ok 150");
    assert_eq!(played["differences"], Value::Null, "{played}");
    let ledger = &played["ledger"]["r"];
    assert_eq!((&ledger["offered"], &ledger["delivered"]), (&150.into(), &150.into()), "{ledger}");
    assert_eq!((&ledger["foreign"], &ledger["reordered"]), (&0.into(), &0.into()), "{ledger}");
    assert!(played["ledger"].get("w").is_none(), "nothing arrives at a write end");
}

/// No count of the ledger in `--format jsonl` says more than is known.
#[test]
fn what_the_ledger_cant_tell_is_null() {
    let lab = Lab::new(&[
        ("circular", include_str!("../../scenarios/semantics/splice/circular.toml")),
        ("lines", include_str!("../../scenarios/semantics/terminal/lines.toml")),
        ("program", PROGRAM),
    ]);
    let cases = lab.run(&["run", "scenarios", "--format", "jsonl"]).objects();
    let seen = |case: usize, channel: &str, keys: &[&str]| -> Vec<Value> {
        keys.iter().map(|key| cases[case]["ledger"][channel][*key].clone()).collect()
    };
    let judged = ["lost", "duplicated", "reordered", "torn", "foreign", "extents"];
    // What was spliced in a circle.
    assert_eq!(seen(0, "r", &judged), vec![Value::Null; 6], "{:#}", cases[0]);
    assert_eq!(seen(0, "r", &["unjudged", "passed_on", "delivered"]), [json!(true), json!(140), json!(100)]);
    // Of a line that is too long, the rest may still lie there.
    assert_eq!(seen(1, "s", &["lost", "unjudged"]), [json!(0), json!(false)], "{:#}", cases[1]);
    let unplaced = &cases[1]["ledger"]["s"]["unplaced"];
    assert_eq!((&unplaced["least"], &unplaced["most"]), (&json!(0), &json!(905)), "{unplaced}");
    assert_eq!(unplaced["among"][0]["start"], 4095, "{unplaced}");
    assert_eq!(seen(1, "m", &["lost", "unplaced", "held"]), [json!(0), Value::Null, json!(0)]);
    assert!(cases[1]["ledger"]["m"].get("programs").is_none(), "{:#}", cases[1]);
    // Nobody knows which bytes a program reads or writes.
    for channel in ["in", "out"] {
        assert_eq!(seen(2, channel, &judged), vec![Value::Null; 6], "{:#}", cases[2]);
        assert_eq!(seen(2, channel, &["held", "read_ahead"]), vec![Value::Null; 2], "{:#}", cases[2]);
    }
    let counts = ["offered", "accepted", "delivered", "taken_by_programs"];
    assert_eq!(seen(2, "in", &counts), [json!(10), json!(10), json!(0), json!(10)], "{:#}", cases[2]);
    assert_eq!(seen(2, "out", &counts), [Value::Null, Value::Null, json!(10), Value::Null], "{:#}", cases[2]);
    assert_eq!(seen(2, "out", &["programs"]), [json!({ "reads": false, "writes": true })]);
}

const PROGRAM: &str = r#"
[channels]
in = "pipe"
out = "pipe"
[actors]
cat = { command = ["cat"], stdin = "in", stdout = "out" }
shell = "raw"
reader = "raw"
script = '''
shell open in write
reader open out read
cat start
shell write in 10
cat run
reader read out available
shell close in
cat run -> exited 0
'''
"#;

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
    assert_eq!(last["differences"], Value::Null, "{last}");
}

/// What each step left in a channel; -1 where nobody can say.
fn queued(played: &Value, channel: &str) -> Vec<i64> {
    let steps = played["steps"].as_array().expect("steps").iter();
    steps.map(|step| step["counts"][channel]["queued"].as_i64().unwrap_or(-1)).collect()
}

/// FIONREAD tells the first datagram's length alone (unix(7)).
#[test]
fn a_queue_of_datagrams_is_counted_whole() {
    let played = play(
        "a socketpair x y dgram\na send x 100\na send x 0\na send x 50\na recv y 9 peek\na recv y 40\n\
         a recv y 9\na fork b\nb read y 9",
    );
    assert_eq!(queued(&played, "y"), [0, 100, 100, 150, 150, 50, 50, 50, 0], "{played}");
}

/// unix(7): a socket that loses its peer drops what is queued.
#[test]
fn a_queue_of_datagrams_is_empty_when_the_socket_takes_another_peer() {
    let played = play(
        "a socket s unix dgram\na bind s @\na socket c unix dgram\na bind c @\na connect s =c\na fork b\n\
         b sendto c =s 30\na connect s nothing\na sendto c =s 7",
    );
    assert_eq!(queued(&played, "s").split_off(6), [30, 0, 7], "{played}");
}

#[test]
fn what_is_sent_to_a_socket_that_travels_in_a_message_is_counted() {
    let played = play(
        "a socketpair x y stream\na fork b\na socketpair s t stream\na sendmsg x 1 pass t\na close t\na send s 20\n\
         b recvmsg y 1 take u\nb recv u 5",
    );
    assert_eq!(queued(&played, "t").split_off(4), [0, 20, 20, 15], "{played}");
}

#[test]
fn what_is_sent_before_the_accept_is_counted_until_the_listener_closes() {
    let listening =
        "a socket l unix stream\na bind l @\na listen l 1\na socket c unix stream\na connect c =l\na fork b";
    let played = play(&format!(
        "{listening}\na send c 30\nb close l\na send c 10\na accept l n\na recv n 100 -> ok 40"
    ));
    assert_eq!(queued(&played, "n").split_off(6), [30, 30, 40, 40, 0], "{played}");
    let played =
        play(&format!("{listening}\na send c 30\nb close l\na close l -> ok\na accept l n -> EBADF"));
    assert_eq!(queued(&played, "n").split_off(6), [30, 30, 0, 0], "{played}");
}

#[test]
fn what_tcp_has_on_its_way_isnt_guessed() {
    let played = play(
        "a socket l tcp stream\na bind l @\na listen l 1\na socket c tcp stream\na connect c =l\na accept l n\n\
         a fork b\nb send c 30\na recv n 30 waitall -> ok 30",
    );
    assert_eq!(queued(&played, "n").split_off(5), [0, 0, -1, 0], "{played}");
}

/// An actor is a fork of the stage: what the stage keeps for later cases must not be given
/// back by the actor's exit(3), where its descriptors are others or none.
#[rstest::rstest]
#[case("rust:bufwriter")]
#[case("stdio:full")]
fn an_exit_gives_back_nothing_of_the_stages(#[case] writer: &str) {
    let ends = "[actors]\na = \"raw\"\nb = \"raw\"\nscript = '''\na exit\nb exit\n'''\n";
    let exits = format!(
        "[channels]\nlog = \"fifo\"\n[actors]\nw = \"{writer}\"\nscript = '''\nw open log both\n\
         w write log 10\nw exit -> exited 0\n'''\n"
    );
    let lab = Lab::new(&[("a-ends", ends), ("b-exits", &exits)]);
    let ran = lab.run(&["run", "scenarios", "--format", "jsonl", "--jobs", "1"]);
    let last = ran.objects().pop().expect("two cases");
    assert_eq!(last["differences"], Value::Null, "{last}");
}

/// They would go on until there is no memory left.
#[test]
fn two_that_feed_each_other_are_ended_with_a_clear_word() {
    let text = "[actors]\na = \"raw\"\nb = \"raw:fork\"\n\
        script = '''\na pipe r w\na fork b\nb fill w 65536 -> blocked\na drain r 65536\n'''\n";
    let ran = Lab::new(&[("case", text)]).run(&["run", "--steps", "scenarios"]);
    let word = "failed: it has moved 256 MiB and nothing ends it: another actor drains what it fills";
    assert!(ran.out.contains(word), "{ran:?}");
}

/// unix(7): a call that takes no descriptors closes those in what it reads.
#[rstest::rstest]
fn descriptors_in_a_message_that_is_read_are_gone(#[values("recv", "read")] call: &str) {
    let played = play(&format!(
        "a fork b\nb sleep\na socketpair x y stream\na pipe r w\na write w 10\na sendmsg x 1 pass r\na close r\n\
         a close w\na {call} y 1"
    ));
    assert_eq!(queued(&played, "r").split_off(6), [10, 10, 0], "{played}");
    assert_eq!(played["ledger"]["r"]["lost"], 10, "{played}");
}

#[test]
fn what_is_put_in_anothers_place_goes_where_its_socket_leads() {
    let played = play(
        "a fork b\nb socket l unix stream\nb bind l @n\nb listen l 1\na socket s unix stream\na pipe r w\n\
         a dup2 s w\na connect s @n\nb accept l c\na write w 10\nb read c 10 -> ok 10 from a",
    );
    assert_eq!(played["differences"], serde_json::Value::Null, "{played}");
    assert_eq!(
        (&played["ledger"]["c"]["offered"], &played["ledger"]["c"]["foreign"]),
        (&10.into(), &0.into())
    );
}

#[test]
fn what_is_put_in_anothers_place_keeps_its_sockets_timeout() {
    let played = play(
        "a fork b\nb sleep\na socketpair x y stream\na setsockopt x rcvtimeo 100\na pipe r w\na dup2 x r\n\
         a read r 10 -> EAGAIN",
    );
    assert_eq!(played["differences"], serde_json::Value::Null, "{played}");
}

/// recvmsg(2): credentials come unasked where SO_PASSCRED is set, and are cut like anything.
#[rstest::rstest]
#[case::cut("a setsockopt y passcred 1\na write x 10\na recvmsg y 10 take q -> ok 10 says ctrunc")]
#[case::no_room_beside_the_names(
    "a pipe r w\na sendmsg x 1 pass r w\na recvmsg y 1 take q creds -> ok 1 says fds=1 ctrunc"
)]
fn control_messages_have_just_the_room_that_was_named(#[case] script: &str) {
    let played = play(&format!("a fork b\nb sleep\na socketpair x y stream\n{script}"));
    assert_eq!(played["differences"], serde_json::Value::Null, "{played}");
}

/// tcp(7): MSG_TRUNC throws bytes away without touching the room.
#[test]
fn a_count_beyond_the_memory_is_no_fault() {
    let played = play(
        "a socket l tcp stream\na bind l @\na listen l 1\na socket c tcp stream\na connect c =l\na accept l n\n\
         a fork b\na send c 8192\na recv n 9000 trunc torn",
    );
    assert_ne!(played["status"], "error", "{played}");
    let last = played["steps"].as_array().expect("steps").last().expect("a step").clone();
    assert!(last["bytes"].as_u64().expect("a number") > 4096, "{last}");
}

/// What a case does to what all cases of a stage use is undone behind it.
#[rstest::rstest]
#[case::folder("", "a chmod . 0500", "a stat .")]
#[case::network(
    "[setting]\nmax_dgram_qlen = 3\n",
    "a sysctl max_dgram_qlen 100",
    "a socketpair x y dgram\na fill x 1"
)]
fn a_case_finds_nothing_changed(#[case] setting: &str, #[case] first: &str, #[case] second: &str) {
    let text = |script: &str| format!("[actors]\na = \"raw\"\n{setting}script = '''\n{script}\n'''\n");
    let last = |scenarios: &[(&str, &str)]| {
        let ran = Lab::new(scenarios).run(&["run", "scenarios", "--format", "jsonl", "--jobs", "1"]);
        let mut objects = ran.objects();
        assert_eq!(objects.len(), scenarios.len(), "{ran:?}");
        assert!(
            objects.iter().all(|object| object["status"] == "unrecorded" || object["status"] == "stuck"),
            "{ran:?}"
        );
        objects.pop().expect("a case")
    };
    let [first, second] = [first, second].map(text);
    assert_eq!(last(&[("a-first", &first), ("b-second", &second)]), last(&[("b-second", &second)]));
}

/// signal(7): real-time signals have no names, but numbers counted from SIGRTMIN.
#[rstest::rstest]
#[case::child("$$", "stdio")]
#[case::child_of_rust("$$", "rust")]
#[case::parent("$PPID", "stdio")]
fn the_end_by_a_real_time_signal_has_one_name(#[case] whom: &str, #[case] driver: &str) {
    let text = format!(
        "[actors]\nparent = \"{driver}\"\nchild = {{ command = [\"sh\", \"-c\", \"kill -36 {whom}\"], by = \"parent\" }}\n\
         script = '''\nparent spawn child\nparent wait child\n'''\n"
    );
    // The parent's own end is its driver's fault.
    let (case, _) = crate::lab::play_with(&text, &[]);
    let told = if whom == "$PPID" { &case["reason"] } else { &case["steps"] };
    assert!(told.to_string().contains("SIGRTMIN+2"), "{case}");
}
