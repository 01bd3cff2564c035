//! The buffer: a ring of slots, each holding (part of) one page.
//!
//! 1. Capacity is a number of slots, and a slot is taken until its last byte has
//!    been read: a pipe can be full with few bytes in it. (`pipe_full`, `pipe_read`)
//! 2. A write begins by merging: if the pipe isn't empty, the remainder of its
//!    length by the page, if there is one, goes behind the last slot's bytes,
//!    provided that all of it fits in that page. Room in front of the slot's bytes,
//!    already read, doesn't count. (`pipe_write`, "we try to merge new data")
//! 3. What is left is put into new slots, a page each, while slots are free. It is
//!    never merged, so a write that slept never merges. (`pipe_write`, the loop)
//! 4. So a write of at most a page either fits whole or moves nothing: that is how
//!    PIPE_BUF (4,096 on Linux) comes to be atomic. pipe(7), write(2)
//! 5. A longer write moves what fits, which may be its remainder alone.
//! 6. One read(2) takes from the first slots on until it has what it asked for or
//!    the pipe is empty. (`pipe_read`)
//! 7. Resizing keeps the slots as they are; it fails with EBUSY if more are taken
//!    than there would be. (`pipe_resize_ring`, F_SETPIPE_SZ in fcntl(2))
//! 8. What is written with O_DIRECT marks its slots as packets: nothing is put behind
//!    them, a read ends with one, and what it has no room for of it is gone. The mark is
//!    the slot's: such a write may itself be put behind an ordinary slot's bytes.
//!    (`PIPE_BUF_FLAG_PACKET`, `PIPE_BUF_FLAG_CAN_MERGE`)

use std::collections::VecDeque;

use super::{Rule, Rules, Used};

/// What a pipe is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Bytes in a page, and so in a slot.
    pub page: u64,
    /// Slots: the capacity (F_GETPIPE_SZ) divided by the page. 16 unless limits or
    /// F_SETPIPE_SZ say otherwise, pipe(7).
    pub slots: usize,
}

impl Geometry {
    /// The capacity in bytes, as F_GETPIPE_SZ gives it.
    pub fn capacity(self) -> u64 {
        self.page * self.slots as u64
    }
}

/// One `struct pipe_buffer`: bytes `start..end` of its page hold data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Slot {
    start: u64,
    end: u64,
    packet: bool,
}

/// What one read took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Bytes taken.
    pub bytes: u64,
    /// A slot of a full pipe became free: writers are worth waking.
    pub made_room: bool,
}

