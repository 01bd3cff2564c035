//! Moves the places where runs meet. A run goes on into the next one's bytes
//! wherever these happen to be equal; the seam belongs where the bytes before
//! and behind it leave no holes and no copies elsewhere.

use std::collections::HashMap;

use super::{super::source::Source, Run, matching::common_suffix};

/// Seams are moved by at most so many bytes.
const FAR: usize = 64;

pub fn settle(sources: &[Source], data: &[u8], runs: &mut [Run]) {
    // How many runs begin and end at each place of each source.
    let mut begins: HashMap<(usize, usize), u32> = HashMap::new();
    let mut ends: HashMap<(usize, usize), u32> = HashMap::new();
    for run in runs.iter() {
        if let Some((source, position)) = run.from {
            *begins.entry((source, position)).or_default() += 1;
            *ends.entry((source, position + run.len)).or_default() += 1;
        }
    }
    for index in 1..runs.len() {
        let [before, after] = [runs[index - 1], runs[index]];
        let (Some((left, left_position)), Some((right, right_position))) = (before.from, after.from) else {
            continue;
        };
        let left_end = left_position + before.len;
        let slack = common_suffix(&data[before.at + 1..after.at], &sources[right].bytes[..right_position]);
        let mut best = (0, 0);
        for back in 0..=slack.min(FAR) {
            let (left_end, right_start) = (left_end - back, right_position - back);
            let mut score = 0;
            score += 2 * u32::from(begins.contains_key(&(left, left_end)));
            score += 2 * u32::from(ends.contains_key(&(right, right_start)) || right_start == 0);
            // Where a call ends is a better place to change writers than any other.
            score += u32::from(left != right && sources[left].is_boundary(left_end));
            if score > best.0 {
                best = (score, back);
            }
        }
        let back = best.1;
        if back > 0 {
            *ends.entry((left, left_end)).or_default() -= 1;
            *ends.entry((left, left_end - back)).or_default() += 1;
            *begins.entry((right, right_position)).or_default() -= 1;
            *begins.entry((right, right_position - back)).or_default() += 1;
            ends.retain(|_, count| *count > 0);
            begins.retain(|_, count| *count > 0);
            runs[index - 1].len -= back;
            runs[index] = Run {
                at: after.at - back,
                len: after.len + back,
                from: Some((right, right_position - back)),
            };
        }
    }
}
