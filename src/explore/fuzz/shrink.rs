//! A script that differs, made as short as it can be, on the real kernel.
//!
//! 1. Draws shrink first, as proptest has it: fewer, then smaller ones, each time turned into
//!    a script by the model and played.
//! 2. What follows the step that differs goes.
//! 3. Then single steps go as long as any can, two writes of an actor become one, a `fill` takes
//!    longer pieces if fewer steps then read what it sent, and actors without steps go.
//! 4. A script stands only if it shows the same kind of finding. One that doesn't at once is
//!    played a few times more: two calls that are awake at once may race.

use std::sync::Arc;

use proptest::strategy::ValueTree;

use super::{
    campaign::Campaign,
    check::{Checked, Finding, Seen},
    ground::{Line, Scene},
    kernel::Kernel,
    play::Player,
    script::Script,
};
use crate::{
    outcome::{Action, Transcript},
    stage::Fault,
};

/// Plays of the first script before it counts as one that doesn't show it again.
const FIRST_PLAYS: usize = 30;

/// Plays of a smaller one, if the first script showed it at its first play.
const PLAYS: usize = 2;

/// How often a piece is doubled, to see whether fewer will do.
const DOUBLINGS: usize = 4;

/// Scripts that are tried at most.
const TRIES: usize = 3000;

/// The shortest script that shows a finding.
#[derive(Clone, Debug)]
pub struct Shrunk {
    pub script: Script,
    pub finding: Finding,
    pub transcript: Transcript,
    /// The script showed it again when it was played once more: else it is as it was found.
    pub again: bool,
    /// Scripts that were tried.
    pub tries: usize,
}

pub(super) fn shrink(
    campaign: &Campaign<Kernel>,
    player: &mut Player<'_>,
    index: u64,
    seen: Seen,
) -> Result<Shrunk, Fault> {
    let script = player.maker().script(&campaign.game, campaign.seed, index);
    let Seen { finding, transcript } = seen;
    let mut shrinker = Shrinker {
        campaign,
        player,
        plays: FIRST_PLAYS,
        best: Shrunk { script: script.clone(), finding, transcript, again: false, tries: 0 },
    };
    let Some(plays) = shrinker.try_first(script)? else { return Ok(shrinker.best) };
    shrinker.plays = PLAYS.max(2 * plays);
    shrinker.draws(index)?;
    shrinker.cut()?;
    while shrinker.drop_lines()?
        | shrinker.join_writes()?
        | shrinker.lengthen_pieces()?
        | shrinker.drop_actors()?
    {}
    Ok(shrinker.best)
}

struct Shrinker<'s, 'h, 'c> {
    campaign: &'c Campaign<Kernel>,
    player: &'s mut Player<'h>,
    /// Of each script, until it shows the finding.
    plays: usize,
    best: Shrunk,
}

