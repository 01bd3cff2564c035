//! What programs call on channels, and calls that come to something else.
//!
//! Seen calls are held against strace(1) on the same program; faults against what the program
//! says it got, and against the bytes that came out at the other end.

mod calls;
mod faults;
mod oracle;
mod refused;

use serde_json::Value;

use crate::lab::{play, play_with, python};

/// A program that writes into `out`, read at its end by `reader`.
fn writer(command: &str, steps: &str) -> String {
    format!(
        "[channels]\nin = \"pipe\"\nout = \"pipe\"\n[actors]\n\
         p = {{ command = {command}, stdin = \"in\", stdout = \"out\", trace = true }}\n\
         shell = \"raw\"\nreader = \"raw\"\n\
         script = '''\nshell open in write\nreader open out read\n{steps}\n'''\n"
    )
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
