//! How a call starts. Everybody else is settled, so what needs no waiting is done here in
//! one go.

use std::iter;

use super::{At, Busy, Doing, End, Repeat, State, Thing, Work};
use crate::{
    model::{Call, Ending, Errno, Flags, Gave, Geometry, Handle, Rule, SocketKind, fifo::Opening},
    outcome::Access,
};

impl State {
    pub(super) fn begin(&mut self, actor: usize, on: Handle, call: Call) {
        let plain = Flags::default();
        self.doing[actor] = match call {
            Call::Open { access, nonblock } => self.open(actor, on, access, nonblock),
            Call::Close => {
                self.close(actor, on);
                Doing::Answered(Gave::Done)
            }
            Call::Kill | Call::Exit => {
                self.end_of_process(actor);
                Doing::Gone
            }
            Call::Write(bytes) => self.transfer(actor, on, true, bytes, Repeat::Once, plain),
            Call::WritePieces { bytes, piece } => {
                let piece = piece.max(1).min(bytes);
                let first = self.transfer(actor, on, true, piece, Repeat::Pieces, plain);
                match first {
                    Doing::Busy(busy) => Doing::Busy(Busy { behind: bytes - piece, ..busy }),
                    answered => answered,
                }
            }
            Call::SendTo { name, bytes, flags } => match self.bound[usize::from(name)] {
                Some(to) => match self.transfer(actor, on, true, bytes, Repeat::Once, flags) {
                    Doing::Busy(busy) => Doing::Busy(Busy { to: Some(to), ..busy }),
                    answered => answered,
                },
                None => Doing::Answered(Gave::failed(Errno::ECONNREFUSED)),
            },
            Call::Asks => Doing::Answered(Gave::Something),
            Call::Read(bytes) => self.transfer(actor, on, false, bytes, Repeat::Once, plain),
            Call::ReadExactly(bytes) => self.transfer(actor, on, false, bytes, Repeat::Until, plain),
            Call::ReadToEof => self.transfer(actor, on, false, u64::MAX, Repeat::Until, plain),
            Call::Fill(piece) => self.transfer(actor, on, true, piece, Repeat::Fill, plain),
            Call::Drain(piece) => self.transfer(actor, on, false, piece, Repeat::Drain, plain),
            Call::Send { bytes, flags } => self.transfer(actor, on, true, bytes, Repeat::Once, flags),
            Call::Receive { room, flags } => self.transfer(actor, on, false, room, Repeat::Once, flags),
            Call::ReadAvailable => self.read_available(actor, on),
            Call::Fork { child } => {
                self.fork(actor, child);
                Doing::Answered(Gave::Done)
            }
            _ => Doing::Answered(self.at_once(actor, on, call)),
        };
    }

    /// The calls that never wait and move nothing.
    fn at_once(&mut self, actor: usize, on: Handle, call: Call) -> Gave {
        match call {
            Call::Pipe { write_end, nonblock, direct } => {
                let at = self.pipes.len();
                self.declare(on, true, self.machine.pipe);
                for (handle, access) in [(on, Access::Read), (write_end, Access::Write)] {
                    self.pipes[at].fifo.hold(access);
                    self.hold(actor, handle, Thing::Pipe(at), access, nonblock, direct);
                }
                Gave::Done
            }
            Call::SocketPair { other, kind, nonblock } => {
                let (one, two) = (self.new_socket(kind), self.new_socket(kind));
                self.sockets[one].socket.peer = Some(two);
                self.sockets[two].socket.peer = Some(one);
                for (handle, socket) in [(on, one), (other, two)] {
                    self.inboxes[usize::from(handle)] = Some(Thing::Socket(socket));
                    self.hold(actor, handle, Thing::Socket(socket), Access::Both, nonblock, false);
                }
                Gave::Done
            }
            Call::Socket { nonblock } => {
                let socket = self.new_socket(SocketKind::Datagram);
                self.inboxes[usize::from(on)] = Some(Thing::Socket(socket));
                self.hold(actor, on, Thing::Socket(socket), Access::Both, nonblock, false);
                Gave::Done
            }
            Call::Duplicate { copy } => {
                self.note(Rule::Shared);
                if let Some(end) = self.end_of(actor, on) {
                    self.ends[end].holders += 1;
                    self.held[actor].push((copy, end));
                }
                Gave::Done
            }
            Call::Flags { nonblock, direct } => {
                if let Some(end) = self.end_of(actor, on) {
                    (self.ends[end].nonblock, self.ends[end].direct) = (nonblock, direct);
                }
                Gave::Done
            }
            _ => match self.end_of(actor, on).map(|end| (self.ends[end], self.ends[end].thing)) {
                Some((end, Thing::Pipe(at))) => self.at_pipe(&end, at, call),
                Some((_, Thing::Socket(at))) => self.at_socket(at, call),
                None => Gave::failed(Errno::EBADF),
            },
        }
    }

