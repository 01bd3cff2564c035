//! The detector of blocked actors on each kind of channel, against what its capacity
//! says: two actors write to each other and read, in random order.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, send, socketpair, sockopt::SndBuf,
};
use pipelab::{
    channel::Kind,
    outcome::{Outcome, StepRecord, Transcript},
    stage::{Handle, Options},
};

use crate::support::{Hogs, Script, forking, options, stage};

/// Verdicts to check of each kind; `PIPELAB_TRIALS` asks for more.
const TRIALS: u64 = 4_000;

/// Steps of one script, once its channels are made.
const STEPS: usize = 40;

/// Bytes of one message on a socket: so much that a few fill it, and no more than a stream
/// socket keeps in one buffer (kernel `UNIX_SKB_FRAGS_SZ`).
const MESSAGE: u64 = 32 * 1024;

/// What is on its way on a line at once (bytes): the worker hands it over in one piece.
const MOST_ON_LINE: u64 = 64;

/// How a channel takes bytes and gives them.
#[derive(Clone, Copy, Debug)]
enum Law {
    /// Messages of one size. A write sleeps while there are `holds`, or more; once
    /// asleep, until there are no more than `wakes`.
    Messages {
        size: u64,
        holds: u64,
        wakes: u64,
        /// What arrives at its end wakes a writer too, for room of one message: readers and
        /// writers of a socket sleep in one queue.
        shared: bool,
    },
    /// Bytes, as many as there are.
    Line,
}

/// One direction: what is in it, and who sleeps for it.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// Messages, or bytes.
    queued: u64,
    /// Bytes that a reader asked for, asleep.
    reader: Option<u64>,
    /// A writer sleeps.
    writer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Gave {
    Blocked,
    Moved(u64),
}

/// What a step gave, and what the other actor's call came to by it.
type Settled = (Gave, Option<u64>);

impl Way {
    /// Something has arrived at the end from which this way is written.
    fn arrived(&mut self, law: Law) -> Option<u64> {
        match law {
            Law::Messages { size, holds, shared: true, .. } if self.writer && self.queued < holds => {
                self.writer = false;
                self.queued += 1;
                Some(size)
            }
            _ => None,
        }
    }

    fn write(&mut self, law: Law, bytes: u64) -> Settled {
        match law {
            Law::Messages { holds, .. } if self.queued >= holds => {
                self.writer = true;
                (Gave::Blocked, None)
            }
            Law::Messages { size, .. } => {
                let read = self.reader.take().map(|_| size);
                self.queued += u64::from(read.is_none());
                (Gave::Moved(size), read)
            }
            Law::Line => {
                let read = self.reader.take().map(|wanted| wanted.min(bytes));
                self.queued += bytes - read.unwrap_or(0);
                (Gave::Moved(bytes), read)
            }
        }
    }

    fn read(&mut self, law: Law, wanted: u64) -> Settled {
        if self.queued == 0 {
            self.reader = Some(wanted);
            return (Gave::Blocked, None);
        }
        match law {
            Law::Messages { size, wakes, .. } => {
                self.queued -= 1;
                let released = self.writer && self.queued <= wakes;
                self.writer &= !released;
                self.queued += u64::from(released);
                (Gave::Moved(size), released.then_some(size))
            }
            Law::Line => {
                let read = wanted.min(self.queued);
                self.queued -= read;
                (Gave::Moved(read), None)
            }
        }
    }
}

