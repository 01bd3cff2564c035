//! Files: openat(2), stat(2) and their kin.

use std::{ffi::CString, mem::MaybeUninit};

use nix::errno::Errno;

use super::{Carry, Handles, Refused, Result, Said, Words, bits, done, gave, made};

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("openat", openat),
    ("mkfifo", mkfifo),
    ("mknod", mknod),
    ("mksock", mksock),
    ("unlink", unlink),
    ("stat", stat),
    ("lstat", lstat),
    ("fstat", fstat),
    ("chmod", chmod),
    ("fchmod", fchmod),
    ("fchown", fchown),
    ("samefile", samefile),
    ("fstatfs", fstatfs),
    ("fsync", fsync),
    ("lseek", lseek),
];

const ACCESS: &[(i32, &str)] = &[
    (libc::O_RDONLY, "read"),
    (libc::O_WRONLY, "write"),
    (libc::O_RDWR, "both"),
    (libc::O_PATH, "path"),
    (libc::O_NONBLOCK, "nonblock"),
];

const TYPES: &[(libc::mode_t, &str)] = &[
    (libc::S_IFIFO, "fifo"),
    (libc::S_IFREG, "file"),
    (libc::S_IFDIR, "directory"),
    (libc::S_IFLNK, "link"),
    (libc::S_IFCHR, "character"),
    (libc::S_IFSOCK, "socket"),
];

/// <linux/magic.h>: the file system of anonymous pipes.
const PIPEFS_MAGIC: libc::__fsword_t = 0x5049_5045;

/// Permissions for everybody, before the process's mask.
const EVERYBODY: libc::mode_t = 0o666;

/// A path, with a handle's number for `=HANDLE`.
fn path(handles: &Handles, word: &str) -> Result<CString> {
    let path = match word.split_once('=') {
        Some((start, handle)) => format!("{start}{}", handles.get(handle)?),
        None => word.to_owned(),
    };
    CString::new(path).map_err(|_| Refused::Misused(format!("`{word}` is no path")))
}

pub(super) fn openat(handles: &mut Handles, words: &Words<'_>) -> Result {
    let path = path(handles, words.get(1)?)?;
    let flags = bits(&Words(words.from(2)), ACCESS) | libc::O_CLOEXEC;
    // SAFETY: the path lives through the call, which makes no file and so takes no mode.
    let fd = Errno::result(unsafe { libc::openat(libc::AT_FDCWD, path.as_ptr(), flags) })?;
    made(words, 0, [fd])
}

pub(super) fn mkfifo(handles: &mut Handles, words: &Words<'_>) -> Result {
    let path = path(handles, words.get(0)?)?;
    // SAFETY: the path lives through the call.
    Errno::result(unsafe { libc::mkfifo(path.as_ptr(), EVERYBODY) })?;
    done()
}

pub(super) fn mknod(handles: &mut Handles, words: &Words<'_>) -> Result {
    make_node(handles, words, libc::S_IFIFO | EVERYBODY)
}

fn mksock(handles: &mut Handles, words: &Words<'_>) -> Result {
    make_node(handles, words, libc::S_IFSOCK | libc::S_IRWXU)
}

fn make_node(handles: &Handles, words: &Words<'_>, mode: libc::mode_t) -> Result {
    let path = path(handles, words.get(0)?)?;
    // SAFETY: the path lives through the call.
    Errno::result(unsafe { libc::mknod(path.as_ptr(), mode, 0) })?;
    done()
}

pub(super) fn unlink(handles: &mut Handles, words: &Words<'_>) -> Result {
    let path = path(handles, words.get(0)?)?;
    // SAFETY: the path lives through the call.
    Errno::result(unsafe { libc::unlink(path.as_ptr()) })?;
    done()
}

/// What a call of stat(2)'s family writes.
fn stat_by(call: impl FnOnce(*mut libc::stat) -> i32) -> Result<libc::stat> {
    let mut stat = MaybeUninit::uninit();
    Errno::result(call(stat.as_mut_ptr()))?;
    // SAFETY: the call succeeded, and so wrote it.
    Ok(unsafe { stat.assume_init() })
}

