//! Nodes in the case's folder, by path.

use nix::sys::stat::{Mode, SFlag, mknod};

use super::{Carry, Handles, Refused, Result, Words, done};

pub(super) const CALLS: &[(&str, Carry)] = &[("mksock", mksock), ("chmod", chmod)];

fn mksock(_: &mut Handles, words: &Words<'_>) -> Result {
    mknod(words.get(0)?, SFlag::S_IFSOCK, Mode::S_IRWXU, 0)?;
    done()
}

fn chmod(_: &mut Handles, words: &Words<'_>) -> Result {
    let mode = u32::from_str_radix(words.get(1)?, 8).ok().and_then(Mode::from_bits);
    let mode = mode.ok_or_else(|| Refused::Misused("a mode is octal".into()))?;
    nix::sys::stat::fchmodat(
        nix::fcntl::AT_FDCWD,
        words.get(0)?,
        mode,
        nix::sys::stat::FchmodatFlags::FollowSymlink,
    )?;
    done()
}
