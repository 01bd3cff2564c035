//! poll(2), without a timeout.
//!
//! 1. A pipe's read end is readable while anything is queued; it has hung up once no writer is
//!    left, if there was one since it was opened. (`pipe_poll`: `w_counter`)
//! 2. Its write end is writable while a slot is free, whoever reads, and in error without a
//!    reader. (`pipe_poll`)
//! 3. A socket is writable while it is charged with a quarter of SO_SNDBUF at most; if
//!    datagrams go to one that isn't connected back, its queue must have room as well.
//!    (`unix_poll`, `unix_dgram_poll`)
//! 4. Who is polled is remembered: from then on a pipe's writes wake readers more often
//!    (pipes.rs, rule 9).

use super::{End, State};
use crate::model::{Events, Rule};

impl Events {
    /// What of this is told when that was asked for: errors and hang-ups always are.
    fn of(self, asked: Events) -> Events {
        Events {
            readable: self.readable && asked.readable,
            writable: self.writable && asked.writable,
            read_hangup: self.read_hangup && asked.read_hangup,
            ..self
        }
    }
}

impl State {
    pub(super) fn poll_pipe(&mut self, end: &End, at: usize, asked: Events) -> Events {
        self.note(Rule::PollPipe);
        let piped = &mut self.pipes[at];
        piped.fifo.pipe.polled = true;
        let mut events = Events::default();
        if end.access.reads() {
            events.readable = !piped.fifo.pipe.is_empty();
            if piped.fifo.writers == 0 {
                let unheard = end.before_writers && self.rules.hold(Rule::PollHangup);
                events.hangup = !unheard;
                self.noted.0.add(Rule::PollHangup);
            }
        }
        if end.access.writes() {
            events.writable = !piped.fifo.pipe.is_full();
            events.error = piped.fifo.readers == 0;
        }
        events.of(asked)
    }

    pub(super) fn poll_socket(&mut self, at: usize, asked: Events) -> Events {
        self.note(Rule::PollSocket);
        let socket = &self.sockets[at].socket;
        let queue_has_room = socket.peer.is_none_or(|peer| {
            let other = &self.sockets[peer].socket;
            socket.connected() || other.peer == Some(at) || !other.is_full(self.machine.qlen)
        });
        Events {
            readable: !socket.queue.is_empty() || socket.shut_receive,
            writable: socket.is_writable() && queue_has_room,
            read_hangup: socket.shut_receive,
            error: socket.has_error(),
            hangup: socket.shut_receive && socket.shut_send,
        }
        .of(asked)
    }
}
