//! The rules of `socket` and of `world/sockets`, each as a sentence that can fail.

use super::machine;
use crate::model::{Call, Errno, Events, Flags, Gave, Model, Rules, Settled, SocketKind, State};

/// Two sockets that are each other's peer: actor 0 uses the first one, as handle 0, actor 1 the
/// other one, as handle 1.
struct Pair(Model);

const SIZE: u64 = 30_000;
const NOW: Flags = Flags { dontwait: true, peek: false, waitall: false, trunc: false, nosignal: false };

fn pair(kind: SocketKind) -> Pair {
    let mut state = State::new(machine(16), Rules::linux(), 2, 2);
    state.is_made_later(1);
    let mut pair = Pair(state.into());
    pair.settles(0, 0, Call::SocketPair { other: 1, kind, nonblock: false });
    pair.settles(0, 0, Call::Fork { child: 1 });
    pair.settles(0, 1, Call::Close);
    pair.settles(1, 0, Call::Close);
    pair
}

impl Pair {
    #[track_caller]
    fn settles(&mut self, actor: usize, on: u8, call: Call) -> Settled {
        self.0.play(actor, on, call).unwrap_or_else(|| panic!("{call:?} of {actor} has several results"))
    }

    #[track_caller]
    fn send(&mut self, actor: usize, bytes: u64) -> Settled {
        self.settles(actor, actor as u8, Call::Send { bytes, flags: Flags::default() })
    }

    #[track_caller]
    fn receive(&mut self, actor: usize, room: u64) -> Settled {
        self.settles(actor, actor as u8, Call::Receive { room, flags: Flags::default() })
    }

    #[track_caller]
    fn receive_now(&mut self, actor: usize, room: u64) -> Gave {
        self.settles(actor, actor as u8, Call::Receive { room, flags: NOW }).gave
    }

    #[track_caller]
    fn poll(&mut self, actor: usize) -> Events {
        let all = Events { readable: true, writable: true, read_hangup: true, ..Events::default() };
        match self.settles(actor, actor as u8, Call::Poll(all)).gave {
            Gave::Ready(events) => events,
            gave => panic!("{gave:?}"),
        }
    }

    /// How many messages go in before one waits.
    #[track_caller]
    fn fill(&mut self, actor: usize) -> u64 {
        (0..).find(|_| self.send(actor, SIZE).gave == Gave::Blocked).expect("it fills")
    }
}

#[test]
fn a_send_may_go_beyond_the_buffer_and_the_next_one_waits() {
    let mut pair = pair(SocketKind::Datagram);
    let charge = machine(16).message_charge(SIZE);
    let messages = pair.fill(0);
    assert!(messages * charge >= machine(16).sndbuf && (messages - 1) * charge < machine(16).sndbuf);
}

#[test]
fn a_sender_wakes_when_its_charge_is_down_to_a_quarter() {
    let mut pair = pair(SocketKind::Datagram);
    let messages = pair.fill(0);
    let woken = (1..=messages).find(|_| !pair.receive(1, SIZE).released.is_empty()).expect("it wakes");
    let left = (messages - woken) * machine(16).message_charge(SIZE);
    assert!(left * 4 <= machine(16).sndbuf && (left + SIZE) * 4 > machine(16).sndbuf, "{left} are left");
}

#[test]
fn it_wakes_by_what_arrives_as_well_if_there_is_room() {
    let mut pair = pair(SocketKind::Datagram);
    pair.fill(0);
    assert_eq!(pair.receive(1, SIZE).released, []);
    assert_eq!(pair.send(1, 1).released, [(0, Gave::Moved(SIZE))]);
}

#[test]
fn what_a_receive_has_no_room_for_of_a_message_is_gone_and_of_a_stream_it_stays() {
    for (kind, next) in [
        (SocketKind::Datagram, Gave::Failed { errno: Errno::EAGAIN, bytes: 0 }),
        (SocketKind::Stream, Gave::Moved(7)),
    ] {
        let mut pair = pair(kind);
        pair.send(0, 10);
        assert_eq!(pair.receive(1, 3).gave, Gave::Moved(3));
        assert_eq!(pair.receive_now(1, 100), next, "{kind:?}");
    }
}

