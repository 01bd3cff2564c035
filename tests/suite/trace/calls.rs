//! Calls in their steps, as whoever makes them: one process, a shell's children, threads.

use super::{calls, lines, play, play_with, python, writer};
use crate::lab::Lab;

#[test]
fn calls_belong_to_the_step_in_which_they_return() {
    let steps = "p start -> blocked in read in\nshell write in 100\nreader read out 100 -> ok 100\n\
                 shell close in\np run -> exited 0";
    let case = play(&writer(r#"["cat"]"#, steps), &[]);
    let expected = [
        (4, "read in 131072 = 100"),
        (4, "write out 100 = 100"),
        (6, "read in 131072 = 0"),
        (6, "close in = 0"),
        (6, "close out = 0"),
    ];
    let expected: Vec<(u64, String)> = expected.map(|(step, line)| (step, line.to_owned())).to_vec();
    assert_eq!(calls(&case), expected);
}

/// A program that says nothing: where did it find out?
#[test]
fn the_first_error_of_a_silent_program_is_found() {
    let program = r#"["sh", "-c", "trap '' PIPE; cat - 2>/dev/null; exit 0"]"#;
    let text = writer(
        program,
        "p start -> blocked in read in\nreader close out\nshell write in 10\nshell close in\np run -> exited 0",
    );
    let case = play(&text, &[]);
    assert_eq!(case["error_at"]["verb"], "write", "{case:#}");
    assert_eq!(case["error_at"]["errno"], "EPIPE");
    // Untraced, it says nothing.
    let silent = play(&text.replace(", trace = true", ""), &[]);
    assert_eq!(silent["error_at"], serde_json::Value::Null);
}

#[test]
fn a_look_changes_neither_verdict_nor_snapshot() {
    let text = writer(
        r#"["sh", "-c", "trap '' PIPE; cat - 2>/dev/null; exit 0"]"#,
        "p start -> blocked in read in\nreader close out\nshell write in 10\nshell close in\np run -> exited 0",
    )
    .replace(", trace = true", "")
        + "[expect]\nerror_at = \"none\"\n";
    let lab = Lab::new(&[("it", &text)]);
    lab.record(&["scenarios"]);
    let plain = lab.run(&["run", "--format", "jsonl", "scenarios"]);
    let traced = lab.run(&["run", "--format", "jsonl", "--trace", "scenarios"]);
    assert_eq!(
        (plain.statuses(), traced.statuses()),
        (vec!["ok".to_owned()], vec!["ok".to_owned()]),
        "{traced:?}"
    );
    assert!(lines(&traced.objects()[0]).iter().any(|line| line == "write out 10 = EPIPE"), "{traced:?}");
    assert!(lines(&plain.objects()[0]).is_empty());
}

#[test]
fn a_scenario_that_asks_for_it_has_the_calls_in_its_snapshot() {
    let steps = "p start\nshell write in 100\nreader read out 100\nshell close in\np run -> exited 0";
    let lab = Lab::new(&[("it", &writer(r#"["cat"]"#, steps))]);
    lab.record(&["scenarios"]);
    let snapshot = std::fs::read_to_string(lab.path("snapshots/it@cat.snap")).expect("a snapshot");
    assert!(snapshot.contains("| cat: write out 100 = 100\n"), "{snapshot}");
    for _ in 0..3 {
        let again = lab.run(&["run", "--format", "jsonl", "scenarios"]);
        assert_eq!(again.statuses(), ["ok"], "{again:?}");
    }
    let steps = lab.run(&["run", "--steps", "scenarios"]);
    assert!(steps.out.contains("cat: write out 100 = 100"), "{}", steps.out);
}

/// What a million bytes in ten thousand calls leave in memory is bounded, and exact.
#[test]
fn many_calls_are_counted_exactly() {
    let program = python("for i in range(10000): os.write(1, b'x' * 100)");
    let steps = "p start\nreader read out to-eof\np run -> exited 0";
    let case = play(&writer(&program, steps), &[]);
    let mut writes = (0, 0, 0);
    for step in case["steps"].as_array().expect("steps") {
        for calls in step["calls"].as_array().into_iter().flatten() {
            let kept = |key: &str| calls[key].as_array().expect("a list").len() as u64;
            let counts = calls["counts"].as_array().expect("counts").iter();
            let all: u64 = counts.map(|it| it["count"].as_u64().expect("a count")).sum();
            assert_eq!(kept("first") + kept("last") + calls["left_out"].as_u64().expect("a count"), all);
            assert!(kept("first") <= 32 && kept("last") <= 32);
            for count in calls["counts"].as_array().expect("counts") {
                if count["call"] == "write" {
                    writes.0 += count["count"].as_u64().expect("a count");
                    writes.1 += count["bytes"].as_u64().expect("bytes");
                }
            }
            writes.2 += calls["left_out"].as_u64().expect("a count");
        }
    }
    assert_eq!((writes.0, writes.1), (10_000, 1_000_000));
    assert!(writes.2 > 9_000);
}

/// A signal that is ignored interrupts a traced poll(2), which goes on as restart_syscall(2).
#[test]
fn a_poll_that_was_interrupted_is_one_call() {
    let code = "import select\np = select.poll()\np.register(0, select.POLLIN)\np.poll()\nos.read(0, 5)";
    let case =
        play(&writer(&python(code), "p start\np kill SIGWINCH\nshell write in 5\nshell close in"), &[]);
    let polls: Vec<String> = lines(&case).into_iter().filter(|line| line.starts_with("poll")).collect();
    assert_eq!(polls, ["poll in = 1"], "{case:#}");
}

/// Of many calls the first failure is known, though not all calls are kept.
#[test]
fn the_first_error_is_known_among_many_calls() {
    let code = "for n in range(200):\n    try: os.write(1, b'x')\n    except OSError: pass";
    let (case, ran) =
        play_with(&writer(&python(code), "p fault 100th write out EIO\np start\nreader read out 199"), &[]);
    assert_eq!(case["error_at"]["errno"], "EIO", "{case:#}\n{}", ran.err);
    assert_eq!(case["error_at"]["verb"], "write", "{case:#}");
}
