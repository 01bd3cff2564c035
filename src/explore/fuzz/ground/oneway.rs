//! A datagram socket that two others are connected to, and that is connected to none: senders
//! find the limit of its queue (max_dgram_qlen, unix(7)). Seldom it is connected to one of them, and the
//! other may not send any more.

use super::{Entry, Ground, Line, Moment, Scene, raw_actors, sockets};
use crate::{
    channel::Kind,
    explore::fuzz::{draw::Draw, size::Size},
    model::Machine,
};

pub(super) static GROUND: Ground = Ground {
    name: "oneway",
    about: "a UNIX datagram socket that two others send to: the limit of its queue",
    scene,
    menu: &[
        sockets::SEND,
        sockets::RECEIVE,
        Entry { parts: 12, line: fill },
        sockets::POLL,
        sockets::SHUTDOWN,
        sockets::CLOSE,
        sockets::KILL,
    ],
    coda: sockets::coda,
};

fn scene(machine: &Machine, [buffer, chooses, ..]: [u8; 4]) -> Scene {
    let mut preamble = vec![
        Line::call(0, "socket", &["s", "unix", "dgram"], None),
        Line::call(0, "bind", &["s", "@s"], None),
        Line::call(1, "socket", &["c", "unix", "dgram"], None),
        Line::call(1, "connect", &["c", "@s"], None),
        Line::call(2, "socket", &["d", "unix", "dgram"], None),
        Line::call(2, "connect", &["d", "@s"], None),
    ];
    if chooses >= 232 {
        preamble.push(Line::call(1, "bind", &["c", "@c"], None));
        preamble.push(Line::call(0, "connect", &["s", "@c"], None));
    }
    // Small buffers would be full before the queue is.
    let asked = sockets::send_buffer(buffer).filter(|_| buffer < 64);
    let ends = vec![vec!["s"], vec!["c"], vec!["d"]];
    sockets::scene(machine, Kind::UnixDatagram, asked, raw_actors(3), ends, preamble)
}

/// In the small messages that come to the limit before the buffer is full.
fn fill(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = moment.scene.handles[actor].first()?;
    Some(Line::call(actor, "fill", &[socket], Some(Size::of(1 + u64::from(draw.around) % 64))))
}
