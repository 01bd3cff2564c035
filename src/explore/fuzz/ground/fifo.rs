//! A FIFO that actors open, leave and open again.

use super::{Entry, Ground, Line, Moment, Scene, raw_actors};
use crate::{
    channel::Kind,
    explore::fuzz::{draw::Draw, size::Size},
    model::Machine,
    outcome::{Access, Action, Amount},
    setting::{Setting, Sigpipe},
    stage::PlannedChannel,
};

pub(super) static GROUND: Ground = Ground {
    name: "fifo",
    about: "a FIFO: opened, left and opened again, with and without O_NONBLOCK",
    scene,
    menu: &[
        Entry { parts: 20, line: write },
        Entry { parts: 14, line: open },
        Entry { parts: 14, line: read },
        Entry { parts: 4, line: available },
        Entry { parts: 4, line: to_eof },
        Entry { parts: 7, line: close },
        Entry { parts: 1, line: kill },
    ],
    coda,
};

/// Two to four actors, and mostly a few pages, which fill at little cost.
fn scene(machine: &Machine, [actors, pages, ..]: [u8; 4]) -> Scene {
    let page = machine.pipe.page;
    let (capacity, capacity_text) = match pages {
        0..=127 => (Some(2 * page), "2*page"),
        128..=207 => (Some(page), "page"),
        208..=239 => (Some(4 * page), "4*page"),
        240..=255 => (None, "capacity"),
    };
    Scene {
        channels: vec![PlannedChannel { capacity, ..PlannedChannel::declared("log", Kind::Fifo) }],
        actors: raw_actors(2 + usize::from(actors) % 3),
        setting: Setting { sigpipe: Sigpipe::Ignore, ..Setting::default() },
        preamble: vec![],
        capacity: capacity.unwrap_or(machine.pipe.capacity()),
        capacity_text: capacity_text.to_owned(),
    }
}

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
fn kill(_: &Moment<'_>, actor: usize, _: &Draw) -> Option<Line> {
    Some(Line::new(actor, Action::Kill { signal: libc::SIGKILL }))
}

/// Whoever is awake leaves, which lets readers and writers go on. Who waits in open(2) is met
/// by one who has nothing open any more.
fn coda(actor: usize) -> Vec<Line> {
    let both = Action::Open { channel: 0, access: Access::Both, nonblock: false };
    vec![Line::new(actor, Action::Close { channel: 0 }), Line::new(actor, both)]
}
