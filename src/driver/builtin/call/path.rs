//! Nodes in the case's folder, by path.

use nix::{
    sys::stat::{Mode, SFlag, lstat as nix_lstat, mknod},
    unistd::unlink as nix_unlink,
};

use super::{Carry, Handles, Refused, Result, Words, done, says};

pub(super) const CALLS: &[(&str, Carry)] =
    &[("unlink", unlink), ("mksock", mksock), ("chmod", chmod), ("lstat", lstat)];

const TYPES: &[(SFlag, &str)] =
    &[(SFlag::S_IFSOCK, "socket"), (SFlag::S_IFIFO, "fifo"), (SFlag::S_IFREG, "file")];

fn unlink(_: &mut Handles, words: &Words<'_>) -> Result {
    nix_unlink(words.get(0)?)?;
    done()
}

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

fn lstat(_: &mut Handles, words: &Words<'_>) -> Result {
    let mode = SFlag::from_bits_truncate(nix_lstat(words.get(0)?)?.st_mode) & SFlag::S_IFMT;
    says(TYPES.iter().find(|(known, _)| *known == mode).map(|(_, name)| *name))
}
