//! A small process that forks the actors of built-in drivers.
//!
//! What a fork costs hangs on its maker's memory: each page that the maker has written is
//! counted, shared, and copied by whoever writes on it next, and the stage writes on many.
//! So it forks this process once, at its start, and sends it what actors a case needs. They
//! are the stage's own children all the same (CLONE_PARENT, clone(2)).

use std::{
    borrow::Cow,
    ffi::OsStr,
    io::{IoSlice, IoSliceMut},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    rc::Rc,
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv, recvmsg,
        send, sendmsg, socketpair,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Fault,
    child::{self, Child},
    entry::Entry,
    exec::{EndsHere, Exec, complain},
    ready::{Ready, Start, not_started},
};
use crate::{
    driver::builtin,
    setting::{
        Setting,
        surroundings::{self, Limit},
        user::Ids,
    },
    wire::CONTROL_FD,
};

/// Actors of one request: with two descriptors each, and one for all, a message may carry
/// them (SCM_MAX_FD is 253, unix(7)).
const MOST: usize = 64;

/// Bytes of the longest request. More than malloc(3) takes from its heap, so that pages which
/// no request needs are never touched.
const ROOM: usize = 256 * 1024;

/// What a request's actors have in common, and what each is.
#[derive(Serialize, Deserialize)]
struct Request<'r> {
    #[serde(borrow)]
    dir: Cow<'r, [u8]>,
    dies_with_stage: bool,
    setting: Cow<'r, Setting>,
    user: Option<Ids>,
    /// The first descriptor is a network namespace.
    has_network: bool,
    #[serde(borrow)]
    actors: Vec<Wanted<'r>>,
}

/// An actor. It comes with two descriptors: its end of the conversation, and its standard
/// error.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted<'r> {
    /// As `Launch::BuiltIn` names it.
    #[serde(borrow)]
    pub(super) driver: Cow<'r, str>,
    pub(super) mode: Cow<'r, [String]>,
    /// It says when it has started.
    pub(super) greets: bool,
    pub(super) ignores_sigpipe: bool,
    /// It starts programs of its own.
    pub(super) spawns: bool,
}

/// The stage's side of it.
pub(super) struct ForkServer {
    child: Child,
    socket: OwnedFd,
}

