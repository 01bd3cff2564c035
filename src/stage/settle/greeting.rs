//! The wait for what an actor says first.

use super::{DEADLINE, GREETING_WAIT, Settler};
use crate::{
    observe::Sleep,
    stage::{Fault, actor::Actor},
};

impl Settler<'_> {
    /// Waits a while for this actor to greet or end.
    pub(in crate::stage) fn await_greeting(&mut self, actor: &mut Actor) -> Result<(), Fault> {
        if !self.wait(std::slice::from_ref(actor), GREETING_WAIT)? {
            let name = actor.name.clone();
            let broken = |message: String| Err(Fault::Driver { actor: name.clone(), message });
            if actor.control.hung_up() {
                return broken("it closed descriptor 3 before its greeting".into());
            }
            if self.takes_orders(actor)? {
                return broken("it waits for steps on descriptor 3 and hasn't greeted".into());
            }
            if self.began.elapsed() > DEADLINE {
                return broken(format!("no greeting within {} s of wall time", DEADLINE.as_secs()));
            }
        }
        Ok(())
    }

    /// Proved to wait for us while we wait for it. Any other sleep may be part of
    /// a runtime's start.
    fn takes_orders(&mut self, actor: &mut Actor) -> Result<bool, Fault> {
        Ok(self.proved(std::slice::from_mut(actor), &[0], &[])?
            && self.second.iter().filter_map(|reading| actor.observed()?.call(reading)).any(|call| {
                call.sleep == Sleep::Untimed && call.descriptor == Some(actor.control.descriptor)
            }))
    }
}
