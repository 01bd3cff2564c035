//! The model's rules, each with its source: what `explain` names, what a fuzz run
//! counts, and what a test switches off to see that somebody notices.

use serde::Serialize;

/// A rule of the model, by its place in [`RULES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    // The buffer of a pipe.
    Slots,
    Merge,
    MergeWhole,
    MergeAtEntry,
    Packets,
    PacketRest,
    Resize,
    // Reading and writing it.
    Nothing,
    WrongEnd,
    QueueBeforeEof,
    EofWhenLastWriterLeft,
    EmptyRead,
    NoReader,
    ShortBeforeEpipe,
    FullWrite,
    WakeOnFreedSlot,
    Turns,
    Hangup,
    // Opening and closing.
    OpenWaits,
    OpenToWriteNow,
    OpenNow,
    ForgetAtLastClose,
    CloseWakes,
    Death,
    Shared,
    // Readiness.
    PollPipe,
    PollHangup,
    PollSocket,
    // Sockets.
    Charge,
    Quarter,
    Arrival,
    LastLook,
    Stream,
    Message,
    MessageRest,
    TooLong,
    QueueLimit,
    NotConnected,
    Refused,
    RefusedOnce,
    MayNotSend,
    ShutSend,
    ShutReceive,
    PeerShut,
    PeerClosed,
    Unread,
    ErrorOnce,
    Peek,
    WaitAll,
    Forever,
}

/// A line of the table of rules.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RuleInfo {
    /// Its name in reports.
    pub name: &'static str,
    /// The rule, in a sentence.
    pub says: &'static str,
    /// Kernel function (Linux 6.18) or manual page.
    pub source: &'static str,
    /// The mutation that a test makes of it: what the model says if it is switched off.
    pub broken: Option<&'static str>,
}

const fn rule(name: &'static str, says: &'static str, source: &'static str) -> RuleInfo {
    RuleInfo { name, says, source, broken: None }
}

impl RuleInfo {
    const fn or(self, broken: &'static str) -> RuleInfo {
        RuleInfo { broken: Some(broken), ..self }
    }
}

