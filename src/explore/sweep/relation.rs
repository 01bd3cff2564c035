//! How a count hangs on the parameter.

use std::ops::RangeInclusive;

/// What scripts make of a parameter: nothing, `n`, `capacity - n`, `2*n`, a sum of a few writes.
/// A count that grows faster is a staircase, and no relation of a band.
const SLOPES: RangeInclusive<i64> = -4..=4;

/// `slope * n + constant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    pub slope: i64,
    pub constant: i64,
}

impl Relation {
    /// The relation of a count that was seen once.
    pub fn of_one(n: i64, count: i64) -> Relation {
        match n == count {
            true => Relation { slope: 1, constant: 0 },
            false => Relation { slope: 0, constant: count },
        }
    }

    /// The only one that two sizes can have, if there is one.
    pub fn through((n, count): (i64, i64), (other, its): (i64, i64)) -> Option<Relation> {
        let (run, rise) = (other.checked_sub(n)?, its.checked_sub(count)?);
        let slope = rise.checked_div(run).filter(|slope| slope * run == rise && SLOPES.contains(slope))?;
        Some(Relation { slope, constant: count.checked_sub(slope.checked_mul(n)?)? })
    }

    /// The count at a size.
    pub fn at(self, n: i64) -> i64 {
        self.slope.wrapping_mul(n).wrapping_add(self.constant)
    }

    /// Neither a constant nor a difference to the size: what two sizes may give by accident.
    pub fn is_odd(self) -> bool {
        !matches!(self.slope, 0 | 1)
    }
}
