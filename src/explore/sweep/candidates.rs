//! Sizes at which behaviour is likely to change: what the machine, the channels and the runtimes
//! of a case are known to have.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{Case, Symbols};

/// Multiples of a page, and of what a channel holds, that are tried.
const PAGES: u64 = 16;
const FILLS: u64 = 4;

/// The sizes by which a case can be explained: what each is called, and its bytes.
pub fn named(case: &Case, symbols: &Symbols) -> BTreeMap<String, u64> {
    let mut named = symbols.sizes();
    for actor in case.actors.iter() {
        let told = actor.runtime.iter().flat_map(|runtime| &runtime.symbols);
        named.extend(told.map(|(name, bytes)| (format!("{}.{name}", actor.name), *bytes)));
    }
    for actor in case.plan.actors.iter() {
        let buffer = actor.mode.iter().find_map(|word| word.strip_prefix("buffer=")?.parse().ok());
        named.extend(buffer.map(|bytes| (format!("{}:buffer", actor.name), bytes)));
    }
    for channel in case.plan.channels.iter() {
        named.extend(channel.capacity.map(|bytes| (format!("{}:capacity", channel.name), bytes)));
    }
    named
}

/// Powers of two; the named sizes, their multiples and halves (of which a character of two bytes
/// makes one), and what a full channel and a full buffer hold together.
pub fn candidates(named: &BTreeMap<String, u64>, page: u64) -> BTreeSet<u64> {
    let sizes: BTreeSet<u64> = named.values().copied().filter(|bytes| *bytes > 1).collect();
    let mut all: BTreeSet<u64> = (0..40).map(|power| 1 << power).collect();
    all.extend((1..=PAGES).map(|pages| pages * page));
    for &size in &sizes {
        all.extend((1..=FILLS).map(|times| times * size));
        all.insert(size / 2);
        all.extend(sizes.iter().map(|other| size + other));
    }
    all
}
