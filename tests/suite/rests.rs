//! What programs rest in: timers that no call shows, calls of open(2), names, and what of that
//! decides how bytes are counted.

use crate::lab::{play, play_with, python};

/// A program with a pipe as its input, and a FIFO in its folder.
fn program(command: &str, steps: &str) -> String {
    format!(
        "[channels]\nin = \"pipe\"\nlog = \"fifo\"\n[actors]\n\
         p = {{ command = {command}, stdin = \"in\" }}\nw = \"raw\"\nr = \"raw\"\n\
         script = '''\nw open in write\n{steps}\n'''\n"
    )
}

/// timerfd_create(2) by hand, since Python has it only from 3.13 on: `timer(fd, seconds)` sets it.
const TIMER: &str = "import ctypes, select, socket, struct\nlibc = ctypes.CDLL(None)\n\
    fd = libc.timerfd_create(1, 0)\n\
    def timer(seconds, nanos=0):\n    libc.timerfd_settime(fd, 0, struct.pack('4l', 0, 0, seconds, nanos), None)\n";

#[test]
fn a_timer_behind_a_descriptor_makes_its_reader_wait() {
    for wait in [
        "os.read(fd, 8)",
        "select.select([fd, 0], [], [])",
        "p = select.poll(); p.register(fd); p.poll()",
        "e = select.epoll(); e.register(fd); e.register(0); e.poll()",
    ] {
        let set = python(&format!("{TIMER}timer(1000)\n{wait}"));
        play(&program(&set, "p start -> waiting"), &[]);
        // One that isn't set wakes nobody, nor does one that nobody looks at.
        let word = if wait.contains("os.read") { "blocked in read" } else { "pending" };
        let unset = python(&format!("{TIMER}{wait}"));
        play(&program(&unset, &format!("p start -> {word}")), &[]);
    }
    let other = python(&format!("{TIMER}timer(1000)\nos.read(0, 1)"));
    play(&program(&other, "p start -> blocked in read in"), &[]);
}

/// As a timeout of that length is.
#[test]
fn a_timer_behind_a_descriptor_that_fires_soon_is_waited_for() {
    for wait in ["os.read(fd, 8)", "e = select.epoll(); e.register(fd); e.poll()"] {
        let soon = python(&format!("{TIMER}timer(0, 200_000_000)\n{wait}\nsys.exit(7)"));
        play(&program(&soon, "p start -> exited 7"), &[]);
    }
}

#[test]
fn a_sockets_timeout_makes_its_caller_wait() {
    let pair = "import socket, struct\na, b = socket.socketpair()\n\
        def timeout(option, seconds, micros=0):\n    a.setsockopt(socket.SOL_SOCKET, option, struct.pack('ll', seconds, micros))\n\
        def fill():\n    while True: a.send(bytes(65536))\n";
    for (option, call) in
        [("SO_RCVTIMEO", "a.recv(1)"), ("SO_RCVTIMEO", "os.read(a.fileno(), 1)"), ("SO_SNDTIMEO", "fill()")]
    {
        let long = python(&format!("{pair}timeout(socket.{option}, 1000)\n{call}"));
        play(&program(&long, "p start -> waiting"), &[]);
        let soon =
            format!("{pair}timeout(socket.{option}, 0, 200_000)\ntry: {call}\nexcept OSError: sys.exit(7)");
        play(&program(&python(&soon), "p start -> exited 7"), &[]);
        // The other option is about other calls.
        let other = if option == "SO_RCVTIMEO" { "SO_SNDTIMEO" } else { "SO_RCVTIMEO" };
        let blocked = python(&format!("{pair}timeout(socket.{other}, 1000)\n{call}"));
        play(&program(&blocked, "p start -> blocked"), &[]);
    }
}