/// All rules, in the order of [`Rule`].
pub const RULES: &[RuleInfo] = &[
    rule("slots", "capacity is a number of slots of a page each; one is taken until its last byte is read", "fs/pipe.c pipe_full, pipe_read; pipe(7)")
        .or("capacity is counted in bytes"),
    rule("merge", "a write begins by putting its remainder by the page behind the last slot's bytes", "fs/pipe.c pipe_write, \"we try to merge new data\"")
        .or("nothing is merged"),
    rule("merge-whole", "... only if all of it fits there, so that a write of at most PIPE_BUF goes in whole or not at all", "fs/pipe.c pipe_write; pipe(7), PIPE_BUF")
        .or("what fits of it is merged: no atomicity"),
    rule("merge-at-entry", "... once, when write(2) begins, and not after it has slept", "fs/pipe.c pipe_write, the loop")
        .or("a write that slept merges too"),
    rule("packets", "written with O_DIRECT, each page is a packet that nothing merges with and that one read takes alone", "fs/pipe.c PIPE_BUF_FLAG_PACKET; pipe(2)")
        .or("a read goes on into the next packet"),
    rule("packet-rest", "what a read has no room for of a packet is gone", "fs/pipe.c pipe_read; pipe(2)")
        .or("the rest of a packet stays"),
    rule("resize", "F_SETPIPE_SZ rounds up to a power of two of pages, and fails with EBUSY if more slots are taken", "fs/pipe.c pipe_set_size, pipe_resize_ring; fcntl(2)"),
    rule("nothing", "reads and writes of 0 bytes give 0 at once", "fs/pipe.c \"Null read succeeds\"; net/socket.c sock_read_iter; read(2), write(2)"),
    rule("wrong-end", "an end that isn't open for it gives EBADF", "fs/read_write.c; read(2), write(2)"),
    rule("queue-before-eof", "what is queued can be read after the writers have left", "fs/pipe.c pipe_read; pipe(7)")
        .or("a read finds the end of file once no writer is left, whatever is queued"),
    rule("eof-when-last-writer-left", "end of file is an empty pipe without a writer", "fs/pipe.c pipe_read; pipe(7)")
        .or("it is an empty pipe that some writer has left"),
    rule("empty-read", "with a writer there, an empty pipe gives EAGAIN to a non-blocking read and has another one sleep", "fs/pipe.c pipe_read; pipe(7)"),
    rule("no-reader", "a write without a reader fails with EPIPE, and SIGPIPE", "fs/pipe.c pipe_write; pipe(7)"),
    rule("short-before-epipe", "a write that moved something gives that count when its reader goes", "fs/pipe.c pipe_write")
        .or("it fails with EPIPE"),
    rule("full-write", "what finds no room gives a short count or EAGAIN on a non-blocking end, and sleeps on another one", "fs/pipe.c pipe_write; pipe(7)"),
    rule("wake-on-freed-slot", "a read wakes a writer if it freed a slot of a full pipe, a write a reader if the pipe was empty (or has ever been polled)", "fs/pipe.c wake_writer, was_empty, poll_usage"),
    rule("turns", "sleepers wake first come, first served; one that is through wakes the next", "fs/pipe.c wake_next_reader, wake_next_writer"),
    rule("hangup", "closing the last end of one side wakes everybody at the other", "fs/pipe.c pipe_release"),
    rule("open-waits", "a blocking open of one end of a FIFO waits until the other one is opened; a waiting opener counts as a holder", "fs/pipe.c fifo_open, wait_for_partner; fifo(7)"),
    rule("open-to-write-now", "a non-blocking open to write without a reader fails with ENXIO", "fs/pipe.c fifo_open; fifo(7)")
        .or("it succeeds"),
    rule("open-now", "a non-blocking open to read, one for both, and one that finds its partner succeed at once", "fs/pipe.c fifo_open; fifo(7)"),
    rule("forget-at-last-close", "a FIFO's queue and capacity go with its last holder", "fs/pipe.c put_pipe_info")
        .or("they outlive it"),
    rule("close", "close(2) of the last descriptor of an end closes it", "fs/file_table.c fput; close(2)"),
    rule("death", "a process that ends closes all; what its calls moved stays", "kernel/exit.c exit_files"),
    rule("shared", "a copy made by fork(2) shares the open file description and its flags", "fork(2)"),
    rule("poll-pipe", "poll(2) says IN if anything is queued, OUT if a slot is free, ERR if no reader is left", "fs/pipe.c pipe_poll"),
    rule("poll-hangup", "... and HUP if no writer is left, but only once there was one since this end was opened", "fs/pipe.c pipe_poll, w_counter")
        .or("HUP from the start"),
    rule("poll-socket", "poll(2) says IN for what is queued or a receiving side shut down (RDHUP too), OUT while the charge is a quarter of SO_SNDBUF at most, HUP if both sides are shut down, ERR if an error waits", "net/unix/af_unix.c unix_poll, unix_dgram_poll"),
    rule("charge", "a send waits (or gives EAGAIN) while its socket is charged with SO_SNDBUF or more; the last one may go beyond", "net/core/sock.c sock_alloc_send_pskb")
        .or("a send waits if it would go beyond"),
    rule("quarter", "a sender that waits wakes when the charge is down to a quarter", "net/unix/af_unix.c unix_write_space, unix_writable")
        .or("it wakes with every message that is read"),
    rule("arrival", "it also wakes by what arrives at its own socket", "net/core/sock.c sock_def_readable; one queue of sleepers a socket")
        .or("it doesn't"),
    rule(
        "last-look",
        "a signal wakes it as well, and it looks for room before it looks for the signal: what finds room goes in",
        "net/core/sock.c sock_alloc_send_pskb, sock_wait_for_wmem",
    )
    .or("the signal ends it at once"),
    rule("stream", "a stream keeps no boundaries: a receive takes what is there, over as many sends as it has room for", "net/unix/af_unix.c unix_stream_read_generic; unix(7)"),
    rule("message", "a datagram or record is received whole by one receive", "net/unix/af_unix.c unix_dgram_recvmsg; unix(7)"),
    rule("message-rest", "what a receive has no room for of a message is gone", "net/unix/af_unix.c unix_dgram_recvmsg; recv(2)")
        .or("the rest of a message stays"),
    rule("too-long", "a message of more than SO_SNDBUF less 32 bytes gives EMSGSIZE", "net/unix/af_unix.c unix_dgram_sendmsg; send(2)"),
    rule("queue-limit", "a datagram for a socket that isn't connected back waits (or gives EAGAIN) while more than max_dgram_qlen are queued there", "net/unix/af_unix.c unix_recvq_full; unix(7)")
        .or("while as many are queued: off by one"),
    rule("not-connected", "a datagram socket without a peer gives ENOTCONN", "net/unix/af_unix.c unix_dgram_sendmsg; send(2)"),
    rule("refused", "a datagram for a peer that was closed gives ECONNREFUSED and dissolves the association; what was queued here is thrown away", "net/unix/af_unix.c unix_dgram_sendmsg, unix_dgram_disconnected"),
    rule("refused-once", "... so that the next one gives ENOTCONN", "net/unix/af_unix.c unix_dgram_sendmsg")
        .or("it gives ECONNREFUSED again"),
    rule("may-not-send", "a datagram socket that is connected takes datagrams from its peer only: others get EPERM", "net/unix/af_unix.c unix_may_send; unix(7)"),
    rule("shut-send", "after its own shutdown for sending a send gives EPIPE", "net/unix/af_unix.c; shutdown(2)"),
    rule("shut-receive", "after its own shutdown for receiving a receive gives what is queued, then end of file; a datagram socket that may not wait gives EAGAIN", "net/unix/af_unix.c; shutdown(2)"),
    rule("peer-shut", "a stream's or record socket's shutdown is its peer's for the other direction; a sender to a socket shut down for receiving gets EPIPE", "net/unix/af_unix.c unix_shutdown"),
    rule("peer-closed", "a stream's or record socket's close shuts its peer down in both directions; a datagram socket's tells nobody", "net/unix/af_unix.c unix_release_sock"),
    rule("unread", "who closes with something unread leaves its peer ECONNRESET", "net/unix/af_unix.c unix_release_sock")
        .or("it leaves the end of file"),
    rule("error-once", "a pending error is reported by one call, and gone", "include/net/sock.h sock_error")
        .or("it is reported by every call"),
    rule("peek", "MSG_PEEK takes nothing", "recv(2)"),
    rule("waitall", "MSG_WAITALL goes on until the room is full, the end of file or an error", "net/unix/af_unix.c unix_stream_read_generic; recv(2)"),
    rule("forever", "what nobody ends goes on: a sleeper stays asleep", "pipe(7), unix(7)"),
];

