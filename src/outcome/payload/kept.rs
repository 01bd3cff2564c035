//! The beginnings of some streams, once they are made: cases differ little in what they send.
//!
//! They lie in memory that a process shares with all that it forks. What one of them has made the
//! others find, a fork copies nothing of it, and who reads there touches few pages.

use std::{
    num::NonZeroUsize,
    ptr::NonNull,
    slice,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use super::make;

/// So many writers', so far (bytes).
const WRITERS: usize = 4;
const KEPT: usize = 512 * 1024;
/// Room for the numbers before them (bytes).
const HEAD: usize = 4096;
/// So much is made at once (bytes).
const PIECE: usize = 4096;

/// The memory.
struct Kept {
    start: NonNull<u8>,
    /// Held while something is made, by one of this process's threads.
    making: Mutex<()>,
}

// SAFETY: the memory stays, and is written as `part` says.
unsafe impl Send for Kept {}
// SAFETY: the same.
unsafe impl Sync for Kept {}

static MEMORY: OnceLock<Option<Kept>> = OnceLock::new();

/// Has those that this process forks share what is made from now on.
pub fn prepare() {
    memory();
}

fn memory() -> Option<&'static Kept> {
    let map = || {
        let length = NonZeroUsize::new(HEAD + WRITERS * KEPT)?;
        let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: no address is asked for, so it lies where nothing was.
        let start = unsafe { mmap_anonymous(None, length, rights, MapFlags::MAP_SHARED) }.ok()?;
        Some(Kept { start: start.cast(), making: Mutex::new(()) })
    };
    MEMORY.get_or_init(map).as_ref()
}

/// The bytes of `writer`'s stream from `offset` on, if they are among those that are kept.
pub(super) fn part(writer: usize, offset: u64, len: usize) -> Option<&'static [u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(len).filter(|end| *end <= KEPT && writer < WRITERS)?;
    let kept = memory()?;
    let made = kept.made(writer);
    if made.load(Ordering::Acquire) < end {
        // Whoever can't wait makes them for himself: a fork may have come in between.
        let _making = kept.making.try_lock().ok()?;
        let from = made.load(Ordering::Acquire);
        let to = end.next_multiple_of(PIECE).min(KEPT);
        if from < to {
            // SAFETY: inside the memory. Nobody in this process reads beyond `made`, nor writes
            // there; another one may, and then writes the same bytes.
            make(writer, from as u64, unsafe { slice::from_raw_parts_mut(kept.at(writer, from), to - from) });
            made.fetch_max(to, Ordering::Release);
        }
    }
    // SAFETY: inside the memory, which is never given back; what was made stays as it is.
    Some(unsafe { slice::from_raw_parts(kept.at(writer, start), len) })
}

impl Kept {
    /// Bytes of a stream that are made: it is read and written by several processes.
    fn made(&self, writer: usize) -> &AtomicUsize {
        // SAFETY: aligned, inside the head, zero at first, and used as nothing else.
        unsafe { self.start.cast::<AtomicUsize>().add(writer).as_ref() }
    }

    fn at(&self, writer: usize, offset: usize) -> *mut u8 {
        // SAFETY: the callers stay within the writer's part.
        unsafe { self.start.add(HEAD + writer * KEPT + offset).as_ptr() }
    }
}
