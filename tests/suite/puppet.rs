//! A driver on strings: what the stage says to it, said by hand.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, Read, Write},
    ops::Deref,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::ExitStatus,
    time::Duration,
};

use pipelab::{driver::Started, wire::Abilities};

use crate::support::{forking, no_fork};

/// A driver and the number of the last step it was given.
pub struct Puppet {
    started: Started,
    last: u64,
}

/// A step as it goes over the wire, without its number.
pub struct Step {
    line: String,
    payload: Vec<u8>,
}

/// A step without payload.
pub fn step(line: impl Into<String>) -> Step {
    Step { line: line.into(), payload: Vec::new() }
}

impl Step {
    /// The same with what follows its line.
    pub fn with(self, payload: Vec<u8>) -> Step {
        Step { payload, ..self }
    }
}

/// A write of all this in one call.
pub fn write(channel: &str, payload: &[u8]) -> Step {
    write_in_pieces(channel, payload, payload.len())
}

pub fn write_in_pieces(channel: &str, payload: &[u8], piece: usize) -> Step {
    Step { line: format!("write {channel} {} {piece}", payload.len()), payload: payload.to_vec() }
}

/// What a driver answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The line behind the step's number, without `queued=` and `held=`.
    pub line: String,
    pub data: Vec<u8>,
    /// Bytes in the kernel, from a driver that counts.
    pub queued: Option<u64>,
    /// What its layers hold, from one whose mode says `layers`: `text:0,buffer:9`.
    pub held: Option<String>,
}

impl Answer {
    pub fn word(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// The word behind `fail`.
    pub fn errno(&self) -> Option<&str> {
        self.line.strip_prefix("fail ").and_then(|rest| rest.split(' ').next())
    }

    /// The value of `name=`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// The number of bytes it speaks of.
    pub fn bytes(&self) -> usize {
        let bytes = self.value("bytes").or(self.value("data"));
        bytes.unwrap_or_else(|| panic!("no count in {self:?}")).parse().unwrap()
    }
}

/// Starts a driver, which may be none.
pub fn try_start(command: &[String], mode: &[&str]) -> Result<Started, String> {
    let _forking = forking();
    Started::new(command, mode)
}

impl Puppet {
    pub fn start(command: &[String], mode: &[&str]) -> Puppet {
        let started = try_start(command, mode).unwrap_or_else(|reason| panic!("{command:?}: {reason}"));
        // A driver that doesn't answer shall fail its test, not hang it.
        started.control.get_ref().set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Puppet { started, last: 0 }
    }

    /// What it claims to be able to do.
    pub fn abilities(&self) -> Abilities {
        self.started.greeting.abilities
    }

    /// Gives a batch, and doesn't wait for the answers.
    pub fn give(&mut self, steps: &[Step]) {
        let mut body = Vec::new();
        for step in steps {
            self.last += 1;
            body.extend_from_slice(format!("{} {}\n", self.last, step.line).as_bytes());
            body.extend_from_slice(&step.payload);
        }
        let header = format!("batch {} {}\n", steps.len(), body.len());
        let mut control = self.started.control.get_ref();
        control.write_all(header.as_bytes()).unwrap();
        control.write_all(&body).unwrap();
    }

    /// The next answer, which must be to the step of this number.
    pub fn answer(&mut self, number: u64) -> Answer {
        let mut line = String::new();
        self.started.control.read_line(&mut line).unwrap();
        let stderr = self.started.stderr().unwrap();
        let line = line.strip_suffix('\n').unwrap_or_else(|| panic!("the driver hung up: {stderr}"));
        let (answered, line) = line.split_once(' ').unwrap_or_else(|| panic!("no answer: {line:?}"));
        assert_eq!(answered, number.to_string(), "the answer to another step: {line:?}");
        let (head, message) =
            line.split_once(" message=").map_or((line, None), |(head, message)| (head, Some(message)));
        let (counts, words): (Vec<&str>, Vec<&str>) =
            head.split(' ').partition(|word| word.starts_with("queued=") || word.starts_with("held="));
        let count = |name: &str| counts.iter().find_map(|word| word.strip_prefix(name));
        let queued = count("queued=").map(|bytes| bytes.parse().unwrap());
        let held = count("held=").map(str::to_owned);
        let message = message.map(|message| format!(" message={message}")).unwrap_or_default();
        let mut answer = Answer { line: words.join(" ") + &message, data: Vec::new(), queued, held };
        if let Some(length) = answer.value("data") {
            answer.data = vec![0; length.parse().unwrap()];
            self.started.control.read_exact(&mut answer.data).unwrap();
        }
        answer
    }

