//! `rust`: the standard library's File, BufWriter and LineWriter, used as most
//! programs use them: `write_all`, `flush`, and a drop for close, which hides
//! what its flush gave (rust-lang/rust#32677).

mod child;

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, LineWriter, Read, Write},
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
};

use nix::errno::Errno;

use child::Started;

use super::{Builtin, Mode, Order, Reply, Spawn, failed, misused, not_open, open_already, raw, silence};
use crate::{
    outcome::{Access, Amount, Layer},
    wire::{Abilities, Hello},
};

pub(super) struct RustStd {
    mode: Mode,
    open: HashMap<String, Stream>,
    children: HashMap<String, Started>,
}

/// What a program writes to.
trait Writer: Write {
    /// Bytes in its buffer, if it shows them.
    fn buffered(&self) -> Option<usize> {
        None
    }

    /// The file, if there is nothing around it.
    fn into_file(self: Box<Self>) -> Option<File> {
        None
    }
}

impl Writer for File {
    fn into_file(self: Box<Self>) -> Option<File> {
        Some(*self)
    }
}

/// It has no method for what its BufWriter holds.
impl Writer for LineWriter<File> {}

impl Writer for BufWriter<File> {
    fn buffered(&self) -> Option<usize> {
        Some(self.buffer().len())
    }
}

/// What a program holds for one channel.
struct Stream {
    fd: i32,
    writer: Option<Box<dyn Writer>>,
    reader: Option<BufReader<File>>,
}

impl RustStd {
    pub(super) fn new(mode: &Mode) -> RustStd {
        RustStd { mode: mode.clone(), open: HashMap::new(), children: HashMap::new() }
    }

    fn open(&mut self, access: Access, nonblock: bool, path: &str) -> io::Result<Stream> {
        let mut options = OpenOptions::new();
        options.read(access.reads()).write(access.writes());
        if nonblock {
            options.custom_flags(libc::O_NONBLOCK);
        }
        let file = options.open(path)?;
        let fd = file.as_raw_fd();
        let reader = match access {
            Access::Write => None,
            Access::Read => return Ok(Stream { fd, writer: None, reader: Some(BufReader::new(file)) }),
            Access::Both => Some(BufReader::new(file.try_clone()?)),
        };
        Ok(Stream { fd, writer: Some(self.writer(file)), reader })
    }

    /// What a program of this mode writes to.
    fn writer(&self, file: File) -> Box<dyn Writer> {
        match (self.mode.name.as_str(), self.mode.buffer) {
            ("file", _) => Box::new(file),
            ("linewriter", None) => Box::new(LineWriter::new(file)),
            ("linewriter", Some(bytes)) => Box::new(LineWriter::with_capacity(bytes, file)),
            (_, None) => Box::new(BufWriter::new(file)),
            (_, Some(bytes)) => Box::new(BufWriter::with_capacity(bytes, file)),
        }
    }
}

impl Builtin for RustStd {
    fn hello(&self) -> Hello {
        let buffer = BufWriter::new(io::sink()).capacity() as u64;
        Hello {
            runtime: "rust".into(),
            version: "std".into(),
            symbols: BTreeMap::from([("buffer".into(), buffer)]),
            abilities: Abilities::ALL,
        }
    }

