//! Bytes, descriptors and credentials over sockets: send(2), recv(2), cmsg(3).

use std::{
    io::IoSlice,
    os::fd::{BorrowedFd, RawFd},
};

use nix::{
    errno::Errno,
    sys::socket::{
        ControlMessage, MsgFlags, UnixCredentials, getsockopt, sendmsg as nix_sendmsg, sockopt::PassCred,
    },
};

use super::{
    Carry, Handles, Result, Words,
    address::Address,
    bits, gave, names,
    transfer::{Coded, giving, taking},
};
use crate::outcome::TAKE;

pub(super) const CALLS: &[(&str, Carry)] =
    &[("send", send), ("sendto", sendto), ("sendmsg", sendmsg), ("recv", recv), ("recvmsg", recvmsg)];

const FLAGS: &[(i32, &str)] = &[
    (libc::MSG_DONTWAIT, "dontwait"),
    (libc::MSG_NOSIGNAL, "nosignal"),
    (libc::MSG_OOB, "oob"),
    (libc::MSG_EOR, "eor"),
    (libc::MSG_PEEK, "peek"),
    (libc::MSG_TRUNC, "trunc"),
    (libc::MSG_WAITALL, "waitall"),
];

/// What recvmsg(2) flags.
const TOLD: &[(i32, &str)] = &[
    (libc::MSG_TRUNC, "trunc"),
    (libc::MSG_CTRUNC, "ctrunc"),
    (libc::MSG_EOR, "eor"),
    (libc::MSG_OOB, "oob"),
];

/// Most descriptors that a message carries (`SCM_MAX_FD`).
const MOST: usize = 253;

fn send(handles: &mut Handles, words: &Words<'_>) -> Result {
    let flags = bits(words, FLAGS);
    // SAFETY: the kernel reads what is mapped there, and says EFAULT of the rest.
    giving(handles, words, 1, |fd, start, length| unsafe { libc::send(fd, start, length, flags) })
}

fn sendto(handles: &mut Handles, words: &Words<'_>) -> Result {
    let address = Address::of(words.get(1)?, words, handles.get(words.get(0)?)?)?;
    let flags = bits(words, FLAGS);
    let (name, size) = address.parts();
    giving(handles, words, 2, |fd, start, length| {
        // SAFETY: the kernel reads what is mapped there, and says EFAULT of the rest.
        unsafe { libc::sendto(fd, start, length, flags, name, size) }
    })
}

fn sendmsg(handles: &mut Handles, words: &Words<'_>) -> Result {
    let fd = handles.get(words.get(0)?)?;
    let coded = Coded::of(words.get(1)?)?;
    let passed: Vec<RawFd> = words.from(2).iter().filter_map(|word| handles.find(word)).collect();
    let own = UnixCredentials::new();
    let mut control = Vec::new();
    if words.has("pass") {
        control.push(ControlMessage::ScmRights(&passed));
    }
    if words.has("creds") {
        control.push(ControlMessage::ScmCredentials(&own));
    }
    let flags = MsgFlags::from_bits_retain(bits(words, FLAGS));
    gave(coded.with(|bytes| nix_sendmsg::<()>(fd, &[IoSlice::new(bytes)], &control, flags, None))?)
}

fn recv(handles: &mut Handles, words: &Words<'_>) -> Result {
    let flags = bits(words, FLAGS);
    // SAFETY: the kernel writes what fits into the room and is mapped.
    taking(handles, words, |fd, start, room| unsafe { libc::recv(fd, start, room, flags) })
}

