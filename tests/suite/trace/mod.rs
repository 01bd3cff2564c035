//! What programs call on channels, and calls that come to something else.
//!
//! Seen calls are held against strace(1) on the same program; faults against what the program
//! says it got, and against the bytes that came out at the other end.

mod calls;
mod faults;
mod oracle;
mod refused;

use serde_json::Value;

use crate::lab::{Lab, Ran};

/// A program that writes into `out`, read at its end by `reader`.
fn writer(command: &str, steps: &str) -> String {
    format!(
        "[channels]\nin = \"pipe\"\nout = \"pipe\"\n[actors]\n\
         p = {{ command = {command}, stdin = \"in\", stdout = \"out\", trace = true }}\n\
         shell = \"raw\"\nreader = \"raw\"\n\
         script = '''\nshell open in write\nreader open out read\n{steps}\n'''\n"
    )
}

/// A program in Python, as the words of a command: the interpreter itself, since what is called
/// `python3` may be a script that looks for one, and calls a lot.
fn python(code: &str) -> String {
    let own =
        std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let own = own.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let python = own.map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
    let words = [python.as_deref().unwrap_or("python3"), "-c", &format!("import os, sys\n{code}")];
    serde_json::to_string(&words).expect("words")
}

/// Plays one scenario of one case; its object.
fn play(text: &str, words: &[&str]) -> Value {
    let (case, ran) = play_with(text, words);
    assert!(matches!(case["status"].as_str(), Some("ok" | "unrecorded")), "{case:#}\n{}", ran.err);
    case
}

fn play_with(text: &str, words: &[&str]) -> (Value, Ran) {
    let lab = Lab::new(&[("it", text)]);
    let ran = lab.run(&[&["run", "--format", "jsonl"], words, &["scenarios"]].concat());
    let mut objects = ran.objects();
    assert_eq!(objects.len(), 1, "{ran:?}");
    (objects.remove(0), ran)
}

/// The calls of a case that are kept in full: `step`, and each as `write out 100 = EPIPE`.
fn calls(case: &Value) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    for step in case["steps"].as_array().expect("steps") {
        for calls in step["calls"].as_array().into_iter().flatten() {
            let list = |key: &str| calls[key].as_array().expect("a list").clone();
            let index = step["index"].as_u64().expect("a number");
            all.extend(list("first").iter().chain(&list("last")).map(|call| (index, line(call))));
        }
    }
    all
}

fn line(call: &Value) -> String {
    let mut words = vec![call["call"].as_str().expect("a name").to_owned()];
    words.extend(
        call["channels"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().expect("a name").to_owned()),
    );
    words.extend(call["asked"].as_u64().map(|bytes| bytes.to_string()));
    let result = call["errno"].as_str().map(str::to_owned).unwrap_or_else(|| call["result"].to_string());
    format!("{} = {result}", words.join(" "))
}

/// The same without the steps, and without waits, whose number hangs on who is faster.
fn lines(case: &Value) -> Vec<String> {
    let lines = calls(case).into_iter().map(|(_, line)| line);
    lines.filter(|line| !line.starts_with("wait")).collect()
}

/// What the last read of the case gave.
fn last_words(case: &Value) -> &str {
    case["steps"].as_array().expect("steps").last().expect("a step")["outcome"].as_str().expect("a word")
}
