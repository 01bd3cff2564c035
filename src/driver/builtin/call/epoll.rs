//! Waiting for readiness: epoll(7).

use nix::errno::Errno;

use super::{Carry, Handles, Refused, Result, Words, bits, done, gave, made, names, ready};

pub(super) const CALLS: &[(&str, Carry)] =
    &[("epoll_create", epoll_create), ("epoll_ctl", epoll_ctl), ("epoll_wait", epoll_wait), ("edges", edges)];

/// Events that one epoll_wait(2) may return.
const ROOM: usize = 16;

/// Returns after which `edges` gives up: a level never ends.
const MOST_EDGES: u64 = 1000;

/// Of these, err and hup are only told, and the last three only asked for: the call table and
/// the kernel see to it.
const EVENTS: &[(i32, &str)] = &[
    (libc::EPOLLIN, "in"),
    (libc::EPOLLPRI, "pri"),
    (libc::EPOLLOUT, "out"),
    (libc::EPOLLRDHUP, "rdhup"),
    (libc::EPOLLERR, "err"),
    (libc::EPOLLHUP, "hup"),
    (libc::EPOLLET, "et"),
    (libc::EPOLLONESHOT, "oneshot"),
    (libc::EPOLLEXCLUSIVE, "exclusive"),
];

/// A name as `epoll_data`, which any process that waits on the set can read.
fn data_of(name: &str) -> Result<u64> {
    let mut bytes = [0; 8];
    let place = bytes.get_mut(..name.len());
    place
        .ok_or_else(|| Refused::Misused(format!("{name} has more than 8 letters")))?
        .copy_from_slice(name.as_bytes());
    Ok(u64::from_ne_bytes(bytes))
}

fn name_of(data: u64) -> String {
    let bytes = data.to_ne_bytes();
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
}

pub(super) fn epoll_create(_: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: takes flags, returns a descriptor.
    let set = Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    made(words, 0, [set])
}

pub(super) fn epoll_ctl(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (set, name) = (handles.get(words.get(0)?)?, words.get(2)?);
    let operation = match words.get(1)? {
        "add" => libc::EPOLL_CTL_ADD,
        "mod" => libc::EPOLL_CTL_MOD,
        _ => libc::EPOLL_CTL_DEL,
    };
    let events = bits(&Words(words.from(3)), EVENTS) as u32;
    let mut event = libc::epoll_event { events, u64: data_of(name)? };
    // SAFETY: the kernel reads the event.
    Errno::result(unsafe { libc::epoll_ctl(set, operation, handles.get(name)?, &mut event) })?;
    done()
}

/// What is ready, in words.
fn wait(set: i32, timeout: i32) -> Result<Vec<String>> {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; ROOM];
    // SAFETY: the kernel writes at most `ROOM` events.
    let count = Errno::result(unsafe { libc::epoll_wait(set, events.as_mut_ptr(), ROOM as i32, timeout) })?;
    let told = events[..count as usize].iter().flat_map(|event| {
        let (bits, name) = (event.events as i32, name_of(event.u64));
        names(bits, EVENTS).map(move |word| format!("{name}:{word}"))
    });
    Ok(told.collect())
}

pub(super) fn epoll_wait(handles: &mut Handles, words: &Words<'_>) -> Result {
    let timeout = if words.has("now") { 0 } else { -1 };
    ready(wait(handles.get(words.get(0)?)?, timeout)?)
}

pub(super) fn edges(handles: &mut Handles, words: &Words<'_>) -> Result {
    let set = handles.get(words.get(0)?)?;
    let mut edges = 0;
    while !wait(set, 0)?.is_empty() {
        edges += 1;
        if edges > MOST_EDGES {
            return Err(Refused::Misused("a level, not an edge: it stays ready".into()));
        }
    }
    gave(edges)
}
