//! Resource limits that a setting may give its actors (setrlimit(2)).

use nix::sys::resource::Resource;
use serde::{Deserialize, Serialize};

use super::surroundings::Limit;

/// No limit at all.
pub const UNLIMITED: u64 = libc::RLIM_INFINITY;

/// Descriptors 0 to 3 are every actor's own.
pub const LEAST_DESCRIPTORS: u64 = 4;

/// A resource. What time uses up (RLIMIT_CPU) is none of them: an actor that serves
/// several cases would have less in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    As,
    Data,
    Fsize,
    Memlock,
    Nofile,
    Nproc,
    Sigpending,
    Stack,
}

/// One line of the table of limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitInfo {
    pub kind: LimitKind,
    /// As bash's ulimit and limits.conf(5) call it.
    pub name: &'static str,
    pub resource: Resource,
}

/// All of them.
pub const LIMITS: &[LimitInfo] = &[
    LimitInfo { kind: LimitKind::As, name: "as", resource: Resource::RLIMIT_AS },
    LimitInfo { kind: LimitKind::Data, name: "data", resource: Resource::RLIMIT_DATA },
    LimitInfo { kind: LimitKind::Fsize, name: "fsize", resource: Resource::RLIMIT_FSIZE },
    LimitInfo { kind: LimitKind::Memlock, name: "memlock", resource: Resource::RLIMIT_MEMLOCK },
    LimitInfo { kind: LimitKind::Nofile, name: "nofile", resource: Resource::RLIMIT_NOFILE },
    LimitInfo { kind: LimitKind::Nproc, name: "nproc", resource: Resource::RLIMIT_NPROC },
    LimitInfo { kind: LimitKind::Sigpending, name: "sigpending", resource: Resource::RLIMIT_SIGPENDING },
    LimitInfo { kind: LimitKind::Stack, name: "stack", resource: Resource::RLIMIT_STACK },
];

impl LimitKind {
    pub fn info(self) -> &'static LimitInfo {
        LIMITS.iter().find(|info| info.kind == self).expect("every limit has its line in LIMITS")
    }

    pub fn named(name: &str) -> Option<LimitKind> {
        LIMITS.iter().find(|info| info.name == name).map(|info| info.kind)
    }
}

/// As they are set. Soft and hard are one: some runtimes raise the soft one at their start.
pub fn of(limits: &[(LimitKind, u64)]) -> Vec<Limit> {
    limits.iter().map(|(kind, bound)| (kind.info().resource, *bound, *bound)).collect()
}
