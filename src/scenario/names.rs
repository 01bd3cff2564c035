//! The system's names: errnos and signals.

use std::sync::LazyLock;

use nix::{errno::Errno, sys::signal::Signal};

/// `EHWPOISON`, on Linux.
const LAST_ERRNO: i32 = 133;

static ERRNOS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let named = (1..=LAST_ERRNO).map(Errno::from_raw).filter(|errno| *errno != Errno::UnknownErrno);
    named.map(|errno| format!("{errno:?}")).collect()
});

/// All errno names of this system, errno(3).
pub(super) fn errnos() -> &'static [String] {
    &ERRNOS
}

/// The usual spelling of an errno name, if it is one: on Linux some errors
/// have two names, errno(3).
pub(super) fn errno(name: &str) -> Option<&'static str> {
    let name = match name {
        "EWOULDBLOCK" => "EAGAIN",
        "EDEADLOCK" => "EDEADLK",
        "ENOTSUP" => "EOPNOTSUPP",
        other => other,
    };
    errnos().iter().map(String::as_str).find(|known| *known == name)
}

/// Its number.
pub(super) fn errno_number(name: &str) -> Option<i32> {
    let name = errno(name)?;
    (1..=LAST_ERRNO).find(|number| format!("{:?}", Errno::from_raw(*number)) == name)
}

/// The signal of this name (`SIGPIPE`).
pub(super) fn signal(name: &str) -> Option<Signal> {
    name.parse().ok()
}

/// All signal names.
pub(super) fn signals() -> Vec<&'static str> {
    Signal::iterator().map(Signal::as_str).collect()
}
