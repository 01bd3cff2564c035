//! Each fault, by what the program saw and what came out.

use super::{last_words, lines, play, play_with, python, writer};

#[test]
fn a_write_that_is_cut_is_short_for_everybody() {
    let program = python("n = os.write(1, b'a' * 100)\nsys.exit(n)");
    let steps = "p cut 1st write out 37\np start -> exited 37\nreader read out to-eof -> ok 37";
    let case = play(&writer(&program, steps), &[]);
    assert_eq!(lines(&case)[0], "write out 100 = 37");
    assert_eq!(case["ledger"]["out"]["delivered"], 37);
}

#[test]
fn a_vector_is_cut_in_its_middle_and_is_whole_again_after() {
    // Two calls on the same array: the second one writes it all.
    let program = python(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         class V(ctypes.Structure): _fields_ = [('b', ctypes.c_char_p), ('n', ctypes.c_size_t)]\n\
         v = (V * 3)(V(b'a' * 10, 10), V(b'b' * 10, 10), V(b'c' * 10, 10))\n\
         one = libc.writev(1, v, 3)\ntwo = libc.writev(1, v, 3)\nsys.exit(one + two)",
    );
    let steps = "p cut 1st writev out 13\np start -> exited 43\nreader read out to-eof -> ok 43";
    let case = play(&writer(&program, steps), &[]);
    assert_eq!(&lines(&case)[..2], ["writev out 30 = 13", "writev out 30 = 30"]);
}

#[test]
fn a_read_that_is_cut_leaves_the_rest() {
    let program = python("one = os.read(0, 100)\ntwo = os.read(0, 100)\nsys.exit(len(one) + 2 * len(two))");
    let steps = "p cut 1st read in 20\np start -> blocked in read in\nshell write in 50\np run -> exited 80";
    let case = play(&writer(&program, steps), &[]);
    assert_eq!(&lines(&case)[..2], ["read in 100 = 20", "read in 100 = 30"]);
}

#[test]
fn a_call_fails_with_any_error_and_isnt_made() {
    let program = python(
        "try:\n    os.write(1, b'x' * 10)\nexcept OSError as e:\n    os.write(1, b'y')\n    sys.exit(e.errno)",
    );
    for (errno, number) in [("ENOSPC", libc::ENOSPC), ("EAGAIN", libc::EAGAIN), ("EIO", libc::EIO)] {
        let steps = format!(
            "p fault 1st write out {errno}\np start -> exited {number}\nreader read out to-eof -> ok 1"
        );
        let case = play(&writer(&program, &steps), &[]);
        assert_eq!(&lines(&case)[..2], [format!("write out 10 = {errno}"), "write out 1 = 1".to_owned()]);
        assert_eq!(case["error_at"]["errno"], errno);
    }
}

/// Python begins such a call again (PEP 475), and nothing is lost or written twice.
#[test]
fn an_interrupted_call_is_begun_again() {
    let program = python("sys.exit(os.write(1, b'x' * 10))");
    let steps = "p fault 1st write out EINTR\np start -> exited 10\nreader read out to-eof -> ok 10";
    let case = play(&writer(&program, steps), &[]);
    assert_eq!(&lines(&case)[..2], ["write out 10 = EINTR", "write out 10 = 10"]);
}

#[test]
fn a_close_that_fails_has_closed() {
    let program =
        python("try:\n    os.close(1)\nexcept OSError as e:\n    os.read(0, 1)\n    sys.exit(e.errno)");
    let steps = format!(
        "p fault 1st close out EIO\np start -> blocked in read in\nreader read out 1 -> eof\nshell close in\np run -> exited {}",
        libc::EIO
    );
    // It lives on until it may end: whoever reads sees the end of file before that.

    let steps = steps.replace("p run", "shell close in\np run");
    play(&writer(&program, &steps), &[]);
}

