//! "Accepted by the kernel" is what write(2) returned.
//!
//! pipelab never sees a write's return value: `ledger.CHANNEL.kernel` is a sum of
//! what is queued, what readers took, and what was dropped with the buffer. Here
//! strace follows pipelab and all its actors, and for every case the return values
//! of the calls write(2) on descriptors of the case's FIFO are added up and
//! compared with it. A write that a signal or the end cut off has no value there
//! and is left out of the sample.
//!
//! The detector works under strace: a tracee that sleeps in a call is in state `S`
//! like any other, and one that is stopped for the tracer isn't taken for settled.

use std::{
    collections::{BTreeMap, HashMap},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    lab::{Lab, ran},
    support::output,
};

/// One scenario a way of ending; sizes around the limits of buffers and pipe.
const SAMPLE: &[(&str, &str)] = &[
    (
        "released",
        r#"
[params]
n = [1, "blksize-1", "blksize", "blksize+1", "2*blksize", "2*blksize+1", "capacity", "capacity+1", "3*capacity"]
writer = WRITERS
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
script = '''
reader open log read
writer open log write
writer write log {n}
reader read log to-eof -> blocked
writer flush log
writer close log
'''
"#,
    ),
    (
        "deserted",
        r#"
[params]
n = [1, "blksize", "blksize+1", "2*blksize+1", "capacity", "3*capacity"]
writer = WRITERS
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
[setting]
sigpipe = "ignore"
script = '''
reader open log read nonblock
writer open log write
writer write log {n}
reader read log 100 repeat 2 until ok
reader close log
writer write log blksize+1   unless failed
writer flush log             unless failed
reader open log read nonblock
writer close log
reader read log available
'''
"#,
    ),
    (
        "in-pieces",
        r#"
[params]
piece = [100, "blksize", "pipe_buf+1"]
writer = WRITERS
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "{writer}"
[setting]
sigpipe = "ignore"
script = '''
reader open log read
writer open log write
writer write log capacity+5000 pieces {piece}
reader read log 20_000
reader close log
writer exit
'''
"#,
    ),
];

#[test]
fn the_kernels_count_is_what_write_returned() {
    if output(Command::new("strace").arg("-V")).is_err() {
        eprintln!("SKIPPED: strace isn't installed");
        return;
    }
    let writers = r#"["raw", "stdio", "stdio:line", "rust", "rust:file"]"#;
    let texts: Vec<(&str, String)> =
        SAMPLE.iter().map(|(name, text)| (*name, text.replace("WRITERS", writers))).collect();
    compare(&texts, 90);
}

#[test]
fn the_kernels_count_is_what_write_returned_to_python() {
    if output(Command::new("strace").arg("-V")).is_err() {
        eprintln!("SKIPPED: strace isn't installed");
        return;
    }
    // To look at the layers copies no descriptor and writes nothing.
    let writers = r#"["python:text,layers", "python:binary,layers"]"#;
    let texts: Vec<(&str, String)> =
        SAMPLE.iter().map(|(name, text)| (*name, text.replace("WRITERS", writers))).collect();
    compare(&texts, 36);
}

fn compare(texts: &[(&str, String)], at_least: usize) {
    let borrowed: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let lab = Lab::new(&borrowed);
    let trace = lab.path("trace");
    // A strace that follows into a pid namespace can't name the processes there.
    let pipelab = lab.command(&[
        "run",
        "--fresh",
        "--jobs",
        "1",
        "--format",
        "jsonl",
        "--containment",
        "subreaper",
        "scenarios",
    ]);
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-s",
        "0",
        "-e",
        "signal=none",
        "-e",
        "trace=mknod,mknodat,open,openat,write,dup,dup2,dup3,fcntl",
    ]);
    strace.arg("-o").arg(&trace).arg(pipelab.get_program()).args(pipelab.get_args());
    strace.current_dir(lab.path("")).env("TMPDIR", lab.path("")).stdin(Stdio::null());
    let ran = ran(&mut strace);
    if ran.err.contains("ptrace") {
        eprintln!("SKIPPED: strace may not trace here: {}", ran.err);
        return;
    }
    let trace = std::fs::read_to_string(trace).expect("strace's output");
    let written = written(&trace);

    let objects = ran.objects();
    assert!(!objects.is_empty(), "{}", ran.err);
    if objects.iter().all(|case| case["status"] == "skipped") {
        eprintln!("SKIPPED: {}", objects[0]["reason"]);
        return;
    }
    assert!(objects.len() >= at_least, "{} cases: {}", objects.len(), ran.err);
    // One stage plays them, in this order.
    for (at, case) in objects.iter().enumerate() {
        let ours = &case["ledger"]["log"]["kernel"];
        let theirs = written.get(&(at as u64 + 1)).copied().unwrap_or(0);
        assert_eq!(*ours, Value::from(theirs), "{} {}", case["scenario"], case["params"]);
    }
    let blocked = objects.iter().filter(|case| case.to_string().contains(r#""call":"write""#)).count();
    assert!(blocked >= at_least / 6, "writes that the kernel took in parts are in the sample: {blocked}");
}

/// Per case, by the number of times that the FIFO `log` had been made, the bytes that write(2) said it
/// took on it.
fn written(trace: &str) -> BTreeMap<u64, u64> {
    let mut sums = BTreeMap::new();
    let mut case = 0;
    // Per process, the case whose FIFO a descriptor is.
    let mut fifos: HashMap<(&str, u64), u64> = HashMap::new();
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    for line in trace.lines() {
        let (pid, rest) = line.split_once(' ').expect("a process id first");
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(pid, start);
            continue;
        }
        let joined;
        let call = match rest.split_once(" resumed>") {
            Some((head, tail)) if head.starts_with("<... ") => {
                let Some(start) = unfinished.remove(pid) else { continue };
                joined = format!("{start}{tail}");
                joined.as_str()
            }
            _ => rest,
        };
        let Some((call, result)) = call.rsplit_once(" = ") else { continue };
        // An error, `?` of a call that the end cut off, or a number.
        let Some(result) = result.split(' ').next().and_then(|number| number.parse::<u64>().ok()) else {
            continue;
        };
        let (name, args) = call.split_once('(').expect("a call has arguments");
        let first = || args.split([',', ')']).next().and_then(|number| number.trim().parse::<u64>().ok());
        match name {
            "mknod" | "mknodat" => case += u64::from(is_log(args)),
            "open" | "openat" if is_log(args) => drop(fifos.insert((pid, result), case)),
            "open" | "openat" => drop(fifos.remove(&(pid, result))),
            // No driver copies a FIFO's descriptor; should one, the sum must not be taken for right.
            "dup" | "dup2" | "dup3" | "fcntl" => {
                let copied = first().and_then(|from| fifos.get(&(pid, from)));
                let copies = name != "fcntl" || args.contains("F_DUPFD");
                assert!(!(copies && copied.is_some()), "{line}");
            }
            _ => {
                if let Some(&case) = first().and_then(|fd| fifos.get(&(pid, fd))) {
                    *sums.entry(case).or_insert(0) += result;
                }
            }
        }
    }
    sums
}

/// The path is that of the channel.
fn is_log(args: &str) -> bool {
    args.split('"').nth(1).is_some_and(|path| path.ends_with("/case/log"))
}
