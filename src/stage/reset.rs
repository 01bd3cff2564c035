//! The end of a case for those who played it: they drop what they held, and come back from calls
//! that they sleep in, so that they can play another one.
//!
//! 1. Who is idle is told to reset, all at once: with their ends go most reasons why others sleep.
//! 2. A sleeper's call is ended from outside as far as it can be: a partner for its open(2), a
//!    shutdown(2) of its socket. What the call gives is nobody's affair any more.
//! 3. One who comes back and resets may release the next, and so it goes on until nobody does.
//! 4. Who sleeps on, for all that, is ended by whoever asked.

use std::{fs::OpenOptions, mem, os::unix::fs::OpenOptionsExt, sync::Arc};

use super::{Fault, PlannedStep, actor::Actor, play::Play, settle::Settler};
use crate::{
    observe,
    outcome::{Action, Outcome, Transcript, Verb},
    wire::{Answer, Message, Order, Reply, Step},
};

/// Number of the step that asks for a reset: no record has it, and every language's
/// numbers hold it.
const RESET: u64 = (1 << 53) - 1;

impl Play<'_> {
    /// Which actors hold nothing of the case any more, as they say.
    pub(super) fn reset(&mut self, transcript: &Transcript) -> Result<Vec<bool>, Fault> {
        let mut clean = vec![false; self.actors.len()];
        let (mut waiting, mut asleep) = (Vec::new(), Vec::new());
        for (at, clean) in clean.iter_mut().enumerate() {
            if !self.may_serve_again(at) {
                continue;
            }
            if !self.parts[at].due.is_empty() {
                asleep.extend(self.only_asleep(transcript, at).map(|record| (at, record)));
                continue;
            }
            *clean = true;
            if self.holds_something(at) {
                ask(&mut self.actors[at])?;
                waiting.push(at);
            }
        }
        if !waiting.is_empty() {
            self.settler.give_way();
        }
        for at in waiting {
            clean[at] = self.is_reset(at);
        }
        loop {
            let before = asleep.len();
            for (at, record) in mem::take(&mut asleep) {
                self.end_call(transcript, record);
                if self.comes_back(at, record) {
                    ask(&mut self.actors[at])?;
                    self.settler.give_way();
                    clean[at] = self.is_reset(at);
                } else {
                    asleep.push((at, record));
                }
            }
            if asleep.is_empty() || asleep.len() == before {
                return Ok(clean);
            }
        }
    }

    /// It lives, was as it should be before its first case, and no step of this one has changed it
    /// for good.
    fn may_serve_again(&self, at: usize) -> bool {
        let (actor, part) = (&self.actors[at], &self.parts[at]);
        let lives = actor.ended.is_none() && !part.may_end && !actor.control.has_unsent();
        let lasting = self.plan.steps.iter().any(|step| step.actor == at && step.lasts());
        lives && !lasting && actor.abilities.resets && actor.is_marked()
    }

    /// It may still have something of the case.
    fn holds_something(&self, at: usize) -> bool {
        let nothing_open = self.parts[at].ends.iter().all(Option::is_none);
        // A handle's name stays with its number after a close.
        let calls = |step: &Arc<PlannedStep>| step.actor == at && matches!(step.action, Action::Call(_));
        let has_handles = self.plan.steps.iter().any(calls);
        let has_more = has_handles || self.plan.actors[at].spawns();
        !(self.actors[at].abilities.forgets && nothing_open && !has_more)
    }

    /// The record of the one call that an actor sleeps in. `None` if it waits for something else than
    /// a call's end, wouldn't come back, or would go on with another step after it.
    fn only_asleep(&self, transcript: &Transcript, at: usize) -> Option<usize> {
        let part = &self.parts[at];
        let &[record] = &part.due[..] else { return None };
        let sleeps = matches!(transcript.steps[record].last(), Outcome::Blocked { .. });
        let ends = match &self.plan.steps[transcript.steps[record].step].action {
            // At the end of file it would read for ever.
            Action::Call(called) => called.call.name() != "tail",
            _ => true,
        };
        (sleeps && ends && !part.goes_on).then_some(record)
    }

    /// Rule 2.
    fn end_call(&self, transcript: &Transcript, record: usize) {
        let record = &transcript.steps[record];
        match (&self.plan.steps[record.step].action, record.channel) {
            (Action::Call(called), _) => {
                let handle = called.handle().and_then(|name| self.handles.descriptor(name));
                // A pipe's end can't be shut, and the others' are closed by now.
                handle.map(|(holder, fd)| observe::shut_down(self.actors[holder].pidfd(), fd));
            }
            (_, Some(channel)) if record.verb == Verb::Open => {
                let path = self.dir.join(&self.plan.channels[channel].name);
                // A partner for either end, which doesn't stay.
                let _ = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
            }
            _ => {}
        }
    }

    /// Whether the call that an actor slept in has come to its end. False: it sleeps on.
    fn comes_back(&mut self, at: usize, record: usize) -> bool {
        let came = answered(&mut self.settler, &mut self.actors[at]);
        // A descriptor that it has made there is dropped with the case.
        self.actors[at].control.attached = None;
        came.is_some_and(|answer| answer.id == record as u64)
    }

    /// Waits for the answer to a reset. Who doesn't say that it is clean isn't. Each by
    /// itself: a reset may release others, whose words nobody waits for.
    fn is_reset(&mut self, at: usize) -> bool {
        let answer = answered(&mut self.settler, &mut self.actors[at]);
        answer.is_some_and(|answer| answer.id == RESET && matches!(answer.reply, Reply::Ok { .. }))
    }
}

fn ask(actor: &mut Actor) -> Result<(), Fault> {
    actor.control.give(&[Step { id: RESET, order: Order::Reset }])
}

/// The next answer of an actor; `None` once it is proved to sleep, or is at fault.
fn answered(settler: &mut Settler<'_>, actor: &mut Actor) -> Option<Answer> {
    settler.begin();
    loop {
        match actor.control.send_rest().and_then(|()| actor.control.listen()).and_then(|()| actor.message()) {
            Ok(None) if !actor.control.hung_up() => {}
            Ok(Some(Message::Answer(answer))) => return Some(answer),
            _ => return None,
        }
        // What is wrong with a driver now is no fault of the case.
        if !matches!(settler.settled(std::slice::from_mut(actor), &[0], &[]), Ok(false)) {
            return None;
        }
    }
}
