//! Whose bytes a read was given.

use super::scene::*;
use crate::outcome::{Ledger, ledger::Origin};

const R: usize = 0;
const V: usize = 1;
const W: usize = 2;

fn scene() -> Scene {
    Scene::of(&["r", "v", "w"])
}

/// Writer and bytes of each origin of the scene's step.
fn origins(scene: &Scene, step: usize) -> Vec<(Option<usize>, u64)> {
    let origins = Ledger::origins(&scene.transcript, 0, step);
    origins.into_iter().map(|Origin { writer, len }| (writer, len)).collect()
}

#[test]
fn a_read_has_the_bytes_of_several_in_their_order() {
    let data = [stream(W, 0, 8), stream(V, 0, 5), stream(W, 8, 7)].concat();
    let scene = scene()
        .kernel(5, 0)
        .write(V, 5, ok(5))
        .kernel(15, 0)
        .write(W, 15, ok(15))
        .read(R, &data[..10])
        .read(R, &data[10..]);
    assert_eq!(origins(&scene, 2), [(Some(W), 8), (Some(V), 2)]);
    assert_eq!(origins(&scene, 3), [(Some(V), 3), (Some(W), 7)]);
    assert_eq!(origins(&scene, 0), [], "a write has none");
}

/// Two readers: the bytes of each, though the one that waited longer was done later.
#[test]
fn a_read_that_waited_has_what_came_when_it_was_done() {
    let scene = scene()
        .kernel(20, 0)
        .read(R, &stream(W, 0, 20))
        .kernel(30, 0)
        .write(V, 30, ok(30))
        .read(R, &stream(V, 0, 30))
        .write(W, 20, ok(20))
        .resumed(3, ok(20));
    assert_eq!(origins(&scene, 0), [(Some(W), 20)]);
    assert_eq!(origins(&scene, 2), [(Some(V), 30)]);
}

#[test]
fn bytes_of_nobody_have_no_writer() {
    let data = [&stream(V, 0, 30)[..], b"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"].concat();
    let scene = scene().kernel(30, 0).write(V, 30, ok(30)).kernel(30, 0).read(R, &data);
    assert_eq!(origins(&scene, 1), [(Some(V), 30), (None, 30)]);
}

/// Of two writers whose next byte is the same nobody can say which one's came.
#[test]
fn what_both_would_have_written_next_is_nobodys() {
    let alike = (W..256).find(|other| stream(*other, 0, 1) == stream(V, 0, 1)).expect("one in eight is");
    let names = vec!["x"; 256];
    let scene = Scene::of(&names)
        .kernel(1, 0)
        .write(V, 1, ok(1))
        .kernel(1, 0)
        .write(alike, 1, ok(1))
        .read(R, &stream(V, 0, 1));
    assert_eq!(origins(&scene, 2), [(None, 1)]);
    let unlike = (W..256).find(|other| stream(*other, 0, 1) != stream(V, 0, 1)).expect("seven in eight are");
    let scene = Scene::of(&names)
        .kernel(1, 0)
        .write(V, 1, ok(1))
        .kernel(1, 0)
        .write(unlike, 1, ok(1))
        .read(R, &stream(V, 0, 1));
    assert_eq!(origins(&scene, 2), [(Some(V), 1)]);
}
