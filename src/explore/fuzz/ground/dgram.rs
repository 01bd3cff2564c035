//! Two datagram sockets of two actors, connected to each other.

use super::{Ground, Line, Scene, raw_actors, sockets};
use crate::{channel::Kind, model::Machine};

pub(super) static GROUND: Ground = Ground {
    name: "dgram",
    about: "two UNIX datagram sockets, connected to each other",
    scene,
    menu: sockets::PAIR,
    coda: sockets::coda,
};

fn scene(machine: &Machine, [buffer, ..]: [u8; 4]) -> Scene {
    let preamble = vec![
        Line::call(0, "socket", &["s", "unix", "dgram"], None),
        Line::call(0, "bind", &["s", "@s"], None),
        Line::call(1, "socket", &["t", "unix", "dgram"], None),
        Line::call(1, "bind", &["t", "@t"], None),
        Line::call(0, "connect", &["s", "@t"], None),
        Line::call(1, "connect", &["t", "@s"], None),
    ];
    let ends = vec![vec!["s"], vec!["t"]];
    sockets::scene(machine, Kind::UnixDatagram, sockets::send_buffer(buffer), raw_actors(2), ends, preamble)
}
