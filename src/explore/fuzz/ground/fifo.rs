//! A FIFO that actors open, leave and open again.

use super::{Ground, Scene, pipes, raw_actors};
use crate::{
    channel::Kind,
    model::Machine,
    setting::{Setting, Sigpipe},
    stage::PlannedChannel,
};

pub(super) static GROUND: Ground = Ground {
    name: "fifo",
    about: "a FIFO: opened, left and opened again, with and without O_NONBLOCK",
    scene,
    menu: pipes::MENU,
    coda: pipes::coda,
};

fn scene(machine: &Machine, draws: [u8; 4]) -> Scene {
    declared(machine, Kind::Fifo, draws)
}

/// Two to four actors around a channel that stands ready.
pub(super) fn declared(machine: &Machine, kind: Kind, [actors, pages, calls, sigpipe]: [u8; 4]) -> Scene {
    let (capacity, capacity_text) = pipes::capacity(machine, pages);
    let actors = raw_actors(2 + usize::from(actors) % 3);
    // Few, since whom SIGPIPE ends costs a new process.
    let sigpipe = if sigpipe < 248 { Sigpipe::Ignore } else { Sigpipe::Default };
    Scene {
        channels: vec![PlannedChannel { capacity, ..PlannedChannel::declared(pipes::LOG, kind) }].into(),
        handles: vec![vec![pipes::LOG]; actors.len()],
        actors: actors.into(),
        setting: Setting { sigpipe, ..Setting::default() }.into(),
        preamble: vec![],
        capacity: capacity.unwrap_or(machine.pipe.capacity()),
        capacity_text: capacity_text.to_owned(),
        longest: libc::PIPE_BUF as u64,
        calls: calls >= 160,
    }
}
