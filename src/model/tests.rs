//! The rules of `system`, each as a sentence that can fail.

mod sockets;

use super::{Call::*, *};
use crate::outcome::Access;

const PAGE: u64 = 4096;
const OPEN_READ: Call = Open { access: Access::Read, nonblock: false };
const OPEN_WRITE: Call = Open { access: Access::Write, nonblock: false };
const OPEN_BOTH: Call = Open { access: Access::Both, nonblock: false };
const OPEN_READ_NONBLOCK: Call = Open { access: Access::Read, nonblock: true };
const OPEN_WRITE_NONBLOCK: Call = Open { access: Access::Write, nonblock: true };

fn failed(errno: Errno) -> Gave {
    Gave::Failed { errno, bytes: 0 }
}

fn machine(slots: usize) -> Machine {
    Machine::with_pipe(Geometry { page: PAGE, slots })
}

/// A FIFO of two slots, on which nothing was done yet.
fn fifo(actors: usize) -> Lab {
    Lab(State::fifo(machine(2), actors, Rules::linux()).into())
}

/// A FIFO of two slots; so many readers come first in the numbering, then writers.
fn open_fifo(readers: usize, writers: usize) -> Lab {
    let mut lab = fifo(readers + writers);
    // Opened both ways first, so that nobody waits for a partner.
    for reader in 0..readers {
        lab.gives(reader, OPEN_READ_NONBLOCK, Gave::Done);
    }
    for writer in readers..readers + writers {
        lab.gives(writer, OPEN_WRITE, Gave::Done);
    }
    for reader in 0..readers {
        lab.gives(reader, Close, Gave::Done);
        // The writers keep the FIFO, and this reader has one to meet.
        lab.gives(reader, OPEN_READ, Gave::Done);
    }
    lab
}

struct Lab(Model);

impl Lab {
    #[track_caller]
    fn settles(&mut self, actor: usize, call: Call) -> Settled {
        self.0.play(actor, 0, call).unwrap_or_else(|| panic!("{call:?} of {actor} has several results"))
    }

    #[track_caller]
    fn gives(&mut self, actor: usize, call: Call, gave: Gave) {
        let settled = self.settles(actor, call);
        assert_eq!((settled.gave, settled.released), (gave, vec![]));
    }

    #[track_caller]
    fn releases(&mut self, actor: usize, call: Call, gave: Gave, released: &[(usize, Gave)]) {
        let settled = self.settles(actor, call);
        assert_eq!((settled.gave, &settled.released[..]), (gave, released));
    }
}

#[test]
fn zero_bytes_are_moved_at_once_whoever_is_there() {
    let mut lab = open_fifo(1, 1);
    lab.gives(0, Read(0), Gave::Moved(0));
    lab.gives(0, Close, Gave::Done);
    lab.gives(1, Write(0), Gave::Moved(0));
}

#[test]
fn the_wrong_end_is_refused_even_for_zero_bytes() {
    let mut lab = open_fifo(1, 1);
    lab.gives(0, Write(0), failed(Errno::EBADF));
    lab.gives(1, Read(0), failed(Errno::EBADF));
}

#[test]
fn a_queue_outlives_its_writer_and_then_comes_the_end_of_file() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(5), Gave::Moved(5));
    lab.gives(1, Close, Gave::Done);
    lab.gives(0, Read(2), Gave::Moved(2));
    lab.gives(0, Read(9), Gave::Moved(3));
    lab.gives(0, Read(9), Gave::Eof);
    lab.gives(0, Read(9), Gave::Eof);
}

#[test]
fn a_fifo_that_never_had_a_writer_reads_as_end_of_file() {
    let mut lab = fifo(1);
    lab.gives(0, OPEN_READ_NONBLOCK, Gave::Done);
    lab.gives(0, Read(1), Gave::Eof);
}

#[test]
fn poll_says_nothing_of_it_before_a_writer_has_come_and_gone() {
    let mut lab = fifo(2);
    lab.gives(0, OPEN_READ_NONBLOCK, Gave::Done);
    lab.gives(0, ReadAvailable, Gave::Moved(0));
    lab.gives(1, OPEN_WRITE, Gave::Done);
    lab.gives(1, Close, Gave::Done);
    lab.gives(0, ReadAvailable, Gave::Eof);
}

#[test]
fn reading_what_is_available_never_blocks() {
    let mut lab = open_fifo(1, 1);
    lab.gives(0, ReadAvailable, Gave::Moved(0));
    lab.gives(1, Write(7), Gave::Moved(7));
    lab.gives(0, ReadAvailable, Gave::Moved(7));
}

#[test]
fn an_empty_read_waits_for_a_byte_or_for_the_last_writer_to_go() {
    let mut lab = open_fifo(1, 2);
    lab.gives(0, Read(100), Gave::Blocked);
    lab.releases(1, Write(3), Gave::Moved(3), &[(0, Gave::Moved(3))]);
    lab.gives(0, Read(100), Gave::Blocked);
    lab.gives(1, Close, Gave::Done);
    lab.releases(2, Close, Gave::Done, &[(0, Gave::Eof)]);
}

