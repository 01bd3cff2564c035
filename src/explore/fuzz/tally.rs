//! What a run has covered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{check::Checked, game::Covered};

/// What was played on one kind of channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTally {
    pub scripts: u64,
    /// Steps that the model judged.
    pub steps: u64,
    /// Over these, how many results the model allowed: on the average so many, the nearer to 1
    /// the sharper.
    pub allowed: u64,
    /// Scripts that the model couldn't judge to their end.
    pub cut_short: u64,
}

impl ChannelTally {
    /// Results that the model allowed of a step, in the mean.
    pub fn mean_allowed(&self) -> f64 {
        self.allowed as f64 / self.steps.max(1) as f64
    }
}

/// What a run has covered, over all that it was resumed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// By the channel's name.
    pub channels: BTreeMap<String, ChannelTally>,
    /// By the rule's name: scripts in which it had a say.
    pub rules: BTreeMap<String, u64>,
    /// Why the model judged no further, and how often.
    pub not_modelled: BTreeMap<String, u64>,
}

impl Covered for Tally {
    fn scripts(&self) -> u64 {
        self.channels.values().map(|channel| channel.scripts).sum()
    }

    fn steps(&self) -> u64 {
        self.channels.values().map(|channel| channel.steps).sum()
    }
}

impl Tally {
    pub(super) fn add(&mut self, channel: &str, checked: &Checked) {
        let of_channel = entry(&mut self.channels, channel);
        of_channel.scripts += 1;
        of_channel.steps += checked.steps;
        of_channel.allowed += checked.allowed;
        of_channel.cut_short += u64::from(checked.not_modelled.is_some());
        for rule in checked.used.iter() {
            *entry(&mut self.rules, rule.info().name) += 1;
        }
        if let Some(why) = &checked.not_modelled {
            *entry(&mut self.not_modelled, why) += 1;
        }
    }
}

/// The entry of this name, made only if there is none: a run adds to few of them very often.
pub(super) fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("just inserted")
}