    /// The next answer, to whichever step: its line with the number. What it has read is left out.
    pub fn any_answer(&mut self) -> String {
        let mut line = String::new();
        self.started.control.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        if let Some((_, length)) = line.split_once("data=") {
            self.started.control.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
        }
        line
    }

    /// Gives steps in one batch and collects their answers.
    pub fn play(&mut self, steps: &[Step]) -> Vec<Answer> {
        let before = self.last;
        self.give(steps);
        (before + 1..=self.last).map(|number| self.answer(number)).collect()
    }

    /// Gives one step and waits for its answer.
    pub fn step(&mut self, given: Step) -> Answer {
        self.play(&[given]).remove(0)
    }

    /// Gives one step, which must succeed.
    pub fn must(&mut self, given: Step) -> Answer {
        let line = given.line.clone();
        let answer = self.step(given);
        assert_eq!(answer.word(), "ok", "{line}: {answer:?}");
        answer
    }

    pub fn pid(&self) -> u32 {
        self.started.pid()
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        self.started.descriptors().unwrap()
    }

    /// The number of the last step given.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Closes the conversation.
    pub fn hang_up(&mut self) {
        self.started.control.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        self.started.wait().unwrap()
    }
}

/// A FIFO in a folder of its own.
pub struct Fifo {
    folder: tempfile::TempDir,
}

impl Fifo {
    pub fn new() -> Fifo {
        let folder = tempfile::tempdir().unwrap();
        let fifo = Fifo { folder };
        nix::unistd::mkfifo(&fifo.path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fifo
    }

    /// With a space in it: a path is the rest of a step's line.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("a fifo")
    }

    /// The step that opens it: `access` is `write block` or the like.
    pub fn open(&self, channel: &str, access: &str) -> Step {
        step(format!("open {channel} {access} {}", self.path().display()))
    }

    /// A read end that never blocks, and whose open doesn't wait for a writer.
    pub fn reader(&self) -> End {
        End::new(OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(self.path()))
    }

    /// A read end whose reads wait.
    pub fn blocking_reader(&self) -> End {
        let reader = self.reader();
        nix::fcntl::fcntl(&*reader, nix::fcntl::F_SETFL(nix::fcntl::OFlag::empty())).unwrap();
        reader
    }

    /// A write end, for whose opening there need be no reader.
    pub fn writer(&self) -> End {
        let _reader = self.reader();
        End::new(OpenOptions::new().write(true).open(self.path()))
    }
}

/// One end of a FIFO. When it is dropped, it is gone.
pub struct End(Option<File>);

impl End {
    fn new(file: io::Result<File>) -> End {
        End(Some(file.unwrap()))
    }
}

impl Deref for End {
    type Target = File;

    fn deref(&self) -> &File {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _unforked = no_fork();
        drop(self.0.take());
    }
}

/// All that is queued now; nothing if there is nothing.
pub fn drain(mut reader: &File) -> Vec<u8> {
    let mut data = Vec::new();
    match reader.read_to_end(&mut data) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => panic!("{error}"),
        _ => data,
    }
}

/// Text in which every place is different enough to notice a gap.
pub fn text(length: usize) -> Vec<u8> {
    (0..).flat_map(|number| format!("{number:07}\n").into_bytes()).take(length).collect()
}
