//! A pair of UNIX sockets that keep records: one actor with both, which don't wait, or two with one each.

use super::{Ground, Scene, sockets};
use crate::{channel::Kind, model::Machine};

pub(super) static GROUND: Ground = Ground {
    name: "seqpacket",
    about: "a pair of UNIX sockets that keep records",
    scene,
    menu: sockets::PAIR,
    coda: sockets::coda,
};

fn scene(machine: &Machine, draws: [u8; 4]) -> Scene {
    sockets::pair(machine, Kind::UnixSeqpacket, "seqpacket", draws)
}
