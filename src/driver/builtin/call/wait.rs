//! Waiting for readiness: poll(2).

use nix::errno::Errno;

use super::{Carry, Handles, Result, Words, bits, names, ready};

pub(super) const CALLS: &[(&str, Carry)] = &[("poll", poll)];

/// The last three are only told; the call table lets nobody ask for them.
const EVENTS: &[(i32, &str)] = &[
    (libc::POLLIN as i32, "in"),
    (libc::POLLPRI as i32, "pri"),
    (libc::POLLOUT as i32, "out"),
    (libc::POLLRDHUP as i32, "rdhup"),
    (libc::POLLERR as i32, "err"),
    (libc::POLLHUP as i32, "hup"),
    (libc::POLLNVAL as i32, "nval"),
];

pub(super) fn poll(handles: &mut Handles, words: &Words<'_>) -> Result {
    let (mut polled, mut polled_names): (Vec<libc::pollfd>, Vec<&str>) = (Vec::new(), Vec::new());
    for (at, word) in words.from(0).iter().enumerate() {
        if let Some(fd) = handles.find(word) {
            let rest = words.from(at + 1);
            let end = rest.iter().position(|word| handles.find(word).is_some()).unwrap_or(rest.len());
            let events = bits(&Words(&rest[..end]), EVENTS) as i16;
            polled.push(libc::pollfd { fd, events, revents: 0 });
            polled_names.push(word);
        }
    }
    let asked: Vec<i16> = polled.iter().map(|polled| polled.events).collect();
    let timeout = if words.has("now") { 0 } else { -1 };
    // SAFETY: the array is as long as it is told.
    Errno::result(unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as u64, timeout) })?;
    let several = polled.len() > 1;
    let told = polled.iter().zip(polled_names).flat_map(|(polled, name)| {
        let told = names(polled.revents.into(), EVENTS);
        told.map(move |word| if several { format!("{name}:{word}") } else { word.to_owned() })
    });
    let mut words: Vec<String> = told.collect();
    if asked != polled.iter().map(|polled| polled.events).collect::<Vec<_>>() {
        words.push("events-changed".into());
    }
    ready(words)
}
