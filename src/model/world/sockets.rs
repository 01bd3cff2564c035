//! send(2) and recv(2) on UNIX sockets: the parts that run alone, and whom they wake.
//!
//! 1. A send waits while its socket is charged with SO_SNDBUF or more, whatever it wants to
//!    send: the last one may go beyond. (`sock_alloc_send_pskb`)
//! 2. It is woken when the charge is down to a quarter, and by whatever arrives at its own
//!    socket, and looks again. (`unix_write_space`; `sk_sleep` is one queue)
//! 3. Before it looks for room it looks for a pending error and for its own shutdown: EPIPE.
//!    (`sock_alloc_send_pskb`)
//! 4. A stream's send goes in piece by piece, and gives what went in before an error; a receive
//!    takes piece after piece with nobody else receiving. (`unix_stream_sendmsg`, `iolock`)
//! 5. A message goes to a socket that isn't connected back only while no more than
//!    max_dgram_qlen wait there; else its sender waits for that queue to be read, with the
//!    message made and charged. (`unix_dgram_sendmsg`, `unix_wait_for_peer`)
//! 6. A message that arrives wakes one of those who wait for messages, and all others.
//!    (`__skb_wait_for_more_packets` waits exclusively)
//! 7. A receive of messages reports a pending error before what is queued, a stream's after it.
//!    (`__skb_try_recv_datagram`, `unix_stream_read_generic`)
//! 8. Who waits for room and is woken by a signal looks for room before it looks for the signal:
//!    what finds room then goes in. (`sock_alloc_send_pskb`, `sock_wait_for_wmem`)
//! 9. Only a stream raises SIGPIPE, if nothing went in before. (`unix_stream_sendmsg`)

use super::{Busy, Doing, Finish, Repeat, Sleep, Socketed, State, Then, Thing, Wake, Work};
use crate::model::{Errno, Gave, Rule, Socket, SocketKind, socket::Message};

impl State {
    pub(super) fn new_socket(&mut self, kind: SocketKind) -> usize {
        let socket = Socket::new(kind, self.machine.sndbuf, self.rules);
        self.sockets.push(Socketed { socket, sleepers: Default::default(), senders: Default::default() });
        self.sockets.len() - 1
    }

    /// One part of a send: an allocation and, with it, what is queued.
    pub(super) fn send(&mut self, send: &mut Busy) -> Then {
        let end = self.ends[send.end];
        let Thing::Socket(me) = end.thing else { return Then::Ends(Finish::Failed(Errno::EBADF)) };
        let may_wait = !(end.nonblock || send.flags.dontwait);
        match self.sockets[me].socket.kind {
            SocketKind::Stream => self.send_piece(send, me, may_wait),
            _ => self.send_message(send, me, may_wait),
        }
    }

    /// Rules 1, 3, 4, 8.
    fn send_piece(&mut self, send: &mut Busy, me: usize, may_wait: bool) -> Then {
        let sent = send.moved;
        let or_sent = |finish| Then::Ends(if sent > 0 { Finish::Moved(sent) } else { finish });
        if self.sockets[me].socket.shut_send && sent == 0 && !send.waited {
            return self.broken_pipe(me, send);
        }
        if send.left == 0 {
            return Then::Ends(Finish::Moved(sent));
        }
        let socket = &mut self.sockets[me].socket;
        if let Some(errno) = socket.take_error(&mut self.noted.0) {
            return or_sent(Finish::Failed(errno));
        }
        if socket.shut_send {
            self.note(Rule::ShutSend);
            return or_sent(Finish::Failed(Errno::EPIPE));
        }
        let (piece, charge) = self.machine.stream_piece(send.left, socket.sndbuf);
        if !socket.has_room(charge, &mut self.noted.0) {
            return if may_wait { Then::Waits(Sleep::Room) } else { or_sent(Finish::Failed(Errno::EAGAIN)) };
        }
        let peer = socket.peer.filter(|&peer| {
            let peer = &self.sockets[peer].socket;
            !peer.dead && !peer.shut_receive
        });
        let Some(peer) = peer else { return self.broken_pipe(me, send) };
        self.deliver(me, peer, piece, charge);
        send.left -= piece;
        send.moved += piece;
        if send.left == 0 { Then::Ends(Finish::Moved(send.moved)) } else { Then::Again }
    }

    /// Nobody will read what a stream sends.
    fn broken_pipe(&mut self, me: usize, send: &Busy) -> Then {
        let own = self.sockets[me].socket.shut_send;
        self.note(if own { Rule::ShutSend } else { Rule::PeerShut });
        Then::Ends(match send.moved {
            0 if self.sigpipe_kills && !send.flags.nosignal => Finish::Signalled,
            0 => Finish::Failed(Errno::EPIPE),
            moved => Finish::Moved(moved),
        })
    }

