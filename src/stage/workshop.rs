//! What outlives a case: the directory where channels are made, and actors that
//! were shown clean.

use std::{
    fs::{self, File},
    io::{self, stdin},
    iter,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
};

use super::{
    Containment, Fault, Launch, Options, Plan, PlannedActor,
    actor::Actor,
    contain,
    entry::Entries,
    fork_server::ForkServer,
    play::{Play, describe_end},
    pool::Pool,
    ready::Ready,
    rest::{Rest, Timer},
    settle::{Guard, Settler},
};
use crate::{
    observe::Depth,
    outcome::{Action, Transcript},
    wire::Message,
};

/// Descriptors open at once, for a moment, while a step is settled and counted.
const RESERVE: usize = 4;

pub(super) struct Workshop {
    /// Where the stage keeps its files.
    root: PathBuf,
    /// The directory that actors share is there.
    made: bool,
    pool: Pool,
    /// So many actors at once have left descriptors enough to count with.
    most: usize,
    entries: Entries,
    /// `None`: it has to be started, again.
    fork_server: Option<ForkServer>,
    /// The stage's own list of children; without it, nothing is kept.
    children: Option<File>,
}

impl Workshop {
    pub(super) fn new(root: &Path, fresh: bool) -> Workshop {
        let children = File::open("/proc/thread-self/children").ok();
        Workshop {
            root: root.to_owned(),
            made: false,
            most: 0,
            pool: Pool::new(fresh || children.is_none()),
            entries: Entries::new(root),
            // While there is little memory to copy. What keeps it from starting may pass.
            fork_server: ForkServer::start().ok(),
            children,
        }
    }

    /// The directory of the next case: always the same one, whose name errors show.
    /// Actors that serve several stay in it; a program that doesn't gets a new one.
    pub(super) fn dir(&mut self) -> io::Result<PathBuf> {
        let dir = self.root.join("case");
        if !self.made {
            // Seldom has anybody left a file there.
            match fs::remove_dir(&dir).or_else(|_| fs::remove_dir_all(&dir)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::create_dir_all(&dir)?,
            }
            self.made = true;
        }
        Ok(dir)
    }

    /// A case is over, its channels removed. Where its directory or its network namespace may
    /// not be as it was, the next case gets another.
    pub(super) fn leave(&mut self, plan: &Plan, dir: &Path) {
        let is_program = |actor: &PlannedActor| !matches!(*actor.launch, Launch::BuiltIn(_));
        let calls = plan.steps.iter().any(|step| matches!(step.action, Action::Call(_)));
        if calls && !plan.actors.iter().any(is_program) {
            // Steps may have made nodes, but no more than that.
            let left = fs::read_dir(dir).into_iter().flatten().flatten();
            left.for_each(|entry| drop(fs::remove_file(entry.path())));
        }
        let is_empty = || fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
        let may_leave = plan.actors.iter().any(is_program) || plan.steps.iter().any(|step| step.lasts());
        if may_leave && !(self.pool.keeps() && is_empty()) {
            self.forget_dir();
        }
        let has = |names: &[&str]| {
            let calls = plan.steps.iter().filter_map(|step| match &step.action {
                Action::Call(called) => Some(called.call.name()),
                _ => None,
            });
            calls.into_iter().any(|name| names.contains(&name))
        };
        // The folder itself may have been meant.
        if has(&["chmod", "fchmod", "fchown"]) {
            self.forget_dir();
        }
        // A namespace of this setting is for all its cases.
        if plan.setting.max_dgram_qlen.is_some() && has(&["sysctl"]) {
            self.pool.clear();
            self.entries.forget_networks();
        }
    }

    /// The next case gets a directory of its own. Actors that are kept stand in this one.
    fn forget_dir(&mut self) {
        self.pool.clear();
        self.made = false;
    }

    /// An actor for each part of the plan. Each waits for its first step, or will: fresh
    /// ones of built-in drivers are ready before they run.
    pub(super) fn actors(
        &mut self,
        plan: &Plan,
        dir: &Path,
        options: &Options,
        guard: &Guard,
    ) -> Result<Vec<Actor>, Fault> {
        if !self.entries.has_room(&plan.setting) {
            self.pool.clear();
            self.entries.forget_networks();
        }
        let entry = self.entries.of(&plan.setting)?;
        self.entries.hand_over(&plan.setting, dir)?;
        let has_room = self.pool.make_room(plan.actors.len());
        let mut kept = Vec::with_capacity(plan.actors.len());
        let (mut ready, mut greeting) = (Vec::new(), Vec::new());
        for (at, planned) in plan.actors.iter().enumerate() {
            kept.push(match planned.is_made_by_step() {
                true => Some(Actor::absent(planned)?),
                false => self.take(plan, planned, options),
            });
            if kept[at].is_none() {
                let greets = match &*planned.launch {
                    Launch::BuiltIn(_) => self.pool.keeps(),
                    Launch::Program { .. } => true,
                    Launch::Command(_) | Launch::Child(_) => false,
                };
                ready.push(Ready::new(planned, &plan.setting, greets, plan.trace(at, options))?);
                if greets {
                    greeting.push(at);
                }
            }
        }
        let has_others = |actor: &PlannedActor| actor.is_command() || actor.is_child();
        if self.children.is_none() && plan.actors.iter().any(has_others) {
            return Err(Fault::Missing {
                reason: "this kernel doesn't list the children of a process".to_owned(),
                remedy: "play it on one that was built with CONFIG_PROC_CHILDREN".to_owned(),
            });
        }
        let dies_with_stage = options.containment != Containment::Nothing;
        if ready.iter().any(Ready::is_built_in) {
            let server = self.fork_server()?;
            let forked = server.fork(&mut ready, &plan.setting, dir, dies_with_stage, &entry);
            if forked.is_err() {
                // It may have ended; the next case gets another.
                self.fork_server = None;
            }
            forked?;
        }
        for ready in &mut ready {
            ready.fork(&plan.setting, dir, dies_with_stage, &entry)?;
        }
        let mut ready = ready.into_iter();
        let mut actors = Vec::with_capacity(kept.len());
        for kept in kept {
            actors.push(match kept {
                Some(actor) => actor,
                None => Actor::of(ready.next().expect("one for each"), options),
            });
        }
        if !greeting.is_empty() {
            let mut settler = Settler::new(guard, plan.setting.budget_ms);
            // Then most have greeted.
            settler.give_way();
            for at in greeting {
                await_greeting(&mut actors[at], &mut settler)?;
                if has_room && actors[at].abilities.resets {
                    let still = !actors[at].is_program || is_idle(&mut settler, &mut actors[at])?;
                    if still {
                        actors[at].mark();
                    }
                }
            }
        }
        let alive = actors.len() + self.pool.pids().count();
        if alive > self.most {
            keep_in_reserve()?;
            self.most = alive;
        }
        Ok(actors)
    }

