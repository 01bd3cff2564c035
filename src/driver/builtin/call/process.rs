//! Processes: copies, threads, limits, ids and capabilities.

use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::mpsc,
    thread,
};

use nix::{
    errno::Errno,
    sys::{
        resource::{Resource, getrlimit, setrlimit as limit},
        socket::{AddressFamily, SockFlag, SockType, socketpair},
    },
};

use super::{Carry, Handles, Refused, Result, Said, Words, done};
use crate::{
    setting::{surroundings, user},
    wire::CONTROL_FD,
};

pub(super) const CALLS: &[(&str, Carry)] = &[
    ("fork", fork),
    ("thread", thread),
    ("exec", exec),
    ("setrlimit", setrlimit),
    ("setresuid", setresuid),
    ("capset", capset),
];

/// Descriptors from here on are those over which threads take their orders: a script that
/// goes on with the number of a closed handle must not find one of them there.
const FIRST_CONTROL: i32 = 512;

/// A conversation: the stage's end, and one's own.
fn conversation() -> Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?)
}

pub(super) fn fork(handles: &mut Handles, _: &Words<'_>) -> Result {
    match copy(handles)? {
        Some(said) => Ok(said),
        None => super::super::raw::begin(handles.clone(), CONTROL_FD),
    }
}

/// A copy of this process, with all that it holds, is to take orders of its own. It is the
/// stage's child (CLONE_PARENT), as its maker is. Nothing is said in the copy.
pub(super) fn copy(handles: &Handles) -> Result<Option<Said>> {
    let (theirs, ours) = conversation()?;
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: the copy has this thread alone, and may do anything: the stage gives no step
    // while another thread is anywhere but asleep in a system call, where it holds no lock.
    let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    if pid != 0 {
        return Ok(Some(Said { bytes: Some(pid as u64), attached: Some(theirs), ..Said::default() }));
    }
    surroundings::die_with_parent();
    drop(theirs);
    // SAFETY: numbers; from here on the copy's own conversation stands at this place.
    unsafe { libc::dup2(ours.as_raw_fd(), CONTROL_FD) };
    drop(ours);
    for control in handles.take_controls() {
        // SAFETY: a number, which no thread of this copy uses.
        unsafe { libc::close(control) };
    }
    Ok(None)
}

/// Another thread of this process, a real one, takes orders of its own. It says its number
/// among the threads, and its descriptor.
pub(super) fn thread(handles: &mut Handles, _: &Words<'_>) -> Result {
    let (theirs, ours) = conversation()?;
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let first = FIRST_CONTROL.min(soft as i32 / 2);
    // SAFETY: numbers.
    let control = Errno::result(unsafe { libc::fcntl(ours.as_raw_fd(), libc::F_DUPFD_CLOEXEC, first) })?;
    drop(ours);
    let (tell, told) = mpsc::channel();
    let shared = handles.clone();
    let spawned = thread::Builder::new().spawn(move || {
        let _ended = EndsHere;
        let _ = tell.send(nix::unistd::gettid());
        super::super::raw::begin(shared, control)
    });
    if let Err(error) = spawned {
        // SAFETY: a number that nobody was told.
        unsafe { libc::close(control) };
        return Err(error.into());
    }
    handles.converse(control);
    let tid = told.recv().map_err(|_| Errno::EAGAIN)?;
    let said = Said { bytes: Some(tid.as_raw() as u64), attached: Some(theirs), ..Said::default() };
    Ok(Said { words: vec![control.to_string()], ..said })
}

/// The stage adds the step's number, since it is the new program that answers.
pub(super) fn exec(handles: &mut Handles, words: &Words<'_>) -> Result {
    if handles.have_threads() {
        return Err(Refused::Misused("the process has other threads, which this would end".into()));
    }
    Err(super::super::anew::replace(words.get(0)?, handles).err().map_or(Errno::EIO.into(), Refused::from))
}

/// A thread that panics ends its process: alone it would leave the stage without an answer.
struct EndsHere;

impl Drop for EndsHere {
    fn drop(&mut self) {
        super::super::serve::leave(70)
    }
}

pub(super) fn setrlimit(_: &mut Handles, words: &Words<'_>) -> Result {
    let soft: u64 = words.number(1)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    limit(Resource::RLIMIT_NOFILE, soft, hard.max(soft))?;
    done()
}

pub(super) fn setresuid(_: &mut Handles, words: &Words<'_>) -> Result {
    let id = match words.get(0)? {
        // Limits count by user, and other cases may do the same now.
        "fresh" => user::fresh_id()?,
        _ => words.number(0)?,
    };
    user::set_ids((id, id))?;
    user::set_dumpable(!words.has("undumpable"))?;
    done()
}

pub(super) fn capset(_: &mut Handles, _: &Words<'_>) -> Result {
    user::drop_capabilities()?;
    done()
}
