//! The descriptors of a process by the scenario's names, which its threads share as they
//! share the descriptors.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Default)]
pub(in super::super) struct Handles(Arc<Mutex<Table>>);

/// Few, so that lists will do.
#[derive(Default)]
struct Table {
    open: Vec<(String, i32)>,
    /// The descriptors over which threads beside the first take their orders.
    controls: Vec<i32>,
}

impl Handles {
    /// Never held while a system call may block.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[unsafe(link_section = "pipelab_actor")]
    pub(in super::super) fn find(&self, name: &str) -> Option<i32> {
        self.table().open.iter().find(|(known, _)| known == name).map(|(_, fd)| *fd)
    }

    /// These are held from now on, under names that may have been others'.
    #[unsafe(link_section = "pipelab_actor")]
    pub(in super::super) fn add(&self, made: Vec<(String, i32)>) {
        let mut table = self.table();
        table.open.retain(|(name, _)| made.iter().all(|(new, _)| new != name));
        table.open.extend(made);
    }

    /// One is forgotten.
    pub(in super::super) fn take(&self, name: &str) -> Option<i32> {
        let mut table = self.table();
        let place = table.open.iter().position(|(known, _)| known == name)?;
        Some(table.open.swap_remove(place).1)
    }

    /// All, those that were closed too.
    pub(in super::super) fn all(&self) -> Vec<(String, i32)> {
        self.table().open.clone()
    }

    /// All are forgotten.
    pub(in super::super) fn take_all(&self) -> Vec<(String, i32)> {
        std::mem::take(&mut self.table().open)
    }

    /// A thread takes its orders over this descriptor.
    pub(super) fn converse(&self, control: i32) {
        self.table().controls.push(control);
    }

    /// There are others beside the first.
    pub(super) fn have_threads(&self) -> bool {
        !self.table().controls.is_empty()
    }

    /// A copy of the process has no thread but the one that made it: their descriptors.
    pub(super) fn take_controls(&self) -> Vec<i32> {
        std::mem::take(&mut self.table().controls)
    }
}
