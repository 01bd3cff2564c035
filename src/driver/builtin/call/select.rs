//! Waiting for readiness: select(2).

use nix::errno::Errno;

use super::{Carry, Handles, Refused, Result, Words};

pub(super) const CALLS: &[(&str, Carry)] = &[("select", select)];

const SETS: [&str; 3] = ["read", "write", "except"];

pub(super) fn select(handles: &mut Handles, words: &Words<'_>) -> Result {
    // SAFETY: a set of descriptors is a row of bits; none is set.
    let mut sets: [libc::fd_set; 3] = unsafe { std::mem::zeroed() };
    let (mut asked, mut set) = (Vec::new(), 0);
    for word in words.from(0) {
        if let Some(at) = SETS.iter().position(|name| name == word) {
            set = at;
        } else if let Some(fd) = handles.find(word) {
            if usize::try_from(fd).map_or(true, |fd| fd >= libc::FD_SETSIZE) {
                return Err(Refused::Misused(format!("{word} is no number for select(2)")));
            }
            // SAFETY: the number is below FD_SETSIZE.
            unsafe { libc::FD_SET(fd, &mut sets[set]) };
            asked.push((word, fd, set));
        }
    }
    let mut at_once = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timeout = if words.has("now") { &raw mut at_once } else { std::ptr::null_mut() };
    let [read, write, except] = &mut sets;
    let count = asked.iter().map(|(_, fd, _)| fd + 1).max().unwrap_or(0);
    // SAFETY: the sets are as large as FD_SETSIZE says.
    Errno::result(unsafe { libc::select(count, read, write, except, timeout) })?;
    let ready = asked.iter().filter(|(_, fd, set)| {
        // SAFETY: the number is below FD_SETSIZE.
        unsafe { libc::FD_ISSET(*fd, &sets[*set]) }
    });
    super::ready(ready.map(|(name, _, set)| format!("{name}:{}", SETS[*set])).collect())
}
