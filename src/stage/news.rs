//! What actors have to say, and what is on its way to them.

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{Fault, actor::Actor};
use crate::observe;

/// Has arrive what kernel workers carry; twice, since one side may echo to the other.
/// False if a side has just been closed.
pub(super) fn flush(actors: &[Actor], sides: &[(usize, i32)]) -> Result<bool, Fault> {
    for &(actor, fd) in sides.iter().chain(sides) {
        match observe::flush(actors[actor].pidfd(), fd) {
            Ok(()) => {}
            Err(Errno::EBADF | Errno::ESRCH) => return Ok(false),
            Err(errno) => return Err(Fault::harness("flushing a pseudoterminal", errno.desc())),
        }
    }
    Ok(true)
}

/// Rule 5: an answer or an end that hasn't been taken.
pub(super) fn anything_unread(actors: &[Actor]) -> bool {
    let mut polled: Vec<PollFd<'_>> = sources(actors).collect();
    actors.iter().any(|actor| actor.control.has_put_by())
        || poll(&mut polled, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

/// What becomes readable when live actors speak or end.
pub(super) fn sources(actors: &[Actor]) -> impl Iterator<Item = PollFd<'_>> {
    let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
    actors
        .iter()
        .filter(|actor| actor.ended.is_none())
        .flat_map(move |actor| actor.control.source().into_iter().chain([actor.pidfd()]).map(readable))
}

/// What becomes writable when an actor has made room for the rest of its orders.
pub(super) fn sinks(actors: &[Actor]) -> impl Iterator<Item = PollFd<'_>> {
    let unsent = actors.iter().filter(|actor| actor.ended.is_none() && actor.control.has_unsent());
    unsent.filter_map(|actor| actor.control.source()).map(|fd| PollFd::new(fd, PollFlags::POLLOUT))
}