    fn carry_out(&mut self, order: Order) -> Reply {
        match order {
            Order::Open { channel, access, nonblock, path } => {
                if self.open.contains_key(&channel) {
                    return open_already(&channel);
                }
                match self.open(access, nonblock, &path) {
                    Ok(stream) => {
                        let fd = stream.fd;
                        self.open.insert(channel, stream);
                        Reply::Ok { fd: Some(fd), bytes: None }
                    }
                    Err(error) => failure(&error, 0, vec![]),
                }
            }
            Order::Write { channel, piece, payload } => match self.open.get_mut(&channel) {
                Some(Stream { writer: Some(writer), .. }) => write(writer.as_mut(), &payload, piece),
                Some(_) => wrong_way(&channel, "writing"),
                None => not_open(&channel),
            },
            Order::Flush { channel } => match self.open.get_mut(&channel) {
                Some(Stream { writer: Some(writer), .. }) => match writer.flush() {
                    Ok(()) => Reply::DONE,
                    Err(error) => failure(&error, 0, vec![]),
                },
                Some(_) => wrong_way(&channel, "writing"),
                None => not_open(&channel),
            },
            Order::Read { channel, amount } => match self.open.get_mut(&channel) {
                Some(Stream { fd, reader: Some(reader), .. }) => read(reader, *fd, amount),
                Some(_) => wrong_way(&channel, "reading"),
                None => not_open(&channel),
            },
            Order::Close { channel } => match self.open.remove(&channel) {
                Some(stream) => {
                    drop(stream);
                    Reply::DONE
                }
                None => not_open(&channel),
            },
            Order::Spawn { child, streams, words, env } => {
                self.spawn(&Spawn { child: &child, streams, words: &words, env: &env })
            }
            Order::Wait { child, nonblock } => self.wait(&child, nonblock),
            Order::Communicate { child, payload } => self.wait_with_output(&child, payload.is_some()),
            Order::Call { .. }
            | Order::Await { .. }
            | Order::WriteCoded { .. }
            | Order::Sleep
            | Order::Spin
            | Order::Exit { .. }
            | Order::Reset => Reply::Unsupported,
        }
    }

    fn exit(&mut self, status: u8) -> ! {
        std::process::exit(status.into())
    }

    fn descriptor(&self, channel: &str) -> Option<i32> {
        self.open.get(channel).map(|stream| stream.fd)
    }

    fn held(&self, channel: &str) -> Option<Vec<Layer>> {
        let writer = self.open.get(channel).filter(|_| self.mode.layers)?.writer.as_ref()?;
        Some(vec![Layer::new("buffer", Some(writer.buffered()? as u64))])
    }

    fn reset(&mut self) -> Reply {
        for (_, stream) in self.open.drain() {
            silence(stream.fd);
            if let Some(reader) = &stream.reader {
                silence(reader.get_ref().as_raw_fd());
            }
        }
        self.end_children();
        Reply::DONE
    }
}

/// Rust's type system refuses this before it can fail: there is no such method.
fn wrong_way(channel: &str, way: &str) -> Reply {
    misused(format!("{channel} isn't open for {way}"))
}

fn failure(error: &io::Error, bytes: u64, data: Vec<u8>) -> Reply {
    let name = Some(format!("{:?}", error.kind()));
    match error.raw_os_error() {
        Some(errno) => failed(Errno::from_raw(errno), name, bytes, data),
        None => Reply::Fail { errno: "-".into(), error: name, message: error.to_string(), bytes, data },
    }
}

/// `write_all` piece by piece. It doesn't say how much of a failed piece went
/// through, so such a piece counts as not accepted.
fn write(writer: &mut dyn Writer, payload: &[u8], piece: u64) -> Reply {
    let mut accepted = 0;
    for piece in payload.chunks(piece.max(1) as usize) {
        if let Err(error) = writer.write_all(piece) {
            return failure(&error, accepted, vec![]);
        }
        accepted += piece.len() as u64;
    }
    Reply::Ok { fd: None, bytes: Some(accepted) }
}

fn read(reader: &mut BufReader<File>, fd: i32, amount: Amount) -> Reply {
    let mut data = Vec::new();
    let result = match amount {
        Amount::Bytes(bytes) => reader.take(bytes).read_to_end(&mut data).map(drop),
        Amount::ToEof => reader.read_to_end(&mut data).map(drop),
        // Counted once: what a blocked writer adds while it is read came later.
        Amount::Available => match raw::queued(fd) {
            Ok(queued) => {
                let there = reader.buffer().len() + queued;
                if there == 0 && !raw::hung_up(fd) {
                    return Reply::Data(data);
                }
                reader.take(there as u64).read_to_end(&mut data).map(drop)
            }
            Err(errno) => return failed(errno, None, 0, data),
        },
    };
    match result {
        Err(error) => failure(&error, 0, data),
        Ok(()) if data.is_empty() && amount != Amount::Bytes(0) => Reply::Eof,
        Ok(()) => Reply::Data(data),
    }
}