    fn at_pipe(&mut self, end: &End, at: usize, call: Call) -> Gave {
        match call {
            Call::Resize(bytes) => self.resize(at, bytes),
            Call::Queued => Gave::Moved(self.pipes[at].fifo.pipe.queued()),
            Call::Poll(asked) => Gave::Ready(self.poll_pipe(end, at, asked)),
            _ => Gave::failed(Errno::EBADF),
        }
    }

    fn at_socket(&mut self, at: usize, call: Call) -> Gave {
        match call {
            Call::Poll(asked) => Gave::Ready(self.poll_socket(at, asked)),
            Call::Shutdown { reading, writing } => {
                self.shutdown(at, reading, writing);
                Gave::Done
            }
            Call::SendBuffer(asked) => {
                self.sockets[at].socket.sndbuf = self.machine.send_buffer(asked);
                Gave::Done
            }
            Call::Queued => Gave::Moved(self.readable_at_once(at)),
            Call::Bind { name } => {
                self.bound[usize::from(name)] = Some(at);
                Gave::Done
            }
            Call::Connect { name } => self.connect(at, self.bound[usize::from(name)]),
            _ => Gave::failed(Errno::EBADF),
        }
    }

    /// Adds a descriptor of a new open file description.
    pub(super) fn hold(
        &mut self,
        actor: usize,
        handle: Handle,
        thing: Thing,
        access: Access,
        nonblock: bool,
        direct: bool,
    ) -> usize {
        let end = End { thing, access, nonblock, direct, before_writers: false, holders: 1 };
        let free = self.ends.iter().position(|end| end.holders == 0);
        let at = match free {
            Some(at) => {
                self.ends[at] = end;
                at
            }
            None => {
                self.ends.push(end);
                self.ends.len() - 1
            }
        };
        self.held[actor].push((handle, at));
        at
    }

    fn open(&mut self, actor: usize, on: Handle, access: Access, nonblock: bool) -> Doing {
        let Some(Thing::Pipe(at)) = self.inboxes[usize::from(on)] else {
            return Doing::Answered(Gave::failed(Errno::EBADF));
        };
        let piped = &mut self.pipes[at];
        let unheard = access == Access::Read && piped.fifo.writers == 0 && !piped.anonymous;
        let opening = if piped.anonymous {
            piped.fifo.hold(access);
            Opening::Opens
        } else {
            piped.fifo.open(access, nonblock)
        };
        if opening == Opening::NoReader {
            self.note(Rule::OpenToWriteNow);
            return Doing::Answered(Gave::failed(Errno::ENXIO));
        }
        if access.writes() {
            self.pipes[at].left = false;
            let same = |end: &&mut End| end.thing == Thing::Pipe(at);
            self.ends.iter_mut().filter(same).for_each(|end| end.before_writers = false);
        }
        let end = self.hold(actor, on, Thing::Pipe(at), access, nonblock, false);
        self.ends[end].before_writers = unheard;
        if opening == Opening::Waits {
            self.note(Rule::OpenWaits);
            // It has no descriptor yet.
            self.held[actor].pop();
            return Doing::Opening(on, end);
        }
        self.note(Rule::OpenNow);
        self.release_openers(at, access);
        Doing::Answered(Gave::Done)
    }

    /// fifo.rs, rule 1: those who wait in open for a partner such as this.
    fn release_openers(&mut self, at: usize, partner: Access) {
        for (doing, held) in iter::zip(&mut self.doing, self.held.iter_mut()) {
            let Doing::Opening(handle, end) = *doing else { continue };
            let waits = &mut self.ends[end];
            let meets = match waits.access {
                Access::Read => partner.writes(),
                _ => partner.reads(),
            };
            if waits.thing == Thing::Pipe(at) && meets {
                waits.before_writers = false;
                held.push((handle, end));
                *doing = Doing::Answered(Gave::Done);
            }
        }
    }

    pub(super) fn close(&mut self, actor: usize, handle: Handle) {
        let Some(place) = self.held[actor].iter().position(|(known, _)| *known == handle) else { return };
        let (_, end) = self.held[actor].remove(place);
        self.let_go(end);
    }

