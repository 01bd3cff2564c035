//! What outlives a case: the directory where channels are made, and actors that
//! were shown clean.

use std::{
    fs::{self, File},
    io::{self, stdin},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
};

use super::{
    Fault, Launch, Options, Plan,
    actor::Actor,
    contain,
    play::{Play, describe_end},
    pool::Pool,
    settle::{Guard, Settler},
};
use crate::wire::{Message, Order, Reply, Step};

/// Descriptors open at once, for a moment, while a step is settled and counted.
const RESERVE: usize = 4;

/// Number of the step that asks for a reset: no record has it.
const RESET: u64 = u64::MAX;

pub(super) struct Workshop {
    /// Where the stage keeps its files.
    root: PathBuf,
    cases: u64,
    /// The directory that actors share is there.
    made: bool,
    pool: Pool,
    /// The stage's own list of children; without it, nothing is kept.
    children: Option<File>,
}

impl Workshop {
    pub(super) fn new(root: &Path, fresh: bool) -> Workshop {
        let children = File::open("/proc/thread-self/children").ok();
        Workshop {
            root: root.to_owned(),
            cases: 0,
            made: false,
            pool: Pool::new(fresh || children.is_none()),
            children,
        }
    }

    /// The directory of the next case. Actors that serve several stay in one; fresh
    /// ones have one of their own.
    pub(super) fn dir(&mut self) -> io::Result<PathBuf> {
        if !self.pool.keeps() {
            let last = self.root.join(self.cases.to_string());
            // Seldom has anybody left a file there.
            let _ = fs::remove_dir(&last).or_else(|_| fs::remove_dir_all(&last));
            self.cases += 1;
        }
        let dir = self.root.join(self.cases.to_string());
        if !self.pool.keeps() || !self.made {
            if self.made { fs::create_dir(&dir) } else { fs::create_dir_all(&dir) }?;
            self.made = true;
        }
        Ok(dir)
    }

    /// An actor for each part of the plan, each waiting for its first step.
    pub(super) fn actors(
        &mut self,
        plan: &Plan,
        dir: &Path,
        options: &Options,
        guard: &Guard,
    ) -> Result<Vec<Actor>, Fault> {
        let mut actors = Vec::with_capacity(plan.actors.len());
        let mut started = Vec::new();
        for planned in &plan.actors {
            actors.push(match self.pool.take(planned, &plan.setting) {
                Some(actor) => actor,
                None => {
                    started.push(actors.len());
                    Actor::start(planned, &plan.setting, dir, options)?
                }
            });
        }
        if !started.is_empty() {
            let mut settler = Settler::new(guard, plan.setting.budget_ms);
            for at in started {
                let is_built_in = matches!(*plan.actors[at].launch, Launch::BuiltIn(_));
                await_greeting(&mut actors[at], is_built_in, &mut settler)?;
                if self.pool.keeps() && actors[at].abilities.resets {
                    actors[at].mark();
                }
            }
            keep_in_reserve()?;
        }
        Ok(actors)
    }

    /// Takes back the actors of a case that is over, as far as they are shown clean;
    /// ends the others, and whatever they have left behind.
    pub(super) fn keep(&mut self, mut play: Play<'_>) -> Result<(), Fault> {
        for at in 0..play.actors.len() {
            play.look_after(at)?;
        }
        if self.pool.keeps() {
            let mut clean = vec![false; play.actors.len()];
            let mut waiting = Vec::new();
            for (at, clean) in clean.iter_mut().enumerate() {
                let (actor, part) = (&mut play.actors[at], &play.parts[at]);
                let idle = actor.ended.is_none() && part.due.is_empty() && !part.may_end;
                if !idle || !actor.abilities.resets || !actor.is_marked() {
                    continue;
                }
                *clean = true;
                let nothing_open = part.ends.iter().all(Option::is_none);
                if !(actor.abilities.forgets && nothing_open) {
                    actor.give(&[Step { id: RESET, order: Order::Reset }])?;
                    waiting.push(at);
                }
            }
            self.settle_resets(&mut play, waiting, &mut clean)?;
            let setting = &play.plan.setting;
            for ((actor, planned), clean) in play.actors.drain(..).zip(&play.plan.actors).zip(clean) {
                // Whoever isn't clean ends here.
                if clean && actor.difference().is_none() {
                    self.pool.put(planned, setting, actor);
                }
            }
        }
        // All at once: each wait for one lets the others end too.
        play.actors.iter().for_each(Actor::kill);
        Ok(())
    }

    /// Waits for the answers to the resets. Who doesn't say that it is clean isn't.
    fn settle_resets(
        &mut self,
        play: &mut Play<'_>,
        mut waiting: Vec<usize>,
        clean: &mut [bool],
    ) -> Result<(), Fault> {
        if waiting.is_empty() {
            return Ok(());
        }
        play.settler.begin();
        play.settler.give_way();
        loop {
            waiting.retain(|&at| {
                let actor = &mut play.actors[at];
                let answer = actor.send_rest().and_then(|()| actor.listen()).and_then(|()| actor.message());
                match answer {
                    Ok(None) if !actor.hung_up() => return true,
                    Ok(Some(Message::Answer(answer))) if answer.id == RESET => {
                        clean[at] = matches!(answer.reply, Reply::Ok { .. });
                    }
                    _ => clean[at] = false,
                }
                false
            });
            if play.settler.settled(&mut play.actors, &waiting)? {
                waiting.iter().for_each(|&at| clean[at] = false);
                return Ok(());
            }
        }
    }

    /// Ends every process below the stage that isn't kept.
    pub(super) fn end_strays(&mut self) {
        let mut buffer = [0; 4096];
        let listed = self.children.as_ref().and_then(|file| file.read_at(&mut buffer, 0).ok());
        let text = listed.and_then(|length| std::str::from_utf8(&buffer[..length]).ok());
        let only_kept = text.is_some_and(|text| {
            text.split_ascii_whitespace()
                .all(|pid| pid.parse().is_ok_and(|pid: i32| self.pool.pids().any(|kept| kept == pid)))
        });
        if !only_kept {
            // Rare, and thorough: what a stray has touched nobody can tell.
            self.pool.clear();
            contain::end_strays();
        }
    }
}

fn await_greeting(actor: &mut Actor, is_built_in: bool, settler: &mut Settler<'_>) -> Result<(), Fault> {
    settler.begin();
    loop {
        actor.listen()?;
        match actor.message()? {
            // A built-in driver is the fork itself.
            Some(Message::Hello(_)) if !is_built_in && actor.has_children() => {
                return Err(actor.broken(
                    "it greets through a child process, which can't be proved settled: let the \
                     program that is named become the driver with exec, or name the driver itself",
                ));
            }
            Some(Message::Hello(hello)) => {
                actor.abilities = hello.abilities;
                return Ok(());
            }
            Some(Message::Answer(_)) => return Err(actor.broken("it answered before it greeted")),
            None => {}
        }
        actor.reap()?;
        if let Some(ended) = &actor.ended {
            let how = format!("it ended before its greeting: {}", describe_end(ended));
            return Err(actor.broken(&how));
        }
        settler.await_greeting(actor)?;
    }
}

/// Makes sure of the descriptors that counting opens for a moment, so that no
/// count is unknown merely because the limit is low.
fn keep_in_reserve() -> Result<(), Fault> {
    // Descriptor 0 is /dev/null.
    let reserve: Result<Vec<OwnedFd>, _> =
        (0..RESERVE).map(|_| stdin().as_fd().try_clone_to_owned()).collect();
    reserve.map(drop).map_err(|error| Fault::harness("counting", error))
}