impl Shrinker<'_, '_, '_> {
    /// How often the script was played until it showed the finding again, if it did.
    fn try_first(&mut self, script: Script) -> Result<Option<usize>, Fault> {
        for play in 1..=self.plays {
            if self.shows(&script, 1)? {
                return Ok(Some(play));
            }
        }
        Ok(None)
    }

    /// Keeps the script if it shows the finding.
    fn shows(&mut self, script: &Script, plays: usize) -> Result<bool, Fault> {
        self.best.tries += 1;
        for _ in 0..plays {
            let Checked { seen, .. } = self.player.check(script, self.campaign.game.rules)?;
            let Some(seen) = seen else { continue };
            if self.best.finding.is_like(&seen.finding) {
                let Seen { finding, transcript } = *seen;
                let tries = self.best.tries;
                self.best = Shrunk { script: script.clone(), finding, transcript, again: true, tries };
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tries(&mut self, script: &Script) -> Result<bool, Fault> {
        Ok(self.best.tries < TRIES && self.shows(script, self.plays)?)
    }

    /// Rule 1.
    fn draws(&mut self, index: u64) -> Result<(), Fault> {
        let (ground, rules) = (self.campaign.game.ground(index), self.campaign.game.rules);
        let mut tree = self.player.maker().tree(self.campaign.seed, index);
        let mut more = tree.simplify();
        while more && self.best.tries < TRIES {
            let script = Script::drawn(ground, &tree.current(), self.player.machine(), rules);
            // Many draws come to the same script.
            let same = script.lines == self.best.script.lines && script.scene == self.best.script.scene;
            more = if same || self.tries(&script)? { tree.simplify() } else { tree.complicate() };
        }
        Ok(())
    }

    /// Rule 2.
    fn cut(&mut self) -> Result<(), Fault> {
        if let Some(last) = self.best.finding.last_record()
            && let Some(record) = self.best.transcript.steps.get(last)
        {
            let lines = self.best.script.lines[..=record.step].to_vec();
            let script = self.script(self.best.script.scene.clone(), &lines);
            self.tries(&script)?;
        }
        Ok(())
    }

    fn script(&self, scene: Scene, lines: &[Line]) -> Script {
        Script::of(scene, lines, self.player.machine(), self.campaign.game.rules)
    }

    /// Rule 3. From the end, where least hangs on a step. Whether any went.
    fn drop_lines(&mut self) -> Result<bool, Fault> {
        let mut any = false;
        let mut at = self.best.script.lines.len();
        while at > self.best.script.preamble() {
            at -= 1;
            let mut lines = self.best.script.lines.clone();
            lines.remove(at);
            let script = self.script(self.best.script.scene.clone(), &lines);
            if self.tries(&script)? {
                any = true;
                self.cut()?;
                at = at.min(self.best.script.lines.len());
            }
        }
        Ok(any)
    }

    /// Rule 3. Whether any became one.
    fn join_writes(&mut self) -> Result<bool, Fault> {
        let mut any = false;
        let mut at = self.best.script.preamble();
        while at < self.best.script.lines.len() {
            let mut lines = self.best.script.lines.clone();
            let first = lines.remove(at);
            let next = lines[at..].iter_mut().find(|line| line.actor == first.actor);
            let joined = next.is_some_and(|next| next.join(&first));
            let script = self.script(self.best.script.scene.clone(), &lines);
            if joined && self.tries(&script)? {
                any = true;
                self.cut()?;
            } else {
                at += 1;
            }
        }
        Ok(any)
    }

    /// Rule 3. Whether any step went for it.
    fn lengthen_pieces(&mut self) -> Result<bool, Fault> {
        for at in self.best.script.preamble()..self.best.script.lines.len() {
            let before = self.best.clone();
            let longer = std::iter::successors(before.script.lines[at].doubled(), Line::doubled);
            for line in longer.take(DOUBLINGS) {
                let mut lines = before.script.lines.clone();
                lines[at] = line;
                let script = self.script(before.script.scene.clone(), &lines);
                if self.tries(&script)? {
                    self.cut()?;
                    self.drop_lines()?;
                }
                if self.best.script.lines.len() < before.script.lines.len() {
                    return Ok(true);
                }
                self.best = Shrunk { tries: self.best.tries, ..before.clone() };
            }
        }
        Ok(false)
    }

    /// Rule 3. Only whole actors who do nothing, and aren't made by a step.
    fn drop_actors(&mut self) -> Result<bool, Fault> {
        let Shrunk { script: Script { scene, lines, .. }, .. } = &self.best;
        let idle = (0..scene.actors.len()).find(|&actor| {
            let made = |line: &Line| {
                matches!(&line.action, Action::Call(called) if called.actor() == Some(&*scene.actors[actor].name))
            };
            !lines.iter().any(|line| line.actor == actor || made(line))
        });
        let Some(idle) = idle else { return Ok(false) };
        let (mut scene, mut lines) = (scene.clone(), lines.clone());
        Arc::make_mut(&mut scene.actors).remove(idle);
        scene.handles.remove(idle);
        for line in lines.iter_mut().chain(&mut scene.preamble) {
            line.actor -= usize::from(line.actor > idle);
        }
        let script = self.script(scene, &lines);
        self.tries(&script)
    }
}
