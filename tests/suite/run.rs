//! `pipelab run` as its users see it: exit statuses, what it says of mistakes and
//! of broken drivers, snapshots from the first to a change, large cases.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use nix::sys::resource::{Resource, setrlimit};
use rstest::rstest;

use crate::{
    drivers::conformance,
    lab::{Lab, play_with, ran},
    support::{output, spawn},
};

const SIMPLE: &str = r#"
[params]
n = [1, "blksize+1"]
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "rust"
script = '''
reader open log read
writer open log write
writer write log {n}
writer flush log
reader read log {n}
'''
"#;

const STUCK: &str = r#"
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "raw"
script = '''
reader open log read
writer open log write
writer write log 2*capacity
writer close log
'''
"#;

#[test]
fn from_unrecorded_to_ok_to_a_difference() {
    let lab = Lab::new(&[("simple", SIMPLE)]);
    let first = lab.run(&["run", "scenarios"]);
    assert_eq!(first.status, Some(4));
    assert_eq!(first.result(), "2 cases: 2 unrecorded");

    let proposed = lab.run(&["run", "--update", "scenarios"]);
    let snap = lab.path("snapshots/simple@rust.snap");
    let new = lab.path("snapshots/simple@rust.snap.new");
    assert!(proposed.err.contains("simple@rust.snap.new waits: `cargo insta review`"), "{proposed:?}");
    assert!(!snap.exists(), "nobody has accepted it");
    fs::rename(&new, &snap).expect("the proposal");

    let accepted = lab.run(&["run", "scenarios"]);
    assert_eq!((accepted.status, accepted.err.as_str()), (Some(0), ""));
    assert_eq!(accepted.result(), "2 cases: 2 ok");

    let text = fs::read_to_string(&snap).expect("a snapshot");
    let changed = text.replacen("ok blksize+1", "EPIPE", 1);
    assert_ne!(text, changed);
    fs::write(&snap, changed).expect("a change");
    let differs = lab.run(&["run", "scenarios"]);
    assert_eq!(differs.status, Some(1));
    assert_eq!(differs.result(), "2 cases: 1 ok, 1 differs");
    let [was, is] = ["- ", "+ "].map(|sign| differs.out.lines().find(|line| line.starts_with(sign)));
    assert!(was.is_some_and(|line| line.contains("EPIPE")), "{}", differs.out);
    assert!(is.is_some_and(|line| line.contains("ok blksize+1")), "{}", differs.out);

    // What was seen is proposed again, and nothing waits once it is as recorded.
    assert_eq!(lab.run(&["run", "--update", "scenarios"]).status, Some(1));
    assert!(new.exists());
    fs::write(&snap, text).expect("the old one");
    assert_eq!(lab.run(&["run", "--update", "scenarios"]).status, Some(0));
    assert!(!new.exists());
}

#[test]
fn a_stuck_case_says_who_waits_for_whom() {
    let lab = Lab::new(&[("stuck", STUCK)]);
    let ran = lab.run(&["run", "scenarios"]);
    assert_eq!(ran.status, Some(1));
    let line = ran.out.lines().find(|line| line.contains("stuck at line")).expect("it says so");
    assert!(line.contains("`writer close log`"), "{line}");
    let wait = "writer is blocked in `writer write log 2*capacity`: reader holds a read end, \
                writer holds a write end; log is full";
    assert!(ran.out.contains(wait), "{}", ran.out);
}

