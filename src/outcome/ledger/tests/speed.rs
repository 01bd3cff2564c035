//! How long it takes. Run with
//! `cargo test --release ledger::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::scene::*;
use crate::outcome::payload;

const SIZE: u64 = 64 << 20;

fn timed(what: &str, scene: &Scene) {
    let start = Instant::now();
    let ledger = scene.ledger();
    println!("{what}: {:?}, clean {}", start.elapsed(), ledger.is_clean());
}

#[test]
#[ignore = "measures"]
fn measure() {
    let mut bytes = vec![0; SIZE as usize];
    payload::fill(1, 0, &mut bytes);
    let start = Instant::now();
    payload::fill(1, 5, &mut bytes);
    println!("fill: {:.0} MB/s", SIZE as f64 / start.elapsed().as_secs_f64() / 1e6);

    let data = stream(1, 0, SIZE);
    let one = |data: &[u8]| {
        let lost = SIZE - data.len() as u64;
        Scene::of(&["reader", "writer"]).kernel(SIZE - lost, 0).write(1, SIZE, ok(SIZE)).read(0, data)
    };
    timed("clean", &one(&data));
    let mut lossy = data.clone();
    lossy.drain(30 << 20..31 << 20);
    timed("one loss", &one(&lossy));
    let many: Vec<u8> = data.chunks(65_536).flat_map(|chunk| &chunk[..65_000]).copied().collect();
    timed("1,024 losses", &one(&many));
    for piece in [65_536, 4096, 256, 16] {
        let half = SIZE / 2;
        let mixed: Vec<u8> = stream(1, 0, half)
            .chunks(piece)
            .zip(stream(2, 0, half).chunks(piece))
            .flat_map(|(a, b)| [a, b].concat())
            .collect();
        let scene = Scene::of(&["reader", "a", "b"])
            .kernel(SIZE, 0)
            .offer(1, half, piece as u64, false, ok(half))
            .offer(2, half, piece as u64, false, ok(half))
            .read(0, &mixed);
        timed(&format!("two writers by turns, {piece} bytes each"), &scene);
    }
    timed("a megabyte of garbage", &one(&vec![b'x'; 1 << 20]));
    let mut shuffled: Vec<&[u8]> = data.chunks(500).collect();
    shuffled.reverse();
    timed("every 500 bytes out of order", &one(&shuffled.concat()));
    let half: Vec<u8> = data[..8 << 20].chunks(500).flat_map(|chunk| &chunk[7..]).copied().collect();
    timed("16,777 losses of 7 bytes", &one(&half));
    let lines = SIZE / 8;
    let data =
        payload::offer_bytes(1, &crate::outcome::Offer { offset: 0, len: lines, piece: 3, newline: true });
    let scene = Scene::of(&["reader", "a"]).kernel(lines, 0).offer(1, lines, 3, true, ok(lines));
    let mut short = data.clone();
    short.drain(1000..2001);
    timed("dense lines, one loss", &scene.read(0, &short));
}