    /// Rules 1, 3, 5.
    fn send_message(&mut self, send: &mut Busy, me: usize, may_wait: bool) -> Then {
        let failed = |errno| Then::Ends(Finish::Failed(errno));
        let is_record = self.sockets[me].socket.connected();
        let charge = match send.message {
            Some(charge) => charge,
            None => {
                let socket = &mut self.sockets[me].socket;
                if is_record && let Some(errno) = socket.take_error(&mut self.noted.0) {
                    return failed(errno);
                }
                if send.piece + 32 > socket.sndbuf {
                    self.note(Rule::TooLong);
                    return failed(Errno::EMSGSIZE);
                }
                if let Some(errno) = socket.take_error(&mut self.noted.0) {
                    return failed(errno);
                }
                if socket.shut_send {
                    self.note(Rule::ShutSend);
                    return failed(Errno::EPIPE);
                }
                let charge = self.machine.message_charge(send.piece);
                if !socket.has_room(charge, &mut self.noted.0) {
                    return if may_wait { Then::Waits(Sleep::Room) } else { failed(Errno::EAGAIN) };
                }
                socket.charged += charge;
                charge
            }
        };
        let refused = |state: &mut State, errno| {
            state.uncharge(me, charge);
            failed(errno)
        };
        // It is looked for once there is room.
        send.to = send.to.or(self.sockets[me].socket.peer);
        let Some(peer) = send.to else {
            self.note(Rule::NotConnected);
            return refused(self, Errno::ENOTCONN);
        };
        let other = &self.sockets[peer].socket;
        let connected_back = other.peer == Some(me);
        if other.peer.is_some() && !connected_back {
            self.note(Rule::MayNotSend);
            return refused(self, Errno::EPERM);
        }
        if other.dead && is_record {
            return refused(self, Errno::EPIPE);
        }
        if other.dead && self.sockets[me].socket.peer != Some(peer) {
            // Somebody else who has this socket has found out first, or it was named.
            return refused(self, Errno::ECONNRESET);
        }
        if other.dead {
            self.note(Rule::Refused);
            if self.rules.hold(Rule::RefusedOnce) {
                self.sockets[me].socket.peer = None;
            }
            self.note(Rule::RefusedOnce);
            self.throw_away(me);
            return refused(self, Errno::ECONNREFUSED);
        }
        if other.shut_receive {
            self.note(Rule::PeerShut);
            return refused(self, Errno::EPIPE);
        }
        if !connected_back && peer != me && other.is_full(self.machine.qlen) {
            self.note(Rule::QueueLimit);
            if may_wait {
                send.message = Some(charge);
                return Then::Waits(Sleep::Peer);
            }
            return refused(self, Errno::EAGAIN);
        }
        self.note(Rule::Message);
        // It is charged already.
        self.sockets[me].socket.charged -= charge;
        send.message = None;
        self.deliver(me, peer, send.piece, charge);
        Then::Ends(Finish::Moved(send.piece))
    }

    fn deliver(&mut self, me: usize, peer: usize, bytes: u64, charge: u64) {
        self.sockets[me].socket.charged += charge;
        self.sockets[peer].socket.queue.push_back(Message { bytes, charge, from: me });
        self.wake_socket(peer, Wake::Arrival);
    }

    /// Rule 8, of a signal that ends the process.
    pub(super) fn look_once_more(&mut self, actor: usize) {
        let Doing::Busy(busy) = &self.doing[actor] else { return };
        let waits_for_room = |socketed: &Socketed| socketed.sleepers.contains(&(actor, Sleep::Room));
        if busy.work != Work::Send || !self.sockets.iter().any(waits_for_room) {
            return;
        }
        let mut busy = busy.clone();
        busy.flags.dontwait = true;
        let before = busy.moved;
        if !self.rules.hold(Rule::LastLook) {
            return;
        }
        while let Then::Again = self.send(&mut busy) {}
        if busy.moved > before || busy.repeat != Repeat::Once {
            self.note(Rule::LastLook);
        }
    }

    /// What a datagram socket does when its association dissolves.
    fn throw_away(&mut self, me: usize) {
        for message in std::mem::take(&mut self.sockets[me].socket.queue) {
            self.uncharge(message.from, message.charge);
        }
        self.wake_senders(me, usize::MAX);
    }

    /// One part of a receive.
    pub(super) fn receive(&mut self, receive: &mut Busy) -> Then {
        let end = self.ends[receive.end];
        let Thing::Socket(me) = end.thing else { return Then::Ends(Finish::Failed(Errno::EBADF)) };
        let may_wait = !(end.nonblock || receive.flags.dontwait);
        match self.sockets[me].socket.kind {
            SocketKind::Stream => self.receive_piece(receive, me, may_wait),
            _ => self.receive_message(receive, me, may_wait),
        }
    }

