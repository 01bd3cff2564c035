//! Bytes in and out: one system call, or as many as it takes until one fails.

use nix::{
    errno::Errno,
    sys::memfd::{MFdFlags, memfd_create},
};

use super::{Carry, Handles, Refused, Result, Said, Words, gave};
use crate::outcome::payload;

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("read", read),
    ("write", write),
    ("readv", readv),
    ("writev", writev),
    ("pread", pread),
    ("preadv", preadv),
    ("pwrite", pwrite),
    ("pwritev", pwritev),
    ("fill", fill),
    ("drain", drain),
    ("tail", tail),
];

/// Pieces of a vectored call.
const PIECES: usize = 3;

/// Position-coded bytes, as the wire asks for them: `LENGTH@WRITER:OFFSET`.
pub(super) struct Coded {
    pub(super) length: usize,
    writer: usize,
    offset: u64,
}

impl Coded {
    pub(super) fn of(word: &str) -> Result<Coded> {
        let parse = || {
            let (length, rest) = word.split_once('@')?;
            let (writer, offset) = rest.split_once(':')?;
            Some(Coded {
                length: length.parse().ok()?,
                writer: writer.parse().ok()?,
                offset: offset.parse().ok()?,
            })
        };
        parse().ok_or_else(|| Refused::Misused(format!("`{word}` is no payload")))
    }

    /// They, in memory of their own.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        payload::fill(self.writer, self.offset, &mut bytes);
        bytes
    }
}

/// Memory of which a call can take or fill only a part; given back when it is dropped.
pub(super) struct Torn {
    start: *mut u8,
    page: usize,
}

impl Torn {
    /// Two pages, the second of which isn't mapped.
    pub(super) fn new() -> Result<Torn> {
        // SAFETY: takes a name, returns a size.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: fresh memory that nobody else knows, of which one page is given back.
        unsafe {
            let start = libc::mmap(std::ptr::null_mut(), 2 * page, access, kind, -1, 0);
            if start == libc::MAP_FAILED {
                return Err(Errno::last().into());
            }
            libc::munmap(start.byte_add(page), page);
            Ok(Torn { start: start.cast(), page })
        }
    }

    /// Memory of a file behind its end: mapped, and nothing there.
    fn beyond_eof(length: usize) -> Result<Torn> {
        let file = memfd_create(c"empty", MFdFlags::MFD_CLOEXEC)?;
        let length = length.max(1);
        // SAFETY: fresh memory that nobody else knows.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                std::os::fd::AsRawFd::as_raw_fd(&file),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last().into());
        }
        Ok(Torn { start: start.cast(), page: length })
    }

    /// The page that is mapped.
    pub(super) fn page(&mut self) -> &mut [u8] {
        // SAFETY: it is mapped as long as this lives.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.page) }
    }
}

impl Drop for Torn {
    fn drop(&mut self) {
        // SAFETY: the page is ours.
        unsafe { libc::munmap(self.start.cast(), self.page) };
    }
}

pub(super) fn write(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let coded = Coded::of(words.get(1)?)?;
    // SAFETY: the kernel reads what is mapped there, and says EFAULT of the rest.
    giving(&coded, words, |start| unsafe { libc::write(fd, start, coded.length) })
}

pub(super) fn read(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let room = words.number(1)?;
    // SAFETY: the kernel writes what fits into `room` and is mapped.
    taking(room, words, |start| unsafe { libc::read(fd, start, room) })
}

/// Has a call take bytes from where the words say that they lie.
pub(super) fn giving(
    coded: &Coded,
    words: &Words<'_>,
    call: impl FnOnce(*const libc::c_void) -> isize,
) -> Result {
    let bytes = coded.bytes();
    let mut torn = words.has("torn").then(Torn::new).transpose()?;
    let beyond = words.has("beyond-eof").then(|| Torn::beyond_eof(coded.length)).transpose()?;
    let start = match (&mut torn, &beyond) {
        _ if words.has("null") => std::ptr::null(),
        (_, Some(beyond)) => beyond.start.cast_const(),
        (Some(torn), _) => {
            let page = torn.page();
            let length = page.len().min(bytes.len());
            page[..length].copy_from_slice(&bytes[..length]);
            torn.page().as_ptr()
        }
        _ => bytes.as_ptr(),
    };
    gave(Errno::result(call(start.cast()))?)
}

/// Has a call put bytes where the words say. It may give a number beyond `room`
/// (MSG_TRUNC).
pub(super) fn taking(
    room: usize,
    words: &Words<'_>,
    call: impl FnOnce(*mut libc::c_void) -> isize,
) -> Result {
    let mut buffer = vec![0; room];
    let mut torn = words.has("torn").then(Torn::new).transpose()?;
    let start = match &mut torn {
        _ if words.has("null") => std::ptr::null_mut(),
        Some(torn) => torn.page().as_mut_ptr(),
        None => buffer.as_mut_ptr(),
    };
    let count = Errno::result(call(start.cast()))? as usize;
    let put = if words.has("null") { 0 } else { count.min(room) };
    if let Some(torn) = &mut torn {
        buffer[..put].copy_from_slice(&torn.page()[..put]);
    }
    buffer.truncate(put);
    Ok(Said { bytes: Some(count as u64), data: buffer, ..Said::default() })
}

