//! Actors that have played a case, were shown clean, and wait for another one.
//!
//! The key is all that made the process what it is: program, mode, setting.

use std::{collections::VecDeque, sync::Arc};

use nix::sys::resource::{Resource, getrlimit};

use super::{Launch, PlannedActor, actor::Actor};
use crate::setting::Setting;

/// More idle actors than that only hold memory.
const MOST: u64 = 24;

/// Descriptors that are never given to idle actors, and those that an actor takes.
const KEPT: u64 = 128;
const EACH: u64 = 12;

/// Of `KEPT`: what the stage needs beside all actors.
const STAGE: u64 = 32;

struct Idle {
    launch: Arc<Launch>,
    mode: Vec<String>,
    ignores_sigpipe: bool,
    setting: Setting,
    actor: Actor,
}

/// The oldest is at the front.
pub(super) struct Pool {
    idle: VecDeque<Idle>,
    most: usize,
    /// The limit of open files.
    descriptors: u64,
}

impl Pool {
    /// A pool that never holds anything if `fresh`.
    pub(super) fn new(fresh: bool) -> Pool {
        let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        let room = (descriptors.saturating_sub(KEPT) / EACH).min(MOST) as usize;
        Pool { idle: VecDeque::new(), most: if fresh { 0 } else { room }, descriptors }
    }

    /// Whether actors are kept at all.
    pub(super) fn keeps(&self) -> bool {
        self.most > 0
    }

    /// Ends idle actors, as far as a case of so many could lack their descriptors.
    /// Whether its own actors may have those by which they are shown clean.
    pub(super) fn make_room(&mut self, actors: usize) -> bool {
        let room = (self.descriptors.saturating_sub(STAGE) / EACH) as usize;
        while self.idle.len() > room.saturating_sub(actors) {
            self.idle.pop_front();
        }
        self.keeps() && actors <= room
    }

    /// An actor that can play this part.
    pub(super) fn take(&mut self, planned: &PlannedActor, setting: &Setting) -> Option<Actor> {
        let fits = |idle: &Idle| {
            Arc::ptr_eq(&idle.launch, &planned.launch)
                && idle.mode == planned.mode
                && idle.ignores_sigpipe == planned.ignores_sigpipe
                && idle.setting == *setting
        };
        let place = self.idle.iter().rposition(fits)?;
        let mut actor = self.idle.remove(place)?.actor;
        actor.begin(&planned.name);
        Some(actor)
    }

    /// Takes an actor that was shown clean.
    pub(super) fn put(&mut self, planned: &PlannedActor, setting: &Setting, actor: Actor) {
        while self.idle.len() >= self.most.max(1) {
            self.idle.pop_front();
        }
        if self.keeps() {
            self.idle.push_back(Idle {
                launch: planned.launch.clone(),
                mode: planned.mode.clone(),
                ignores_sigpipe: planned.ignores_sigpipe,
                setting: setting.clone(),
                actor,
            });
        }
    }

    /// The processes that wait here.
    pub(super) fn pids(&self) -> impl Iterator<Item = i32> + '_ {
        self.idle.iter().map(|idle| idle.actor.pid())
    }

    /// Ends them all.
    pub(super) fn clear(&mut self) {
        self.idle.clear();
    }
}