    /// Rules 4 and 7.
    fn receive_piece(&mut self, receive: &mut Busy, me: usize, may_wait: bool) -> Then {
        let got = receive.moved;
        let or_got = |finish| Then::Ends(if got > 0 { Finish::Moved(got) } else { finish });
        self.note(Rule::Stream);
        let socket = &mut self.sockets[me].socket;
        if socket.queue.is_empty() {
            if receive.flags.waitall {
                self.noted.0.add(Rule::WaitAll);
            } else if got > 0 {
                return Then::Ends(Finish::Moved(got));
            }
            if let Some(errno) = socket.take_error(&mut self.noted.0) {
                return or_got(Finish::Failed(errno));
            }
            if socket.shut_receive {
                self.note(Rule::ShutReceive);
                return or_got(Finish::Eof);
            }
            return if may_wait { Then::Waits(Sleep::Stream) } else { or_got(Finish::Failed(Errno::EAGAIN)) };
        }
        if receive.flags.peek {
            let there = socket.queued();
            self.note(Rule::Peek);
            return Then::Ends(Finish::Moved(there.min(receive.left)));
        }
        let Some((taken, _, gone)) = socket.take(receive.left, &mut self.noted.0) else {
            return Then::Waits(Sleep::Stream);
        };
        receive.left -= taken;
        receive.moved += taken;
        if let Some(message) = gone {
            self.uncharge(message.from, message.charge);
        }
        if receive.left == 0 { Then::Ends(Finish::Moved(receive.moved)) } else { Then::Again }
    }

    /// Rules 6 and 7.
    fn receive_message(&mut self, receive: &mut Busy, me: usize, may_wait: bool) -> Then {
        let socket = &mut self.sockets[me].socket;
        if let Some(errno) = socket.take_error(&mut self.noted.0) {
            return Then::Ends(Finish::Failed(errno));
        }
        let told = |taken, length| {
            let count = if receive.flags.trunc { length } else { taken };
            Then::Ends(if count == 0 { Finish::Eof } else { Finish::Moved(count) })
        };
        if let Some(first) = socket.queue.front().filter(|_| receive.flags.peek) {
            let (taken, length) = (first.bytes.min(receive.left), first.bytes);
            self.noted.0.add(Rule::Peek);
            // A sender wakes, in vain, and goes to the end of the queue.
            self.wake_senders(me, 1);
            return told(taken, length);
        }
        if let Some((taken, length, gone)) = socket.take(receive.left, &mut self.noted.0) {
            self.note(Rule::Message);
            if let Some(message) = gone {
                self.wake_senders(me, 1);
                self.uncharge(message.from, message.charge);
            }
            return told(taken, length);
        }
        let shut = socket.shut_receive;
        if shut {
            self.note(Rule::ShutReceive);
        }
        match (may_wait, shut) {
            // `__skb_wait_for_more_packets` looks for it before it sleeps.
            (true, true) => Then::Ends(Finish::Eof),
            (false, true) if self.sockets[me].socket.connected() => Then::Ends(Finish::Eof),
            (false, _) => Then::Ends(Finish::Failed(Errno::EAGAIN)),
            (true, false) => Then::Waits(Sleep::Message),
        }
    }

    /// What FIONREAD says: all of a stream, the first message of others.
    pub(super) fn readable_at_once(&self, at: usize) -> u64 {
        let socket = &self.sockets[at].socket;
        match socket.kind {
            SocketKind::Datagram => socket.queue.front().map_or(0, |message| message.bytes),
            _ => socket.queued(),
        }
    }

    /// Rule 2.
    pub(super) fn uncharge(&mut self, at: usize, charge: u64) {
        let socket = &mut self.sockets[at].socket;
        socket.charged -= charge;
        if socket.dead {
            return;
        }
        if socket.is_writable() || !self.rules.hold(Rule::Quarter) {
            self.wake_socket(at, Wake::Room);
        }
        if !self.sockets[at].sleepers.is_empty() {
            self.note(Rule::Quarter);
        }
    }

    /// Rules 2 and 6.
    fn wake_socket(&mut self, at: usize, wake: Wake) {
        let arrival_wakes_senders = self.rules.hold(Rule::Arrival);
        let mut one_message = false;
        let mut woken = Vec::new();
        self.sockets[at].sleepers.retain(|&(actor, sleep)| {
            let wakes = match (wake, sleep) {
                (Wake::All, _) => true,
                (Wake::Arrival, Sleep::Message) => !std::mem::replace(&mut one_message, true),
                (Wake::Arrival, Sleep::Room) => arrival_wakes_senders,
                (Wake::Room, Sleep::Message) => false,
                _ => true,
            };
            if wakes {
                woken.push((actor, sleep));
            }
            !wakes
        });
        for (actor, sleep) in woken {
            if (wake, sleep) == (Wake::Arrival, Sleep::Room) {
                self.note(Rule::Arrival);
            }
            self.rouse(actor, sleep);
        }
    }