/// Memory in three pieces, the last with what is left over.
fn vectors(memory: &mut [u8]) -> [libc::iovec; PIECES] {
    let piece = memory.len() / PIECES;
    std::array::from_fn(|at| {
        let end = if at + 1 == PIECES { memory.len() } else { (at + 1) * piece };
        let part = &mut memory[at * piece..end];
        libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() }
    })
}

/// One call that takes bytes of the actor's stream from memory.
fn send_by(
    handles: &Handles,
    words: &Words<'_>,
    call: impl FnOnce(i32, &mut [u8]) -> libc::ssize_t,
) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let mut bytes = Coded::of(words.get(1)?)?.bytes();
    gave(Errno::result(call(fd, &mut bytes))?)
}

/// One call that puts bytes into memory.
fn receive_by(
    handles: &Handles,
    words: &Words<'_>,
    call: impl FnOnce(i32, &mut [u8]) -> libc::ssize_t,
) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let mut data = vec![0; words.number(1)?];
    let count = Errno::result(call(fd, &mut data))? as usize;
    data.truncate(count);
    Ok(Said { bytes: Some(count as u64), data, ..Said::default() })
}

pub(super) fn readv(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel writes into the room that the vectors describe.
    receive_by(handles, words, |fd, room| unsafe { libc::readv(fd, vectors(room).as_ptr(), PIECES as i32) })
}

pub(super) fn writev(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel reads the bytes that the vectors describe.
    send_by(handles, words, |fd, bytes| unsafe { libc::writev(fd, vectors(bytes).as_ptr(), PIECES as i32) })
}

pub(super) fn pread(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel writes at most as many bytes as it is told.
    receive_by(handles, words, |fd, room| unsafe { libc::pread(fd, room.as_mut_ptr().cast(), room.len(), 0) })
}

pub(super) fn pwrite(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel reads at most as many bytes as it is told.
    send_by(handles, words, |fd, bytes| unsafe { libc::pwrite(fd, bytes.as_ptr().cast(), bytes.len(), 0) })
}

pub(super) fn preadv(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: as for `readv`.
    receive_by(handles, words, |fd, room| unsafe {
        libc::preadv(fd, vectors(room).as_ptr(), PIECES as i32, 0)
    })
}

pub(super) fn pwritev(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: as for `writev`.
    send_by(handles, words, |fd, bytes| unsafe {
        libc::pwritev(fd, vectors(bytes).as_ptr(), PIECES as i32, 0)
    })
}

/// What `tail -f` does on a FIFO whose writers have left.
pub(super) fn tail(handles: &mut Handles, words: &Words<'_>) -> Result {
    loop {
        super::wait::poll(handles, &Words(&[words.get(0)?.to_owned(), "in".to_owned()]))?;
        let said = read(handles, words)?;
        if !said.data.is_empty() {
            return Ok(said);
        }
    }
}

/// What ended a row of calls.
fn ended(calls: u64, why: &str) -> Vec<String> {
    vec![format!("calls={calls}"), why.to_owned()]
}

pub(super) fn fill(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let Coded { length, writer, mut offset } = Coded::of(words.get(1)?)?;
    let (mut piece, mut calls, start) = (vec![0; length], 0, offset);
    loop {
        payload::fill(writer, offset, &mut piece);
        calls += 1;
        // SAFETY: the kernel reads at most as many bytes as it is told.
        let count = Errno::result(unsafe { libc::write(fd, piece.as_ptr().cast(), piece.len()) });
        let why = match count {
            Ok(count) => {
                offset += count as u64;
                match count as usize {
                    whole if whole == length && length > 0 => continue,
                    _ => "short".to_owned(),
                }
            }
            Err(errno) => format!("{errno:?}"),
        };
        return Ok(Said { bytes: Some(offset - start), words: ended(calls, &why), ..Said::default() });
    }
}

pub(super) fn drain(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let room: usize = words.number(1)?;
    let (mut data, mut buffer, mut calls) = (Vec::new(), vec![0_u8; room], 0);
    loop {
        calls += 1;
        // SAFETY: the kernel writes at most as many bytes as it is told.
        let count = Errno::result(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), room) });
        let why = match count {
            Ok(0) => "eof".to_owned(),
            Ok(count) => {
                data.extend_from_slice(&buffer[..count as usize]);
                continue;
            }
            Err(errno) => format!("{errno:?}"),
        };
        let bytes = Some(data.len() as u64);
        return Ok(Said { bytes, words: ended(calls, &why), data, ..Said::default() });
    }
}
