//! Lets everything settle after the steps that were given, and says who waits for what.

use super::{Part, Play};
use crate::{
    outcome::{Access, Action, Moves, Outcome, Wait},
    stage::{
        Fault,
        actor::Actor,
        handles::Timeouts,
        rest::{Rest, Timer},
    },
};

/// A socket's timeout of less than that (milliseconds) is waited for.
const SOON: u64 = 1000;

impl Play<'_> {
    /// The call that an actor is in ends by its socket's timeout, and soon.
    pub(super) fn times_out_soon(&self, record: usize) -> bool {
        (1..SOON).contains(&self.timeout(record))
    }

    /// After how many milliseconds the call that an actor is in gives up; 0: never.
    pub(super) fn timeout(&self, record: usize) -> u64 {
        let Action::Call(called) = &self.plan.steps[self.records[record].step].action else { return 0 };
        let actor = self.records[record].actor;
        let timeouts =
            called.handle().map_or_else(Timeouts::default, |handle| self.handles.timeouts(actor, handle));
        match (called.call.info().moves, called.call.name()) {
            (Moves::Receives, _) | (_, "accept") => timeouts.receive,
            (Moves::Sends, _) | (_, "connect") => timeouts.send,
            _ => 0,
        }
    }

    /// Lets everything settle after the `given` records. What their actor rests in
    /// if it hasn't answered them all.
    pub(super) fn settle(&mut self, nudged: Option<usize>) -> Result<Option<Outcome>, Fault> {
        let actor = self.records[self.given.start].actor;
        self.settler.begin();
        self.actors.iter_mut().for_each(Actor::begin_step);
        loop {
            self.collect()?;
            let concerned = |&at: &usize| {
                let actor = &self.actors[at];
                let awaited = actor.ended.is_none() && !self.parts[at].due.is_empty();
                awaited || actor.programs_live() || (actor.ended.is_none() && nudged == Some(at))
            };
            let unsettled: Vec<usize> = (0..self.actors.len()).filter(concerned).collect();
            let sides = if self.flushes { self.handles.flushable(self.plan) } else { vec![] };
            if !self.settler.settled(&mut self.actors, &unsettled, &sides)? {
                continue;
            }
            if self.parts.iter().flat_map(|part| &part.due).any(|&due| self.times_out_soon(due))
                || self.settler.wakes_soon(&mut self.actors, &unsettled)
            {
                self.settler.pace(&self.actors)?;
                continue;
            }
            let opening = self.settler.opening(&self.actors, &unsettled);
            let due = self.parts[actor].due.iter().find(|due| self.given.contains(due)).copied();
            let is_command = self.actors[actor].command.is_some();
            let child = nudged.and_then(|at| self.child_pid(at));
            let looked_at = || {
                let one = |at: &usize| (is_command && unsettled.contains(at)) || child.is_some();
                nudged.filter(one).map(|_| self.given.start)
            };
            let due = due.or_else(looked_at);
            let whole = child.and(self.started[actor].as_ref()).map_or(actor, |started| started.maker);
            let rest = due.map(|_| self.settler.rest(&self.actors, &unsettled, whole, child, &self.files));
            if unsettled.iter().any(|&at| self.actors[at].programs_live())
                && !self.settler.sleep_on(&mut self.actors, &unsettled)
            {
                self.settler.pace(&self.actors)?;
                continue;
            }
            unsettled.iter().for_each(|&at| self.actors[at].programs_rest());
            let is_opened = |at: &usize| self.files[*at].is_some_and(|file| opening.contains(&file.file));
            self.opening = (0..self.files.len()).filter(is_opened).collect();
            let (Some(due), Some(mut rest)) = (due, rest) else { return Ok(None) };
            if let Rest::Program(resting) | Rest::Asleep { with: resting, .. } = &rest {
                self.records[due].resting = resting.clone();
                self.fill_in(due)?;
            }
            if let (Rest::Asleep { timer, .. }, true) = (&mut rest, self.timeout(due) > 0) {
                *timer = Timer::Set;
            }
            let outcome = rest.outcome(self.records[due].verb);
            return outcome.map(Some).map_err(|why| self.broken(actor, &why));
        }
    }

    pub(super) fn waits(&mut self) -> Vec<Wait> {
        let mut waits = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            for &record in &part.due {
                let channel = self.records[record].channel;
                let holding = |wanted: fn(Access) -> bool| -> Vec<usize> {
                    let holds = |part: &Part| {
                        channel
                            .is_some_and(|channel| part.ends[channel].is_some_and(|end| wanted(end.access)))
                    };
                    (0..self.parts.len()).filter(|&other| holds(&self.parts[other])).collect()
                };
                waits.push(Wait {
                    actor: at,
                    record,
                    channel,
                    queued: channel.and_then(|channel| {
                        self.records
                            .last()
                            .and_then(|last| last.counts.get(channel))
                            .map(|count| count.queued.clone())
                    }),
                    capacity: channel.and_then(|channel| self.capacity(channel)),
                    readers: holding(Access::reads),
                    writers: holding(Access::writes),
                });
            }
        }
        waits
    }
}
