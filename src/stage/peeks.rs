//! Where the peeks of each socket begin (SO_PEEK_OFF, socket(7)).

use std::collections::HashMap;

/// Per channel whose socket has an offset to peek from: where that is, counted in all bytes
/// that ever came.
#[derive(Default)]
pub(super) struct Peeks(HashMap<usize, u64>);

impl Peeks {
    /// setsockopt(2) with these words. `gone` bytes have left the queue so far.
    pub(super) fn set(&mut self, channel: usize, gone: u64, words: &[String]) {
        let [_, option, number] = words else { return };
        if option != "peek_off" {
            return;
        }
        match number.parse::<u64>() {
            Ok(offset) => self.0.insert(channel, gone + offset),
            // Negative: every peek begins at the first byte again.
            Err(_) => self.0.remove(&channel),
        };
    }

    /// A call was shown so many bytes. How many it skipped.
    pub(super) fn peeked(&mut self, channel: usize, gone: u64, shown: u64) -> u64 {
        let Some(place) = self.0.get_mut(&channel) else { return 0 };
        // A receive moves it back by what it takes, but not below the first byte.
        let offset = place.saturating_sub(gone);
        *place = gone + offset + shown;
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(peeks: &mut Peeks, gone: u64, offset: &str) {
        peeks.set(0, gone, &["y", "peek_off", offset].map(str::to_owned));
    }

    #[test]
    fn peeks_go_on_where_the_last_one_ended() {
        let mut peeks = Peeks::default();
        assert_eq!((peeks.peeked(0, 0, 40), peeks.peeked(0, 0, 40)), (0, 0));
        set(&mut peeks, 10, "5");
        assert_eq!((peeks.peeked(0, 10, 40), peeks.peeked(0, 10, 7)), (5, 45));
        assert_eq!(peeks.peeked(0, 30, 1), 32, "what was received is gone from before it");
        assert_eq!(peeks.peeked(0, 100, 3), 0);
        assert_eq!(peeks.peeked(1, 0, 3), 0, "another socket has none");
        set(&mut peeks, 100, "-1");
        assert_eq!((peeks.peeked(0, 100, 3), peeks.peeked(0, 100, 3)), (0, 0));
    }
}
