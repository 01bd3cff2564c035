//! `stdio`: the C library's FILE, used as C programs use it: fopen(3),
//! setvbuf(3), fwrite(3), fflush(3), fread(3), fclose(3), exit(3).

mod child;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::CString,
    ptr,
};

use libc::FILE;
use nix::errno::Errno;

use child::Started;

use super::{
    Builtin, Leak, Mode, Order, Reply, Spawn, failed, misused, not_open, open_already, raw, silence,
};
use crate::{
    outcome::{Access, Amount, Layer},
    wire::{Abilities, Hello},
};

/// Bytes that one fread(3) of `to-eof` asks for.
const GULP: usize = 64 * 1024;

unsafe extern "C" {
    /// Bytes in a stream's output buffer (stdio_ext(3); glibc and musl have it).
    fn __fpending(stream: *mut FILE) -> libc::size_t;
}

pub(super) struct Stdio {
    mode: Mode,
    open: HashMap<String, Stream>,
    children: HashMap<String, Started>,
}

/// An open stream. The buffer given to setvbuf must outlive it.
struct Stream {
    file: *mut FILE,
    /// It was opened to write.
    writes: bool,
    _buffer: Option<Box<[u8]>>,
}

impl Stdio {
    pub(super) fn new(mode: &Mode) -> Stdio {
        Stdio { mode: mode.clone(), open: HashMap::new(), children: HashMap::new() }
    }

    fn open(&self, path: &str, access: Access, nonblock: bool) -> Result<Stream, Errno> {
        let mode = match access {
            Access::Read => c"r",
            Access::Write => c"w",
            Access::Both => c"r+",
        };
        let file = if nonblock {
            let fd = raw::open(path, access, true)?;
            // SAFETY: a fresh descriptor that nothing else owns, and a literal.
            unsafe { libc::fdopen(fd, mode.as_ptr()) }
        } else {
            let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
            // SAFETY: two C strings that outlive the call.
            unsafe { libc::fopen(path.as_ptr(), mode.as_ptr()) }
        };
        if file.is_null() {
            return Err(Errno::last());
        }
        Ok(self.stream(file, access.writes()))
    }

    /// A fresh stream, with the buffer of the mode.
    fn stream(&self, file: *mut FILE, writes: bool) -> Stream {
        // glibc takes the size only together with a buffer.
        let mut buffer = self.mode.buffer.map(|bytes| vec![0; bytes].into_boxed_slice());
        let (start, bytes) = buffer.as_mut().map_or((ptr::null_mut(), 0), |buffer| {
            (buffer.as_mut_ptr().cast::<libc::c_char>(), buffer.len())
        });
        let how = match self.mode.name.as_str() {
            "line" => Some(libc::_IOLBF),
            "unbuffered" => Some(libc::_IONBF),
            _ => buffer.is_some().then_some(libc::_IOFBF),
        };
        if let Some(how) = how {
            // SAFETY: the stream is fresh, and the buffer lives in the Stream
            // beside it until after fclose.
            unsafe { libc::setvbuf(file, start, how, bytes) };
        }
        Stream { file, writes, _buffer: buffer }
    }
}

impl Builtin for Stdio {
    fn hello(&self) -> Hello {
        let (runtime, version) = c_library();
        let symbols = BTreeMap::from([("bufsiz".into(), libc::BUFSIZ.into())]);
        let forgets = self.mode.leak != Some(Leak::Shown);
        Hello { runtime, version, symbols, abilities: Abilities { forgets, ..Abilities::ALL } }
    }

    fn carry_out(&mut self, order: Order) -> Reply {
        match order {
            Order::Open { channel, access, nonblock, path } => {
                if self.open.contains_key(&channel) {
                    return open_already(&channel);
                }
                match self.open(&path, access, nonblock) {
                    Ok(stream) => {
                        // SAFETY: the stream is open.
                        let fd = unsafe { libc::fileno(stream.file) };
                        self.open.insert(channel, stream);
                        Reply::Ok { fd: Some(fd), bytes: None }
                    }
                    Err(errno) => failed(errno, None, 0, vec![]),
                }
            }
            Order::Write { channel, piece, payload } => match self.open.get(&channel) {
                Some(stream) => write(stream, &payload, piece),
                None => not_open(&channel),
            },
            Order::Flush { channel } => match self.open.get(&channel) {
                // SAFETY: the stream is open.
                Some(stream) => match unsafe { libc::fflush(stream.file) } {
                    0 => Reply::DONE,
                    _ => failed(Errno::last(), None, 0, vec![]),
                },
                None => not_open(&channel),
            },
            Order::Read { channel, amount } => match self.open.get(&channel) {
                Some(stream) => read(stream, amount),
                None => not_open(&channel),
            },
            Order::Close { channel } => match self.open.remove(&channel) {
                Some(stream) if self.mode.leak.is_some() => leak(stream),
                Some(stream) if self.is_of_popen(stream.file) => {
                    self.open.insert(channel, stream);
                    misused("a stream of popen(3) is closed by pclose(3), which waits: `wait`".to_owned())
                }
                // SAFETY: the stream is open, and is forgotten here; its buffer
                // is dropped after the call.
                Some(stream) => match unsafe { libc::fclose(stream.file) } {
                    0 => Reply::DONE,
                    _ => failed(Errno::last(), None, 0, vec![]),
                },
                None => not_open(&channel),
            },
            Order::Spawn { child, streams, words, env } => {
                self.spawn(&Spawn { child: &child, streams, words: &words, env: &env })
            }
            Order::Wait { child, nonblock } => self.wait(&child, nonblock),
            Order::Communicate { .. }
            | Order::Call { .. }
            | Order::Await { .. }
            | Order::WriteCoded { .. }
            | Order::Sleep
            | Order::Spin
            | Order::Exit { .. }
            | Order::Reset => Reply::Unsupported,
        }
    }