#[test]
fn reading_exactly_goes_on_until_it_has_all_or_the_file_ends() {
    let mut lab = open_fifo(1, 1);
    lab.gives(0, ReadExactly(10), Gave::Blocked);
    lab.gives(1, Write(9), Gave::Moved(9));
    lab.releases(1, Write(9), Gave::Moved(9), &[(0, Gave::Moved(10))]);
    lab.gives(0, ReadExactly(10), Gave::Blocked);
    lab.releases(1, Close, Gave::Done, &[(0, Gave::Moved(8))]);
}

#[test]
fn a_write_without_a_reader_fails_with_epipe() {
    let mut lab = open_fifo(1, 1);
    lab.gives(0, Close, Gave::Done);
    lab.gives(1, Write(1), failed(Errno::EPIPE));
}

#[test]
fn a_nonblocking_write_returns_what_fits_or_eagain() {
    let mut lab = fifo(2);
    lab.gives(0, OPEN_READ_NONBLOCK, Gave::Done);
    lab.gives(1, OPEN_WRITE_NONBLOCK, Gave::Done);
    lab.gives(0, Read(1), failed(Errno::EAGAIN));
    lab.gives(1, Write(PAGE + 1), Gave::Moved(PAGE + 1));
    lab.gives(1, Write(2 * PAGE + 1), Gave::Moved(1));
    lab.gives(1, Write(PAGE), failed(Errno::EAGAIN));
}

#[test]
fn a_blocked_write_has_moved_what_fits() {
    let mut lab = open_fifo(1, 1);
    let settled = lab.settles(1, Write(3 * PAGE));
    assert_eq!((settled.gave, settled.queued[0]), (Gave::Blocked, Some(2 * PAGE)));
}

#[test]
fn a_half_full_pipe_blocks_until_a_whole_slot_is_read() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(2 * PAGE + 1), Gave::Blocked);
    lab.gives(0, Read(PAGE - 1), Gave::Moved(PAGE - 1));
    lab.releases(0, Read(1), Gave::Moved(1), &[(1, Gave::Moved(2 * PAGE + 1))]);
}

#[test]
fn a_write_that_slept_does_not_merge_any_more() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(2 * PAGE), Gave::Moved(2 * PAGE));
    lab.gives(2, Write(PAGE + 10), Gave::Blocked);
    // Both of the slots are now of the sleeper: a page, and its last 10 bytes.
    lab.releases(0, Read(2 * PAGE), Gave::Moved(2 * PAGE), &[(2, Gave::Moved(PAGE + 10))]);
    lab.gives(1, Write(PAGE - 9), Gave::Blocked);
}

#[test]
fn a_small_write_passes_a_sleeping_one_by_merging() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(PAGE + 10), Gave::Moved(PAGE + 10));
    lab.gives(1, Write(PAGE), Gave::Blocked);
    lab.gives(2, Write(10), Gave::Moved(10));
}

#[test]
fn a_blocked_write_whose_reader_goes_returns_its_short_count() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(3 * PAGE), Gave::Blocked);
    lab.releases(0, Close, Gave::Done, &[(1, Gave::Moved(2 * PAGE))]);
}

#[test]
fn a_blocked_write_that_moved_nothing_fails_when_its_reader_goes() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(2 * PAGE), Gave::Moved(2 * PAGE));
    lab.gives(1, Write(1), Gave::Blocked);
    lab.releases(0, Close, Gave::Done, &[(1, failed(Errno::EPIPE))]);
}

#[test]
fn the_reader_that_came_first_is_served_first() {
    let mut lab = open_fifo(2, 1);
    lab.gives(1, Read(10), Gave::Blocked);
    lab.gives(0, Read(10), Gave::Blocked);
    lab.releases(2, Write(3), Gave::Moved(3), &[(1, Gave::Moved(3))]);
}

#[test]
fn a_reader_that_leaves_something_wakes_the_next() {
    let mut lab = open_fifo(2, 1);
    lab.gives(0, Read(10), Gave::Blocked);
    lab.gives(1, Read(10), Gave::Blocked);
    lab.releases(2, Write(15), Gave::Moved(15), &[(0, Gave::Moved(10)), (1, Gave::Moved(5))]);
}

#[test]
fn a_reader_that_sleeps_again_goes_to_the_end_of_the_queue() {
    let mut lab = open_fifo(2, 1);
    lab.gives(0, ReadExactly(10), Gave::Blocked);
    lab.gives(1, Read(10), Gave::Blocked);
    lab.gives(2, Write(5), Gave::Moved(5));
    lab.releases(2, Write(5), Gave::Moved(5), &[(1, Gave::Moved(5))]);
}

#[test]
fn writers_that_sleep_take_turns() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(4 * PAGE), Gave::Blocked);
    lab.gives(2, Write(2 * PAGE), Gave::Blocked);
    lab.releases(0, Read(2 * PAGE), Gave::Moved(2 * PAGE), &[(1, Gave::Moved(4 * PAGE))]);
    lab.releases(0, Read(2 * PAGE), Gave::Moved(2 * PAGE), &[(2, Gave::Moved(2 * PAGE))]);
}

