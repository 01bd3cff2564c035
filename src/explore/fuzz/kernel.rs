//! The kernel, with actors that only call it, held against its model.

use std::borrow::Cow;

use super::{
    campaign::{Campaign, Found},
    check::{Checked, Seen, check},
    game::{Game, Turns, turn},
    ground::Ground,
    play::{Maker, Player},
    regression::Regression,
    script::Script,
    shrink::shrink,
    tally::Tally,
};
use crate::{
    model::{Machine, Rules},
    outcome::Transcript,
    stage::{Fault, Handle, Measures, Plan},
};

/// The kernel's channels.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The kinds of channel: scripts take turns with them.
    pub grounds: Vec<&'static Ground>,
    /// [`Rules::linux`], unless a test wants to see that a mistake is noticed.
    pub rules: Rules,
}

impl Kernel {
    /// The kind of channel of a script.
    pub fn ground(&self, index: u64) -> &'static Ground {
        self.grounds[turn(self.grounds.len(), index)]
    }
}

impl Game for Kernel {
    type Table = Maker;
    type Script = Script;
    type Checked = Checked;
    type Seen = Seen;
    type Tally = Tally;

    fn turns(&self) -> Turns {
        Turns::Channels(self.grounds.iter().map(|ground| ground.name.to_owned()).collect())
    }

    fn table(&self, measures: &Measures) -> Result<Maker, Fault> {
        let machine = Machine::here(measures);
        Ok(Maker::new(machine.map_err(|error| Fault::harness("measuring sockets", error))?))
    }

    fn script(&self, maker: &Maker, seed: u64, index: u64) -> Script {
        maker.script(self, seed, index)
    }

    fn plan<'s>(&self, script: &'s Script) -> Cow<'s, Plan> {
        Cow::Borrowed(&script.plan)
    }

    fn check(&self, maker: &Maker, script: &Script, transcript: Transcript) -> Checked {
        check(script, transcript, maker.machine(), self.rules)
    }

    fn count(&self, tally: &mut Tally, index: u64, checked: Checked) -> Option<Box<Seen>> {
        tally.add(self.ground(index).name, &checked);
        checked.seen
    }

    fn found(
        campaign: &Campaign<Kernel>,
        maker: &Maker,
        stage: &mut Handle,
        index: u64,
        seen: Seen,
    ) -> Result<Found, Fault> {
        let mut player = Player::new(stage, maker);
        let steps = maker.script(&campaign.game, campaign.seed, index).steps();
        let shrunk = shrink(campaign, &mut player, index, seen)?;
        let regression = Regression::of(campaign, &player, index, &shrunk);
        let (shrunk_to, again, tries) = (shrunk.script.steps(), shrunk.again, shrunk.tries);
        Ok(Found { index, steps, shrunk_to, again, tries, regression })
    }
}
