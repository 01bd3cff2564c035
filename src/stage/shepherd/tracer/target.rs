//! Which channels a call works on, and how many bytes it asks for.

use std::{fs, path::Path};

use super::memory;
use crate::{
    observe::{FileId, file_at, file_id},
    trace::{On, Size, Traced},
};

/// `struct pollfd`.
const POLLED: usize = 8;
/// More descriptors than that in one call aren't looked at.
const MOST: u64 = 4096;

/// The channels' files, by their index.
pub(super) struct Channels(pub(super) Vec<Option<FileId>>);

impl Channels {
    fn of_file(&self, file: Option<FileId>) -> Option<usize> {
        let file = file?;
        self.0.iter().position(|known| *known == Some(file))
    }

    fn of_fd(&self, tid: i32, fd: u64) -> Option<usize> {
        // A descriptor is an int.
        let fd = fd as i32;
        if fd < 0 {
            return None;
        }
        self.of_file(file_id(Path::new(&format!("/proc/{tid}/fd/{fd}"))).ok())
    }

    /// The channels that a call at its entry works on.
    pub(super) fn of(&self, tid: i32, call: &Traced, args: &[u64; 6]) -> Vec<usize> {
        match call.on {
            On::Fd => Vec::from_iter(self.of_fd(tid, args[0])),
            On::Fds(one, other) => {
                let both = [one, other].into_iter().filter_map(|at| self.of_fd(tid, args[at]));
                let mut channels = Vec::from_iter(both);
                channels.dedup();
                channels
            }
            On::Path(folder, path) => {
                let folder = folder.map_or(libc::AT_FDCWD, |at| args[at] as i32);
                let file = memory::text(tid, args[path]).and_then(|path| file_at(tid, folder, &path).ok());
                Vec::from_iter(self.of_file(file))
            }
            On::Poll => {
                let length = args[1].min(MOST) as usize * POLLED;
                let array = memory::read(tid, args[0], length).unwrap_or_default();
                self.all(array.chunks_exact(POLLED).filter_map(|polled| {
                    let fd = i32::from_ne_bytes(polled[..4].try_into().expect("four bytes"));
                    self.of_fd(tid, fd as u64)
                }))
            }
            On::Select => {
                let count = args[0].min(MOST) as usize;
                let sets = args[1..4].iter().filter(|set| **set != 0);
                let sets: Vec<Vec<u8>> =
                    sets.map(|set| memory::read(tid, *set, count.div_ceil(8)).unwrap_or_default()).collect();
                let is_in = |fd: &usize| {
                    sets.iter().any(|set| set.get(fd / 8).is_some_and(|byte| byte & 1 << (fd % 8) != 0))
                };
                self.all((0..count).filter(is_in).filter_map(|fd| self.of_fd(tid, fd as u64)))
            }
            On::Epoll => {
                let info = fs::read_to_string(format!("/proc/{tid}/fdinfo/{}", args[0] as i32));
                self.all(info.unwrap_or_default().lines().filter_map(|line| self.of_file(watched(line))))
            }
            On::Children => Vec::new(),
        }
    }

    /// Each once, in the scenario's order.
    fn all(&self, channels: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut channels: Vec<usize> = channels.collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }
}

/// The file of a line of an epoll set (proc_pid_fdinfo(5)): `tfd: 5 events: 19 data: 5
/// pos:0 ino:61af sdev:7`.
fn watched(line: &str) -> Option<FileId> {
    let rest = line.strip_prefix("tfd:")?;
    let hex = |name: &str| {
        let word = rest.split_ascii_whitespace().find_map(|word| word.strip_prefix(name))?;
        u64::from_str_radix(word, 16).ok()
    };
    // The kernel's own form of a device's number (`include/linux/kdev_t.h`).
    let device = hex("sdev:")?;
    Some((libc::makedev((device >> 20) as u32, (device & 0xf_ffff) as u32), hex("ino:")?))
}

/// The bytes that a call at its entry asks for.
pub(super) fn size(tid: i32, call: &Traced, args: &[u64; 6]) -> Option<u64> {
    match call.size {
        Size::None => None,
        Size::Arg(at) => Some(args[at]),
        Size::Vector(array, count) => {
            memory::lengths(tid, args[array], args[count]).map(|lengths| memory::sum(&lengths))
        }
        Size::Message(at) => memory::message_size(tid, args[at]),
    }
}
