//! What a shepherd shows the stage without a word: a page that both share.

use std::{
    num::NonZeroUsize,
    ptr::NonNull,
    sync::atomic::{AtomicI32, Ordering},
};

use nix::{
    errno::Errno,
    sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap},
};

use crate::observe::Kept;

/// The shared page.
pub(in crate::stage) struct Board(NonNull<Page>);

struct Page {
    /// Process id of the program from its fork to its reaping; 0 else.
    program: AtomicI32,
    /// Threads that the tracer keeps stopped, each in some place, those that job control has
    /// stopped as negative numbers; 0 else.
    held: [AtomicI32; MOST_HELD],
}

/// More threads than that are seldom stopped at once. (One that finds no place doesn't count
/// as at rest.)
const MOST_HELD: usize = 512;

impl Board {
    /// # Errors
    /// As mmap(2).
    pub(super) fn new() -> Result<Board, Errno> {
        let length = NonZeroUsize::new(size_of::<Page>()).expect("a page isn't empty");
        let (protection, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED);
        // SAFETY: a fresh mapping, zeroed, which is a valid page of atomics.
        let page = unsafe { mmap_anonymous(None, length, protection, flags) }?;
        Ok(Board(page.cast()))
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped as long as this lives, and only atomics are in it.
        unsafe { self.0.as_ref() }
    }

    /// The program's process id, while it hasn't been reaped.
    pub(in crate::stage) fn program(&self) -> Option<i32> {
        Some(self.page().program.load(Ordering::Acquire)).filter(|pid| *pid > 0)
    }

    /// How the tracer keeps a thread stopped, until a step or a signal lets it go on.
    pub(in crate::stage) fn kept(&self, tid: i32) -> Option<Kept> {
        let kept = |number| self.page().held.iter().any(|held| held.load(Ordering::Acquire) == number);
        kept(tid).then_some(Kept::AtCall).or_else(|| kept(-tid).then_some(Kept::Stopped))
    }

    pub(super) fn keep(&self, tid: i32, kept: Kept) {
        self.go_on(tid);
        self.replace(0, if kept == Kept::AtCall { tid } else { -tid });
    }

    pub(super) fn go_on(&self, tid: i32) {
        self.replace(tid, 0);
        self.replace(-tid, 0);
    }

    fn replace(&self, before: i32, after: i32) {
        // Nobody else writes here.
        let place = self.page().held.iter().find(|held| held.load(Ordering::Relaxed) == before);
        if let Some(place) = place {
            place.store(after, Ordering::Release);
        }
    }

    pub(super) fn set_program(&self, pid: i32) {
        self.page().program.store(pid, Ordering::Release);
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: nothing refers to the mapping any more.
        let _ = unsafe { munmap(self.0.cast(), size_of::<Page>()) };
    }
}
