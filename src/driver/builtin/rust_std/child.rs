//! `std::process`: Command, Child, and the handles of its streams.
//!
//! 1. In the mode `file` the handles stay where Command has put them, so that `wait` closes
//!    the input first, as its page says. Whoever wraps one (`bufwriter`, `linewriter`)
//!    has to take it out of there, and then nobody closes it but its owner.
//! 2. `communicate` is `wait_with_output`, which hands nothing over.
//! 3. Command can't send both outputs one way: that takes `io::pipe`, and its reading end isn't
//!    the Child's.

use std::{
    fs::File,
    io::{self, BufReader},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
};

use super::{Reply, RustStd, Stream, failure};
use crate::{
    driver::builtin::{Spawn, close_on_exec, misused, silence},
    outcome::{self, signal_name},
};

impl RustStd {
    pub(super) fn spawn(&mut self, spawn: &Spawn<'_>) -> Reply {
        if self.children.contains_key(spawn.child) {
            return misused(format!("{} was started already", spawn.child));
        }
        match self.start(spawn) {
            Ok((pid, made)) => Reply::Said { bytes: Some(pid.into()), made, words: vec![], data: vec![] },
            Err(error) => failure(&error, 0, vec![]),
        }
    }

    fn start(&mut self, spawn: &Spawn<'_>) -> io::Result<(u32, Vec<i32>)> {
        close_on_exec();
        let mut command = Command::new(&spawn.words[0]);
        command.args(&spawn.words[1..]).env_clear();
        command.envs(spawn.env.iter().filter_map(|word| word.split_once('=')));
        let stdio = |stream| if stream == outcome::Stdio::Pipe { Stdio::piped() } else { Stdio::inherit() };
        let [stdin, stdout, stderr] = spawn.streams;
        command.stdin(stdio(stdin)).stdout(stdio(stdout)).stderr(stdio(stderr));
        let mut merged = None;
        if stderr == outcome::Stdio::Stdout {
            if stdout == outcome::Stdio::Pipe {
                let (reader, writer) = io::pipe()?;
                command.stdout(writer.try_clone()?).stderr(writer);
                merged = Some(reader);
            } else {
                command.stderr(io::stdout());
            }
        }
        let mut child = command.spawn()?;
        // It holds the writing ends.
        drop(command);
        let output = child.stdout.take().map(OwnedFd::from).or(merged.map(OwnedFd::from));
        let readers = [("stdout", output), ("stderr", child.stderr.take().map(OwnedFd::from))];
        let mut made = Vec::new();
        if let Some(stdin) = child.stdin.take().map(OwnedFd::from) {
            let fd = stdin.as_raw_fd();
            let writer = self.writer(File::from(stdin));
            let name = format!("{}.stdin", spawn.child);
            self.open.insert(name, Stream { fd, writer: Some(writer), reader: None });
            made.push(fd);
        }
        for (name, reader) in readers {
            let Some(reader) = reader else { continue };
            let fd = reader.as_raw_fd();
            let reader = Some(BufReader::new(File::from(reader)));
            self.open.insert(format!("{}.{name}", spawn.child), Stream { fd, writer: None, reader });
            made.push(fd);
        }
        let pid = child.id();
        let merged = stderr == outcome::Stdio::Stdout;
        self.children.insert(spawn.child.to_owned(), Started { child, merged });
        Ok((pid, made))
    }

    pub(super) fn wait(&mut self, name: &str, nonblock: bool) -> Reply {
        if !nonblock {
            self.put_back_input(name);
        }
        let Some(Started { child, .. }) = self.children.get_mut(name) else { return not_started(name) };
        let ended = if nonblock { child.try_wait() } else { child.wait().map(Some) };
        match ended {
            Ok(Some(status)) => said(ended_words(status), vec![]),
            Ok(None) => said(vec!["running".to_owned()], vec![]),
            Err(error) => failure(&error, 0, vec![]),
        }
    }

    pub(super) fn wait_with_output(&mut self, name: &str, input: bool) -> Reply {
        if input {
            return misused("wait_with_output hands nothing over: write, and close the input".to_owned());
        }
        if self.children.get(name).is_some_and(|started| started.merged) {
            return misused("wait_with_output doesn't read a pipe that isn't the Child's".to_owned());
        }
        self.put_back_input(name);
        let Some(Started { mut child, .. }) = self.children.remove(name) else { return not_started(name) };
        // What a BufReader has read ahead goes with it.
        let mut take = |stream: &str| {
            let reader = self.open.remove(&format!("{name}.{stream}"))?.reader?;
            Some(OwnedFd::from(reader.into_inner()))
        };
        child.stdout = take("stdout").map(ChildStdout::from);
        child.stderr = take("stderr").map(ChildStderr::from);
        let piped = [("stdout", child.stdout.is_some()), ("stderr", child.stderr.is_some())];
        match child.wait_with_output() {
            Ok(output) => {
                let mut words = ended_words(output.status);
                for ((stream, _), data) in
                    piped.iter().zip([&output.stdout, &output.stderr]).filter(|((_, piped), _)| *piped)
                {
                    words.push(format!("{stream}={}", data.len()));
                }
                said(words, [output.stdout, output.stderr].concat())
            }
            Err(error) => failure(&error, 0, vec![]),
        }
    }

    /// Rule 1.
    fn put_back_input(&mut self, name: &str) {
        let (channel, Some(started)) = (format!("{name}.stdin"), self.children.get_mut(name)) else { return };
        if self.mode.name != "file" {
            return;
        }
        let file = self.open.remove(&channel).and_then(|stream| stream.writer).and_then(|it| it.into_file());
        started.child.stdin = file.map(|file| ChildStdin::from(OwnedFd::from(file)));
    }

    /// None is left running, nor to be waited for.
    pub(super) fn end_children(&mut self) {
        for (_, Started { mut child, .. }) in self.children.drain() {
            if let Some(stdin) = &child.stdin {
                silence(stdin.as_raw_fd());
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program that was started and not given up.
pub(super) struct Started {
    child: Child,
    /// Both outputs go the same way (rule 3).
    merged: bool,
}

/// In the wire's words and in those of ExitStatus.
fn ended_words(status: ExitStatus) -> Vec<String> {
    match (status.code(), status.signal()) {
        (Some(code), _) => vec![format!("exited={code}"), format!("code={code}")],
        (None, signal) => {
            let signal = signal.unwrap_or(0);
            vec![format!("killed={}", signal_name(signal)), format!("signal={signal}")]
        }
    }
}

fn said(words: Vec<String>, data: Vec<u8>) -> Reply {
    Reply::Said { bytes: None, made: vec![], words, data }
}

fn not_started(name: &str) -> Reply {
    misused(format!("{name} wasn't started, or is given up"))
}
