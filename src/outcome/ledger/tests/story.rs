//! The stories that a ledger is for.

use rstest::rstest;

use super::scene::*;
use crate::outcome::{
    Access::{Read, Write},
    Count, Outcome, Verb, error_at,
    ledger::{Extent, Loss, Place, Shape},
};

const READER: usize = 0;
const WRITER: usize = 1;

/// Python 3 BrokenPipeError woes, 2018: the reader leaves, the writer writes and
/// flushes, a reader comes back, the writer closes.
fn woes() -> Scene {
    Scene::of(&["reader", "writer"]).open(READER, Read).open(WRITER, Write).close(READER)
}

#[rstest]
#[case(1)]
#[case(4096)]
fn what_fits_in_the_buffer_arrives_after_all(#[case] n: u64) {
    let scene = woes()
        .write(WRITER, n, ok(n))
        .flush(WRITER, epipe(0))
        .open(READER, Read)
        .kernel(n, 0)
        .close(WRITER)
        .read(READER, &stream(WRITER, 0, n));
    let ledger = scene.ledger();
    assert!(ledger.is_clean(), "{ledger:?}");
    assert_eq!((ledger.accepted, ledger.delivered, ledger.lost_bytes()), (n, n, 0));
    assert_eq!(error_at(&scene.plan, &scene.transcript).unwrap().verb, Verb::Flush);
}

#[rstest]
#[case(4097)]
#[case(8192)]
fn text_mode_loses_between_one_buffer_and_the_next(#[case] n: u64) {
    let scene = woes()
        .write(WRITER, n, ok(n))
        .flush(WRITER, epipe(0))
        .open(READER, Read)
        .close(WRITER)
        .read(READER, b"");
    let ledger = scene.ledger();
    let all = Loss { writer: WRITER, start: 0, len: n, shape: Shape::All, place: Place::Runtime };
    assert_eq!(ledger.lost, [all]);
    assert_eq!((ledger.accepted, ledger.delivered, ledger.kernel.clone()), (n, 0, Count::Known(0)));
    let error = error_at(&scene.plan, &scene.transcript).unwrap();
    assert_eq!(
        (error.verb, &*error.errno, error.error.as_deref()),
        (Verb::Flush, "EPIPE", Some("BrokenPipeError"))
    );
    if n == 4097 {
        assert_eq!(
            scene.lines(),
            ["lost 4,097 bytes of writer, 0..4097 (all that was accepted), in its runtime's buffer"]
        );
    }
}

#[test]
fn binary_mode_refuses_what_it_can_not_keep() {
    let scene = woes().write(WRITER, 4097, epipe(0)).open(READER, Read).close(WRITER).read(READER, b"");
    let ledger = scene.ledger();
    assert!(ledger.is_clean());
    assert_eq!((ledger.refused, ledger.accepted, ledger.lost_bytes()), (4097, 0, 0));
    assert_eq!(error_at(&scene.plan, &scene.transcript).unwrap().verb, Verb::Write);
}

#[test]
fn a_call_that_fails_and_yet_delivers_is_named() {
    let scene = woes()
        .write(WRITER, 5000, epipe(0))
        .kernel(5000, 0)
        .close(WRITER)
        .read(READER, &stream(WRITER, 0, 5000));
    let ledger = scene.ledger();
    assert_eq!((ledger.refused, ledger.uncredited, ledger.uncredited_refused), (5000, 5000, 5000));
    assert!(!ledger.is_clean());
    assert_eq!(scene.lines(), ["delivered 5,000 bytes that the write call had said it did not accept"]);
}

#[test]
fn a_retry_of_what_came_after_all_comes_twice() {
    let mut scene = woes().write(WRITER, 100, epipe(0)).kernel(200, 0).write(WRITER, 100, ok(100));
    scene.transcript.steps[4].offered.as_mut().unwrap().offset = 0;
    let twice = stream(WRITER, 0, 100).repeat(2);
    let ledger = scene.read(READER, &twice).ledger();
    assert_eq!((ledger.offered, ledger.accepted, ledger.refused), (100, 100, 0));
    assert_eq!(
        (ledger.duplicated[0].start, ledger.duplicated[0].len, ledger.duplicated[0].at),
        (0, 100, 100)
    );
}

#[test]
fn the_head_is_lost_when_the_rest_arrives() {
    let scene = woes()
        .write(WRITER, 4096, ok(4096))
        .flush(WRITER, epipe(0))
        .kernel(50, 0)
        .write(WRITER, 50, ok(50))
        .read(READER, &stream(WRITER, 4096, 50));
    assert_eq!(scene.lines(), ["lost 4,096 bytes of writer, 0..4096 (the head), in its runtime's buffer"]);
    assert_eq!(scene.ledger().first_wrong, Some(0));
    // The same as long as the writer holds its end: what was overtaken is gone.
    assert_eq!(scene.holds(WRITER).ledger().lost_bytes(), 4096);
}

#[test]
fn the_kernel_drops_its_queue_at_the_last_close() {
    let scene = woes()
        .kernel(100, 0)
        .write(WRITER, 100, ok(100))
        .read(READER, &stream(WRITER, 0, 30))
        .close(READER)
        .kernel(0, 70)
        .close(WRITER)
        .kernel(20, 0)
        .write(WRITER, 20, ok(20))
        .read(READER, &stream(WRITER, 100, 20));
    assert_eq!(scene.lines(), ["lost 70 bytes of writer, 30..100 (a gap), in the kernel, at the last close"]);
}