    /// Wakes so many who wait for this socket's queue to be read.
    fn wake_senders(&mut self, at: usize, most: usize) {
        for _ in 0..most {
            let Some(actor) = self.sockets[at].senders.pop_front() else { break };
            self.rouse(actor, Sleep::Peer);
        }
    }

    pub(super) fn socket_is_ready(&self, at: usize, to: Option<usize>, sleep: Sleep) -> bool {
        let socket = &self.sockets[at].socket;
        match sleep {
            // Whoever waits for too much would find room over and over, and never enough.
            Sleep::Room if !self.rules.hold(Rule::Charge) => socket.charged == 0,
            Sleep::Room => {
                // One byte is nobody's (`sk_wmem_alloc` begins with it).
                socket.charged + 1 < socket.sndbuf || socket.shut_send || socket.has_error()
            }
            Sleep::Peer => to.is_none_or(|peer| {
                let other = &self.sockets[peer].socket;
                other.dead || other.shut_receive || !other.is_full(self.machine.qlen)
            }),
            _ => !socket.queue.is_empty() || socket.has_error() || socket.shut_receive,
        }
    }

    pub(super) fn sleep_at_socket(&mut self, to: usize, at: usize, actor: usize, sleep: Sleep) {
        if sleep == Sleep::Peer {
            self.sockets[to].senders.push_back(actor);
            return;
        }
        let sleepers = &mut self.sockets[at].sleepers;
        // All but those who wait for messages are woken together: their order says nothing.
        let place = match sleep {
            Sleep::Message => sleepers.len(),
            _ => sleepers.iter().position(|other| *other >= (actor, sleep)).unwrap_or(sleepers.len()),
        };
        sleepers.insert(place, (actor, sleep));
    }

    /// socket.rs, rule 4.
    pub(super) fn shutdown(&mut self, at: usize, reading: bool, writing: bool) {
        let socket = &mut self.sockets[at].socket;
        socket.shut_receive |= reading;
        socket.shut_send |= writing;
        let peer = socket.peer.filter(|_| socket.connected());
        self.wake_socket(at, Wake::All);
        if let Some(peer) = peer {
            self.note(Rule::PeerShut);
            let other = &mut self.sockets[peer].socket;
            other.shut_send |= reading;
            other.shut_receive |= writing;
            self.wake_socket(peer, Wake::All);
        }
    }

    /// socket.rs, rules 4 and 5.
    pub(super) fn release_socket(&mut self, at: usize) {
        self.note(Rule::PeerClosed);
        let socket = &mut self.sockets[at].socket;
        // One of no bytes at its head is passed over, as if its byte out of band had been read.
        let first = socket.queue.front().map_or(0, |message| message.bytes);
        let unread = first > 0 || socket.queue.len() > 1;
        let connected = socket.connected();
        (socket.dead, socket.shut_receive, socket.shut_send) = (true, true, true);
        let peer = socket.peer.take();
        self.wake_senders(at, usize::MAX);
        if let Some(peer) = peer.filter(|_| connected) {
            if unread {
                self.note(Rule::Unread);
            }
            let other = &mut self.sockets[peer].socket;
            (other.shut_receive, other.shut_send) = (true, true);
            if unread && self.rules.hold(Rule::Unread) {
                other.leave(Errno::ECONNRESET);
            }
            self.wake_socket(peer, Wake::All);
        }
        for message in std::mem::take(&mut self.sockets[at].socket.queue) {
            self.uncharge(message.from, message.charge);
        }
        for name in self.bound.iter_mut() {
            if *name == Some(at) {
                *name = None;
            }
        }
    }

    /// connect(2) of a datagram socket; nobody at the name: ECONNREFUSED.
    pub(super) fn connect(&mut self, at: usize, to: Option<usize>) -> Gave {
        let Some(to) = to else { return Gave::failed(Errno::ECONNREFUSED) };
        let whose = self.sockets[to].socket.peer;
        if whose.is_some_and(|peer| peer != at) {
            self.note(Rule::MayNotSend);
            return Gave::failed(Errno::EPERM);
        }
        let before = self.sockets[at].socket.peer.replace(to);
        if before.is_some_and(|before| before != to) {
            self.throw_away(at);
        }
        Gave::Done
    }
}
