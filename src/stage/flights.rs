//! Descriptors on their way in messages (unix(7), SCM_RIGHTS): nobody holds them, and
//! what they lead to lives on.

use super::handles::Way;

/// The descriptors of one message.
#[derive(Clone, Debug)]
struct Flight {
    /// The channel that carries them.
    by: usize,
    /// Bytes that were sent into that channel before.
    at: u64,
    ways: Vec<Way>,
}

#[derive(Debug, Default)]
pub(super) struct Flights(Vec<Flight>);

impl Flights {
    pub(super) fn start(&mut self, by: usize, at: u64, ways: Vec<Way>) {
        self.0.push(Flight { by, at, ways });
    }

    /// What the next message that carries descriptors on this channel leads to.
    pub(super) fn first(&self, by: usize) -> &[Way] {
        self.0.iter().find(|flight| flight.by == by).map_or(&[], |flight| &flight.ways)
    }

    /// That message was taken, with all that it carries.
    pub(super) fn land(&mut self, by: usize) {
        if let Some(place) = self.0.iter().position(|flight| flight.by == by) {
            self.0.remove(place);
        }
    }

    /// So many of the channel's bytes are gone: by a call that takes no descriptors.
    pub(super) fn drop_before(&mut self, by: usize, gone: u64) {
        self.0.retain(|flight| flight.by != by || flight.at >= gone);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ways of all that is on its way.
    pub(super) fn ways(&mut self) -> impl Iterator<Item = &mut Way> {
        self.0.iter_mut().flat_map(|flight| &mut flight.ways)
    }

    /// A channel's bytes are in something that is on its way.
    pub(super) fn carry(&self, channel: usize) -> bool {
        self.0.iter().any(|flight| flight.ways.iter().any(|way| way.leads_to(channel)))
    }

    /// What travels in a channel that nobody can read any more is gone, and so is what
    /// travels in that.
    pub(super) fn drop_unless(&mut self, lives: impl Fn(usize) -> bool) {
        loop {
            let before = self.0.len();
            let carried: Vec<bool> = self.0.iter().map(|flight| self.carry(flight.by)).collect();
            let mut carried = carried.into_iter();
            self.0.retain(|flight| lives(flight.by) | carried.next().unwrap_or(false));
            if self.0.len() == before {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(channel: usize) -> Way {
        Way { inbox: Some(channel), ..Way::default() }
    }

    #[test]
    fn what_is_on_its_way_lives_until_it_lands() {
        let mut flights = Flights::default();
        flights.start(0, 0, vec![to(5)]);
        flights.start(0, 10, vec![to(6)]);
        assert!(flights.carry(5) && flights.carry(6) && !flights.carry(7));
        assert_eq!(flights.first(0), [to(5)]);
        flights.land(0);
        assert_eq!(flights.first(0), [to(6)]);
        flights.drop_before(0, 10);
        assert!(flights.carry(6));
        flights.drop_before(0, 11);
        assert!(!flights.carry(6));
    }

    #[test]
    fn what_travels_in_something_that_is_gone_is_gone() {
        let mut flights = Flights::default();
        flights.start(0, 0, vec![to(1)]);
        flights.start(1, 0, vec![to(2)]);
        flights.drop_unless(|channel| channel == 0);
        assert!(flights.carry(2));
        flights.drop_unless(|_| false);
        assert!(!flights.carry(1) && !flights.carry(2));
    }
}