#[rstest]
#[case::a_parameters_value(&["scenarios", "--set", "n=7"], 4, "1 case: 1 unrecorded")]
#[case::an_unknown_parameter(&["scenarios", "--set", "m=7"], 2, "`simple` has no parameter `m`")]
#[case::no_value(&["scenarios", "--set", "n"], 2, "--set `n` isn't `name=value`")]
#[case::an_enormous_size(&["scenarios", "--set", "n=1000000000000000000"], 2, "more than 256 MiB")]
#[case::an_enormous_product(&["scenarios", "--set", "n=1000000000*1000000000"], 2, "more than 256 MiB")]
#[case::beyond_all_numbers(&["scenarios", "--set", "n=9000000000000000000*9"], 2, "error")]
#[case::a_file_by_several_paths(
    &["scenarios/simple.toml", "./scenarios/simple.toml", "scenarios", "empty/../scenarios"],
    4,
    "2 cases: 2 unrecorded"
)]
#[case::no_such_file(&["nowhere.toml"], 2, "pipelab: nowhere.toml: No such file or directory")]
#[case::no_scenario(&["empty"], 2, "pipelab: empty: no scenario (*.toml) in it")]
#[case::no_text(&["binary.toml"], 2, "pipelab: binary.toml: ")]
#[case::nothing_to_run(&[], 2, "required arguments")]
#[case::no_such_format(&["scenarios", "--format", "xml"], 2, "invalid value 'xml'")]
fn what_is_asked_for(#[case] words: &[&str], #[case] status: i32, #[case] said: &str) {
    let lab = Lab::new(&[("simple", SIMPLE)]);
    fs::create_dir(lab.path("empty")).expect("a directory");
    fs::write(lab.path("binary.toml"), b"\xff\xfe").expect("a file");
    let ran = lab.run(&[&["run"], words].concat());
    assert_eq!(ran.status, Some(status), "{ran:?}");
    let text = if status == 2 { &ran.err } else { &ran.out };
    assert!(text.contains(said), "{ran:?}");
}

/// A scenario with a driver program of its own.
fn with_driver(command: &str, script: &str) -> String {
    format!(
        "[channels]\nlog = \"fifo\"\n[drivers]\nmine = {{ command = {command} }}\n\
         [actors]\nreader = \"raw\"\nwriter = \"mine\"\nscript = '''\n{script}'''\n"
    )
}

const GREETING: &str = "print {$s} qq(hello 1 mine 1\\n); $s->flush; ";

/// Each driver is a line of Perl after `$s` has been made of descriptor 3.
#[rstest]
#[case::ends_at_once(
    "print STDERR qq(no such module); exit 7",
    "before its greeting: exit status 7; it said: no such module"
)]
#[case::garbage("print {$s} qq(Hello, world\\n); $s->flush; <$s>", "not a message of wire version 1")]
#[case::another_version("print {$s} qq(hello 9 mine 1\\n); $s->flush; <$s>", "version 9")]
#[case::never_greets("recv($s, my $x, 9, 0)", "it waits for steps on descriptor 3 and hasn't greeted")]
#[case::hangs_up("POSIX::close(3); sleep 86400", "it closed descriptor 3 before its greeting")]
#[case::answers_twice(
    "HELLO<$s>; <$s> =~ /(\\d+)/; print {$s} qq($1 ok fd=9\\n$1 ok fd=9\\n); $s->flush; <$s>",
    "it answered step 1 twice"
)]
#[case::answers_another_step("HELLO<$s>; print {$s} qq(77 ok\\n); $s->flush; <$s>", "it answered step 77")]
#[case::leaves_in_the_middle("HELLO<$s>; exit 0", "it ended on its own: exit status 0")]
#[case::hangs_up_in_the_middle(
    "HELLO<$s>; POSIX::close(3); sleep 86400",
    "it closed descriptor 3 and lives on"
)]
#[case::says_no(
    "HELLO<$s>; <$s> =~ /(\\d+)/; print {$s} qq($1 unsupported\\n); $s->flush; <$s>",
    "it can't carry out `ACTOR open CHANNEL"
)]
fn a_broken_driver_is_a_fault_and_is_named(#[case] does: &str, #[case] said: &str) {
    if !has_perl() {
        return;
    }
    let does = does.replace("HELLO", GREETING);
    let program = format!("use IO::Handle; use POSIX (); open($s, q(+<&=), 3); {does}");
    let command = serde_json::to_string(&["perl", "-e", &program]).expect("JSON");
    let lab =
        Lab::new(&[("broken", &with_driver(&command, "reader open log read\nwriter open log write\n"))]);
    let ran = lab.run(&["run", "scenarios"]);
    assert_eq!((ran.status, ran.err.as_str()), (Some(3), ""), "{}", ran.out);
    assert!(ran.out.contains("the driver of writer: ") && ran.out.contains(said), "{}", ran.out);
    assert_eq!(ran.result(), "1 case: 1 error");
}

