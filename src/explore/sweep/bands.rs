//! Cases of ascending sizes put into bands.
//!
//! 1. A band is a run of sizes of one shape in which one relation (`slope * n + constant`)
//!    explains each count at every size that was played.
//! 2. Bands are as long as they can be, from the smallest size on: so there are as few as
//!    possible. A size that belongs to both its neighbours belongs to the lower one.
//! 3. But two sizes alone always have some relation. If it is an odd one, and the upper of the two
//!    belongs to the band that follows as well, it belongs there.

use std::sync::Arc;

use super::{behaviour::Behaviour, relation::Relation};

/// Sizes that behave alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The first size and the last one that were played.
    pub from: u64,
    pub to: u64,
    /// All but the counts.
    pub shape: Arc<str>,
    /// Of each count to the size.
    pub relations: Arc<[Relation]>,
    /// How many sizes were played.
    pub samples: u64,
    /// So many sizes in a row weren't, at most.
    pub gap: u64,
    /// Between which two sizes that is.
    pub widest: (u64, u64),
}

impl Band {
    /// Behaves as another one does, whatever their sizes.
    pub fn is_like(&self, other: &Band) -> bool {
        self.shape == other.shape && self.relations == other.relations
    }
}

/// A size and its counts.
type Sample = (u64, Box<[i64]>);

#[derive(Debug)]
struct Open {
    shape: Arc<str>,
    first: Sample,
    /// While there are no more than two.
    second: Option<Sample>,
    last: u64,
    relations: Option<Box<[Relation]>>,
    samples: u64,
    gap: u64,
    widest: (u64, u64),
}

impl Open {
    fn new(n: u64, behaviour: Behaviour) -> Open {
        let first = (n, behaviour.counts);
        Open {
            shape: behaviour.shape,
            first,
            second: None,
            last: n,
            relations: None,
            samples: 1,
            gap: 0,
            widest: (n, n),
        }
    }

    fn has_relation(&self, n: u64, counts: &[i64]) -> bool {
        let relations = self.relations.as_deref().unwrap_or_default();
        relations.iter().zip(counts).all(|(relation, count)| relation.at(n as i64) == *count)
    }

    /// Takes a size in if it belongs here.
    fn take(&mut self, n: u64, behaviour: &Behaviour) -> bool {
        if self.shape != behaviour.shape {
            return false;
        }
        match self.relations {
            Some(_) if !self.has_relation(n, &behaviour.counts) => return false,
            Some(_) => self.second = None,
            None => {
                let pairs = self.first.1.iter().zip(&behaviour.counts);
                let both = |(own, its): (&i64, &i64)| {
                    Relation::through((self.first.0 as i64, *own), (n as i64, *its))
                };
                let Some(relations) = pairs.map(both).collect::<Option<Box<[Relation]>>>() else {
                    return false;
                };
                self.relations = Some(relations);
                self.second = Some((n, behaviour.counts.clone()));
            }
        }
        let gap = n - self.last - 1;
        if gap > self.gap {
            (self.gap, self.widest) = (gap, (self.last, n));
        }
        self.last = n;
        self.samples += 1;
        true
    }

    fn is_odd(&self) -> bool {
        self.second.is_some() && self.relations.iter().flatten().any(|relation| relation.is_odd())
    }

    fn close(self) -> Band {
        let one = |count: &i64| Relation::of_one(self.first.0 as i64, *count);
        let relations = match self.relations {
            Some(relations) => relations.into(),
            None => self.first.1.iter().map(one).collect(),
        };
        Band {
            from: self.first.0,
            to: self.last,
            shape: self.shape,
            relations,
            samples: self.samples,
            gap: self.gap,
            widest: self.widest,
        }
    }
}

/// Puts sizes into bands as they come, in ascending order.
#[derive(Debug, Default)]
pub struct Bands {
    done: Vec<Band>,
    /// What the next size may still take something from.
    before: Option<Open>,
    open: Option<Open>,
}

impl Bands {
    /// The next size, larger than all before.
    pub fn push(&mut self, n: u64, behaviour: Behaviour) {
        if let Some(open) = &mut self.open
            && open.take(n, &behaviour)
        {
            if open.samples == 2 {
                self.settle();
            }
            return;
        }
        let before = std::mem::replace(&mut self.before, self.open.take());
        self.done.extend(before.map(Open::close));
        self.open = Some(Open::new(n, behaviour));
    }

    /// Rule 3, once the band has a relation.
    fn settle(&mut self) {
        let (Some(before), Some(open)) = (&mut self.before, &mut self.open) else { return };
        if !before.is_odd() || before.shape != open.shape {
            return;
        }
        let upper = before.second.take_if(|(n, counts)| open.has_relation(*n, counts));
        let Some(upper) = upper else { return };
        (before.relations, before.last, before.samples) = (None, before.first.0, 1);
        (before.gap, before.widest) = (0, (before.last, before.last));
        let gap = open.first.0 - upper.0 - 1;
        if gap > open.gap {
            (open.gap, open.widest) = (gap, (upper.0, open.first.0));
        }
        open.samples += 1;
        open.second = None;
        open.first = upper;
    }

    /// All bands.
    pub fn finish(self) -> Vec<Band> {
        let Bands { mut done, before, open } = self;
        done.extend(before.into_iter().chain(open).map(Open::close));
        done
    }
}
