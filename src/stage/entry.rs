//! What the actors of a setting are given at their start, beyond what all have: limits, a
//! network namespace, a user. It outlives a case, since its actors may.

use std::{
    fs::{Permissions, set_permissions},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    rc::Rc,
};

use nix::{
    errno::Errno,
    sys::resource::setrlimit,
    unistd::{getegid, geteuid},
};

use super::Fault;
use crate::setting::{
    Setting, User, limits, network,
    surroundings::{self, Limit},
    user::{self, Ids},
};

/// More network namespaces than that aren't kept.
const MOST_NETWORKS: usize = 8;

/// What one process does between its fork and its driver.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    customary: Rc<[Limit]>,
    limits: Vec<Limit>,
    network: Option<Rc<OwnedFd>>,
    user: Option<Ids>,
}

impl Entry {
    /// `customary`: what [`surroundings::limits_to_set`] found.
    pub(super) fn new(
        customary: Rc<[Limit]>,
        setting: &Setting,
        network: Option<Rc<OwnedFd>>,
        user: Option<Ids>,
    ) -> Entry {
        Entry { customary, limits: limits::of(&setting.limits), network, user }
    }

    pub(super) fn network(&self) -> Option<&OwnedFd> {
        self.network.as_deref()
    }

    /// Another user than the stage's.
    pub(super) fn user(&self) -> Option<Ids> {
        self.user
    }

    /// Puts this process there.
    ///
    /// # Errors
    /// As the calls that it takes.
    #[unsafe(link_section = "pipelab_actor")]
    pub(super) fn pass(&self) -> Result<(), Errno> {
        if let Some(network) = &self.network {
            network::enter(network)?;
        }
        surroundings::set_limits(&self.customary);
        for &(resource, soft, hard) in &self.limits {
            setrlimit(resource, soft, hard)?;
        }
        match self.user {
            Some(ids) => user::become_user(ids),
            None => Ok(()),
        }
    }
}

/// Makes the entries.
pub(super) struct Entries {
    /// Where the stage keeps its files.
    root: PathBuf,
    customary: Rc<[Limit]>,
    networks: Vec<(u32, Rc<OwnedFd>)>,
    /// Who `fresh` is: one user a stage, which plays one case at a time.
    fresh: Option<u32>,
    /// Whose the case's folder is.
    owner: Ids,
}

impl Entries {
    pub(super) fn new(root: &Path) -> Entries {
        Entries {
            root: root.to_owned(),
            customary: surroundings::limits_to_set().into(),
            networks: Vec::new(),
            fresh: None,
            owner: own_ids(),
        }
    }

    /// The entry of a setting's actors.
    ///
    /// # Errors
    /// What it needs can't be had here.
    pub(super) fn of(&mut self, setting: &Setting) -> Result<Entry, Fault> {
        let network = setting.max_dgram_qlen.map(|qlen| self.network(qlen)).transpose()?;
        let user = self.ids(setting)?;
        Ok(Entry::new(self.customary.clone(), setting, network, user))
    }

    /// There is room for the namespace of this setting. If not, others have to go for it, and
    /// so the actors in them.
    pub(super) fn has_room(&self, setting: &Setting) -> bool {
        let known = |qlen| self.networks.iter().any(|(of, _)| *of == qlen);
        setting.max_dgram_qlen.is_none_or(|qlen| known(qlen) || self.networks.len() < MOST_NETWORKS)
    }

    pub(super) fn forget_networks(&mut self) {
        self.networks.clear();
    }

    fn network(&mut self, qlen: u32) -> Result<Rc<OwnedFd>, Fault> {
        if let Some((_, network)) = self.networks.iter().find(|(of, _)| *of == qlen) {
            return Ok(network.clone());
        }
        let network = network::namespace(qlen).map_err(|why| Fault::Missing {
            reason: format!("max_dgram_qlen needs a network namespace, and there is none here ({why})"),
            remedy: "run it as root, or where users may have namespaces (user_namespaces(7))".to_owned(),
        })?;
        let network = Rc::new(network);
        self.networks.push((qlen, network.clone()));
        Ok(network)
    }

    /// `None`: who the stage is.
    fn ids(&mut self, setting: &Setting) -> Result<Option<Ids>, Fault> {
        Ok(match setting.user {
            None => None,
            Some(User::Is { uid, gid }) => Some((uid, gid)),
            Some(User::Fresh) => {
                if self.fresh.is_none() {
                    let id = user::fresh_id().map_err(|error| Fault::harness("getrandom", error.desc()))?;
                    self.fresh = Some(id);
                }
                self.fresh.map(|id| (id, id))
            }
        })
    }

    /// Gives the case's folder and what is in it to the actors' user.
    ///
    /// # Errors
    /// The user can't reach it.
    pub(super) fn hand_over(&mut self, setting: &Setting, dir: &Path) -> Result<(), Fault> {
        let ids = self.ids(setting)?;
        let owner = ids.unwrap_or_else(own_ids);
        let fault = |what: &Path, error: &dyn std::fmt::Display| {
            Fault::harness(&format!("giving {} to the actors' user", what.display()), error)
        };
        // The folder may be a new one.
        if ids.is_some() || owner != self.owner {
            // To be passed, and nobody else is told its name.
            set_permissions(&self.root, Permissions::from_mode(0o711))
                .map_err(|error| fault(&self.root, &error))?;
            user::give(dir, owner).map_err(|error| fault(dir, &error.desc()))?;
            self.owner = owner;
        }
        let Some(ids) = ids.filter(|ids| *ids != own_ids()) else { return Ok(()) };
        if !user::reaches(ids, dir) {
            return Err(Fault::Missing {
                reason: format!("{} can't be reached by user {}", dir.display(), ids.0),
                remedy: "point TMPDIR to a folder that everybody may pass".to_owned(),
            });
        }
        let entries = std::fs::read_dir(dir).map_err(|error| fault(dir, &error))?;
        for entry in entries.flatten() {
            user::give(&entry.path(), ids).map_err(|error| fault(&entry.path(), &error.desc()))?;
        }
        Ok(())
    }
}

fn own_ids() -> Ids {
    (geteuid().as_raw(), getegid().as_raw())
}
