//! The runtimes that stand ready on this machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use super::{DRIVERS, Version, builtin::Driver, node, python};
use crate::stage::Launch;

/// One runtime that can play an actor.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtime {
    /// The driver that drives it (`python`).
    pub driver: String,
    /// What a scenario may write after `@` (`3.6`, `pypy3.10`, or the path by
    /// which it was given); empty for a built-in driver.
    pub version: String,
    /// Its exact version, for people (`CPython 3.6.15`).
    pub full_version: String,
    /// The part of a snapshot's name that stands for it (`python-3.6`,
    /// `stdio-glibc`); `None` if it is the same everywhere (`raw`).
    pub snapshot_key: Option<String>,
    pub launch: Arc<Launch>,
    /// Its own sizes in bytes, as its greeting gave them (`buffer`, `chunk`).
    pub symbols: BTreeMap<String, u64>,
}

/// A runtime that was looked for and can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub driver: String,
    pub what: String,
    /// The way to get it.
    pub remedy: String,
}

/// A built-in driver, as a runtime.
fn built_in(name: &str) -> Option<Runtime> {
    let hello = Driver::of(name, &[])?.hello();
    Some(Runtime {
        driver: name.to_owned(),
        version: String::new(),
        full_version: match name {
            "raw" => kernel(),
            "rust" => "Rust's standard library".to_owned(),
            _ => format!("{} {}", hello.runtime, hello.version),
        },
        snapshot_key: match name {
            // The kernel's own behaviour: the snapshot without a runtime.
            "raw" => None,
            "stdio" => Some(format!("stdio-{}", hello.runtime)),
            other => Some(other.to_owned()),
        },
        launch: Launch::BuiltIn(name.to_owned()).into(),
        symbols: hello.symbols.into_iter().collect(),
    })
}

fn kernel() -> String {
    nix::sys::utsname::uname()
        .map_or("Linux".to_owned(), |name| format!("Linux {}", name.release().to_string_lossy()))
}

/// All runtimes found, per driver from the oldest to the newest version (of
/// Pythons: other implementations before CPython, those given by path before all).
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub runtimes: Vec<Runtime>,
    pub missing: Vec<Missing>,
}

impl Catalog {
    /// The drivers inside this program. Nothing is started or looked for.
    pub fn builtin() -> Catalog {
        let runtimes = DRIVERS.iter().filter_map(|info| built_in(info.name));
        Catalog { runtimes: runtimes.collect(), missing: Vec::new() }
    }

    /// The built-in drivers, and what this machine has of the drivers `wanted`
    /// (by name), and the programs that are given by path (driver and path). Each
    /// program found is started once and asked; nothing is looked for that nobody wants.
    pub fn discover(wanted: &[&str], given: &BTreeSet<(String, String)>) -> Catalog {
        let mut catalog = Catalog::builtin();
        let paths = |name: &str| -> Vec<PathBuf> {
            given.iter().filter(|(driver, _)| driver == name).map(|(_, path)| path.into()).collect()
        };
        catalog.add(python::given(&paths(python::NAME)));
        catalog.add(node::given(&paths(node::NAME)));
        if wanted.contains(&python::NAME) {
            catalog.add_found(python::discover(), python::none);
        }
        if wanted.contains(&node::NAME) {
            catalog.add_found(node::discover(), node::none);
        }
        catalog
    }

    /// The runtimes which a scenario means by this driver and version. One that
    /// was given by path is meant only by its path.
    pub fn find(&self, driver: &str, version: &Version) -> Vec<&Runtime> {
        let all = || self.runtimes.iter().filter(|runtime| runtime.driver == driver);
        let unnamed = || all().filter(|runtime| !runtime.version.starts_with('/'));
        match version {
            Version::Newest => unnamed().next_back().into_iter().collect(),
            Version::All => unnamed().collect(),
            Version::Named(name) | Version::Path(name) => {
                all().filter(|runtime| runtime.version == *name).collect()
            }
        }
    }

    /// What a search has found, and what to say if that is nothing.
    fn add_found(&mut self, found: (Vec<Runtime>, Vec<Missing>), none: fn() -> Missing) {
        if found.0.is_empty() {
            self.missing.push(none());
        }
        self.add(found);
    }

    fn add(&mut self, (runtimes, missing): (Vec<Runtime>, Vec<Missing>)) {
        self.runtimes.extend(runtimes);
        self.missing.extend(missing);
    }
}
