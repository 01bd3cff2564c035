//! Namespaces: unshare(2).

use nix::sched::{CloneFlags, unshare as nix_unshare};

use super::{Carry, Handles, Result, Words, done};

pub(super) const CALLS: &[(&str, Carry)] = &[("unshare", unshare)];

fn unshare(_: &mut Handles, _: &Words<'_>) -> Result {
    nix_unshare(CloneFlags::CLONE_NEWNET)?;
    done()
}
