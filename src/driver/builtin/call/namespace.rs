//! Namespaces: unshare(2), and what is set in one's own (sysctl(2)).

use std::{fs, os::unix::fs::MetadataExt};

use nix::sched::{CloneFlags, unshare as nix_unshare};

use super::{Carry, Handles, Refused, Result, Words, done};

pub(super) const CALLS: &[(&str, Carry)] = &[("unshare", unshare), ("sysctl", sysctl)];

fn unshare(_: &mut Handles, _: &Words<'_>) -> Result {
    nix_unshare(CloneFlags::CLONE_NEWNET)?;
    done()
}

fn sysctl(_: &mut Handles, words: &Words<'_>) -> Result {
    // What is set for all would change other cases, and outlive this one.
    if !is_own_network()? {
        return Err(Refused::Misused("only in a network namespace of its own: `unshare net` first".into()));
    }
    let value: u64 = words.number(1)?;
    let path = format!("/proc/sys/net/unix/{}", words.get(0)?);
    fs::write(path, value.to_string())?;
    done()
}

/// Whether this process's network namespace isn't the stage's, its parent's.
fn is_own_network() -> Result<bool> {
    let inode = |process: &str| fs::metadata(format!("/proc/{process}/ns/net")).map(|file| file.ino());
    let parent = nix::unistd::getppid().to_string();
    Ok(inode("self")? != inode(&parent)?)
}
