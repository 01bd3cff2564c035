//! What UNIX sockets have in common.

use super::{Entry, Line, Moment, Scene, handles, one_of, pipes, raw_actor};
use crate::{
    channel::Kind,
    explore::fuzz::{draw::Draw, size::Size},
    model::Machine,
    setting::{Setting, Sigpipe},
    stage::PlannedActor,
};

pub(super) const SEND: Entry = Entry { parts: 24, line: send };
pub(super) const RECEIVE: Entry = Entry { parts: 24, line: receive };
pub(super) const POLL: Entry = Entry { parts: 5, line: poll };
pub(super) const FILL: Entry = Entry { parts: 3, line: fill };
pub(super) const SHUTDOWN: Entry = Entry { parts: 2, line: shutdown };
pub(super) const CLOSE: Entry = Entry { parts: 2, line: close };
pub(super) const KILL: Entry = Entry { parts: 1, line: pipes::kill };

/// What a message may not exceed SO_SNDBUF less (bytes; net/unix/af_unix.c
/// `unix_dgram_sendmsg`).
const OVERHEAD: u64 = 32;

/// What setsockopt(2) is asked for, mostly so little that a few messages fill it; none: as it
/// comes. The first draw of a scene.
pub(super) fn send_buffer(draw: u8) -> Option<u64> {
    match draw {
        0..=95 => Some(1),
        96..=159 => Some(4096),
        160..=239 => Some(8192),
        240..=255 => None,
    }
}

/// A scene of these sockets, by actor.
pub(super) fn scene(
    machine: &Machine,
    kind: Kind,
    asked: Option<u64>,
    actors: Vec<PlannedActor>,
    sockets: Vec<Vec<&'static str>>,
    mut preamble: Vec<Line>,
) -> Scene {
    let mut names = sockets.concat();
    names.sort_unstable();
    names.dedup();
    if let Some(asked) = asked {
        for name in &names {
            let actor = sockets.iter().position(|held| held.contains(name)).unwrap_or(0);
            preamble.push(Line::call(actor, "setsockopt", &[name, "sndbuf"], Some(Size::of(asked))));
        }
    }
    let capacity = asked.map_or(machine.sndbuf, |asked| machine.send_buffer(asked));
    Scene {
        channels: handles(&names, kind).into(),
        actors: actors.into(),
        setting: Setting { sigpipe: Sigpipe::Ignore, ..Setting::default() }.into(),
        preamble,
        capacity,
        capacity_text: capacity.to_string(),
        longest: capacity - OVERHEAD,
        handles: sockets,
        calls: true,
    }
}

fn send(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    let size = Size::drawn(moment, channel(moment, socket), draw);
    let words: &[&str] = if draw.extra >= 192 { &[socket, "dontwait"] } else { &[socket] };
    Some(Line::call(actor, "send", words, Some(size)))
}

fn receive(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    let size = Size::drawn(moment, channel(moment, socket), draw);
    let words: &[&str] = match draw.extra / 2 % 16 {
        0..=6 => &[socket],
        7..=9 => &[socket, "dontwait"],
        10 => &[socket, "peek"],
        11 => &[socket, "peek", "dontwait"],
        12 => &[socket, "trunc"],
        13 => &[socket, "trunc", "dontwait"],
        14 => &[socket, "waitall"],
        _ => &[socket, "waitall", "dontwait"],
    };
    Some(Line::call(actor, "recv", words, Some(size)))
}

fn channel(moment: &Moment<'_>, name: &str) -> usize {
    moment.scene.channels.iter().position(|channel| channel.name == name).unwrap_or(0)
}

fn poll(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    Some(Line::call(actor, "poll", &[socket, "in", "out", "rdhup", "now"], None))
}

/// In pieces that a few fill it with.
fn fill(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    let size = Size::drawn(moment, 0, draw);
    let size = Size::of(size.bytes.max(moment.scene.capacity / 16));
    Some(Line::call(actor, "fill", &[socket], Some(size)))
}

fn shutdown(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    let how = ["write", "read", "both"][usize::from(draw.delta) % 3];
    Some(Line::call(actor, "shutdown", &[socket, how], None))
}

fn close(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let socket = one_of(&moment.scene.handles[actor], draw.extra)?;
    Some(Line::call(actor, "close", &[socket], None))
}

/// What is there is taken, something is sent, and at last the socket is closed.
pub(super) fn coda(scene: &Scene, actor: usize) -> Vec<Line> {
    let sockets = &scene.handles[actor];
    let receive =
        |socket: &&str| Line::call(actor, "recv", &[socket, "dontwait"], Some(Size::of(scene.capacity)));
    let send = |socket: &&str| Line::call(actor, "send", &[socket, "dontwait"], Some(Size::of(1)));
    let close = |socket: &&str| Line::call(actor, "close", &[socket], None);
    let receives = sockets.iter().map(receive);
    receives.chain(sockets.iter().map(send)).chain(sockets.iter().map(close)).collect()
}

/// What may be done with a pair.
pub(super) const PAIR: &[Entry] = &[SEND, RECEIVE, POLL, FILL, SHUTDOWN, CLOSE, KILL];

/// A socketpair(2): one actor has both, which don't wait, or a copy of it has the other. (A
/// process that forks serves no other case, so that few do.)
pub(super) fn pair(machine: &Machine, kind: Kind, word: &str, [buffer, forked, ..]: [u8; 4]) -> Scene {
    let asked = send_buffer(buffer);
    let mut actors = vec![raw_actor("a", &[])];
    if forked < 192 {
        let preamble = vec![Line::call(0, "socketpair", &["x", "y", word, "nonblock"], None)];
        return scene(machine, kind, asked, actors, vec![vec!["x", "y"]], preamble);
    }
    actors.push(raw_actor("b", &["fork"]));
    let preamble = vec![
        Line::call(0, "socketpair", &["x", "y", word], None),
        Line::call(0, "fork", &["b"], None),
        Line::call(0, "close", &["y"], None),
        Line::call(1, "close", &["x"], None),
    ];
    scene(machine, kind, asked, actors, vec![vec!["x"], vec!["y"]], preamble)
}