fn described(stat: &libc::stat) -> Vec<String> {
    let kind = TYPES.iter().find(|(bits, _)| stat.st_mode & libc::S_IFMT == *bits);
    let kind = kind.map_or("other", |(_, name)| *name);
    let mode = format!("mode={:03o}", stat.st_mode & !libc::S_IFMT);
    // SAFETY: they take nothing.
    let own = unsafe { (libc::geteuid(), libc::getegid()) };
    // Who owns what it has made itself is another on each machine.
    let owner = ((stat.st_uid, stat.st_gid) != own).then(|| format!("owner={}:{}", stat.st_uid, stat.st_gid));
    [kind.to_owned(), mode].into_iter().chain(owner).collect()
}

pub(super) fn stat(handles: &mut Handles, words: &Words<'_>) -> Result {
    let path = path(handles, words.get(0)?)?;
    // SAFETY: the path lives through the call, which writes one `stat`.
    let stat = stat_by(|place| unsafe { libc::stat(path.as_ptr(), place) })?;
    Ok(Said { words: described(&stat), ..Said::default() })
}

pub(super) fn lstat(handles: &mut Handles, words: &Words<'_>) -> Result {
    let path = path(handles, words.get(0)?)?;
    // SAFETY: as in `stat`.
    let stat = stat_by(|place| unsafe { libc::lstat(path.as_ptr(), place) })?;
    // A link's mode and owner say nothing.
    Ok(Said { words: described(&stat).drain(..1).collect(), ..Said::default() })
}

fn stat_of(handles: &Handles, name: &str) -> Result<libc::stat> {
    let fd = handles.get(name)?;
    // SAFETY: the call writes one `stat`.
    stat_by(|place| unsafe { libc::fstat(fd, place) })
}

pub(super) fn fstat(handles: &mut Handles, words: &Words<'_>) -> Result {
    Ok(Said { words: described(&stat_of(handles, words.get(0)?)?), ..Said::default() })
}

pub(super) fn fchmod(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let mode = octal(words.get(1)?)?;
    // SAFETY: numbers.
    Errno::result(unsafe { libc::fchmod(fd, mode) })?;
    done()
}

fn chmod(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (path, mode) = (path(handles, words.get(0)?)?, octal(words.get(1)?)?);
    // SAFETY: the path lives through the call.
    Errno::result(unsafe { libc::chmod(path.as_ptr(), mode) })?;
    done()
}

fn octal(word: &str) -> Result<libc::mode_t> {
    let number = libc::mode_t::from_str_radix(word, 8);
    number.map_err(|_| Refused::Misused(format!("`{word}` is no octal number")))
}

pub(super) fn fchown(handles: &mut Handles, words: &Words<'_>) -> Result {
    let id: u32 = words.number(1)?;
    // SAFETY: numbers.
    Errno::result(unsafe { libc::fchown(handles.get(words.get(0)?)?, id, id) })?;
    done()
}

pub(super) fn samefile(handles: &mut Handles, words: &Words<'_>) -> Result {
    let [one, other] = [stat_of(handles, words.get(0)?)?, stat_of(handles, words.get(1)?)?];
    let same = (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino);
    super::says([if same { "same" } else { "different" }])
}

pub(super) fn fstatfs(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let mut stat = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the call writes one `statfs`.
    Errno::result(unsafe { libc::fstatfs(fd, stat.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, and so wrote it.
    let stat = unsafe { stat.assume_init() };
    let kind = if stat.f_type == PIPEFS_MAGIC { "pipefs" } else { "otherfs" };
    let words = vec![kind.to_owned(), format!("namelen={}", stat.f_namelen)];
    Ok(Said { bytes: u64::try_from(stat.f_bsize).ok(), words, ..Said::default() })
}

pub(super) fn fsync(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: a number.
    Errno::result(unsafe { libc::fsync(handles.get(words.get(0)?)?) })?;
    done()
}

pub(super) fn lseek(handles: &mut Handles, words: &Words<'_>) -> Result {
    let offset: i64 = words.number(1)?;
    // SAFETY: numbers.
    gave(Errno::result(unsafe { libc::lseek(handles.get(words.get(0)?)?, offset, libc::SEEK_SET) })?)
}
