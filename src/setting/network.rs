//! A network namespace for the actors of a case (network_namespaces(7)): what is set in it
//! changes nothing elsewhere.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::{
        socket::{AddressFamily, SockFlag, SockType, socket, socketpair},
        wait::{WaitStatus, waitpid},
    },
    unistd::{Pid, read},
};

/// A namespace in which UNIX sockets' queues take so many datagrams, and the loopback
/// interface is up. For a process of one thread.
///
/// # Errors
/// In the words of the call that this user or machine refuses.
pub fn namespace(max_dgram_qlen: u32) -> Result<OwnedFd, String> {
    let refused = |what: &str, error: Errno| format!("{what}: {}", error.desc());
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)
        .map_err(|error| refused("socketpair", error))?;
    // SAFETY: the caller has one thread, so its child may do anything.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_NEWNET | libc::SIGCHLD, 0, 0, 0, 0) };
    let pid = Errno::result(pid).map_err(|error| refused("a network namespace", error))? as i32;
    if pid == 0 {
        drop(ours);
        // The namespace has to live until somebody else holds it.
        let _ = read(&theirs, &mut [0]);
        let status = set_up(max_dgram_qlen).map_or_else(|error| error.raw_os_error().unwrap_or(255), |()| 0);
        // SAFETY: doesn't return.
        unsafe { libc::_exit(status) }
    }
    let namespace = File::open(format!("/proc/{pid}/ns/net"));
    drop((ours, theirs));
    let status = loop {
        match waitpid(Pid::from_raw(pid), None) {
            Err(Errno::EINTR) => {}
            status => break status,
        }
    };
    match status {
        Ok(WaitStatus::Exited(_, 0)) => {
            namespace.map(OwnedFd::from).map_err(|error| format!("a network namespace: {error}"))
        }
        Ok(WaitStatus::Exited(_, errno)) => Err(refused("setting max_dgram_qlen", Errno::from_raw(errno))),
        _ => Err("a network namespace: who made it was killed".to_owned()),
    }
}

fn set_up(max_dgram_qlen: u32) -> io::Result<()> {
    fs::write("/proc/sys/net/unix/max_dgram_qlen", max_dgram_qlen.to_string())?;
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: all zeros is an ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, letter) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = *letter as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: reads one ifreq, which lives through the call.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) })?;
    Ok(())
}

/// This process is in that namespace from here on.
///
/// # Errors
/// As setns(2).
pub fn enter(namespace: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: numbers.
    Errno::result(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}