#[test]
fn a_stream_is_read_over_several_sends_and_messages_one_by_one() {
    for (kind, first) in [(SocketKind::Stream, 30), (SocketKind::Seqpacket, 10)] {
        let mut pair = pair(kind);
        pair.send(0, 10);
        pair.send(0, 20);
        assert_eq!(pair.receive(1, 100).gave, Gave::Moved(first), "{kind:?}");
    }
}

#[test]
fn who_closes_with_something_unread_leaves_one_error() {
    let mut pair = pair(SocketKind::Stream);
    pair.send(0, 10);
    pair.settles(1, 1, Call::Close);
    assert!(pair.poll(0).error);
    assert_eq!(pair.receive(0, 1).gave, Gave::failed(Errno::ECONNRESET));
    assert_eq!(pair.receive(0, 1).gave, Gave::Eof);
    assert_eq!(pair.send(0, 1).gave, Gave::failed(Errno::EPIPE));
}

#[test]
fn a_stream_tells_what_is_queued_before_the_error_and_records_after_it() {
    for (kind, gave) in
        [(SocketKind::Stream, Gave::Moved(5)), (SocketKind::Seqpacket, Gave::failed(Errno::ECONNRESET))]
    {
        let mut pair = pair(kind);
        pair.send(0, 10);
        pair.send(1, 5);
        pair.settles(1, 1, Call::Close);
        assert_eq!(pair.receive(0, 100).gave, gave, "{kind:?}");
    }
}

#[test]
fn a_datagram_sockets_close_is_found_out_by_a_send_once() {
    let mut pair = pair(SocketKind::Datagram);
    pair.send(1, 5);
    pair.settles(1, 1, Call::Close);
    assert!(!pair.poll(0).hangup);
    assert_eq!(pair.send(0, 1).gave, Gave::failed(Errno::ECONNREFUSED));
    assert_eq!(pair.send(0, 1).gave, Gave::failed(Errno::ENOTCONN));
    assert_eq!(pair.receive_now(0, 9), Gave::failed(Errno::EAGAIN), "what was queued is thrown away");
}

#[test]
fn a_shutdown_is_the_peers_too_unless_they_are_datagrams() {
    for (kind, gave) in [(SocketKind::Stream, Gave::Eof), (SocketKind::Datagram, Gave::Blocked)] {
        let mut pair = pair(kind);
        pair.settles(0, 0, Call::Shutdown { reading: false, writing: true });
        assert_eq!(pair.send(0, 1).gave, Gave::failed(Errno::EPIPE));
        assert_eq!(pair.receive(1, 1).gave, gave, "{kind:?}");
    }
}

#[test]
fn a_message_of_more_than_the_buffer_is_refused() {
    let mut pair = pair(SocketKind::Datagram);
    let most = machine(16).sndbuf - 32;
    assert_eq!(pair.send(0, most + 1).gave, Gave::failed(Errno::EMSGSIZE));
    assert_eq!(pair.send(0, most).gave, Gave::Moved(most));
}

#[test]
fn a_queue_takes_one_datagram_more_than_its_limit_from_strangers() {
    let mut state = State::new(machine(16), Rules::linux(), 2, 2);
    state.names(1);
    let mut lab = Pair(state.into());
    lab.settles(1, 1, Call::Socket { nonblock: false });
    lab.settles(1, 1, Call::Bind { name: 0 });
    lab.settles(0, 0, Call::Socket { nonblock: false });
    lab.settles(0, 0, Call::Connect { name: 0 });
    let taken = (0..).find(|_| lab.send(0, 1).gave == Gave::Blocked).expect("it fills");
    assert_eq!(taken, machine(16).qlen + 1);
    assert_eq!(lab.receive(1, 1).released, [(0, Gave::Moved(1))]);
}
