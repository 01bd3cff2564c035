//! The actors' side: the built-in drivers, the embedded drivers of other
//! runtimes, and what of them stands ready on this machine.

pub mod builtin;
mod catalog;
mod environment;
mod folder;
pub mod node;
pub mod python;
mod spec;
mod start;
mod table;

pub use catalog::{Catalog, Missing, Runtime};
pub use environment::environment;
pub use spec::{Spec, SpecError, Version};
pub use start::Started;
pub use table::{DRIVERS, DriverInfo, FORK, LAYERS, ModeInfo, SPAWNS, THREAD};

/// The driver and version of each runtime in a snapshot's key: `python` and `3.6`
/// for `python-3.6`. Runtimes that come with pipelab have no version to miss.
pub fn versions_of_key(key: &str) -> Vec<(String, String)> {
    let version = |part: &str| {
        let python = || Some((python::NAME.to_owned(), python::version_of_key(part)?));
        node::version_of_key(part).map(|version| (node::NAME.to_owned(), version)).or_else(python)
    };
    key.split('+').filter_map(version).collect()
}
