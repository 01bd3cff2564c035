//! Bytes in and out: one system call, or as many as it takes until one fails.

use libc::c_void;
use nix::errno::Errno;

use super::{Carry, Handles, Refused, Result, Said, Words, gave, memory::Memory};
use crate::{
    driver::builtin::read_more,
    outcome::payload::{self, MOST_SENT},
};

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

    /// Does something with them.
    pub(super) fn with<T>(&self, work: impl FnOnce(&[u8]) -> T) -> T {
        payload::with(self.writer, self.offset, self.length, work)
    }
}

/// Has a call take the bytes that the word at `at` stands for from where the others say that
/// they lie: it gets descriptor, place and length.
pub(super) fn giving(
    handles: &Handles,
    words: &Words<'_>,
    at: usize,
    call: impl FnOnce(i32, *mut c_void, usize) -> isize,
) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let coded = Coded::of(words.get(at)?)?;
    let memory = match () {
        () if words.has("torn") => {
            let mut torn = Memory::torn()?;
            let page = torn.bytes();
            let length = page.len().min(coded.length);
            payload::fill(coded.writer, coded.offset, &mut page[..length]);
            Some(torn)
        }
        () if words.has("beyond-eof") => Some(Memory::beyond_eof(coded.length)?),
        () => None,
    };
    let result = coded.with(|bytes| {
        let start = match &memory {
            _ if words.has("null") => std::ptr::null(),
            Some(memory) => memory.start().cast_const(),
            None => bytes.as_ptr(),
        };
        // The calls that give only read from there.
        Errno::result(call(fd, start.cast_mut().cast(), coded.length))
    });
    gave(result?)
}

/// Has a call put bytes where the words say: it gets descriptor, place and room. It may give a
/// number beyond the room (MSG_TRUNC).
pub(super) fn taking(
    handles: &Handles,
    words: &Words<'_>,
    call: impl FnOnce(i32, *mut c_void, usize) -> isize,
) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let room = words.number(1)?;
    // A fresh process pays for each page that it touches, so the room isn't cleared, unless the
    // kernel may say a number and put nothing there (tcp(7): MSG_TRUNC).
    let mut buffer: Vec<u8> = if words.has("trunc") { vec![0; room] } else { Vec::with_capacity(room) };
    let mut torn = words.has("torn").then(Memory::torn).transpose()?;
    let start = match &torn {
        _ if words.has("null") => std::ptr::null_mut(),
        Some(torn) => torn.start(),
        None => buffer.as_mut_ptr(),
    };
    let count = Errno::result(call(fd, start.cast(), room))? as usize;
    match &mut torn {
        _ if words.has("null") => buffer.clear(),
        Some(torn) => {
            // A number beyond what is mapped is of bytes that were put nowhere (tcp(7): MSG_TRUNC).
            let mapped = torn.bytes();
            buffer = mapped[..count.min(room).min(mapped.len())].to_vec();
        }
        // SAFETY: the kernel has put so many there, or they were cleared.
        None => unsafe { buffer.set_len(count.min(room)) },
    }
    Ok(Said { bytes: Some(count as u64), data: buffer, ..Said::default() })
}

/// Memory in three pieces, the last with what is left over.
fn vectors(start: *mut c_void, length: usize) -> [libc::iovec; PIECES] {
    let piece = length / PIECES;
    std::array::from_fn(|at| {
        let end = if at + 1 == PIECES { length } else { (at + 1) * piece };
        libc::iovec { iov_base: start.wrapping_byte_add(at * piece), iov_len: end - at * piece }
    })
}

pub(super) fn write(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel reads what is mapped there, and says EFAULT of the rest.
    giving(handles, words, 1, |fd, start, length| unsafe { libc::write(fd, start, length) })
}

pub(super) fn read(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel writes what fits into the room and is mapped.
    taking(handles, words, |fd, start, room| unsafe { libc::read(fd, start, room) })
}

pub(super) fn writev(handles: &mut Handles, words: &Words<'_>) -> Result {
    giving(handles, words, 1, |fd, start, length| {
        // SAFETY: the kernel reads the bytes that the vectors describe.
        unsafe { libc::writev(fd, vectors(start, length).as_ptr(), PIECES as i32) }
    })
}

pub(super) fn readv(handles: &mut Handles, words: &Words<'_>) -> Result {
    taking(handles, words, |fd, start, room| {
        // SAFETY: the kernel writes into the room that the vectors describe.
        unsafe { libc::readv(fd, vectors(start, room).as_ptr(), PIECES as i32) }
    })
}

pub(super) fn pwrite(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel reads at most as many bytes as it is told.
    giving(handles, words, 1, |fd, start, length| unsafe { libc::pwrite(fd, start, length, 0) })
}

pub(super) fn pread(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: the kernel writes at most as many bytes as it is told.
    taking(handles, words, |fd, start, room| unsafe { libc::pread(fd, start, room, 0) })
}

pub(super) fn pwritev(handles: &mut Handles, words: &Words<'_>) -> Result {
    giving(handles, words, 1, |fd, start, length| {
        // SAFETY: as for `writev`.
        unsafe { libc::pwritev(fd, vectors(start, length).as_ptr(), PIECES as i32, 0) }
    })
}

pub(super) fn preadv(handles: &mut Handles, words: &Words<'_>) -> Result {
    taking(handles, words, |fd, start, room| {
        // SAFETY: as for `readv`.
        unsafe { libc::preadv(fd, vectors(start, room).as_ptr(), PIECES as i32, 0) }
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

/// Two that feed each other would go on until there is no memory left.
fn within(moved: u64, other: &str) -> Result<()> {
    if moved < MOST_SENT {
        return Ok(());
    }
    let most = MOST_SENT >> 20;
    Err(Refused::Misused(format!("it has moved {most} MiB and nothing ends it: another actor {other}")))
}

/// What ended a row of calls.
fn ended(calls: u64, why: &str) -> Vec<String> {
    vec![format!("calls={calls}"), why.to_owned()]
}

pub(super) fn fill(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let Coded { length, writer, mut offset } = Coded::of(words.get(1)?)?;
    let (mut calls, start) = (0, offset);
    loop {
        within(offset - start, "drains what it fills")?;
        calls += 1;
        let count = payload::with(writer, offset, length, |piece| {
            // SAFETY: the kernel reads at most as many bytes as it is told.
            Errno::result(unsafe { libc::write(fd, piece.as_ptr().cast(), piece.len()) })
        });
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
    let (mut data, mut calls) = (Vec::new(), 0);
    loop {
        within(data.len() as u64, "fills what it drains")?;
        calls += 1;
        let why = match read_more(fd, &mut data, room) {
            Ok(0) => "eof".to_owned(),
            Ok(_) => continue,
            Err(errno) => format!("{errno:?}"),
        };
        let bytes = Some(data.len() as u64);
        return Ok(Said { bytes, words: ended(calls, &why), data, ..Said::default() });
    }
}
