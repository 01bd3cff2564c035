//! An anonymous pipe that actors open by its path, which never waits.

use super::{Ground, Scene, fifo, pipes};
use crate::{channel::Kind, model::Machine};

pub(super) static GROUND: Ground = Ground {
    name: "pipe",
    about: "a pipe: opened, left and opened again by its path, which never waits",
    scene,
    menu: pipes::MENU,
    coda: pipes::coda,
};

fn scene(machine: &Machine, draws: [u8; 4]) -> Scene {
    fifo::declared(machine, Kind::Pipe, draws)
}