    fn exit(&mut self, status: u8) -> ! {
        // SAFETY: single-threaded process; exit(3) flushes every open stream,
        // whose buffers live until the process ends.
        unsafe { libc::exit(status.into()) }
    }

    fn descriptor(&self, channel: &str) -> Option<i32> {
        // SAFETY: the stream is open.
        self.open.get(channel).map(|stream| unsafe { libc::fileno(stream.file) })
    }

    fn held(&self, channel: &str) -> Option<Vec<Layer>> {
        let stream = self.open.get(channel).filter(|stream| self.mode.layers && stream.writes)?;
        // SAFETY: the stream is open, and the call only looks.
        let bytes = unsafe { __fpending(stream.file) };
        Some(vec![Layer::new("buffer", Some(bytes as u64))])
    }

    fn reset(&mut self) -> Reply {
        self.end_children();
        for (_, stream) in self.open.drain() {
            // SAFETY: the stream is open, and is forgotten here.
            unsafe {
                silence(libc::fileno(stream.file));
                libc::fclose(stream.file);
            }
        }
        no_bytes_left()
    }
}

/// Closes the descriptor alone: the C library still has the stream, and will flush it.
fn leak(stream: Stream) -> Reply {
    // SAFETY: the stream is open, and isn't used any more by us; its buffer stays.
    let result = unsafe { libc::close(libc::fileno(stream.file)) };
    std::mem::forget(stream);
    Errno::result(result).map_or_else(|errno| failed(errno, None, 0, vec![]), |_| Reply::DONE)
}

/// fwrite(3) piece by piece, until one comes back short.
fn write(stream: &Stream, payload: &[u8], piece: u64) -> Reply {
    let mut accepted = 0;
    for piece in payload.chunks(piece.max(1) as usize) {
        // SAFETY: the stream is open, and the slice is readable.
        let count = unsafe { libc::fwrite(piece.as_ptr().cast(), 1, piece.len(), stream.file) };
        accepted += count as u64;
        if count < piece.len() {
            return failed(Errno::last(), None, accepted, vec![]);
        }
    }
    Reply::Ok { fd: None, bytes: Some(accepted) }
}

fn read(stream: &Stream, amount: Amount) -> Reply {
    let wanted = match amount {
        Amount::Bytes(bytes) => bytes as usize,
        Amount::ToEof => usize::MAX,
        Amount::Available => return misused("stdio can't read without blocking".into()),
    };
    // An earlier step's error isn't this one's. (End of file stays, as fread's
    // users know it.)
    // SAFETY: the stream is open.
    if unsafe { libc::ferror(stream.file) } != 0 {
        // SAFETY: likewise.
        unsafe { libc::clearerr(stream.file) };
    }
    let mut data = Vec::new();
    let mut buffer = vec![0; GULP.min(wanted)];
    while data.len() < wanted {
        let room = buffer.len().min(wanted - data.len());
        // SAFETY: the stream is open, and the buffer has room for so many bytes.
        let count = unsafe { libc::fread(buffer.as_mut_ptr().cast(), 1, room, stream.file) };
        // Before anything else can change it.
        let errno = Errno::last();
        data.extend_from_slice(&buffer[..count]);
        if count < room {
            // SAFETY: the stream is open.
            if unsafe { libc::ferror(stream.file) } != 0 {
                return failed(errno, None, 0, data);
            }
            break;
        }
    }
    if data.is_empty() && wanted > 0 { Reply::Eof } else { Reply::Data(data) }
}

/// Says so if a stream that nobody closed still has bytes to flush: its descriptor
/// is gone, so that they find an error and not the next case's channel.
fn no_bytes_left() -> Reply {
    // SAFETY: flushes every stream of this single-threaded process.
    match unsafe { libc::fflush(ptr::null_mut()) } {
        0 => Reply::DONE,
        _ => misused(format!("a stream was left with unflushed bytes ({})", Errno::last().desc())),
    }
}

/// Name and version of the C library this binary runs with.
fn c_library() -> (String, String) {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: returns a static C string.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        ("glibc".into(), version.to_string_lossy().into_owned())
    }
    #[cfg(not(target_env = "gnu"))]
    {
        (if cfg!(target_env = "musl") { "musl" } else { "libc" }.into(), "unknown".into())
    }
}
