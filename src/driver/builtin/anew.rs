//! A `raw` actor that has replaced its program, by this very binary (execve(2)): it goes on
//! with what is left of its descriptors.

use std::{ffi::CString, io};

use nix::errno::Errno;

use super::{Reply, call::Handles, raw};
use crate::wire::{Answer, CONTROL_FD};

/// Tells a binary that it is such an actor; its value is the step that is to be answered,
/// and the handles.
const VARIABLE: &str = "PIPELAB_ACTOR";

/// Before `main`, whose runtime would ignore SIGPIPE and open descriptors: what the new
/// program finds is to be what execve(2) left.
#[used]
// SAFETY: a function without arguments, which the C library calls once, when it is ready.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = go_on_if_asked;

extern "C" fn go_on_if_asked() {
    let Ok(told) = std::env::var(VARIABLE) else { return };
    let mut words = told.split(' ');
    let step = words.next().and_then(|word| word.parse().ok());
    let pair = |word: &str| {
        let (name, fd) = word.split_once('=')?;
        Some((name.to_owned(), fd.parse().ok()?))
    };
    let (Some(id), Some(open)) = (step, words.map(pair).collect::<Option<Vec<(String, i32)>>>()) else {
        return;
    };
    // SAFETY: takes no argument.
    let is_open = |fd: i32| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0;
    let words = open.iter().filter(|(_, fd)| is_open(*fd)).map(|(name, _)| name.clone()).collect();
    let reply = Reply::Said { bytes: None, made: Vec::new(), words, data: Vec::new() };
    let answer = Answer { id, reply, queued: None, held: None }.encode();
    let handles = Handles::default();
    handles.add(open);
    raw::go_on(handles, CONTROL_FD, &answer)
}

/// Replaces the program; the new one answers the step. Returns only if that fails.
pub(super) fn replace(step: &str, handles: &Handles) -> io::Result<()> {
    let mut told = format!("{VARIABLE}={step}");
    handles.all().iter().for_each(|(name, fd)| told.push_str(&format!(" {name}={fd}")));
    let told = CString::new(told)?;
    let Err(errno) = nix::unistd::execve(c"/proc/self/exe", &[c"pipelab"], &[told]);
    Err(Errno::into(errno))
}
