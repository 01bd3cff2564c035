//! What a stopped thread's arguments point to.

use std::io::IoSlice;

use nix::{
    errno::Errno,
    sys::uio::{RemoteIoVec, process_vm_writev},
    unistd::Pid,
};

pub(super) use crate::observe::memory::{read, text};

/// A `struct iovec` of the thread's: address and length.
pub(super) const VECTOR: usize = 2 * size_of::<usize>();

/// UIO_MAXIOV, more than which readv(2) and its kin refuse.
const MOST_VECTORS: u64 = 1024;

pub(super) fn write(tid: i32, address: u64, bytes: &[u8]) -> Result<(), Errno> {
    let remote = RemoteIoVec { base: address as usize, len: bytes.len() };
    process_vm_writev(Pid::from_raw(tid), &[IoSlice::new(bytes)], &[remote]).map(drop)
}

/// The lengths of an array of `struct iovec`.
pub(super) fn lengths(tid: i32, array: u64, count: u64) -> Option<Vec<u64>> {
    let bytes = read(tid, array, count.min(MOST_VECTORS) as usize * VECTOR).ok()?;
    Some(bytes.chunks_exact(VECTOR).map(|vector| word(vector, 1)).collect())
}

/// The bytes that a `struct msghdr` has room for: its third and fourth word are an array
/// of `struct iovec` and its length.
pub(super) fn message_size(tid: i32, address: u64) -> Option<u64> {
    let header = read(tid, address, 4 * size_of::<usize>()).ok()?;
    if header.len() < 4 * size_of::<usize>() {
        return None;
    }
    lengths(tid, word(&header, 2), word(&header, 3)).map(|lengths| sum(&lengths))
}

/// A program may ask for more than any number holds.
pub(super) fn sum(lengths: &[u64]) -> u64 {
    lengths.iter().fold(0, |sum, length| sum.saturating_add(*length))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let size = size_of::<usize>();
    usize::from_ne_bytes(bytes[at * size..(at + 1) * size].try_into().expect("a word")) as u64
}