    fn fork_server(&mut self) -> Result<&ForkServer, Fault> {
        if self.fork_server.is_none() {
            let server = ForkServer::start();
            self.fork_server =
                Some(server.map_err(|error| Fault::harness("starting the fork server", error.desc()))?);
        }
        Ok(self.fork_server.as_ref().expect("just started"))
    }

    /// An actor that is as it was when it was put away: a program may have ended, or
    /// done something on its own.
    fn take(&mut self, plan: &Plan, planned: &PlannedActor, options: &Options) -> Option<Actor> {
        let same = |actor: &Actor| {
            actor.is_quiet() && actor.difference(Depth::Numbers, &options.unchecked).is_none()
        };
        iter::from_fn(|| self.pool.take(planned, &plan.setting))
            .find(|actor| !actor.is_program || same(actor))
    }

    /// Takes back the actors of a case that is over, as far as they are shown clean;
    /// ends the others, and whatever they have left behind.
    pub(super) fn keep(
        &mut self,
        mut play: Play<'_>,
        transcript: &Transcript,
        options: &Options,
    ) -> Result<(), Fault> {
        if !self.pool.keeps() {
            // All at once: each wait for one lets the others end too.
            play.actors.iter_mut().for_each(Actor::kill);
            return Ok(());
        }
        let mut clean = play.reset(transcript)?;
        for (actor, clean) in play.actors.iter_mut().zip(&mut clean) {
            *clean = *clean && (!actor.is_program || is_idle(&mut play.settler, actor)?);
        }
        let setting = &play.plan.setting;
        for ((actor, planned), clean) in play.actors.drain(..).zip(play.plan.actors.iter()).zip(clean) {
            // Whoever isn't clean ends here.
            if clean && actor.difference(actor.depth(), &options.unchecked).is_none() {
                self.pool.put(planned, setting, actor);
            }
        }
        Ok(())
    }

    /// Ends every process below the stage that isn't kept.
    pub(super) fn end_strays(&mut self) {
        let mut buffer = [0; 4096];
        let listed = self.children.as_ref().and_then(|file| file.read_at(&mut buffer, 0).ok());
        let text = listed.and_then(|length| std::str::from_utf8(&buffer[..length]).ok());
        let server = self.fork_server.as_ref().map(ForkServer::pid);
        let is_kept = |pid: i32| self.pool.pids().chain(server).any(|kept| kept == pid);
        let only_kept =
            text.is_some_and(|text| text.split_ascii_whitespace().all(|pid| pid.parse().is_ok_and(&is_kept)));
        if !only_kept {
            // Rare, and thorough: what a stray has touched nobody can tell.
            self.pool.clear();
            self.fork_server = None;
            contain::end_strays();
        }
    }
}

/// Whether an actor that owes nothing is proved to rest: no word of it is on its way,
/// no order to it, and no timer of its own will wake it.
fn is_idle(settler: &mut Settler<'_>, actor: &mut Actor) -> Result<bool, Fault> {
    settler.begin();
    while actor.control.listen().is_ok() && actor.is_quiet() {
        match settler.settled(std::slice::from_mut(actor), &[0], &[]) {
            Ok(false) => {}
            Ok(true) => {
                let rest = settler.rest(std::slice::from_ref(actor), &[0], 0, None, &[]);
                let waits = matches!(rest, Rest::Asleep { timer: Timer::None | Timer::Unknown, .. });
                return Ok(waits && actor.is_quiet());
            }
            Err(Fault::Driver { .. }) => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(false)
}

/// Waits until an actor has said what it can do.
pub(super) fn await_greeting(actor: &mut Actor, settler: &mut Settler<'_>) -> Result<(), Fault> {
    settler.begin();
    loop {
        actor.control.listen()?;
        match actor.message()? {
            // A built-in driver is the fork itself.
            Some(Message::Hello(_)) if actor.is_program && actor.has_children() => {
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
