//! Sockets: made, named, connected, shut down, asked.

use nix::errno::Errno;

use super::{Carry, Handles, Refused, Result, Said, Words, address::Address, bits, done, gave, made, says};

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("socketpair", socketpair),
    ("socket", socket),
    ("bind", bind),
    ("listen", listen),
    ("connect", connect),
    ("accept", accept),
    ("shutdown", shutdown),
    ("getsockname", getsockname),
    ("getpeername", getpeername),
    ("getsockopt", getsockopt),
    ("setsockopt", setsockopt),
    ("siocoutq", siocoutq),
];

const TYPES: &[(i32, &str)] =
    &[(libc::SOCK_STREAM, "stream"), (libc::SOCK_DGRAM, "dgram"), (libc::SOCK_SEQPACKET, "seqpacket")];

const FLAGS: &[(i32, &str)] = &[(libc::SOCK_NONBLOCK, "nonblock"), (libc::SOCK_CLOEXEC, "cloexec")];

const UNKNOWN_HOW: i32 = 3;
const HOW: &[(i32, &str)] =
    &[(libc::SHUT_RD, "read"), (libc::SHUT_WR, "write"), (libc::SHUT_RDWR, "both"), (UNKNOWN_HOW, "unknown")];

const OPTIONS: &[(i32, &str)] = &[
    (libc::SO_SNDBUF, "sndbuf"),
    (libc::SO_RCVBUF, "rcvbuf"),
    (libc::SO_RCVTIMEO, "rcvtimeo"),
    (libc::SO_SNDTIMEO, "sndtimeo"),
    (libc::SO_PEEK_OFF, "peek_off"),
    (libc::SO_PASSCRED, "passcred"),
    (libc::SO_ERROR, "error"),
    (libc::SO_TYPE, "type"),
    (libc::SO_ACCEPTCONN, "acceptconn"),
    (libc::SO_LINGER, "linger"),
];

/// The number that the word there stands for.
fn number_of(words: &Words<'_>, at: usize, table: &[(i32, &str)]) -> Result<i32> {
    let word = words.get(at)?;
    let known = table.iter().find(|(_, name)| *name == word);
    known.map(|(number, _)| *number).ok_or_else(|| Refused::Misused(format!("unknown `{word}`")))
}

fn socketpair(_: &mut Handles, words: &Words<'_>) -> Result {
    let kind = number_of(words, 2, TYPES)? | bits(words, FLAGS);
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two numbers there.
    Errno::result(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    made(words, 0, ends)
}

fn socket(_: &mut Handles, words: &Words<'_>) -> Result {
    let family = number_of(words, 1, &[(libc::AF_UNIX, "unix"), (libc::AF_INET, "tcp")])?;
    let kind = number_of(words, 2, TYPES)? | bits(words, FLAGS);
    // SAFETY: numbers.
    let fd = Errno::result(unsafe { libc::socket(family, kind, 0) })?;
    made(words, 0, [fd])
}

fn bind(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let address = Address::of(words.get(1)?, words, fd)?;
    let (start, length) = address.parts();
    // SAFETY: so many bytes lie there.
    Errno::result(unsafe { libc::bind(fd, start, length) })?;
    done()
}

fn listen(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: numbers.
    Errno::result(unsafe { libc::listen(handles.get(words.get(0)?)?, words.number(1)?) })?;
    done()
}

fn connect(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let address = Address::of(words.get(1)?, words, fd)?;
    let (start, length) = address.parts();
    // SAFETY: so many bytes lie there.
    Errno::result(unsafe { libc::connect(fd, start, length) })?;
    done()
}

fn accept(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let flags = bits(words, FLAGS);
    // SAFETY: no address is asked for.
    let fd = Errno::result(unsafe { libc::accept4(fd, std::ptr::null_mut(), std::ptr::null_mut(), flags) })?;
    made(words, 1, [fd])
}

fn shutdown(handles: &mut Handles, words: &Words<'_>) -> Result {
    let how = number_of(words, 1, HOW)?;
    // SAFETY: numbers.
    Errno::result(unsafe { libc::shutdown(handles.get(words.get(0)?)?, how) })?;
    done()
}

fn getsockname(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    // SAFETY: the kernel writes at most as many bytes as there is room for.
    named(&Address::asked(|start, length| unsafe { libc::getsockname(fd, start, length) })?)
}

fn getpeername(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    // SAFETY: the kernel writes at most as many bytes as there is room for.
    named(&Address::asked(|start, length| unsafe { libc::getpeername(fd, start, length) })?)
}

fn named(address: &Address) -> Result {
    Ok(Said { words: vec![address.word()?], ..Said::default() })
}

/// Milliseconds of a time.
fn millis(time: &libc::timeval) -> i64 {
    time.tv_sec * 1000 + time.tv_usec / 1000
}

fn getsockopt(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let option = number_of(words, 1, OPTIONS)?;
    let mut number: i32 = 0;
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut linger = libc::linger { l_onoff: 0, l_linger: 0 };
    let timed = matches!(option, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO);
    let (place, size): (*mut libc::c_void, usize) = match option {
        libc::SO_RCVTIMEO | libc::SO_SNDTIMEO => (std::ptr::from_mut(&mut time).cast(), size_of_val(&time)),
        libc::SO_LINGER => (std::ptr::from_mut(&mut linger).cast(), size_of_val(&linger)),
        _ => (std::ptr::from_mut(&mut number).cast(), size_of_val(&number)),
    };
    let mut size = size as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes there.
    Errno::result(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, place, &mut size) })?;
    match option {
        libc::SO_TYPE => says(TYPES.iter().find(|(kind, _)| *kind == number).map(|(_, name)| *name)),
        libc::SO_LINGER if linger.l_onoff == 0 => says(["off"]),
        libc::SO_LINGER => gave(linger.l_linger),
        libc::SO_ERROR if number == 0 => says(["nothing"]),
        libc::SO_ERROR => {
            Ok(Said { words: vec![format!("{:?}", Errno::from_raw(number))], ..Said::default() })
        }
        _ if number < 0 => Ok(Said { words: vec![number.to_string()], ..Said::default() }),
        _ if timed => gave(millis(&time)),
        _ => gave(number),
    }
}

fn setsockopt(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let option = number_of(words, 1, OPTIONS)?;
    let number: i32 = words.number(2)?;
    let time = libc::timeval { tv_sec: (number / 1000).into(), tv_usec: i64::from(number % 1000) * 1000 };
    let linger = libc::linger { l_onoff: 1, l_linger: number };
    let (place, size): (*const libc::c_void, usize) = match option {
        libc::SO_LINGER => (std::ptr::from_ref(&linger).cast(), size_of_val(&linger)),
        libc::SO_RCVTIMEO | libc::SO_SNDTIMEO => (std::ptr::from_ref(&time).cast(), size_of_val(&time)),
        _ => (std::ptr::from_ref(&number).cast(), size_of_val(&number)),
    };
    // SAFETY: `size` bytes lie there.
    Errno::result(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, place, size as u32) })?;
    done()
}

fn siocoutq(handles: &mut Handles, words: &Words<'_>) -> Result {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (TIOCOUTQ by number) writes one int.
    Errno::result(unsafe { libc::ioctl(handles.get(words.get(0)?)?, libc::TIOCOUTQ, &mut bytes) })?;
    gave(bytes)
}
