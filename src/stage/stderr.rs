//! What an actor writes to standard error.

use std::{
    cell::RefCell,
    fs::File,
    mem::ManuallyDrop,
    os::{
        fd::{AsRawFd, RawFd},
        unix::fs::FileExt,
    },
    rc::Rc,
};

use nix::{
    errno::Errno,
    sys::memfd::{MFdFlags, memfd_create},
};

thread_local! {
    /// Files into which built-in drivers that have ended wrote nothing: as good as
    /// new, and cheaper. Nobody else has them: these drivers start no process, and of copies and
    /// threads, which share one, the last puts it here.
    /// Never dropped: an actor is a fork of the stage, and its exit(3) runs the destructors of
    /// thread-local values, where these descriptors are closed or others.
    static UNUSED: RefCell<ManuallyDrop<Vec<Rc<File>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// More of them only hold descriptors.
const MOST_UNUSED: usize = 2;

/// How much of a driver's last words is shown (bytes).
const LAST_WORDS: usize = 2000;

/// An actor's words: up to its first case, in cases before this one, and in this one.
pub(super) struct Stderr {
    file: Rc<File>,
    at_start: u64,
    before: u64,
}

impl Stderr {
    /// A file without a name, empty.
    ///
    /// # Errors
    /// As memfd_create(2).
    pub(super) fn new() -> Result<Stderr, Errno> {
        let file = match UNUSED.with_borrow_mut(|unused| unused.pop()) {
            Some(file) => file,
            None => Rc::new(File::from(memfd_create(c"stderr", MFdFlags::MFD_CLOEXEC)?)),
        };
        Ok(Stderr { file, at_start: 0, before: 0 })
    }

    /// The same file, for a copy of the actor.
    pub(super) fn share(&self) -> Stderr {
        Stderr { file: self.file.clone(), ..*self }
    }

    /// Its first case begins: what it said so far belongs to all.
    pub(super) fn mark(&mut self) {
        self.at_start = self.said();
        self.before = self.at_start;
    }

    /// Another case begins.
    pub(super) fn begin(&mut self) {
        self.before = self.said();
    }

    /// The end of what it said, cases before this one left out.
    pub(super) fn last_words(&self) -> String {
        // By position: the actor writes at the offset, which is shared.
        let read = |from: u64, to: u64| {
            let mut words = vec![0; to.saturating_sub(from) as usize];
            let length = self.file.read_at(&mut words, from).unwrap_or(0);
            words.truncate(length);
            words
        };
        let text = [read(0, self.at_start), read(self.before, self.said())].concat();
        let start = text.len().saturating_sub(LAST_WORDS);
        String::from_utf8_lossy(&text[start..]).trim().to_owned()
    }

    /// A built-in driver has ended: the next may write where it wrote nothing.
    pub(super) fn reuse(&self) {
        let is_as_new = || {
            Rc::strong_count(&self.file) == 1
                && self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
        };
        UNUSED.with_borrow_mut(|unused| {
            if unused.len() < MOST_UNUSED && is_as_new() {
                unused.push(self.file.clone());
            }
        });
    }

    /// Bytes that were written to it.
    fn said(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl AsRawFd for Stderr {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_several_write_to_serves_again_when_the_last_has_ended() {
        let one = Stderr::new().unwrap();
        let copy = one.share();
        copy.reuse();
        drop(copy);
        let next = Stderr::new().unwrap();
        assert!(!Rc::ptr_eq(&next.file, &one.file), "its first owner still has it");
        one.reuse();
        let file = Rc::as_ptr(&one.file);
        drop(one);
        assert_eq!(Rc::as_ptr(&Stderr::new().unwrap().file), file);
    }
}