#[test]
fn a_held_call_has_done_nothing_yet() {
    let program = python("os.write(1, b'a' * 5)\nos.write(1, b'b' * 7)");
    let steps = "p hold 2nd write out\np start -> held in write out\nreader read out available -> ok 5\n\
                 p run -> held in write out\nreader read out available -> ok 0\n\
                 p release -> exited 0\nreader read out to-eof -> ok 7";
    let case = play(&writer(&program, steps), &[]);
    assert_eq!(last_words(&case), "ok");
}

#[test]
fn a_run_ends_at_the_call_that_it_names_and_the_next_goes_on() {
    let program = python("for i in range(5):\n    os.read(0, 10)\n    os.write(1, b'x' * (i + 1))");
    let steps = "p start -> blocked in read in\np hold 1st write out\nshell write in 10\n\
                 p run until 3rd write out -> held in write out\np release -> blocked in read in\n\
                 shell write in 20\np run until 3rd write out -> held in write out\n\
                 reader read out available -> ok 3\np run -> blocked in read in\n\
                 reader read out available -> ok 3\np run until 1st write out -> -\n\
                 shell close in\np run -> exited 0\nreader read out to-eof -> ok 9";
    play(&writer(&program, steps), &[]);
}

/// Job control passes through: a stopped program is stopped, traced or not, and goes on.
#[test]
fn stops_of_job_control_stay_stops() {
    let program = r#"["sh", "-c", "kill -STOP $$; echo on"]"#;
    let steps = "p start -> stopped\np kill SIGCONT\np run -> exited 0\nreader read out to-eof -> ok 3";
    let text = writer(program, steps);
    play(&text, &[]);
    play(&text.replace(", trace = true", ""), &[]);
}

/// What a case says that isn't as it should be.
fn differences(steps: &str) -> (String, String) {
    let program = python("os.write(1, b'x' * 10)\nos.read(0, 1)");
    let (case, ran) = play_with(&writer(&program, steps), &[]);
    let status = case["status"].as_str().expect("a status").to_owned();
    assert_eq!(ran.status, Some(if status == "differs" { 1 } else { 4 }), "{case:#}");
    (status, case["differences"].to_string())
}

/// The first step is in line 11.
#[test]
fn a_call_that_never_comes_is_told_at_the_end() {
    let end = "p start -> blocked in read in\nshell close in\np run -> exited 0";
    for fault in ["fault 2nd write out EAGAIN", "cut 2nd write out 5", "hold 3rd write out"] {
        let (status, differences) = differences(&format!("p {fault}\n{end}"));
        assert_eq!(status, "differs");
        assert!(differences.contains(&format!("line 11: `p {fault}` met no call")), "{differences}");
    }
    let (status, found) = differences("p start\np run until 2nd write out\nshell close in\np run");
    assert_eq!(status, "differs");
    assert!(found.contains("line 12: `p run until 2nd write out` met no call"), "{found}");
    let (status, found) = differences("p hold 1st write out\nshell close in");
    assert_eq!(status, "differs");
    assert!(found.contains("`p` was never started"), "{found}");
    // Those that come are no matter.
    for fault in ["fault 1st write out EAGAIN", "cut 1st write out 50", "hold 1st write out"] {
        assert_eq!(differences(&format!("p {fault}\np start")).0, "unrecorded", "{fault}");
    }
}

#[test]
fn a_call_that_its_program_was_kept_from_may_stay_out() {
    let fault = "p fault 2nd write out EAGAIN\np start -> blocked in read in";
    assert_eq!(differences(&format!("{fault}\np kill -> killed")).0, "unrecorded");
    assert_eq!(differences(&format!("{fault}\nshell close in")).0, "differs", "its own end is none");
    assert_eq!(differences(&format!("{fault}\np kill SIGCONT\nshell close in")).0, "differs");
    // Whoever says what a run comes to instead has said it.
    let run = "p start\np run until 2nd write out -> blocked in read in";
    assert_eq!(differences(run).0, "unrecorded");
}