fn recvmsg(handles: &mut Handles, words: &Words<'_>) -> Result {
    let rest = words.from(2);
    let is_flag = |word: &&String| word.as_str() == "creds" || FLAGS.iter().any(|(_, name)| name == word);
    let take = rest.iter().position(|word| word == TAKE).map_or(rest.len(), |at| at + 1);
    let taken: Vec<&String> = rest[take..].iter().take_while(|word| !is_flag(word)).collect();
    let creds = words.has("creds") && passes_credentials(handles.get(words.get(0)?)?)?;
    let mut control = Control::with_room(taken.len(), creds);
    // SAFETY: all zeros is a message without anything.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    let mut said = taking(handles, words, |fd, start, room| {
        let mut place = libc::iovec { iov_base: start, iov_len: room };
        message.msg_iov = &mut place;
        message.msg_iovlen = 1;
        message.msg_control = control.place.as_mut_ptr().cast();
        message.msg_controllen = control.length;
        // SAFETY: the kernel writes what fits into the two rooms.
        unsafe { libc::recvmsg(fd, &mut message, bits(words, FLAGS)) }
    })?;
    let (fds, pid) = control.read(&message);
    said.words.extend((!fds.is_empty()).then(|| format!("fds={}", fds.len())));
    said.words.extend(pid.map(|pid| format!("creds={pid}")));
    said.words.extend(names(message.msg_flags, TOLD).map(str::to_owned));
    said.made = taken.into_iter().cloned().zip(fds).collect();
    Ok(said)
}

/// Credentials come with each message (SO_PASSCRED, unix(7)).
fn passes_credentials(fd: RawFd) -> std::result::Result<bool, Errno> {
    // SAFETY: one of the actor's own descriptors, which nobody closes meanwhile.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    match getsockopt(&fd, PassCred) {
        // No socket, or none that has it: the call itself says so.
        Err(Errno::ENOTSOCK | Errno::EOPNOTSUPP | Errno::EBADF) => Ok(false),
        passes => passes,
    }
}

/// Room for control messages, aligned as they are.
struct Control {
    place: Vec<u64>,
    /// Bytes of it that the kernel may use.
    length: usize,
}

impl Control {
    fn with_room(descriptors: usize, credentials: bool) -> Control {
        let credentials = if credentials { size_of::<libc::ucred>() } else { 0 };
        let rights = descriptors.min(MOST) * size_of::<RawFd>();
        // SAFETY: sizes are computed, nothing else.
        let space = |bytes: usize| unsafe { libc::CMSG_SPACE(bytes as u32) } as usize;
        // Rounded up, there would be room for one descriptor more.
        // SAFETY: as above.
        let exact = |bytes: usize| unsafe { libc::CMSG_LEN(bytes as u32) } as usize;
        let length = match (credentials, rights) {
            (0, 0) => 0,
            (0, rights) => exact(rights),
            (credentials, 0) => exact(credentials),
            (credentials, rights) => space(credentials) + exact(rights),
        };
        Control { place: vec![0; length.div_ceil(size_of::<u64>())], length }
    }

    /// The descriptors that came, and whose the message is.
    fn read(&self, message: &libc::msghdr) -> (Vec<RawFd>, Option<libc::pid_t>) {
        let (mut fds, mut pid) = (Vec::new(), None);
        // SAFETY: the kernel has filled in `message`, whose control messages lie in `self`;
        // each is as long as it says.
        unsafe {
            let mut at = libc::CMSG_FIRSTHDR(message);
            while let Some(header) = at.as_ref() {
                let data = libc::CMSG_DATA(at);
                match (header.cmsg_level, header.cmsg_type) {
                    (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                        let length = header.cmsg_len - libc::CMSG_LEN(0) as usize;
                        let numbers = data.cast::<RawFd>();
                        fds.extend(
                            (0..length / size_of::<RawFd>()).map(|at| numbers.add(at).read_unaligned()),
                        );
                    }
                    // Cut short where the room is only for descriptors.
                    (libc::SOL_SOCKET, libc::SCM_CREDENTIALS)
                        if header.cmsg_len >= libc::CMSG_LEN(size_of::<libc::ucred>() as u32) as usize =>
                    {
                        pid = Some(data.cast::<libc::ucred>().read_unaligned().pid);
                    }
                    _ => {}
                }
                at = libc::CMSG_NXTHDR(message, at);
            }
        }
        (fds, pid)
    }
}
