//! A pipe in packet mode (O_DIRECT), pipe(2): one actor with both ends, which don't wait, or two
//! or three with copies of both, which do; of these some begin out of packet mode.

use super::{Entry, Ground, Line, Moment, Scene, handles, one_of, pipes::kill, raw_actor};
use crate::{
    channel::Kind,
    explore::fuzz::{draw::Draw, size::Size},
    model::Machine,
    setting::{Setting, Sigpipe},
};

pub(super) static GROUND: Ground = Ground {
    name: "packet",
    about: "a pipe with O_DIRECT: each write makes packets, each read takes one",
    scene,
    menu: &[
        Entry { parts: 24, line: write },
        Entry { parts: 24, line: read },
        Entry { parts: 5, line: poll },
        Entry { parts: 3, line: flags },
        Entry { parts: 2, line: close },
        Entry { parts: 1, line: kill },
    ],
    coda,
};

/// The ends' names.
const ENDS: [&str; 2] = ["r", "w"];

/// Who gets copies of the ends.
const COPIES: [&str; 2] = ["b", "c"];

fn scene(machine: &Machine, [pages, copies, mode, _]: [u8; 4]) -> Scene {
    let page = machine.pipe.page;
    let (capacity, capacity_text) = match pages {
        0..=127 => (2 * page, "2*page"),
        128..=255 => (page, "page"),
    };
    let copies = match copies {
        0..=207 => 0,
        208..=231 => 1,
        232..=255 => 2,
    };
    let flags: &[&str] = match (copies, mode) {
        (0, _) => &["r", "w", "direct", "nonblock"],
        (_, 0..=127) => &["r", "w", "direct"],
        _ => &["r", "w"],
    };
    let mut preamble = vec![
        Line::call(0, "pipe", flags, None),
        Line::call(0, "setpipe_sz", &["w"], Some(Size::of(capacity))),
    ];
    let mut actors = vec![raw_actor("a", &[])];
    for &copy in &COPIES[..copies] {
        actors.push(raw_actor(copy, &["fork"]));
        preamble.push(Line::call(0, "fork", &[copy], None));
    }
    Scene {
        channels: handles(&ENDS, Kind::Pipe).into(),
        handles: vec![ENDS.to_vec(); actors.len()],
        actors: actors.into(),
        setting: Setting { sigpipe: Sigpipe::Ignore, ..Setting::default() }.into(),
        preamble,
        capacity,
        capacity_text: capacity_text.to_owned(),
        longest: libc::PIPE_BUF as u64,
        calls: true,
    }
}

fn write(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    Some(Line::call(actor, "write", &["w"], Some(Size::drawn(moment, 0, draw))))
}

fn read(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    Some(Line::call(actor, "read", &["r"], Some(Size::drawn(moment, 0, draw))))
}

fn poll(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let end = one_of(&moment.scene.handles[actor], draw.extra)?;
    Some(Line::call(actor, "poll", &[end, "in", "out", "now"], None))
}

/// In packet mode or out of it. Who is alone doesn't wait.
fn flags(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let alone = moment.scene.actors.len() == 1;
    let words: &[&str] = match draw.extra % 3 {
        0 => &["w", "direct", "nonblock"],
        1 if alone => &["w", "nonblock"],
        _ if alone => return None,
        1 => &["w"],
        _ => &["w", "direct"],
    };
    Some(Line::call(actor, "setfl", words, None))
}

fn close(moment: &Moment<'_>, actor: usize, draw: &Draw) -> Option<Line> {
    let end = one_of(&moment.scene.handles[actor], draw.extra)?;
    Some(Line::call(actor, "close", &[end], None))
}

fn coda(_: &Scene, actor: usize) -> Vec<Line> {
    ENDS.iter().map(|end| Line::call(actor, "close", &[end], None)).collect()
}
