//! What numbers are called: by the sizes of the machine, the channels and the runtimes.

use std::collections::BTreeMap;

use super::{Relation, Stair};

/// Smaller numbers have no name: too many sums come near.
const SMALLEST: i64 = 256;
/// Multiples of a size that have a name: so many before sums, so many behind them.
const FEW: i64 = 8;
const MOST: i64 = 64;

/// Names of sizes.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Each size with all its names, the machine's own before a runtime's.
    sizes: Vec<(i64, Vec<String>)>,
}

impl Naming {
    /// Names for these sizes.
    pub fn of(named: &BTreeMap<String, u64>) -> Naming {
        let mut sizes: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (name, bytes) in named {
            if let Ok(bytes) = i64::try_from(*bytes) {
                sizes.entry(bytes).or_default().push(name.clone());
            }
        }
        for names in sizes.values_mut() {
            names.sort_by_key(|name| (name.contains(['.', ':']), name != "page", name.clone()));
        }
        Naming { sizes: sizes.into_iter().rev().collect() }
    }

    /// Each size with its names: `page = blksize = pipe_buf = 4096`.
    pub fn legend(&self) -> String {
        let sizes = self.sizes.iter().rev();
        let size = |(bytes, names): &(i64, Vec<String>)| format!("{} = {bytes}", names.join(" = "));
        Vec::from_iter(sizes.map(size)).join("; ")
    }

    /// The name of a number: of a size, a small multiple of one, a sum of two, another multiple, or
    /// one more or less. The first of these that it is.
    pub fn name(&self, number: i64) -> Option<String> {
        if number < SMALLEST {
            return None;
        }
        let near = |off: i64| -> Option<String> {
            let name = self.whole(number - off)?;
            Some(match off {
                0 => name,
                1.. => format!("{name}+{off}"),
                _ => format!("{name}{off}"),
            })
        };
        [0, 1, -1].into_iter().find_map(near)
    }

    fn whole(&self, number: i64) -> Option<String> {
        let sizes = || self.sizes.iter().filter(|(bytes, _)| *bytes >= SMALLEST);
        let one = sizes().find(|(bytes, _)| *bytes == number).map(|(_, names)| names[0].clone());
        let times = |most: i64| {
            let (bytes, names) =
                sizes().find(|(bytes, _)| number % bytes == 0 && (2..=most).contains(&(number / bytes)))?;
            Some(format!("{}*{}", number / bytes, names[0]))
        };
        let sum = || {
            sizes().find_map(|(bytes, names)| {
                let (_, others) = sizes().find(|(other, _)| bytes + other == number)?;
                Some(format!("{}+{}", names[0], others[0]))
            })
        };
        one.or_else(|| times(FEW)).or_else(sum).or_else(|| times(MOST))
    }

    /// A number under its name, if it has one.
    pub fn number(&self, number: i64) -> String {
        self.name(number).unwrap_or_else(|| number.to_string())
    }

    /// A count of a stretch, in the scenario language: `n/page*page`, `n%page`.
    pub fn stair(&self, param: &str, stair: Stair) -> String {
        let Stair { relation: Relation { slope, constant }, stairs } = stair;
        let Some((step, from, period)) = stairs else { return self.relation(param, stair.relation) };
        let (from, period) = (from as i64, period as i64);
        let off = from % period;
        // Steps counted from the first multiple of the period, not from `from`.
        let constant = constant - step * (from / period);
        let from_off = if off == 0 { param.to_owned() } else { format!("({param}-{off})") };
        let size = self.factor(period);
        let (term, constant) = match (slope, step) {
            (1, step) if step == -period => (format!("{from_off}%{size}"), constant + off),
            (0, step) if step == period => (format!("{from_off}/{size}*{size}"), constant),
            (0, step) => (format!("{step}*({from_off}/{size})"), constant),
            (slope, step) => {
                let affine = self.relation(param, Relation { slope, constant: 0 });
                (format!("{affine}{step:+}*({from_off}/{size})"), constant)
            }
        };
        match constant {
            0 => term,
            1.. => format!("{term}+{}", self.factor(constant)),
            _ => format!("{term}-{}", self.factor(-constant)),
        }
    }

    /// A number as a part of a longer expression.
    fn factor(&self, number: i64) -> String {
        self.name(number).filter(|name| !name.contains(['+', '-', '*'])).unwrap_or_else(|| number.to_string())
    }

    /// A relation, with the parameter's name: `n`, `n-page`, `2*n+1`, `capacity`.
    pub fn relation(&self, param: &str, relation: Relation) -> String {
        let Relation { slope, constant } = relation;
        let factor = match slope {
            0 => return self.number(constant),
            1 => param.to_owned(),
            -1 => format!("-{param}"),
            slope => format!("{slope}*{param}"),
        };
        match constant {
            0 => factor,
            1.. if slope < 0 => format!("{}{factor}", self.number(constant)),
            1.. => format!("{factor}+{}", self.number(constant)),
            _ => match self.name(-constant) {
                // `n-(page+1)` is harder to read than `n-4097`.
                Some(name) if !name.contains(['+', '-']) => format!("{factor}-{name}"),
                _ => format!("{factor}{constant}"),
            },
        }
    }
}
