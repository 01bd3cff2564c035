//! What a sleeping thread's arguments point to (process_vm_readv(2)).

use std::io::IoSliceMut;

use nix::{
    errno::Errno,
    sys::uio::{RemoteIoVec, process_vm_readv},
    unistd::Pid,
};

/// Paths are no longer than that (limits.h, PATH_MAX).
const LONGEST_PATH: usize = 4096;
const PAGE: u64 = 4096;

/// `length` bytes at an address; fewer at the end of what is mapped.
pub(crate) fn read(tid: i32, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; length];
    let remote = RemoteIoVec { base: address as usize, len: length };
    let count = process_vm_readv(Pid::from_raw(tid), &mut [IoSliceMut::new(&mut bytes)], &[remote])?;
    bytes.truncate(count);
    Ok(bytes)
}

/// The text at an address, up to its 0.
pub(crate) fn text(tid: i32, address: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while text.len() < LONGEST_PATH {
        // What follows a page may not be mapped.
        let at = address + text.len() as u64;
        let part = read(tid, at, (PAGE - at % PAGE) as usize).ok()?;
        match part.iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend(&part[..end]);
                return Some(text);
            }
            None if part.is_empty() => return None,
            None => text.extend(part),
        }
    }
    None
}
