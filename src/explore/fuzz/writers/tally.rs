//! What a run with runtimes' writers has covered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::Checked;
use crate::{
    explore::fuzz::{game::Covered, tally::entry},
    model::writer::{Policy, rules::RULES},
};

/// What was played with one writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverTally {
    pub scripts: u64,
    /// Moves that its policy judged.
    pub steps: u64,
    /// By the rule's id, of those that the policy answers: scripts in which it had a say.
    pub rules: BTreeMap<String, u64>,
    /// Why the policy judged no further, and how often.
    pub no_say: BTreeMap<String, u64>,
}

/// What a run has covered, over all that it was resumed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriversTally {
    /// By the driver as scenarios name it.
    pub drivers: BTreeMap<String, DriverTally>,
}

impl Covered for DriversTally {
    fn scripts(&self) -> u64 {
        self.drivers.values().map(|driver| driver.scripts).sum()
    }

    fn steps(&self) -> u64 {
        self.drivers.values().map(|driver| driver.steps).sum()
    }
}

impl DriversTally {
    pub(super) fn add(&mut self, driver: &str, policy: &Policy, checked: &Checked) {
        let of_driver = entry(&mut self.drivers, driver);
        of_driver.scripts += 1;
        of_driver.steps += checked.steps;
        for info in RULES.iter().filter(|info| policy.get(info.rule).is_some()) {
            *entry(&mut of_driver.rules, info.id) += u64::from(checked.used.has(info.rule));
        }
        if let Some(why) = &checked.no_say {
            *entry(&mut of_driver.no_say, why) += 1;
        }
    }
}
