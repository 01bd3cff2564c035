//! What docs/wire.md promises of a driver, whatever its runtime. To check a driver
//! of your own, give its command:
//!
//!     PIPELAB_DRIVER="node my_driver.js" cargo test --test suite conforms

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    os::fd::AsRawFd,
};

use pipelab::wire::Abilities;

use crate::puppet::{End, Fifo, Puppet, drain, step, text, write, write_in_pieces};

/// A driver's command with the words of a mode.
pub struct Subject<'a> {
    pub command: &'a [String],
    pub mode: &'a [&'a str],
}

impl Subject<'_> {
    fn start(&self) -> Puppet {
        Puppet::start(self.command, self.mode)
    }
}

type Check = (&'static str, fn(&mut Puppet));

/// Whether a driver claims an ability, and what it then promises.
type Claim = (fn(Abilities) -> bool, &'static str, fn(&mut Puppet));

/// Checks that leave the driver as they found it.
const CHECKS: &[Check] = &[
    ("what is written, flushed and closed arrives", writes),
    ("a batch is carried out in order, an answer a step", batch),
    ("pieces are all written", pieces),
    ("a write of nothing succeeds", empty_write),
    ("1 MiB goes out", large_write),
    ("1 MiB comes in", large_read),
    ("so many bytes are read, then the rest, then eof", reads),
    ("what is available is read without blocking", available),
    ("what is added while the available is read comes later", available_counts_once),
    ("a channel opened for both is written and read", both),
    ("two channels are kept apart", two_channels),
    ("what is written is in a layer or in the kernel, if the layers are told", layers),
    ("a non-blocking open without a reader is ENXIO", no_reader),
    ("an unknown verb is unsupported, and the next step carried out", unknown_verb),
    ("a channel is opened once", open_twice),
    ("a channel that isn't open is a failure, not the driver's end", not_open),
    ("a failed step doesn't end its batch", failure_in_batch),
];

/// Checks of drivers that claim an ability.
const CLAIMS: &[Claim] = &[
    (|can| can.counts, "every answer on an open channel says what is queued", counts),
    (|can| can.resets, "a reset closes everything", reset_closes),
    (|can| can.resets, "a reset lets nothing out that was buffered, then or later", reset_keeps_back),
    (|can| can.resets, "a reset doesn't wait for a full pipe", reset_of_a_full_pipe),
    (|can| can.resets, "a reset leaves as many descriptors as there were", reset_leaves_nothing),
    (|can| can.forgets, "closing leaves as many descriptors as there were", close_leaves_nothing),
];

/// Checks that end the driver.
const ENDINGS: &[Check] = &[
    ("exit ends with its status and flushes", exit),
    ("the end of the conversation ends the driver", end_of_conversation),
];

/// Runs all checks: the first with one driver one after the other, so that what one
/// leaves behind can show in the next.
pub fn check(subject: &Subject) {
    let mut driver = subject.start();
    for (promise, check) in CHECKS {
        // Shown if the check fails.
        println!("{} {:?}: {promise}", subject.command[0], subject.mode);
        check(&mut driver);
    }
    let can = driver.abilities();
    assert!(can.resets || !can.forgets, "`forgets` needs `resets`");
    for (_, promise, check) in CLAIMS.iter().filter(|(claimed, ..)| claimed(can)) {
        println!("{} {:?}: {promise}", subject.command[0], subject.mode);
        check(&mut driver);
    }
    for (promise, check) in ENDINGS {
        println!("{} {:?}: {promise}", subject.command[0], subject.mode);
        check(&mut subject.start());
    }
}

fn writes(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    assert!(driver.must(fifo.open("log", "write block")).value("fd").is_some());
    assert_eq!(driver.must(write("log", b"hello\n")).bytes(), 6);
    driver.must(step("flush log"));
    assert_eq!(drain(&reader), b"hello\n");
    driver.must(write("log", b"world\n"));
    driver.must(step("close log"));
    assert_eq!(drain(&reader), b"world\n");
}

fn batch(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    let answers = driver.play(&[
        fifo.open("log", "write block"),
        write("log", &text(100)),
        step("flush log"),
        write("log", b"tail"),
        step("close log"),
    ]);
    assert!(answers.iter().all(|answer| answer.word() == "ok"), "{answers:?}");
    assert_eq!(drain(&reader), [&text(100)[..], b"tail"].concat());
}

fn pieces(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    driver.must(fifo.open("log", "write block"));
    assert_eq!(driver.must(write_in_pieces("log", &text(1000), 300)).bytes(), 1000);
    driver.must(step("close log"));
    assert_eq!(drain(&reader), text(1000));
}

fn empty_write(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    driver.must(fifo.open("log", "write block"));
    assert_eq!(driver.must(write("log", b"")).bytes(), 0);
    driver.must(step("close log"));
    assert_eq!(drain(&reader), b"");
}

fn large_write(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.blocking_reader();
    driver.must(fifo.open("log", "write block"));
    let sent = text(1 << 20);
    // The pipe holds less, so the answer comes when it has been read.
    driver.give(&[write("log", &sent), step("close log")]);
    let mut received = Vec::new();
    (&*reader).read_to_end(&mut received).unwrap();
    let last = driver.last();
    assert_eq!(driver.answer(last - 1).bytes(), sent.len());
    assert_eq!(driver.answer(last).word(), "ok");
    assert!(received == sent, "{} bytes of {} arrived, or others", received.len(), sent.len());
}

fn large_read(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let writer = fifo.writer_for(driver);
    let sent = text(1 << 20);
    driver.give(&[step(format!("read log {}", sent.len()))]);
    (&*writer).write_all(&sent).unwrap();
    let last = driver.last();
    let received = driver.answer(last).data;
    assert!(received == sent, "{} bytes of {} arrived, or others", received.len(), sent.len());
    driver.must(step("close log"));
}

fn reads(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let writer = fifo.writer_for(driver);
    (&*writer).write_all(&text(1000)).unwrap();
    drop(writer);
    assert_eq!(driver.must(step("read log 300")).data, text(1000)[..300]);
    assert_eq!(driver.must(step("read log to-eof")).data, text(1000)[300..]);
    assert_eq!(driver.step(step("read log to-eof")).line, "eof");
    assert_eq!(driver.step(step("read log 1")).line, "eof");
    driver.must(step("close log"));
}

fn available(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let writer = fifo.writer_for(driver);
    (&*writer).write_all(&text(100)).unwrap();
    let first = driver.step(step("read log available"));
    if first.word() == "unsupported" {
        driver.must(step("close log"));
        return;
    }
    assert_eq!(first.data, text(100));
    assert_eq!(driver.step(step("read log available")).line, "ok data=0");
    // What a runtime has fetched already is available too.
    (&*writer).write_all(&text(100)).unwrap();
    assert_eq!(driver.must(step("read log 10")).data, text(100)[..10]);
    assert_eq!(driver.must(step("read log available")).data, text(100)[10..]);
    drop(writer);
    assert_eq!(driver.step(step("read log available")).line, "eof");
    driver.must(step("close log"));
}

fn available_counts_once(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let writer = fifo.writer_for(driver);
    let full = fill(&writer);
    // More than the pipe's capacity: whether it has begun to wait for room before
    // the driver counts or not, all the driver can find is a full pipe.
    let rest = text(100_000);
    let read = std::thread::scope(|scope| {
        let adding = scope.spawn(|| (&*writer).write_all(&rest).unwrap());
        let read = driver.step(step("read log available"));
        if read.word() != "unsupported" {
            driver.must(step(format!("read log {}", rest.len())));
        } else {
            driver.must(step(format!("read log {}", full + rest.len())));
        }
        adding.join().unwrap();
        read
    });
    if read.word() != "unsupported" {
        assert_eq!(read.bytes(), full);
    }
    driver.must(step("close log"));
}

/// Fills the pipe, and gives its capacity.
fn fill(writer: &End) -> usize {
    let capacity = nix::fcntl::fcntl(&**writer, nix::fcntl::F_GETPIPE_SZ).unwrap() as usize;
    (&**writer).write_all(&text(capacity)).unwrap();
    capacity
}

fn both(driver: &mut Puppet) {
    let fifo = Fifo::new();
    driver.must(fifo.open("log", "both block"));
    driver.must(write("log", b"there and back\n"));
    driver.must(step("flush log"));
    assert_eq!(driver.must(step("read log 15")).data, b"there and back\n");
    driver.must(step("close log"));
    // Nobody holds an end any more.
    assert_eq!(driver.step(fifo.open("log", "write nonblock")).errno(), Some("ENXIO"));
}

fn two_channels(driver: &mut Puppet) {
    let (left, right) = (Fifo::new(), Fifo::new());
    let (left_reader, right_reader) = (left.reader(), right.reader());
    driver.must(left.open("left", "write block"));
    driver.must(right.open("right", "write block"));
    driver.must(write("left", b"l"));
    driver.must(write("right", b"r"));
    driver.must(step("close left"));
    driver.must(step("close right"));
    assert_eq!(drain(&left_reader), b"l");
    assert_eq!(drain(&right_reader), b"r");
}

fn layers(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    let opened = driver.must(fifo.open("log", "write block"));
    let names = |held: &str| -> Vec<String> {
        held.split(',').map(|layer| layer.split_once(':').expect("name:bytes").0.to_owned()).collect()
    };
    let (mut written, mut arrived) = (0, 0);
    for step in [write("log", &text(30)), step("flush log"), write("log", &text(20_000)), step("flush log")] {
        let answer = driver.must(step);
        written += answer.value("bytes").map_or(0, |_| answer.bytes());
        arrived += drain(&reader).len();
        assert_eq!(answer.held.is_some(), opened.held.is_some(), "{answer:?}");
        let Some(held) = answer.held else { continue };
        assert_eq!(Some(names(&held)), opened.held.as_deref().map(names), "{held}");
        let bytes = held.split(',').map(|layer| layer.split_once(':').expect("name:bytes").1.parse());
        // A layer that it can't look into is `?`.
        if let Ok(bytes) = bytes.collect::<Result<Vec<usize>, _>>() {
            assert_eq!(bytes.iter().sum::<usize>(), written - arrived, "{held}");
        }
    }
    assert_eq!(written, arrived);
    assert_eq!(driver.must(step("close log")).held, None, "nothing is left that could hold bytes");
    drop(reader);
    // Layers are a writer's.
    assert_eq!(driver.must(fifo.open("log", "read nonblock")).held, None);
    driver.must(step("close log"));
}

fn no_reader(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let answer = driver.step(fifo.open("log", "write nonblock"));
    assert_eq!(answer.errno(), Some("ENXIO"), "{answer:?}");
}

fn unknown_verb(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let answers = driver.play(&[step("dance log"), fifo.open("log", "read nonblock")]);
    assert_eq!(answers[0].line, "unsupported");
    assert_eq!(answers[1].word(), "ok");
    driver.must(step("close log"));
}

fn open_twice(driver: &mut Puppet) {
    let (first, second) = (Fifo::new(), Fifo::new());
    driver.must(first.open("log", "read nonblock"));
    assert_eq!(driver.step(second.open("log", "read nonblock")).errno(), Some("-"));
    driver.must(step("close log"));
}

fn not_open(driver: &mut Puppet) {
    for line in ["flush log", "read log 1", "close log"] {
        assert_eq!(driver.step(step(line)).word(), "fail", "{line}");
    }
    assert_eq!(driver.step(write("log", b"x")).word(), "fail");
}

fn failure_in_batch(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let answers = driver.play(&[
        fifo.open("log", "write nonblock"),
        write("log", b"a payload\n1 close log\n"),
        fifo.open("log", "read nonblock"),
    ]);
    let words: Vec<&str> = answers.iter().map(|answer| answer.word()).collect();
    assert_eq!(words, ["fail", "fail", "ok"]);
    driver.must(step("close log"));
}

fn counts(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    assert_eq!(driver.must(fifo.open("log", "write block")).queued, Some(0));
    driver.must(write("log", &text(100)));
    assert_eq!(driver.must(step("flush log")).queued, Some(100));
    // Whatever of it is still buffered isn't counted.
    let queued = driver.must(write("log", &text(10))).queued;
    assert_eq!(queued, Some(drain(&reader).len() as u64));
    drop(reader);
    driver.step(write("log", &text(100_000)));
    let failed = driver.step(step("flush log"));
    assert_eq!((failed.word() == "fail", failed.queued), (failed.word() != "ok", Some(0)), "{failed:?}");
    assert_eq!(driver.step(step("close log")).queued, None);
    assert_eq!(driver.step(fifo.open("log", "write nonblock")).queued, None, "a failed open");

    let writer = fifo.writer_for(driver);
    (&*writer).write_all(&text(10)).unwrap();
    let read = driver.must(step("read log 4"));
    // A runtime may have fetched all of it.
    assert!([Some(0), Some(6)].contains(&read.queued), "{read:?}");
    drop(writer);
    driver.must(step("read log to-eof"));
    let eof = driver.step(step("read log to-eof"));
    assert_eq!((eof.word(), eof.queued), ("eof", Some(0)));
    driver.must(step("close log"));
}

fn reset_closes(driver: &mut Puppet) {
    let (left, right) = (Fifo::new(), Fifo::new());
    let reader = left.reader();
    driver.must(left.open("left", "write block"));
    let writer = right.writer();
    driver.must(right.open("right", "read block"));
    driver.must(step("reset"));
    assert_eq!(drain(&reader), b"");
    assert_eq!((&*writer).write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    for channel in ["left", "right"] {
        assert_eq!(driver.step(step(format!("close {channel}"))).word(), "fail", "{channel} isn't open");
    }
}

fn reset_keeps_back(driver: &mut Puppet) {
    let (old, new) = (Fifo::new(), Fifo::new());
    let reader = old.reader();
    driver.must(old.open("log", "write block"));
    driver.must(write("log", b"old"));
    let sent = drain(&reader);
    driver.must(step("reset"));
    assert_eq!(drain(&reader), b"", "{} of 3 were sent before", sent.len());
    // The same channel, and most likely the same descriptor.
    let reader = new.reader();
    driver.must(new.open("log", "write block"));
    driver.must(write("log", b"new"));
    driver.must(step("close log"));
    assert_eq!(drain(&reader), b"new");
}

fn reset_of_a_full_pipe(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    driver.must(fifo.open("log", "write nonblock"));
    // Until nothing more goes in, and something stays in the runtime if it buffers.
    while driver.step(write("log", &text(1 << 14))).word() == "ok" && queued(&reader) < 1 << 16 {}
    driver.step(write("log", b"one more"));
    driver.must(step("reset"));
    drop(reader);
}

fn reset_leaves_nothing(driver: &mut Puppet) {
    let fifo = Fifo::new();
    driver.must(step("reset"));
    let before = driver.descriptors();
    for access in ["read nonblock", "both block"] {
        driver.must(fifo.open("log", access));
        driver.must(step("reset"));
        assert_eq!(driver.descriptors(), before, "after {access}");
    }
}

fn close_leaves_nothing(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let before = driver.descriptors();
    for access in ["read nonblock", "both block"] {
        driver.must(fifo.open("log", access));
        driver.must(step("close log"));
        assert_eq!(driver.descriptors(), before, "after {access}");
    }
}

/// What a reader could read now.
fn queued(reader: &File) -> i32 {
    let mut bytes = 0;
    // SAFETY: writes one int.
    assert_eq!(unsafe { libc::ioctl(reader.as_raw_fd(), libc::FIONREAD, &mut bytes) }, 0);
    bytes
}

fn exit(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let reader = fifo.reader();
    driver.must(fifo.open("log", "write block"));
    driver.must(write("log", b"last words"));
    driver.give(&[step("exit 7")]);
    assert_eq!(driver.wait().code(), Some(7));
    assert_eq!(drain(&reader), b"last words");
}

fn end_of_conversation(driver: &mut Puppet) {
    let fifo = Fifo::new();
    let _reader = fifo.reader();
    driver.must(fifo.open("log", "write block"));
    driver.hang_up();
    driver.wait();
}

impl Fifo {
    /// Lets the driver open the read end as `log`; gives the write end.
    fn writer_for(&self, driver: &mut Puppet) -> End {
        let writer = self.writer();
        driver.must(self.open("log", "read block"));
        writer
    }
}

#[test]
fn a_drivers_own_author_can_check_that_it_conforms() {
    let Ok(command) = std::env::var("PIPELAB_DRIVER") else {
        eprintln!("skipped: PIPELAB_DRIVER names no driver");
        return;
    };
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    check(&Subject { command: &command, mode: &[] });
}
