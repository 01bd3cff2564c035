//! What FIFOs and pipes have in common: verbs on a channel that stands ready, and system
//! calls on the handle that an opened channel is.

use super::{Entry, Line, Moment, Scene};
use crate::{
    explore::fuzz::{draw::Draw, size::Size},
    model::Machine,
    outcome::{Access, Action, Amount},
};

/// The channel's name; its index is 0.
pub(super) const LOG: &str = "log";

/// A `fill` of smaller pieces makes too many calls (bytes).
const LEAST_PIECE: u64 = 512;

/// What may be done with a channel that stands ready.
pub(super) const MENU: &[Entry] = &[
    Entry { parts: 20, line: write },
    Entry { parts: 14, line: open },
    Entry { parts: 14, line: read },
    Entry { parts: 4, line: available },
    Entry { parts: 4, line: to_eof },
    Entry { parts: 7, line: close },
    Entry { parts: 6, line: poll },
    Entry { parts: 3, line: fill },
    Entry { parts: 3, line: drain },
    Entry { parts: 3, line: flags },
    Entry { parts: 3, line: resize },
    Entry { parts: 1, line: kill },
];

/// Mostly a few pages, which fill at little cost. Bytes (none: as it comes), and how a
/// scenario writes them.
pub(super) fn capacity(machine: &Machine, pages: u8) -> (Option<u64>, &'static str) {
    let page = machine.pipe.page;
    match pages {
        0..=111 => (Some(2 * page), "2*page"),
        112..=191 => (Some(page), "page"),
        192..=223 => (Some(4 * page), "4*page"),
        224..=255 => (None, "capacity"),
    }
}

/// A write(2).
fn write(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let size = Size::drawn(moment, 0, draw);
    let action = |bytes| Action::Write { channel: 0, bytes, wide: false, newline: false, pieces: None };
    Some(Line::sized(actor, size, action))
}

/// One in four doesn't wait.
fn open(_: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let access = match draw.extra % 8 {
        0..=3 => Access::Read,
        4..=6 => Access::Write,
        _ => Access::Both,
    };
    let nonblock = draw.delta >= 192;
    Some(Line::new(actor, Action::Open { channel: 0, access, nonblock }))
}

/// Until so much has come.
fn read(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let size = Size::drawn(moment, 0, draw);
    let action = |bytes| Action::Read { channel: 0, amount: Amount::Bytes(bytes) };
    Some(Line::sized(actor, size, action))
}

fn available(_: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    Some(Line::new(actor, Action::Read { channel: 0, amount: Amount::Available }))
}

fn to_eof(_: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    Some(Line::new(actor, Action::Read { channel: 0, amount: Amount::ToEof }))
}

fn close(_: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    Some(Line::new(actor, Action::Close { channel: 0 }))
}

/// The dead don't come back, and cost a new process.
pub(super) fn kill(_: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    Some(Line::new(actor, Action::Kill { signal: libc::SIGKILL }))
}

fn poll(moment: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    moment.scene.calls.then(|| Line::call(actor, "poll", &[LOG, "in", "out", "now"], None))
}

fn fill(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    in_pieces("fill", moment, actor, draw)
}

fn drain(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    in_pieces("drain", moment, actor, draw)
}

/// A loop of calls.
fn in_pieces(call: &str, moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let size = Size::drawn(moment, 0, draw);
    let size = if size.bytes < LEAST_PIECE { Size::of(LEAST_PIECE + size.bytes) } else { size };
    moment.scene.calls.then(|| Line::call(actor, call, &[LOG], Some(size)))
}

/// Sets or clears O_NONBLOCK.
fn flags(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let words: &[&str] = if draw.extra.is_multiple_of(2) { &[LOG, "nonblock"] } else { &[LOG] };
    moment.scene.calls.then(|| Line::call(actor, "setfl", words, None))
}

/// Only where no capacity is asked for: the stage sets that anew with each first end.
fn resize(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let unsized_ = moment.scene.channels[0].capacity.is_none();
    let size = Size::of(moment.machine.pipe.page << (draw.extra % 3));
    (moment.scene.calls && unsized_).then(|| Line::call(actor, "setpipe_sz", &[LOG], Some(size)))
}

/// Whoever is awake leaves, which lets readers and writers go on. Who waits in open(2) is met
/// by one who has nothing open any more.
pub(super) fn coda(_: &Scene, actor: usize) -> Vec<Line> {
    let both = Action::Open { channel: 0, access: Access::Both, nonblock: false };
    vec![Line::new(actor, Action::Close { channel: 0 }), Line::new(actor, both)]
}
