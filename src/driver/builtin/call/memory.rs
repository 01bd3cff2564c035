//! Memory of a shape that a call is to meet: mmap(2).

use std::os::fd::{AsRawFd, RawFd};

use nix::{
    errno::Errno,
    sys::memfd::{MFdFlags, memfd_create},
};

use super::Result;

/// Memory of its own, given back when it is dropped. (A pipe that still has pages of it
/// keeps them as they are.)
pub(super) struct Memory {
    start: *mut u8,
    /// What can be used of it (bytes).
    length: usize,
}

impl Memory {
    /// Pages that begin with these bytes.
    pub(super) fn holding(bytes: &[u8]) -> Result<Memory> {
        let mut memory = Memory::map(bytes.len().max(1), None)?;
        memory.bytes()[..bytes.len()].copy_from_slice(bytes);
        Ok(memory)
    }

    /// Two pages, the second of which isn't mapped.
    pub(super) fn torn() -> Result<Memory> {
        // SAFETY: takes a name, returns a size.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let mut memory = Memory::map(2 * page, None)?;
        memory.length = page;
        // SAFETY: the second page is nobody else's, and is forgotten.
        unsafe { libc::munmap(memory.start.byte_add(page).cast(), page) };
        Ok(memory)
    }

    /// Memory of a file behind its end: mapped, and nothing there.
    pub(super) fn beyond_eof(length: usize) -> Result<Memory> {
        let file = memfd_create(c"empty", MFdFlags::MFD_CLOEXEC)?;
        Memory::map(length.max(1), Some(file.as_raw_fd()))
    }

    /// Fresh memory: of nothing, or of a file, which is only read.
    fn map(length: usize, file: Option<RawFd>) -> Result<Memory> {
        let (access, kind) = match file {
            None => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_ANONYMOUS),
            Some(_) => (libc::PROT_READ, 0),
        };
        let (kind, file) = (libc::MAP_PRIVATE | kind, file.unwrap_or(-1));
        // SAFETY: the kernel chooses a place where nothing is.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, access, kind, file, 0) };
        if start == libc::MAP_FAILED {
            return Err(Errno::last().into());
        }
        Ok(Memory { start: start.cast(), length })
    }

    /// Where it begins.
    pub(super) fn start(&self) -> *mut u8 {
        self.start
    }

    /// What is there, unless it lies beyond a file's end.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: it is mapped as long as this lives.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}