impl ForkServer {
    /// Forks it from the stage, which should have touched little yet.
    ///
    /// # Errors
    /// As socketpair(2) and clone(2).
    pub(super) fn start() -> Result<ForkServer, Errno> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        match Child::fork()? {
            Some(child) => Ok(ForkServer { child, socket: ours }),
            None => {
                let _ended = EndsHere;
                serve(&theirs)
            }
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Forks those of these actors that are built-in drivers, one right after the other.
    ///
    /// # Errors
    /// One of them couldn't be forked, or the server has ended.
    pub(super) fn fork(
        &self,
        ready: &mut [Ready<'_>],
        setting: &Setting,
        dir: &Path,
        dies_with_stage: bool,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let mut built_in: Vec<_> = ready.iter_mut().filter(|ready| ready.is_built_in()).collect();
        for some in built_in.chunks_mut(MOST) {
            self.fork_some(some, setting, dir, dies_with_stage, entry)?;
        }
        Ok(())
    }

    fn fork_some(
        &self,
        ready: &mut [&mut Ready<'_>],
        setting: &Setting,
        dir: &Path,
        dies_with_stage: bool,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let request = Request {
            dir: dir.as_os_str().as_bytes().into(),
            dies_with_stage,
            setting: Cow::Borrowed(setting),
            user: entry.user(),
            has_network: entry.network().is_some(),
            actors: ready.iter().filter_map(|ready| ready.wanted(setting)).collect(),
        };
        let network = entry.network().map(|network| network.as_raw_fd());
        let each = ready.iter().flat_map(|ready| ready.descriptors());
        let answer = self.ask(&request, &network.into_iter().chain(each).collect::<Vec<_>>());
        let answer = answer.map_err(|error| Fault::harness("the fork server", error.desc()))?;
        let mut failed = None;
        for (ready, result) in ready.iter_mut().zip(answer) {
            let child = if result > 0 { Child::made(result as u64) } else { Err(Errno::from_raw(-result)) };
            match child {
                Ok(child) => ready.child = Some(child),
                Err(error) => failed = failed.or(Some(not_started(ready.planned, "fork", error))),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// For each actor, its process id or the error that there was, negative.
    fn ask(&self, request: &Request<'_>, fds: &[RawFd]) -> Result<Vec<i32>, Errno> {
        let bytes = postcard::to_stdvec(request).map_err(|_| Errno::EINVAL)?;
        let rights = [ControlMessage::ScmRights(fds)];
        let socket = self.socket.as_raw_fd();
        again(|| sendmsg::<()>(socket, &[IoSlice::new(&bytes)], &rights, MsgFlags::MSG_NOSIGNAL, None))?;
        let mut answer = [0; 4 * MOST];
        let length = again(|| recv(socket, &mut answer, MsgFlags::empty()))?;
        let numbers = answer[..length].as_chunks::<4>().0.iter();
        let answer: Vec<i32> = numbers.map(|bytes| i32::from_le_bytes(*bytes)).collect();
        // It has ended.
        if answer.len() == request.actors.len() { Ok(answer) } else { Err(Errno::ECHILD) }
    }
}

fn again<Value>(mut call: impl FnMut() -> Result<Value, Errno>) -> Result<Value, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// The server: forks what is asked for until the stage hangs up.
fn serve(socket: &OwnedFd) -> ! {
    surroundings::die_with_parent();
    if let Err(error) = surroundings::place_descriptor(socket.as_raw_fd(), CONTROL_FD) {
        complain(&format!("the fork server: {}", error.desc()));
    }
    surroundings::close_from(CONTROL_FD + 1);
    builtin::prepare();
    let customary = surroundings::limits_to_set();
    let mut room = vec![0; ROOM];
    let mut rights = nix::cmsg_space!([RawFd; 2 * MOST + 1]);
    loop {
        let (length, fds) = match again(|| receive(&mut room, &mut rights)) {
            Ok((0, _)) => complain(""),
            Ok(received) => received,
            Err(error) => complain(&format!("the fork server: {}", error.desc())),
        };
        let answer = match postcard::from_bytes(&room[..length]) {
            Ok(request) => carry_out(&request, fds, &customary),
            Err(error) => complain(&format!("the fork server: {error}")),
        };
        // A stage that has ended takes this process along.
        let _ = send(CONTROL_FD, &answer, MsgFlags::MSG_NOSIGNAL);
    }
}

/// recvmsg(2). More descriptors than this process may have open are none.
fn receive(room: &mut [u8], rights: &mut [u8]) -> Result<(usize, Option<Vec<OwnedFd>>), Errno> {
    let mut bytes = [IoSliceMut::new(room)];
    let message = recvmsg::<()>(CONTROL_FD, &mut bytes, Some(rights), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    let whole = match message.cmsgs() {
        Err(_) => false,
        Ok(cmsgs) => {
            for cmsg in cmsgs {
                if let ControlMessageOwned::ScmRights(received) = cmsg {
                    // SAFETY: fresh descriptors that nothing else owns.
                    fds.extend(received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
                }
            }
            true
        }
    };
    Ok((message.bytes, whole.then_some(fds)))
}

/// Forks the actors. For each, its process id or the error that there was, negative.
// SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
#[unsafe(link_section = "pipelab_actor")]
#[inline(never)]
fn carry_out(request: &Request<'_>, fds: Option<Vec<OwnedFd>>, customary: &[Limit]) -> Vec<u8> {
    let failed = |error: Errno| -(error as i32);
    let Some(mut fds) = fds.map(Vec::into_iter) else {
        return request.actors.iter().flat_map(|_| failed(Errno::EMFILE).to_le_bytes()).collect();
    };
    let network = if request.has_network { fds.next().map(Rc::new) } else { None };
    let entry = Entry::new(customary.into(), &request.setting, network, request.user);
    let fds: Vec<OwnedFd> = fds.collect();
    // All that can be made ready before the first fork is not copied by the second.
    let mut execs: Vec<Option<Exec>> = request
        .actors
        .iter()
        .map(|wanted| Exec::built_in(&wanted.driver, &wanted.mode, wanted.greets))
        .collect();
    let mut answer = Vec::with_capacity(4 * execs.len());
    for ((wanted, exec), fds) in request.actors.iter().zip(&mut execs).zip(fds.chunks_exact(2)) {
        let Some(exec) = exec else {
            answer.extend(failed(Errno::EINVAL).to_le_bytes());
            continue;
        };
        surroundings::ignore_sigpipe(wanted.ignores_sigpipe);
        let pid = match child::clone(libc::CLONE_PARENT) {
            Ok(0) => Start {
                dir: Path::new(OsStr::from_bytes(&request.dir)),
                dies_with_stage: request.dies_with_stage,
                spawns: wanted.spawns,
                control: fds[0].as_raw_fd(),
                stderr: fds[1].as_raw_fd(),
                entry: &entry,
            }
            .become_actor(exec),
            Ok(pid) => pid,
            Err(error) => failed(error),
        };
        answer.extend(pid.to_le_bytes());
    }
    answer
}