/// Several cases may fail for one reason, which stands at the end once.
#[test]
fn a_case_that_fails_is_named() {
    if !has_perl() {
        return;
    }
    let program = format!("use IO::Handle; use POSIX (); open($s, q(+<&=), 3); {GREETING}<$s>; exit 0");
    let command = serde_json::to_string(&["perl", "-e", &program]).expect("JSON");
    let text =
        with_driver(&command, "reader open log read nonblock\nwriter open log write\nwriter write log {n}\n");
    let lab = Lab::new(&[("broken", &format!("params = {{ n = [1, 2] }}\n{text}"))]);
    let ran = lab.run(&["run", "scenarios"]);
    assert_eq!((ran.status, ran.result()), (Some(3), "2 cases: 2 error"), "{}", ran.out);
    for title in ["n = 1", "n = 2"] {
        let named = format!("\n{title}: the driver of writer: it ended on its own: exit status 0");
        assert!(ran.out.contains(&named), "{}", ran.out);
    }
}

#[test]
fn a_driver_that_isnt_there_is_named() {
    for (command, said) in [
        (r#"["no-such-program"]"#, "`no-such-program` isn't on PATH"),
        (r#"["./no-such-program"]"#, "scenarios/no-such-program: No such file or directory"),
    ] {
        let lab = Lab::new(&[("missing", &with_driver(command, "reader open log read\n"))]);
        let ran = lab.run(&["run", "scenarios"]);
        assert_eq!(ran.status, Some(3));
        assert!(ran.out.contains(said), "{}", ran.out);
    }
}

#[test]
fn a_driver_of_ones_own_conforms() {
    if has_perl() {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/posix.pl");
        let command = ["perl".to_owned(), driver.to_string_lossy().into_owned()];
        conformance::check(&conformance::Subject { command: &command, mode: &[] });
    }
}

#[test]
fn a_driver_of_ones_own_plays() {
    if !has_perl() {
        return;
    }
    let script = "writer open log write -> blocked\nreader open log read\n\
                  writer write log 3*capacity -> blocked\nreader read log page\n\
                  reader close log\nwriter write log 1 pieces 1 -> EPIPE\n\
                  reader open log read nonblock\nreader read log available\nwriter write log blksize+1\nwriter close log\n\
                  reader read log to-eof\nreader close log\n\
                  writer open log read nonblock\nreader open log write\nreader write log 10\n\
                  writer read log 4\nreader close log\nwriter read log to-eof\nwriter exit 5 -> exited 5\n";
    // The program is found beside the scenario, from wherever pipelab is called.
    let lab = Lab::new(&[("own", &with_driver(r#"["perl", "./posix.pl"]"#, script))]);
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/posix.pl");
    fs::copy(driver, lab.path("scenarios/posix.pl")).expect("copied");
    lab.record(&["scenarios"]);
    for (folder, words) in [("", "scenarios"), ("scenarios", "own.toml"), ("snapshots", "../scenarios")] {
        let ran = ran(lab.command(&["run", "--format", "jsonl", words]).current_dir(lab.path(folder)));
        assert_eq!(ran.statuses(), ["ok"], "{ran:?}");
        assert_eq!(ran.status, Some(0));
        let ledger = &ran.objects()[0]["ledger"]["log"];
        // A full pipe and the page that was read from it; what came later.
        for count in ["kernel", "delivered"] {
            assert_eq!(ledger[count], serde_json::json!(65_536 + 4096 + 4097 + 10), "{ledger}");
        }
    }
}

#[test]
fn a_reader_that_leaves_ends_the_output_quietly() {
    let values: Vec<String> = (1..400).map(|n| n.to_string()).collect();
    let lab =
        Lab::new(&[("simple", &SIMPLE.replace("[1, \"blksize+1\"]", &format!("[{}]", values.join(","))))]);
    for format in ["jsonl", "human"] {
        let mut command = lab.command(&["run", "--steps", "--format", format, "scenarios"]);
        let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())).expect("it starts");
        let mut out = BufReader::with_capacity(64, child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        drop(out);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        let status = child.wait().expect("it ends");
        assert!(line.contains("simple"), "{line}");
        assert_eq!((status.code(), said.as_str()), (Some(3), ""), "{format}");
    }
}

/// What pipelab, its stage or an actor may have in private memory, in bytes.
const BOUND: u64 = 200 << 20;

#[test]
fn twenty_megabytes_pass_in_bounded_memory() {
    let large = r#"
[channels]
log = "fifo"
[actors]
reader = "raw"
writer = "rust"
script = '''
reader open log read
writer open log write
reader read log to-eof -> blocked
writer write log 20 MiB pieces blksize+1 -> ok 20 MiB
writer close log
'''
[expect]
lost = 0
delivered = "20 MiB"
kernel = "20 MiB"
"#;
    let lab = Lab::new(&[("large", large)]);
    // The kernel's own count of a child's memory (`ru_maxrss`) begins with that of the
    // process that started it, which is large here.
    let mut command = lab.command(&["run", "--format", "jsonl", "scenarios"]);
    // SAFETY: setrlimit(2) may be called between fork and exec.
    unsafe { command.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_DATA, BOUND, BOUND)?)) };
    let ran = ran(&mut command);
    assert_eq!((ran.status, &ran.statuses()[..]), (Some(4), &["unrecorded".to_owned()][..]), "{}", ran.err);
}

fn has_perl() -> bool {
    let found = output(Command::new("perl").arg("-v")).is_ok();
    if !found {
        eprintln!("SKIPPED: perl isn't installed");
    }
    found
}

/// docs/scenario.md: a count that can't be known is as expected by nothing.
#[rstest::rstest]
#[case::of_a_program(
    "[channels]\nout = \"pipe\"\n[actors]\np = { command = [\"echo\"], stdout = \"out\" }\nr = \"raw\"\n",
    "r open out read\np start\nr read out to-eof",
    "out",
    &["lost", "duplicated", "reordered", "torn", "offered", "accepted"],
    "unknown (a program "
)]
#[case::on_its_way(
    "[actors]\na = \"raw\"\nb = \"raw:fork\"\n",
    "a socket l tcp stream\na bind l @\na listen l 1\na socket c tcp stream\na connect c =l\na accept l n\na fork b\n\
     b send c 10\nb close c\na close c\na close n",
    "n",
    &["lost"],
    "unknown (0 to 10 bytes)"
)]
fn what_cant_be_known_is_as_expected_by_nothing(
    #[case] head: &str,
    #[case] script: &str,
    #[case] channel: &str,
    #[case] counts: &[&str],
    #[case] why: &str,
) {
    let expect: Vec<String> = counts.iter().map(|count| format!("{count} = 0")).collect();
    let text = format!("{head}[expect.{channel}]\n{}\nscript = '''\n{script}\n'''\n", expect.join("\n"));
    let (case, ran) = play_with(&text, &[]);
    assert_eq!(case["status"], "differs", "{ran:?}");
    let differences: Vec<&str> =
        case["differences"].as_array().expect("a list").iter().filter_map(|text| text.as_str()).collect();
    assert_eq!(differences.len(), counts.len(), "{differences:?}");
    for (difference, count) in differences.iter().zip(counts) {
        assert!(difference.contains(&format!("{count} of {channel}")), "{difference}");
        assert!(difference.contains(why), "{difference}");
    }
}