    /// Rule 1.
    fn let_go(&mut self, end: usize) {
        self.note(Rule::CloseWakes);
        self.ends[end].holders -= 1;
        if self.ends[end].holders == 0 {
            match self.ends[end].thing {
                Thing::Pipe(at) => self.release_pipe(at, self.ends[end].access),
                Thing::Socket(at) => self.release_socket(at),
            }
        } else {
            self.note(Rule::Shared);
        }
    }

    /// Rule 2.
    pub(super) fn end_of_process(&mut self, actor: usize) {
        self.note(Rule::Death);
        self.look_once_more(actor);
        for piped in &mut self.pipes {
            piped.readers.retain(|&sleeper| sleeper != actor);
            piped.writers.retain(|&sleeper| sleeper != actor);
        }
        for socketed in &mut self.sockets {
            socketed.sleepers.retain(|(sleeper, _)| *sleeper != actor);
            socketed.senders.retain(|&sleeper| sleeper != actor);
        }
        match std::mem::replace(&mut self.doing[actor], Doing::Gone) {
            Doing::Opening(_, end) => self.let_go(end),
            Doing::Busy(Busy { message: Some(charge), end, .. }) => {
                if let Thing::Socket(at) = self.ends[end].thing {
                    self.uncharge(at, charge);
                }
            }
            _ => {}
        }
        for (_, end) in std::mem::take(&mut self.held[actor]) {
            self.let_go(end);
        }
    }

    fn fork(&mut self, actor: usize, child: usize) {
        self.note(Rule::Shared);
        self.held[child] = self.held[actor].clone();
        for &(_, end) in &self.held[child] {
            self.ends[end].holders += 1;
        }
        self.doing[child] = Doing::Nothing;
    }

    /// A call that moves bytes, before it takes the lock.
    fn transfer(
        &mut self,
        actor: usize,
        on: Handle,
        writes: bool,
        bytes: u64,
        repeat: Repeat,
        flags: Flags,
    ) -> Doing {
        let Some(end) = self.end_of(actor, on) else { return Doing::Answered(Gave::failed(Errno::EBADF)) };
        let on_pipe = matches!(self.ends[end].thing, Thing::Pipe(_));
        let access = self.ends[end].access;
        if !(if writes { access.writes() } else { access.reads() }) {
            self.note(Rule::WrongEnd);
            let ending = Ending::Errno(Errno::EBADF);
            return Doing::Answered(match repeat {
                Repeat::Fill | Repeat::Drain => Gave::Looped { bytes: 0, calls: 1, ending },
                _ => Gave::failed(Errno::EBADF),
            });
        }
        // On a socket, write(2) of nothing sends nothing, which may be a message.
        if bytes == 0 && (on_pipe || !writes) && repeat != Repeat::Fill && repeat != Repeat::Drain {
            self.note(Rule::Nothing);
            return Doing::Answered(Gave::Moved(0));
        }
        let work = match (on_pipe, writes) {
            (true, true) => Work::Write,
            (true, false) => Work::Read,
            (false, true) => Work::Send,
            (false, false) => Work::Receive,
        };
        Doing::Busy(Busy {
            end,
            work,
            flags,
            repeat,
            piece: bytes,
            left: bytes,
            behind: 0,
            moved: 0,
            calls: 1,
            before: 0,
            waited: false,
            message: None,
            to: None,
            at: At::Enters,
        })
    }

    fn read_available(&mut self, actor: usize, on: Handle) -> Doing {
        let Some(Thing::Pipe(at)) = self.inboxes[usize::from(on)] else {
            return Doing::Answered(Gave::failed(Errno::EBADF));
        };
        let piped = &mut self.pipes[at];
        match piped.fifo.pipe.queued() {
            0 => {
                piped.fifo.pipe.polled = true;
                let unheard = self.end_of(actor, on).is_some_and(|end| self.ends[end].before_writers);
                let ended = self.pipes[at].fifo.writers == 0;
                Doing::Answered(if ended && !unheard { Gave::Eof } else { Gave::Moved(0) })
            }
            queued => self.transfer(actor, on, false, queued, Repeat::Once, Flags::default()),
        }
    }

    /// pipe.rs, rule 7; the size is rounded up to a power of two of pages.
    fn resize(&mut self, at: usize, bytes: u64) -> Gave {
        self.note(Rule::Resize);
        let page = self.machine.pipe.page;
        let slots = bytes.div_ceil(page).max(1).next_power_of_two() as usize;
        if !self.pipes[at].fifo.pipe.resize(slots) {
            return Gave::failed(Errno::EBUSY);
        }
        self.wake_writer(at);
        Gave::Moved(Geometry { page, slots }.capacity())
    }
}
