//! Bytes by where they stand in the writer's stream, not by their values.

use std::collections::VecDeque;

/// Stretches of a stream in the order in which they were put here, each an offset and
/// a length (bytes). Neighbours that continue each other are one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extents(VecDeque<(u64, u64)>);

impl Extents {
    /// One stretch, or nothing if it has no bytes.
    pub fn of(offset: u64, len: u64) -> Extents {
        let mut extents = Extents::default();
        extents.push(offset, len);
        extents
    }

    /// Puts a stretch behind the others.
    pub fn push(&mut self, offset: u64, len: u64) {
        match self.0.back_mut() {
            _ if len == 0 => {}
            Some((start, before)) if *start + *before == offset => *before += len,
            _ => self.0.push_back((offset, len)),
        }
    }

    /// Puts all of `other` behind what is here.
    pub fn append(&mut self, other: Extents) {
        other.0.into_iter().for_each(|(offset, len)| self.push(offset, len));
    }

    /// Takes the first `len` bytes out, or all if there are fewer.
    pub fn take(&mut self, len: u64) -> Extents {
        let (mut taken, mut left) = (Extents::default(), len);
        while left > 0 {
            let Some((offset, there)) = self.0.front_mut() else { break };
            let part = left.min(*there);
            taken.push(*offset, part);
            (*offset, *there, left) = (*offset + part, *there - part, left - part);
            if *there == 0 {
                self.0.pop_front();
            }
        }
        taken
    }

    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(_, len)| len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each stretch's offset and length.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_continues_is_one_stretch_and_is_taken_from_the_front() {
        let mut extents = Extents::of(0, 10);
        extents.push(10, 5);
        extents.push(20, 5);
        assert_eq!(extents.iter().collect::<Vec<_>>(), [(0, 15), (20, 5)]);
        assert_eq!(extents.take(17).iter().collect::<Vec<_>>(), [(0, 15), (20, 2)]);
        assert_eq!(extents.iter().collect::<Vec<_>>(), [(22, 3)]);
        assert_eq!(extents.take(9).len(), 3);
        assert!(extents.is_empty());
    }
}