/// The buffer of a pipe or FIFO. It counts bytes; their values have no say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pipe {
    geometry: Geometry,
    ring: VecDeque<Slot>,
    rules: Rules,
    /// Somebody has polled it since it was new. (`poll_usage`)
    pub polled: bool,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(geometry: Geometry, rules: Rules) -> Pipe {
        Pipe { geometry, ring: VecDeque::new(), rules, polled: false }
    }

    /// Page and slots as they are now.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Bytes that were written and not yet read, as FIONREAD gives them.
    pub fn queued(&self) -> u64 {
        self.ring.iter().map(|slot| slot.end - slot.start).sum()
    }

    /// There is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// No slot is free (rule 1). A merge may still succeed.
    pub fn is_full(&self) -> bool {
        if self.rules.hold(Rule::Slots) {
            self.ring.len() >= self.geometry.slots
        } else {
            self.queued() >= self.geometry.capacity()
        }
    }

    /// Rules 2 and 8: merges the remainder of a write of `len` bytes; returns the bytes
    /// that went in.
    pub fn merge(&mut self, len: u64, used: &mut Used) -> u64 {
        let remainder = len % self.geometry.page;
        let whole = self.rules.hold(Rule::MergeWhole);
        let Some(last) = self.ring.back_mut().filter(|_| remainder > 0) else { return 0 };
        if last.packet {
            used.add(Rule::Packets);
            return 0;
        }
        used.add(Rule::MergeWhole);
        let fits = remainder.min(self.geometry.page - last.end);
        if fits < remainder && whole || !self.rules.hold(Rule::Merge) {
            return 0;
        }
        used.add(Rule::Merge);
        last.end += fits;
        fits
    }

    /// Rules 3 and 8: puts up to `len` bytes into new slots; returns the bytes that went in.
    pub fn fill(&mut self, len: u64, packet: bool) -> u64 {
        let mut left = len;
        while left > 0 && !self.is_full() {
            let mut end = left.min(self.geometry.page);
            if !self.rules.hold(Rule::Slots) {
                end = end.min(self.geometry.capacity() - self.queued());
            }
            self.ring.push_back(Slot { start: 0, end, packet });
            left -= end;
        }
        len - left
    }

    /// Rules 6 and 8: takes up to `len` bytes.
    pub fn drain(&mut self, len: u64, used: &mut Used) -> Drained {
        let was_full = self.is_full();
        let mut left = len;
        let mut made_room = false;
        while left > 0 {
            let Some(first) = self.ring.front_mut() else { break };
            let taken = left.min(first.end - first.start);
            first.start += taken;
            left -= taken;
            let packet = first.packet;
            let gone = if packet && first.start < first.end {
                used.add(Rule::PacketRest);
                self.rules.hold(Rule::PacketRest)
            } else {
                first.start == first.end
            };
            if gone {
                self.ring.pop_front();
                made_room = was_full;
            }
            if packet {
                used.add(Rule::Packets);
                if self.rules.hold(Rule::Packets) {
                    break;
                }
            }
        }
        Drained { bytes: len - left, made_room }
    }

    /// Rule 7: gives the pipe `slots` slots (the kernel rounds what it is asked for
    /// up to a page times a power of two), or says false for EBUSY.
    pub fn resize(&mut self, slots: usize) -> bool {
        let fits = self.ring.len() <= slots;
        if fits {
            self.geometry.slots = slots;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    fn pipe(slots: usize) -> Pipe {
        Pipe::new(Geometry { page: PAGE, slots }, Rules::linux())
    }

    /// Plays the part of write(2) that needs no waiting.
    fn write(pipe: &mut Pipe, len: u64) -> u64 {
        let merged = pipe.merge(len, &mut Used::default());
        merged + pipe.fill(len - merged, false)
    }

    #[test]
    fn a_slot_is_taken_until_its_last_byte_has_been_read() {
        let mut pipe = pipe(1);
        assert_eq!(write(&mut pipe, PAGE), PAGE);
        assert_eq!(pipe.drain(PAGE - 1, &mut Used::default()), Drained { bytes: PAGE - 1, made_room: false });
        assert!(pipe.is_full(), "one byte left, and still no room");
        assert_eq!(write(&mut pipe, 1), 0);
        assert_eq!(pipe.drain(1, &mut Used::default()), Drained { bytes: 1, made_room: true });
        assert_eq!(write(&mut pipe, 1), 1);
    }

    #[test]
    fn a_remainder_merges_into_the_last_page_if_it_fits_there_whole() {
        let mut pipe = pipe(1);
        write(&mut pipe, 1);
        assert_eq!(write(&mut pipe, PAGE - 1), PAGE - 1);
        assert_eq!(pipe.queued(), PAGE);
    }

    #[test]
    fn a_remainder_that_fits_in_part_takes_a_slot_of_its_own() {
        let mut pipe = pipe(2);
        write(&mut pipe, 2);
        assert_eq!(write(&mut pipe, PAGE - 1), PAGE - 1);
        assert!(pipe.is_full());
    }

    #[test]
    fn room_in_front_of_the_last_slots_bytes_does_not_count() {
        let mut pipe = pipe(1);
        write(&mut pipe, PAGE);
        pipe.drain(100, &mut Used::default());
        assert_eq!(write(&mut pipe, 100), 0);
    }

    #[test]
    fn whole_pages_never_merge() {
        let mut pipe = pipe(2);
        write(&mut pipe, 1);
        assert_eq!(write(&mut pipe, PAGE), PAGE);
        assert!(pipe.is_full());
        assert_eq!(pipe.queued(), PAGE + 1);
    }

    #[test]
    fn a_longer_write_may_move_its_remainder_alone() {
        let mut pipe = pipe(1);
        write(&mut pipe, 1);
        assert_eq!(write(&mut pipe, PAGE + 7), 7);
    }

    #[test]
    fn a_write_of_a_page_or_less_moves_all_or_nothing() {
        for queued in [1, 7, PAGE - 1, PAGE] {
            for len in [1, 8, PAGE - 1, PAGE] {
                let mut pipe = pipe(1);
                write(&mut pipe, queued);
                let moved = write(&mut pipe, len);
                assert!(moved == 0 || moved == len, "{moved} of {len} moved");
            }
        }
    }

    #[test]
    fn a_read_goes_over_as_many_slots_as_it_needs() {
        let mut pipe = pipe(4);
        write(&mut pipe, 3 * PAGE + 1);
        assert_eq!(pipe.drain(2 * PAGE + 1, &mut Used::default()).bytes, 2 * PAGE + 1);
        assert_eq!(pipe.drain(u64::MAX, &mut Used::default()).bytes, PAGE);
        assert!(pipe.is_empty());
    }

    #[test]
    fn a_pipe_cannot_shrink_below_the_slots_that_are_taken() {
        let mut pipe = pipe(4);
        write(&mut pipe, PAGE + 1);
        assert!(!pipe.resize(1));
        assert_eq!(pipe.geometry().slots, 4);
        assert!(pipe.resize(2));
        assert!(pipe.is_full());
    }
}
