//! A pair of UNIX stream sockets: one actor with both, which don't wait, or two with one each.

use super::{Ground, Scene, sockets};
use crate::{channel::Kind, model::Machine};

pub(super) static GROUND: Ground = Ground {
    name: "stream",
    about: "a pair of UNIX stream sockets",
    scene,
    menu: sockets::PAIR,
    coda: sockets::coda,
};

fn scene(machine: &Machine, draws: [u8; 4]) -> Scene {
    sockets::pair(machine, Kind::UnixStream, "stream", draws)
}
