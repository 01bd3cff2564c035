//! The user that actors run as.

use std::{
    fs::{canonicalize, metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

use nix::{
    errno::Errno,
    unistd::{Gid, Uid, User as Entry, getegid, geteuid},
};
use serde::{Deserialize, Serialize};

use super::surroundings;

/// `_LINUX_CAPABILITY_VERSION_3` of <linux/capability.h>, whose sets are two words each.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Fresh ids are this and the next 2^30 - 1: above what systems give to users.
const FIRST_FRESH: u32 = 1 << 30;

/// Who the actors of a case are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum User {
    Is {
        uid: u32,
        gid: u32,
    },
    /// Somebody whom nobody else is: limits count by user.
    Fresh,
}

/// User and group.
pub type Ids = (u32, u32);

impl User {
    /// The user of this name, or with this number; `None` if the system has no such name.
    pub fn named(name: &str) -> Option<User> {
        if name == "fresh" {
            return Some(User::Fresh);
        }
        match name.parse() {
            Ok(uid) => {
                // One without an entry has the group of its number, as the call setresuid gives it.
                let entry = Entry::from_uid(Uid::from_raw(uid)).ok().flatten();
                Some(User::Is { uid, gid: entry.map_or(uid, |entry| entry.gid.as_raw()) })
            }
            Err(_) => {
                let entry = Entry::from_name(name).ok()??;
                Some(User::Is { uid: entry.uid.as_raw(), gid: entry.gid.as_raw() })
            }
        }
    }
}

/// A number that nobody else has.
///
/// # Errors
/// As getrandom(2).
pub fn fresh_id() -> Result<u32, Errno> {
    let mut bytes = [0; 4];
    // SAFETY: the kernel writes at most as many bytes as it is told.
    Errno::result(unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) })?;
    Ok(FIRST_FRESH | u32::from_ne_bytes(bytes) >> 2)
}

/// All ids of this process are these from here on.
///
/// # Errors
/// As setresgid(2) and setresuid(2).
pub fn set_ids((uid, gid): Ids) -> Result<(), Errno> {
    // By syscall(2): the C library would ask other threads, and there are none.
    // SAFETY: numbers.
    unsafe {
        Errno::result(libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        Errno::result(libc::syscall(libc::SYS_setresuid, uid, uid, uid))?;
    }
    // The kernel forgets it when ids change (prctl(2)).
    surroundings::die_with_parent();
    Ok(())
}

/// Whether others of the same user may look at this process, which a change of ids ends
/// (prctl(2)).
///
/// # Errors
/// As prctl(2).
pub fn set_dumpable(dumpable: bool) -> Result<(), Errno> {
    // SAFETY: numbers.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable)) }).map(drop)
}

/// No capability is left.
///
/// # Errors
/// As capset(2).
pub fn drop_capabilities() -> Result<(), Errno> {
    // Version and process; then three sets of two words each.
    let (head, none) = ([CAPABILITY_VERSION, 0], [0_u32; 6]);
    // SAFETY: both live through the call and are as long as the version says.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, head.as_ptr(), none.as_ptr()) }).map(drop)
}

/// This process is this user and no more: no other group, and no capability unless it is root.
///
/// # Errors
/// As the calls that it makes.
pub fn become_user(ids: Ids) -> Result<(), Errno> {
    if ids != (geteuid().as_raw(), getegid().as_raw()) {
        // SAFETY: an empty list. By syscall(2), as above.
        Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) })?;
        set_ids(ids)?;
        set_dumpable(true)?;
    }
    // Whoever is root has them all again at its next exec.
    if ids.0 == 0 { Ok(()) } else { drop_capabilities() }
}

/// This user may walk to a folder, or run a program: the bits of all folders on the way
/// say so.
pub fn reaches((uid, gid): Ids, path: &Path) -> bool {
    let may_pass = |path: &Path| {
        metadata(path).is_ok_and(|file| {
            let bits = match () {
                () if file.uid() == uid => file.mode() >> 6,
                () if file.gid() == gid => file.mode() >> 3,
                () => file.mode(),
            };
            uid == 0 || bits & 1 != 0
        })
    };
    canonicalize(path).is_ok_and(|path| path.ancestors().all(may_pass))
}

/// Gives a file to somebody.
///
/// # Errors
/// As chown(2).
pub fn give(path: &Path, (uid, gid): Ids) -> Result<(), Errno> {
    nix::unistd::chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}