#[test]
fn a_read_that_frees_no_slot_leaves_the_turns_as_they_are() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(3 * PAGE), Gave::Blocked);
    lab.gives(2, Write(3 * PAGE), Gave::Blocked);
    lab.gives(0, Read(1), Gave::Moved(1));
    lab.releases(0, Read(PAGE - 1), Gave::Moved(PAGE - 1), &[(1, Gave::Moved(3 * PAGE))]);
}

#[test]
fn where_the_kernel_may_choose_all_results_are_given() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(5 * PAGE), Gave::Blocked);
    lab.gives(2, Write(4 * PAGE), Gave::Blocked);
    // When the reader comes back for the second half, the first writer has either
    // fallen asleep behind the other, or is still about to.
    let allowed = lab.0.after(0, 0, ReadExactly(4 * PAGE)).expect("a few");
    let released: Vec<_> = allowed.into_iter().map(|allowed| allowed.settled.released).collect();
    assert_eq!(released, [vec![], vec![(1, Gave::Moved(5 * PAGE))]]);
    assert_eq!(lab.0.play(0, 0, ReadExactly(4 * PAGE)), None, "and nothing is played");
}

#[test]
fn an_open_releases_everybody_who_waited_for_it() {
    let mut lab = fifo(3);
    lab.gives(0, OPEN_READ, Gave::Blocked);
    lab.gives(1, OPEN_READ, Gave::Blocked);
    lab.releases(2, OPEN_WRITE, Gave::Done, &[(0, Gave::Done), (1, Gave::Done)]);
}

#[test]
fn opening_both_ends_releases_either_kind_of_opener() {
    for opener in [OPEN_READ, OPEN_WRITE] {
        let mut lab = fifo(2);
        lab.gives(0, opener, Gave::Blocked);
        lab.releases(1, OPEN_BOTH, Gave::Done, &[(0, Gave::Done)]);
    }
}

#[test]
fn a_nonblocking_open_to_write_needs_a_reader() {
    let mut lab = fifo(2);
    lab.gives(1, OPEN_WRITE_NONBLOCK, failed(Errno::ENXIO));
    lab.gives(0, OPEN_READ, Gave::Blocked);
    lab.releases(1, OPEN_WRITE_NONBLOCK, Gave::Done, &[(0, Gave::Done)]);
}

#[test]
fn a_waiting_opener_keeps_the_queue_of_those_who_left() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(10), Gave::Moved(10));
    lab.gives(1, Close, Gave::Done);
    lab.gives(1, OPEN_READ, Gave::Blocked);
    let settled = lab.settles(0, Close);
    assert_eq!(settled.queued, [Some(10)]);
    lab.releases(0, OPEN_WRITE, Gave::Done, &[(1, Gave::Done)]);
    lab.gives(1, ReadAvailable, Gave::Moved(10));
}

#[test]
fn the_last_to_close_takes_the_queue_along() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(10), Gave::Moved(10));
    lab.gives(0, Close, Gave::Done);
    assert_eq!(lab.settles(1, Close).queued, [Some(0)]);
}

#[test]
fn a_killed_writers_bytes_stay_and_its_call_vanishes() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(3 * PAGE), Gave::Blocked);
    let settled = lab.settles(1, Kill);
    assert_eq!((settled.gave, settled.blocked, settled.queued[0]), (Gave::Ended, vec![], Some(2 * PAGE)));
    lab.gives(0, ReadToEof, Gave::Moved(2 * PAGE));
}

#[test]
fn a_killed_opener_is_no_partner_any_more() {
    let mut lab = fifo(2);
    lab.gives(0, OPEN_READ, Gave::Blocked);
    lab.gives(0, Kill, Gave::Ended);
    lab.gives(1, OPEN_WRITE_NONBLOCK, failed(Errno::ENXIO));
}

#[test]
fn a_killed_reader_is_missed_by_a_blocked_writer() {
    let mut lab = open_fifo(1, 1);
    lab.gives(1, Write(3 * PAGE), Gave::Blocked);
    lab.releases(0, Kill, Gave::Ended, &[(1, Gave::Moved(2 * PAGE))]);
}

#[test]
fn a_bigger_pipe_lets_sleeping_writers_go_on() {
    let mut lab = open_fifo(1, 2);
    lab.gives(1, Write(3 * PAGE), Gave::Blocked);
    lab.gives(2, Write(PAGE), Gave::Blocked);
    lab.releases(
        0,
        Resize(4 * PAGE),
        Gave::Moved(4 * PAGE),
        &[(1, Gave::Moved(3 * PAGE)), (2, Gave::Moved(PAGE))],
    );
}

#[test]
fn an_anonymous_pipe_has_both_ends_from_the_start() {
    let mut lab = Lab(State::pipe(machine(1), true, Rules::linux()).into());
    lab.gives(0, Read(1), failed(Errno::EAGAIN));
    lab.gives(1, Write(PAGE + 1), Gave::Moved(PAGE));
}
