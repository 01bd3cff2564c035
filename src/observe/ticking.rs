//! Whether a program does nothing but tick: threads that sleep on short timers wake, again
//! and again, to sleep at the same place, while all its other threads stand still.

use super::Reading;

/// So often they must have done so.
const TICKS: usize = 5;

/// Who naps so often within a step, here and there, does so without end.
const MOST_NAPS: usize = 50;

/// What was seen of a program's short sleeps.
#[derive(Debug, Default)]
pub(super) struct Ticking {
    /// Thread, where it sleeps, how often it had run when it was last seen there, and how
    /// often it was seen after it had run again.
    soon: Vec<(u32, String, u64, usize)>,
    /// The other threads, and how often they had run.
    still: Vec<(u32, u64)>,
    /// How often something else was seen in this step.
    naps: usize,
}

impl Ticking {
    /// A step begins.
    pub(super) fn begin(&mut self) {
        self.naps = 0;
    }

    /// Takes what is seen now. Anything else than a tick begins it anew.
    pub(super) fn only_ticks(&mut self, soon: Vec<(u32, Reading)>, still: Vec<(u32, u64)>) -> bool {
        let as_before = self.still == still
            && self.soon.len() == soon.len()
            && self
                .soon
                .iter()
                .zip(&soon)
                .all(|(before, (tid, reading))| before.0 == *tid && before.1 == reading.place);
        if !as_before {
            self.soon = soon.into_iter().map(|(tid, it)| (tid, it.place, it.runs, 0)).collect();
            self.still = still;
            self.naps += 1;
            return self.naps > MOST_NAPS;
        }
        for ((_, _, runs, ticks), (_, reading)) in self.soon.iter_mut().zip(&soon) {
            *ticks += usize::from(*runs != reading.runs);
            *runs = reading.runs;
        }
        self.soon.iter().all(|(_, _, _, ticks)| *ticks >= TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(place: &str, runs: u64) -> Reading {
        Reading { state: b'S', runs, cpu_ns: 0, place: place.to_owned(), in_vfork: false, kept: None }
    }

    #[test]
    fn ticks_are_counted_while_all_else_stands_still() {
        let mut ticking = Ticking::default();
        let mut see = |runs, other| ticking.only_ticks(vec![(7, reading("nap", runs))], vec![(8, other)]);
        assert!((0..=4).all(|runs| !see(runs, 1)));
        assert!(see(5, 1) && see(5, 1));
        assert!(!see(6, 2), "the other one has run");
    }

    #[test]
    fn a_sleep_elsewhere_is_no_tick() {
        let mut ticking = Ticking::default();
        let mut see = |place, runs| ticking.only_ticks(vec![(7, reading(place, runs))], vec![]);
        assert!((0..20).all(|runs| !see(if runs % 2 == 0 { "here" } else { "there" }, runs)));
        assert!((20..60).any(|runs| see(if runs % 2 == 0 { "here" } else { "there" }, runs)), "without end");
    }

    #[test]
    fn who_hasnt_run_hasnt_ticked() {
        let mut ticking = Ticking::default();
        assert!((0..20).all(|_| !ticking.only_ticks(vec![(7, reading("nap", 3))], vec![])));
    }
}
