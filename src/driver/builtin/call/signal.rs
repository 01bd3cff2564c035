//! Signals: sigaction(2), and a handler that only counts.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::{errno::Errno, sys::signal::Signal};

use super::{Carry, Handles, Refused, Result, Words, done, gave};

pub(super) const CALLS: &[(&str, Carry)] = &[("sigaction", sigaction), ("caught", caught)];

/// Signals below this exist on Linux (signal(7)).
const SIGNALS: usize = 65;

/// How often the handler saw each signal.
static CAUGHT: [AtomicU64; SIGNALS] = [const { AtomicU64::new(0) }; SIGNALS];

/// Only adds to a number, which a handler may do (signal-safety(7)).
extern "C" fn count(signal: libc::c_int) {
    CAUGHT[signal as usize].fetch_add(1, Ordering::Relaxed);
}

/// Nothing was caught yet.
pub(in crate::driver::builtin) fn forget() {
    CAUGHT.iter().for_each(|count| count.store(0, Ordering::Relaxed));
}

fn signal(word: &str) -> Result<Signal> {
    word.parse().map_err(|_| Refused::Misused(format!("`{word}` is no signal")))
}

pub(super) fn sigaction(_: &mut Handles, words: &Words<'_>) -> Result {
    let signal = signal(words.get(0)?)?;
    let handler = match words.get(1)? {
        "count" => count as extern "C" fn(libc::c_int) as libc::sighandler_t,
        "ignore" => libc::SIG_IGN,
        _ => libc::SIG_DFL,
    };
    // SAFETY: the handler is fit for any moment, and all else of the zeroed value is valid.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = if words.has("restart") { libc::SA_RESTART } else { 0 };
        Errno::result(libc::sigaction(signal as i32, &action, std::ptr::null_mut()))?;
    }
    done()
}

pub(super) fn caught(_: &mut Handles, words: &Words<'_>) -> Result {
    gave(CAUGHT[signal(words.get(0)?)? as usize].load(Ordering::Relaxed))
}
