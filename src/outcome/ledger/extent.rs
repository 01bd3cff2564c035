//! Sets of offsets, as sorted ranges that neither touch nor overlap.

use std::ops::Range;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extents(Vec<Range<u64>>);

impl Extents {
    pub fn one(range: Range<u64>) -> Extents {
        std::iter::once(range).collect()
    }

    pub fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    pub fn total(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn or(&self, other: &Extents) -> Extents {
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// The part inside a range, found without looking at the rest.
    pub fn within(&self, range: &Range<u64>) -> Extents {
        let first = self.0.partition_point(|mine| mine.end <= range.start);
        let found = self.0[first..].iter().take_while(|mine| mine.start < range.end);
        found.map(|mine| mine.start.max(range.start)..mine.end.min(range.end)).collect()
    }

    /// Adds a range, likewise.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.0.partition_point(|mine| mine.end < range.start);
        let touching = self.0[first..].iter().take_while(|mine| mine.start <= range.end).count();
        let touched = &self.0[first..first + touching];
        let start = touched.first().map_or(range.start, |mine| mine.start.min(range.start));
        let end = touched.last().map_or(range.end, |mine| mine.end.max(range.end));
        self.0.splice(first..first + touching, std::iter::once(start..end));
    }

    pub fn minus(&self, other: &Extents) -> Extents {
        let mut left = Vec::new();
        let mut cuts = other.0.iter().peekable();
        for range in &self.0 {
            let mut start = range.start;
            while let Some(cut) = cuts.peek().filter(|cut| cut.start < range.end) {
                if start < cut.start {
                    left.push(start..cut.start);
                }
                start = start.max(cut.end);
                if cut.end > range.end {
                    break;
                }
                cuts.next();
            }
            if start < range.end {
                left.push(start..range.end);
            }
        }
        Extents(left)
    }

    pub fn and(&self, other: &Extents) -> Extents {
        self.minus(&self.minus(other))
    }

    /// The part before `offset` and the part from it on.
    pub fn split_at(&self, offset: u64) -> (Extents, Extents) {
        let cut = Extents::one(offset..u64::MAX);
        (self.minus(&cut), self.and(&cut))
    }

    /// The first `count` bytes and the rest.
    pub fn split_first(&self, mut count: u64) -> (Extents, Extents) {
        for range in &self.0 {
            let len = range.end - range.start;
            if count < len {
                return self.split_at(range.start + count);
            }
            count -= len;
        }
        (self.clone(), Extents::default())
    }
}

impl FromIterator<Range<u64>> for Extents {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Extents {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|range| range.start < range.end).collect();
        sorted.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Extents(merged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> impl Strategy<Value = (Extents, Vec<bool>)> {
        proptest::collection::vec((0u64..40, 0u64..8), 0..6).prop_map(|pairs| {
            let set: Extents = pairs.iter().map(|&(start, len)| start..start + len).collect();
            let bits = (0..64).map(|at| pairs.iter().any(|&(start, len)| (start..start + len).contains(&at)));
            (set, bits.collect())
        })
    }

    fn bits(set: &Extents) -> Vec<bool> {
        (0..64).map(|at| set.ranges().iter().any(|range| range.contains(&at))).collect()
    }

    proptest! {
        #[test]
        fn sets_are_sets((a, a_bits) in some(), (b, b_bits) in some(), at in 0u64..64) {
            let both = |f: fn(bool, bool) -> bool| -> Vec<bool> {
                a_bits.iter().zip(&b_bits).map(|(&a, &b)| f(a, b)).collect()
            };
            prop_assert_eq!(bits(&a), a_bits.clone());
            prop_assert_eq!(bits(&a.or(&b)), both(|a, b| a || b));
            prop_assert_eq!(bits(&a.and(&b)), both(|a, b| a && b));
            prop_assert_eq!(bits(&a.minus(&b)), both(|a, b| a && !b));
            let range = at..at + 5;
            prop_assert_eq!(a.within(&range), a.and(&Extents::one(range.clone())));
            let mut more = a.clone();
            more.insert(range.clone());
            prop_assert_eq!(more, a.or(&Extents::one(range)));
            let (before, after) = a.split_at(at);
            prop_assert_eq!(before.or(&after), a.clone());
            prop_assert!(before.ranges().iter().all(|range| range.end <= at));
            prop_assert!(after.ranges().iter().all(|range| range.start >= at));
            let (first, rest) = a.split_first(at);
            prop_assert_eq!(first.total(), at.min(a.total()));
            prop_assert_eq!(first.or(&rest), a);
        }
    }
}