#[test]
fn two_losses_each_have_their_place() {
    let scene = woes()
        .kernel(100, 0)
        .write(WRITER, 100, ok(100))
        .read(READER, &stream(WRITER, 0, 30))
        .kernel(0, 70)
        .close(WRITER)
        .kernel(20, 0)
        .write(WRITER, 20, ok(20))
        .read(READER, &stream(WRITER, 100, 20))
        .write(WRITER, 10, ok(10))
        .flush(WRITER, epipe(0))
        .close(WRITER);
    let places: Vec<_> =
        scene.ledger().lost.iter().map(|loss| (loss.start, loss.shape, loss.place)).collect();
    assert_eq!(places, [(30, Shape::Gap, Place::Kernel), (120, Shape::Tail, Place::Runtime)]);
}

#[test]
fn a_writer_that_still_holds_its_end_may_still_deliver() {
    let scene = woes().kernel(4096, 0).write(WRITER, 5000, ok(5000)).holds(WRITER);
    let ledger = scene.ledger();
    assert_eq!((ledger.queued_accepted, ledger.held, ledger.lost_bytes()), (4096, 904, 0));
    assert!(ledger.is_clean());
}

#[test]
fn what_is_queued_can_not_be_seen() {
    let scene = woes()
        .write(WRITER, 4097, ok(4097))
        .flush(WRITER, epipe(0))
        .write(WRITER, 10, ok(10))
        .kernel(10, 0)
        .flush(WRITER, done())
        .close(WRITER);
    let ledger = scene.ledger();
    assert_eq!((ledger.lost.len(), ledger.lost_bytes()), (0, 4097));
    assert_eq!(
        scene.lines(),
        [
            "lost 4,097 bytes somewhere among writer 0..4107 while 10 are queued; a read to the end would show which"
        ]
    );
}

#[test]
fn a_blocked_write_is_unanswered() {
    let scene = woes()
        .kernel(65_536, 0)
        .write(WRITER, 200_000, blocked())
        .read(READER, &stream(WRITER, 0, 4096))
        .holds(WRITER);
    let ledger = scene.ledger();
    assert_eq!((ledger.unanswered, ledger.accepted, ledger.uncredited), (200_000, 0, 4096));
    assert_eq!((ledger.queued.clone(), ledger.queued_accepted), (Count::Known(61_440), 0));
    assert!(ledger.is_clean());
}

#[test]
fn a_reader_reads_ahead() {
    let scene =
        woes().kernel(100, 0).write(WRITER, 100, ok(100)).takes(60).read(READER, &stream(WRITER, 0, 40));
    assert_eq!(scene.lines(), ["lost 60 bytes of writer, 40..100 (the tail), in a reader's buffer"]);
    let ledger = scene.holds(READER).ledger();
    assert_eq!((ledger.read_ahead, ledger.lost_bytes()), (60, 0));
}

#[test]
fn two_writers_queues_are_told_apart_by_the_counts() {
    let scene = Scene::of(&["reader", "a", "b"])
        .kernel(50, 0)
        .write(1, 50, ok(50))
        .kernel(5, 0)
        .write(2, 20, ok(20))
        .close(2);
    let ledger = scene.ledger();
    // Which of b's 20 bytes are queued isn't seen, so its loss has no extent.
    assert_eq!((ledger.queued_accepted, ledger.lost.len()), (50, 0));
    let unplaced = ledger.unplaced.unwrap();
    assert_eq!((unplaced.least, unplaced.most), (15, 15));
    assert_eq!(unplaced.among, [Extent { writer: 2, start: 0, len: 20 }]);
}

#[test]
fn a_write_is_torn_by_another() {
    let data = [stream(1, 0, 4096), stream(2, 0, 100), stream(1, 4096, 4096)].concat();
    let scene = Scene::of(&["reader", "a", "b"])
        .kernel(4096, 0)
        .write(1, 8192, blocked())
        .kernel(100, 0)
        .write(2, 100, ok(100))
        .kernel(4096, 0)
        .read(0, &data)
        .resumed(2, ok(8192));
    assert_eq!(scene.lines(), ["tore a write of 8,192 bytes of a, 0..8192 apart: at 4096 by b"]);
    assert_eq!(scene.ledger().first_wrong, None);
}

#[test]
fn reads_count_when_they_complete() {
    let scene = Scene::of(&["first", "second", "writer"])
        .kernel(100, 0)
        .read(0, &stream(2, 50, 50))
        .read(1, &stream(2, 0, 50))
        .write(2, 100, ok(100))
        .resumed(2, ok(50));
    let ledger = scene.ledger();
    assert_eq!(ledger.reordered_bytes(), 0);
    assert_eq!(ledger.credited, 100);
}

#[test]
fn bytes_of_nobody_are_foreign() {
    let data =
        [&stream(1, 0, 100)[..], b"Traceback (most recent call last):\n", &stream(1, 100, 100)].concat();
    let scene = Scene::of(&["reader", "writer"]).kernel(235, 0).write(1, 200, ok(200)).read(0, &data);
    assert_eq!(scene.lines(), ["delivered 35 bytes that nobody sent, at 100 of what was read"]);
}

#[test]
fn the_first_error_is_the_first_in_time() {
    let scene =
        woes().write(WRITER, 10, blocked()).flush(READER, epipe(0)).close(READER).resumed(2, epipe(0));
    let error = error_at(&scene.plan, &scene.transcript).unwrap();
    assert_eq!((error.record, error.verb), (4, Verb::Flush));
    let none = woes().write(WRITER, 10, Outcome::Gone);
    assert_eq!(error_at(&none.plan, &none.transcript), None);
}
