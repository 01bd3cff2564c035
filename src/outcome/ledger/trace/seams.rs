//! Moves the places where runs meet. A run goes on into the next one's bytes
//! wherever these happen to be equal; the seam belongs where the bytes before
//! and behind it leave no holes and no copies elsewhere.

use std::collections::{HashMap, HashSet};

use super::{super::source::Source, Run, matching::common_suffix};

/// Seams are moved by at most so many bytes.
const FAR: usize = 64;

/// How many runs begin (or end) at a source's position.
#[derive(Default)]
struct Marks(HashMap<(usize, usize), u32>);

impl Marks {
    fn of(places: impl Iterator<Item = (usize, usize)>) -> Marks {
        let mut marks = Marks::default();
        places.for_each(|place| marks.add(place));
        marks
    }

    fn add(&mut self, place: (usize, usize)) {
        *self.0.entry(place).or_default() += 1;
    }

    fn count(&self, place: (usize, usize)) -> u32 {
        self.0.get(&place).copied().unwrap_or(0)
    }

    fn moved(&mut self, from: (usize, usize), to: (usize, usize)) {
        if let Some(count) = self.0.get_mut(&from) {
            *count = count.saturating_sub(1);
        }
        self.add(to);
    }
}

pub fn settle(sources: &[Source], data: &[u8], runs: &mut Vec<Run>) {
    let mut begins = Marks::of(runs.iter().filter_map(|run| run.from));
    let mut ends = Marks::of(
        runs.iter().filter_map(|run| run.from.map(|(source, position)| (source, position + run.len))),
    );
    for index in 1..runs.len() {
        let [before, after] = [runs[index - 1], runs[index]];
        let (Some((left, left_position)), Some((right, right_position))) = (before.from, after.from) else {
            continue;
        };
        let left_end = left_position + before.len;
        let slack = slack(sources, data, before, after);
        let mut best = (0, 0);
        for back in 0..=slack.min(FAR) {
            let (left_end, right_start) = (left_end - back, right_position - back);
            // The run itself begins where it would vanish.
            let others = begins.count((left, left_end)).saturating_sub(u32::from(back == before.len));
            let mut score = 0;
            score += 2 * u32::from(others > 0);
            score += 2 * u32::from(ends.count((right, right_start)) > 0 || right_start == 0);
            // Where a call ends is a better place to change writers than any other.
            score += u32::from(left != right && sources[left].is_boundary(left_end));
            if score > best.0 {
                best = (score, back);
            }
        }
        let back = best.1;
        if back > 0 {
            ends.moved((left, left_end), (left, left_end - back));
            begins.moved((right, right_position), (right, right_position - back));
            shift(runs, index, back);
        }
    }
    runs.retain(|run| run.len > 0);
}

/// Moves the seams on both sides of a hole so that the hole has just the bytes of
/// some fragment, if it can have.
pub fn settle_holes(sources: &[Source], data: &[u8], runs: &mut [Run]) {
    let strange = runs.iter().filter(|run| run.from.is_none());
    let mut fragments: HashSet<&[u8]> = strange.map(|run| &data[run.at..run.at + run.len]).collect();
    if fragments.is_empty() {
        return;
    }
    for index in 1..runs.len() {
        let [before, after] = [runs[index - 1], runs[index]];
        let (Some((left, left_position)), Some((right, right_position))) = (before.from, after.from) else {
            continue;
        };
        let left_end = left_position + before.len;
        if left != right || right_position <= left_end {
            continue;
        }
        let slack = slack(sources, data, before, after).min(before.len - 1);
        let hole = |back: usize| &sources[left].bytes[left_end - back..right_position - back];
        if let Some(back) = (0..=slack.min(FAR)).find(|&back| fragments.remove(hole(back))) {
            shift(runs, index, back);
        }
    }
}

/// How far the seam between two runs can be moved to the left.
fn slack(sources: &[Source], data: &[u8], before: Run, after: Run) -> usize {
    after.from.map_or(0, |(source, position)| {
        common_suffix(&data[before.at..after.at], &sources[source].bytes[..position])
    })
}

fn shift(runs: &mut [Run], index: usize, back: usize) {
    runs[index - 1].len -= back;
    let after = &mut runs[index];
    after.at -= back;
    after.len += back;
    after.from = after.from.map(|(source, position)| (source, position - back));
}