#[test]
fn a_program_in_open_is_expected_by_the_channel() {
    let opens = python("os.open('log', os.O_RDONLY)");
    for start in [&opens, r#"["cat", "log"]"#, r#"["cat", "./log"]"#] {
        let case =
            play(&program(start, "p start -> blocked in open log\nr open log write\nr close log"), &[]);
        assert_eq!(case["steps"][1]["resting"][0]["channel"], "log", "{case:#}");
        let (case, _) = play_with(&program(start, "p start -> blocked in open in"), &[]);
        assert_eq!(case["status"], "differs", "{case:#}");
    }
    let actor = "r open log read -> blocked in open log then ok by w open\nw open log write";
    play(&program(r#"["cat"]"#, actor), &[]);
}

/// Its streams are opened before its exec.
#[test]
fn a_program_is_listed_by_its_name_before_its_exec() {
    for (command, name) in [("cat", "cat"), ("/bin/cat", "cat"), ("pipelab absorb", "pipelab")] {
        let text = format!(
            "[channels]\nlog = \"fifo\"\n[actors]\np = {{ command = \"{command}\", stdin = \"log\" }}\n\
             script = '''\np start -> blocked in open log\n'''\n"
        );
        let case = play(&text, &[]);
        assert_eq!(case["steps"][0]["resting"][0]["process"], name, "{case:#}");
    }
}

/// fifo(7): whoever waits in open(2) keeps the FIFO's buffer as an end does.
#[test]
fn a_program_in_open_keeps_what_is_queued() {
    let steps = "r open log read nonblock\nw open log write\nw write log 10\nw close log\n\
                 p start -> blocked in open log\nr close log\nw open log write\nw close log\np run -> exited 0";
    let case = play(&program(r#"["cat", "log"]"#, steps), &[]);
    let queued = |step: usize| case["steps"][step]["counts"]["log"]["queued"].clone();
    assert_eq!(case["steps"][6]["verb"], "close", "{case:#}");
    assert_eq!(queued(6), 10, "{case:#}");
    assert_eq!(queued(9), 0, "{case:#}");
}

/// What system calls put into a channel counts as what `write` does.
#[test]
fn what_calls_put_in_is_known_where_a_program_reads() {
    let steps = "p start -> blocked in read in\nw write in 10\nw writev in 100\np run -> blocked in read in\n\
                 w pipe a b\nw write b 7\nw splice a in 7\np run -> blocked in read in";
    let case = play(&program(r#"["cat"]"#, steps), &[]);
    let counts = case["steps"].as_array().expect("steps").last().expect("one")["counts"]["in"].clone();
    assert_eq!(counts, serde_json::json!({ "queued": 0, "accepted": 117, "taken": 117 }), "{case:#}");
}

/// A child (`by`) that its parent waits for is reaped in the step that kills it.
#[test]
fn a_child_that_is_killed_while_its_parent_waits_says_so() {
    for parent in ["python:text", "rust", "stdio"] {
        let text = format!(
            "[actors]\nparent = \"{parent}\"\nc = {{ command = \"cat\", by = \"parent\", stdin = \"pipe\" }}\n\
             script = '''\nparent spawn c\nparent wait c -> blocked then killed SIGTERM\n\
             c kill SIGTERM -> killed SIGTERM\nc kill -> gone\n'''\n"
        );
        play(&text, &[]);
    }
}

/// The processes of a limit's user are the program and the one that keeps it.
#[test]
fn the_limit_of_processes_counts_a_programs_keeper() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root gives actors a user of their own");
        return;
    }
    for (limit, start) in [(1, "EAGAIN"), (2, "exited 0")] {
        let text = format!(
            "[actors]\np = {{ command = \"true\" }}\n[setting]\nuser = \"fresh\"\nlimits = {{ nproc = {limit} }}\n\
             script = '''\np start -> {start}\n'''\n"
        );
        let (case, ran) = play_with(&text, &[]);
        assert_eq!(case["status"], "unrecorded", "{limit}: {case:#}\n{}", ran.err);
    }
}

/// Python hands out once more what it has kept, and there is no more of it in the kernel.
#[test]
fn what_is_communicated_twice_was_taken_once() {
    for streams in ["stdout = \"pipe\"", "stdout = \"pipe\", stderr = \"pipe\""] {
        for parent in ["python:binary", "rust"] {
            let text = format!(
                "[actors]\nparent = \"{parent}\"\nc = {{ command = [\"printf\", \"0123456789\"], by = \"parent\", {streams} }}\n\
                 script = '''\nparent spawn c\nparent communicate c -> ok 10\nparent communicate c\n'''\n"
            );
            let case = play(&text, &[]);
            let counts = case["steps"][2]["counts"]["c.stdout"].clone();
            assert_eq!(counts, serde_json::json!({ "queued": 0, "accepted": 10, "taken": 10 }), "{case:#}");
        }
    }
}