/// Knuth's MMIX generator.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A kind of channel under test: how two of its ends come to be, and its law.
#[derive(Clone, Debug)]
struct Subject {
    kind: Kind,
    law: Law,
    /// Calls that make the channels.
    making: Vec<String>,
    /// Handles by actor: it writes into the first and reads from the second.
    ends: [[&'static str; 2]; 2],
}

/// Two pipes of two pages each, a page a message.
fn pipes(page: u64) -> Subject {
    let size = 2 * page;
    let making =
        ["pipe r w", "pipe r2 w2", &format!("setpipe_sz w {size}"), &format!("setpipe_sz w2 {size}")];
    Subject {
        kind: Kind::Pipe,
        law: Law::Messages { size: page, holds: 2, wakes: 1, shared: false },
        making: making.map(str::to_owned).to_vec(),
        ends: [["w", "r2"], ["w2", "r"]],
    }
}

/// A socket sleeps while what it has under way is charged with SO_SNDBUF or more, and
/// wakes when that is a quarter at most (kernel `sock_alloc_send_pskb`, `unix_writable`,
/// which counts one byte more).
fn sockets(kind: Kind, word: &str, ty: SockType) -> Subject {
    let (one, _other) = socketpair(AddressFamily::Unix, ty, None, SockFlag::empty()).expect("a pair");
    send(one.as_raw_fd(), &[0; MESSAGE as usize], MsgFlags::MSG_DONTWAIT).expect("it takes a message");
    let (charge, room) = (outq(&one), getsockopt(&one, SndBuf).expect("SO_SNDBUF") as u64);
    Subject {
        kind,
        law: Law::Messages {
            size: MESSAGE,
            holds: room.div_ceil(charge),
            wakes: (room / 4 - 1) / charge,
            shared: true,
        },
        making: vec![format!("socketpair x y {word}")],
        ends: [["x", "x"], ["y", "y"]],
    }
}

/// What a socket is charged for what it has under way (SIOCOUTQ, unix(7)).
fn outq(socket: &OwnedFd) -> u64 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the number is TIOCOUTQ's) writes one int.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &mut bytes) };
    assert_eq!(status, 0, "SIOCOUTQ");
    bytes as u64
}

fn pty() -> Subject {
    Subject {
        kind: Kind::Pty,
        law: Law::Line,
        making: vec!["pty m s raw".into()],
        ends: [["m", "m"], ["s", "s"]],
    }
}

/// A random script, and what its steps must give once the channels are made.
fn script(seed: u64, subject: &Subject) -> (Script, Vec<Settled>) {
    let mut draw = Draw(seed);
    let names = ["a", "b"];
    let mut script = Script::new().actor("a", &format!("raw:jitter={seed}")).actor("b", "raw:fork");
    for call in &subject.making {
        for name in
            call.split_whitespace().filter(|name| subject.ends.iter().flatten().any(|end| end == name))
        {
            script = script.handle(name, subject.kind);
        }
        script = script.call("a", call);
    }
    script = script.call("a", "fork b");
    // What the first actor writes, and what the second does.
    let mut ways = [Way::default(); 2];
    let mut blocked = [false; 2];
    let mut expected = Vec::new();
    let writes = 3 + draw.below(5);
    while expected.len() < STEPS {
        let actor = match blocked {
            [false, false] => draw.below(2) as usize,
            [first, _] => usize::from(first),
        };
        let [out, inbox] = subject.ends[actor];
        let write = draw.below(10) < writes;
        let bytes = match subject.law {
            Law::Messages { size, .. } => size,
            Law::Line => 1 + draw.below(MOST_ON_LINE),
        };
        // Two writes on their way on a line arrive in one piece or in two.
        if write && matches!(subject.law, Law::Line) && ways[actor].queued > 0 {
            continue;
        }
        let mut tried = ways;
        let settled = match write {
            true => match tried[actor].write(subject.law, bytes) {
                (Gave::Moved(bytes), None) => (Gave::Moved(bytes), tried[1 - actor].arrived(subject.law)),
                settled => settled,
            },
            false => tried[1 - actor].read(subject.law, bytes),
        };
        // Somebody must be left to go on.
        if settled.0 == Gave::Blocked && blocked[1 - actor] {
            continue;
        }
        ways = tried;
        blocked[actor] = settled.0 == Gave::Blocked;
        blocked[1 - actor] &= settled.1.is_none();
        let call = if write { format!("write {out} {bytes}") } else { format!("read {inbox} {bytes}") };
        script = script.call(names[actor], &call);
        expected.push(settled);
    }
    (script, expected)
}

/// Plays one script; the first verdict that differs is the error.
fn compare(seed: u64, subject: &Subject, stage: &mut Handle) -> Result<u64, String> {
    let (script, expected) = script(seed, subject);
    let before = subject.making.len() + 1;
    let transcript = script.play(stage).map_err(|fault| fault.to_string())?;
    for (at, step) in expected.iter().enumerate() {
        let settled = settled(&transcript, before + at);
        if settled != Some(*step) {
            return Err(format!("{:?}, seed {seed}, step {at}: {settled:?} and not {step:?}", subject.kind));
        }
    }
    Ok(expected.len() as u64)
}

/// What a record says; `None` if it is neither success nor sleep, or wasn't made.
fn settled(transcript: &Transcript, at: usize) -> Option<Settled> {
    let released =
        |record: &StepRecord| record.resumed.as_ref().filter(|resumed| resumed.by == at)?.outcome.bytes();
    let gave = match &transcript.steps.get(at)?.outcome {
        Outcome::Blocked { .. } => Gave::Blocked,
        Outcome::Said { bytes: Some(bytes), .. } => Gave::Moved(*bytes),
        _ => return None,
    };
    Some((gave, transcript.steps.iter().find_map(released)))
}

fn check(subject: &Subject, stage: &mut Handle, first_seed: u64) {
    let trials = std::env::var("PIPELAB_TRIALS");
    let trials =
        trials.map_or(TRIALS, |count| count.parse().expect("PIPELAB_TRIALS is a number of verdicts"));
    let (mut checked, mut seed) = (0, first_seed);
    while checked < trials {
        checked += compare(seed, subject, stage).unwrap_or_else(|difference| panic!("{difference}"));
        seed += 1;
    }
}

#[test]
fn no_verdict_on_a_pipe_differs() {
    let mut stage = stage();
    check(&pipes(stage.measures().page), &mut stage, 0);
}

#[test]
fn no_verdict_on_a_stream_socket_differs() {
    check(&sockets(Kind::UnixStream, "stream", SockType::Stream), &mut stage(), 0);
}

#[test]
fn no_verdict_on_a_datagram_socket_differs() {
    check(&sockets(Kind::UnixDatagram, "dgram", SockType::Datagram), &mut stage(), 0);
}

#[test]
fn no_verdict_on_a_pseudoterminal_differs() {
    check(&pty(), &mut stage(), 0);
}

#[test]
fn no_verdict_on_a_pseudoterminal_differs_beside_cpu_hogs() {
    let _hogs = Hogs::start(4);
    check(&pty(), &mut stage(), 1 << 32);
}

/// What shows that the tests above would notice.
#[test]
fn without_the_flush_a_verdict_on_a_pseudoterminal_differs() {
    let _hogs = Hogs::start(4);
    let mut stage = {
        let _forking = forking();
        Handle::start(&Options { unflushed: true, ..options() }).expect("the stage starts")
    };
    let differs = (0..1000).find(|&seed| compare(seed, &pty(), &mut stage).is_err());
    eprintln!("the first script that differs: {differs:?}");
    assert!(differs.is_some());
}
