//! Bytes from one descriptor to another: splice(2), tee(2), sendfile(2), vmsplice(2).

use nix::errno::Errno;

use super::{Carry, Handles, Result, Words, bits, gave, memory::Memory, transfer::Coded};

pub(super) const CALLS: &[(&str, Carry)] =
    &[("splice", splice), ("tee", tee), ("sendfile", sendfile), ("vmsplice", vmsplice)];

const FLAGS: &[(i32, &str)] = &[(libc::SPLICE_F_NONBLOCK as i32, "nonblock")];

pub(super) fn splice(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (from, into) = (handles.get(words.get(0)?)?, handles.get(words.get(1)?)?);
    let (mut zero_in, mut zero_out) = (0, 0);
    let offset = |word, zero| if words.has(word) { zero } else { std::ptr::null_mut() };
    let (offset_in, offset_out) =
        (offset("offset-in", &raw mut zero_in), offset("offset-out", &raw mut zero_out));
    let (size, flags) = (words.number(2)?, bits(words, FLAGS) as u32);
    // SAFETY: the kernel reads and writes one offset each, where there is one.
    gave(Errno::result(unsafe { libc::splice(from, offset_in, into, offset_out, size, flags) })?)
}

pub(super) fn tee(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (from, into) = (handles.get(words.get(0)?)?, handles.get(words.get(1)?)?);
    let (size, flags) = (words.number(2)?, bits(words, FLAGS) as u32);
    // SAFETY: numbers.
    gave(Errno::result(unsafe { libc::tee(from, into, size, flags) })?)
}

pub(super) fn sendfile(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (into, from) = (handles.get(words.get(0)?)?, handles.get(words.get(1)?)?);
    let size = words.number(2)?;
    // SAFETY: numbers, and no offset.
    gave(Errno::result(unsafe { libc::sendfile(into, from, std::ptr::null_mut(), size) })?)
}

pub(super) fn vmsplice(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let coded = Coded::of(words.get(1)?)?;
    let pages = coded.with(Memory::holding)?;
    let piece = if words.has("bytewise") { 1 } else { coded.length.max(1) };
    let pieces: Vec<libc::iovec> = (0..coded.length)
        .step_by(piece)
        // SAFETY: it stays inside the pages.
        .map(|at| libc::iovec { iov_base: unsafe { pages.start().byte_add(at) }.cast(), iov_len: piece })
        .collect();
    let flags = bits(words, FLAGS) as u32;
    // SAFETY: the kernel takes the pages that lie there.
    gave(Errno::result(unsafe { libc::vmsplice(fd, pieces.as_ptr(), pieces.len(), flags) })?)
}