impl Rule {
    /// All rules.
    pub fn all() -> impl Iterator<Item = Rule> {
        ALL.iter().copied()
    }

    /// Its line of the table.
    pub fn info(self) -> &'static RuleInfo {
        &RULES[self as usize]
    }
}

/// In the order of the table, which a test holds against it.
const ALL: &[Rule] = &[
    Rule::Slots,
    Rule::Merge,
    Rule::MergeWhole,
    Rule::MergeAtEntry,
    Rule::Packets,
    Rule::PacketRest,
    Rule::Resize,
    Rule::Nothing,
    Rule::WrongEnd,
    Rule::QueueBeforeEof,
    Rule::EofWhenLastWriterLeft,
    Rule::EmptyRead,
    Rule::NoReader,
    Rule::ShortBeforeEpipe,
    Rule::FullWrite,
    Rule::WakeOnFreedSlot,
    Rule::Turns,
    Rule::Hangup,
    Rule::OpenWaits,
    Rule::OpenToWriteNow,
    Rule::OpenNow,
    Rule::ForgetAtLastClose,
    Rule::CloseWakes,
    Rule::Death,
    Rule::Shared,
    Rule::PollPipe,
    Rule::PollHangup,
    Rule::PollSocket,
    Rule::Charge,
    Rule::Quarter,
    Rule::Arrival,
    Rule::LastLook,
    Rule::Stream,
    Rule::Message,
    Rule::MessageRest,
    Rule::TooLong,
    Rule::QueueLimit,
    Rule::NotConnected,
    Rule::Refused,
    Rule::RefusedOnce,
    Rule::MayNotSend,
    Rule::ShutSend,
    Rule::ShutReceive,
    Rule::PeerShut,
    Rule::PeerClosed,
    Rule::Unread,
    Rule::ErrorOnce,
    Rule::Peek,
    Rule::WaitAll,
    Rule::Forever,
];

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Used(u64);

impl Used {
    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u8;
    }

    /// Adds all of another set.
    pub fn join(&mut self, other: Used) {
        self.0 |= other.0;
    }

    /// Whether it is in the set.
    pub fn has(self, rule: Rule) -> bool {
        self.0 >> rule as u8 & 1 == 1
    }

    /// The rules, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::all().filter(move |rule| self.has(*rule))
    }
}

/// Which rules hold; [`Rules::linux`] is the only true answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    broken: Used,
}

impl Rules {
    /// Linux as it is.
    pub const fn linux() -> Rules {
        Rules { broken: Used(0) }
    }

    /// Linux with one rule broken.
    pub fn without(rule: Rule) -> Rules {
        let mut broken = Used::default();
        broken.add(rule);
        Rules { broken }
    }

    /// Linux with one rule broken, for every rule of which the table says how.
    pub fn broken() -> impl Iterator<Item = (Rule, Rules)> {
        Rule::all().filter(|rule| rule.info().broken.is_some()).map(|rule| (rule, Rules::without(rule)))
    }

    pub(super) fn hold(self, rule: Rule) -> bool {
        !self.broken.has(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_line_in_its_place() {
        assert_eq!(ALL.len(), RULES.len());
        assert!(ALL.iter().enumerate().all(|(at, rule)| *rule as usize == at));
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
