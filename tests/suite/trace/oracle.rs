//! Against `strace -f` on the same program: the same calls with the same results, thread by
//! thread, whoever is faster.

use std::{
    collections::{BTreeMap, HashMap},
    process::{Child, Command, Stdio},
};

use super::{play, writer};
use crate::support::{output, spawn};

/// Calls that strace is asked for; its names, and ours.
const SAME: &str = "read,write,pread64,pwrite64,readv,writev,close,dup,dup2,dup3,fcntl,open,openat,poll,ppoll,\
                    select,pselect6,epoll_wait,epoll_pwait,sendto,recvfrom";

/// Programs that write into a pipe, each in its way.
const PROGRAMS: &[(&str, &str)] = &[
    ("one process", r#"["sh", "-c", "echo one; echo two"]"#),
    (
        "fork and exec",
        r#"["sh", "-c", "echo one; (echo two; cat /dev/null); env echo three; exec echo four"]"#,
    ),
    (
        "threads",
        r#"["python3", "-c", "import os, threading\nfor t in [threading.Thread(target=os.write, args=(1, b'x' * n)) for n in range(1, 9)]: t.start(); t.join()"]"#,
    ),
    (
        "vfork",
        r#"["python3", "-c", "import os\npid = os.posix_spawn('/bin/echo', ['echo', 'spawned'], os.environ)\nos.waitpid(pid, 0)\nos.write(1, b'done')"]"#,
    ),
    (
        "Python",
        r#"["python3", "-c", "import os, sys, select\nprint('x' * 9000)\nsys.stdout.flush()\nselect.select([], [1], [], 0)\nselect.poll().poll(0)\nfd = os.dup(1)\nos.writev(fd, [b'a', b'bc'])\nos.close(fd)\ntry: os.pread(1, 10, 0)\nexcept OSError: pass"]"#,
    ),
];

#[test]
fn the_calls_are_those_that_strace_sees() {
    if output(Command::new("strace").arg("-V")).is_err() {
        eprintln!("SKIPPED: strace isn't installed");
        return;
    }
    for (name, command) in PROGRAMS {
        let words: Vec<String> = serde_json::from_str(command).expect("words");
        let Some(theirs) = strace(&words) else {
            eprintln!("SKIPPED: strace may not trace here");
            return;
        };
        let case = play(&writer(command, "p start -> exited 0\nreader read out to-eof"), &[]);
        let ours = ours(&case);
        assert!(!ours.is_empty(), "{name}");
        assert_eq!(ours, theirs, "{name}");
    }
}

/// Calls with their results, and how often.
type Seen = BTreeMap<String, u64>;

fn ours(case: &serde_json::Value) -> Seen {
    let mut seen = Seen::new();
    for step in case["steps"].as_array().expect("steps") {
        for calls in step["calls"].as_array().into_iter().flatten() {
            assert_eq!(calls["left_out"], 0, "too many to compare one by one");
            let all = calls["first"].as_array().into_iter().chain(calls["last"].as_array()).flatten();
            for call in all.filter(|call| call["channels"].to_string().contains("\"out\"")) {
                let result = call["errno"].as_str().map_or_else(|| call["result"].to_string(), str::to_owned);
                *seen.entry(format!("{} = {result}", call["call"].as_str().expect("a name"))).or_default() +=
                    1;
            }
        }
    }
    seen
}

/// The same program under strace, into a pipe, whose calls it marks with `-y`.
fn strace(words: &[String]) -> Option<Seen> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "0", "-e", "signal=none", "-e", &format!("trace={SAME}"), "-o"]);
    command.arg(&path).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // As pipelab gives it.
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).current_dir(folder.path());
    let output = spawn(&mut command).and_then(Child::wait_with_output).expect("strace runs");
    if !output.status.success() {
        return None;
    }
    let trace = std::fs::read_to_string(path).expect("its output");
    let pipe = trace.lines().find_map(|line| {
        let from = line.find("1<pipe:[")?;
        line[from + 2..].split('>').next()
    })?;
    let mut seen = Seen::new();
    let mut unfinished: HashMap<&str, String> = HashMap::new();
    for line in trace.lines() {
        let (pid, rest) = line.split_once(' ').expect("a process id first");
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(pid, start.to_owned());
            continue;
        }
        let whole = match rest.split_once(" resumed>") {
            Some((head, tail)) if head.starts_with("<... ") => {
                format!("{}{tail}", unfinished.remove(pid).unwrap_or_default())
            }
            _ => rest.to_owned(),
        };
        let Some((call, result)) = whole.rsplit_once(" = ") else { continue };
        let (name, args) = call.split_once('(').expect("arguments");
        // Only a copy is one of ours; what a call gives isn't what it works on.
        let copies = name != "fcntl" || args.contains("F_DUPFD");
        if !copies || !works_on(name, args, pipe) {
            continue;
        }
        let result = result.split([' ', '<']).next().expect("a word");
        let result = match result {
            "-1" => whole.rsplit_once("= -1 ").expect("an error").1.split(' ').next().expect("a name"),
            number => number,
        };
        let name = name.strip_suffix("64").unwrap_or(name).replace("openat", "open");
        *seen.entry(format!("{name} = {result}")).or_default() += 1;
    }
    Some(seen)
}

/// A call of a list of descriptors names them all; any other one, first.
fn works_on(name: &str, args: &str, pipe: &str) -> bool {
    let lists = ["poll", "ppoll", "select", "pselect6"];
    let end = if lists.contains(&name) { args.len() } else { args.find([',', ')']).unwrap_or(args.len()) };
    args[..end].contains(pipe)
}
