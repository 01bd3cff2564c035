//! What draws come to: steps that somebody can take, whatever the kernel chose before.

use std::sync::Arc;

use super::{
    draw::{Draw, Draws},
    ground::{Entry, Ground, Line, Moment, Scene},
};
use crate::{
    model::{Allowed, Errno, Foreseen, Gave, Machine, Model, Rules, Settled, Used},
    stage::{Condition, Order, Plan, PlannedStep},
};

/// So many states may be possible, for all that was seen; then a script ends, since each of its steps
/// takes the model so many times as long.
const MOST_STATES: usize = 24;

/// Steps after which whoever sleeps is left asleep.
const LONGEST_CODA: usize = 12;

/// A script, ready to be played.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) scene: Scene,
    /// All steps, those of the preamble first.
    pub(super) lines: Vec<Line>,
    pub plan: Plan,
    pub(super) foreseen: Foreseen,
}

impl Script {
    /// The script of these draws.
    pub(super) fn drawn(ground: &Ground, draws: &Draws, machine: &Machine, rules: Rules) -> Script {
        let scene = (ground.scene)(machine, draws.scene);
        let mut growing = Growing::new(scene, machine, rules);
        for line in growing.scene.preamble.clone() {
            if !growing.take(line) {
                return growing.done();
            }
        }
        for draw in &draws.steps {
            if !growing.draw(ground, draw) {
                break;
            }
        }
        for turn in 0..LONGEST_CODA {
            if growing.blocked.is_empty() || !growing.wind_up(ground, turn) {
                break;
            }
        }
        growing.done()
    }

    /// The script of these lines: of those that somebody can take.
    pub(super) fn of(scene: Scene, lines: &[Line], machine: &Machine, rules: Rules) -> Script {
        let mut growing = Growing::new(scene, machine, rules);
        for line in lines {
            if growing.model.can(line.actor, &line.action) && !growing.take(line.clone()) {
                break;
            }
        }
        growing.done()
    }

    /// Steps behind those of the scene's own.
    pub fn steps(&self) -> usize {
        self.lines.len().saturating_sub(self.preamble())
    }

    /// Steps of the scene's own.
    pub fn preamble(&self) -> usize {
        self.scene.preamble.len()
    }
}

/// A script that grows by a line at a time, and what may be the case behind the last one.
struct Growing<'m> {
    machine: &'m Machine,
    scene: Scene,
    model: Model,
    lines: Vec<Line>,
    plan: Plan,
    /// What comes of the first steps, until the kernel may choose.
    unique: Vec<(Settled, Used)>,
    /// The model just before that.
    before_choice: Option<Model>,
    queued: Vec<Option<u64>>,
    /// Who may be asleep.
    blocked: Vec<usize>,
}

impl<'m> Growing<'m> {
    fn new(scene: Scene, machine: &'m Machine, rules: Rules) -> Growing<'m> {
        let mut plan = Plan {
            channels: scene.channels.clone(),
            actors: scene.actors.clone(),
            // Which names sockets get.
            steps: scene.preamble.iter().map(planned).collect(),
            setting: scene.setting.clone(),
            order: Order::default(),
        };
        let model = Model::of(&plan, machine, rules);
        plan.steps.clear();
        let queued = vec![Some(0); plan.channels.len()];
        Growing {
            machine,
            scene,
            model,
            lines: Vec::new(),
            plan,
            unique: Vec::new(),
            before_choice: None,
            queued,
            blocked: Vec::new(),
        }
    }

    fn done(self) -> Script {
        let next = self.before_choice.unwrap_or(self.model);
        let foreseen = Foreseen { steps: self.unique, next };
        Script { scene: self.scene, lines: self.lines, plan: self.plan, foreseen }
    }

    /// One more step, if anybody can take one that this draw means. False: the model has lost
    /// sight, and the script ends here.
    fn draw(&mut self, ground: &Ground, draw: &Draw) -> bool {
        let entry = entry(ground, draw.verb);
        let actors = self.plan.actors.len();
        for offset in 0..actors {
            let actor = (usize::from(draw.actor) + offset) % actors;
            let moment = Moment { scene: &self.scene, machine: self.machine, queued: &self.queued };
            let Some(line) = (entry.line)(&moment, actor, draw) else { continue };
            if !self.model.can(actor, &line.action) {
                continue;
            }
            let Ok(allowed) = self.model.allowed(actor, &line.action) else { continue };
            // It says little, and so once in a while is enough.
            let wrong_end =
                |allowed: &Allowed| matches!(allowed.settled.gave, Gave::Failed { errno: Errno::EBADF, .. });
            if draw.extra < 240 && allowed.iter().any(wrong_end) {
                continue;
            }
            return self.grow(line, allowed);
        }
        true
    }

    /// A step towards an end in which nobody sleeps.
    fn wind_up(&mut self, ground: &Ground, turn: usize) -> bool {
        for actor in 0..self.plan.actors.len() {
            let mut lines = (ground.coda)(&self.scene, actor);
            // What doesn't help now may help later.
            let first = turn % lines.len().max(1);
            lines.rotate_left(first);
            for line in lines {
                if self.model.can(actor, &line.action) {
                    return self.take(line);
                }
            }
        }
        false
    }

    /// Takes this line. False: the model has lost sight, and the script ends here.
    fn take(&mut self, line: Line) -> bool {
        match self.model.allowed(line.actor, &line.action) {
            Ok(allowed) => self.grow(line, allowed),
            Err(_) => false,
        }
    }

    fn grow(&mut self, line: Line, allowed: Vec<Allowed>) -> bool {
        self.blocked.clear();
        for Allowed { settled: Settled { blocked, .. }, .. } in &allowed {
            self.blocked.extend(blocked);
        }
        if let Some(first) = allowed.first() {
            self.queued.clone_from(&first.settled.queued);
        }
        self.plan.steps.push(planned(&line));
        self.lines.push(line);
        let only = match &allowed[..] {
            [only] => Some((only.settled.clone(), only.rules)),
            _ => None,
        };
        let Some(model) = Model::union(allowed.into_iter().map(|allowed| allowed.next)) else {
            self.before_choice.get_or_insert_with(|| self.model.clone());
            return false;
        };
        let before = std::mem::replace(&mut self.model, model);
        match only.filter(|_| self.before_choice.is_none()) {
            Some(only) => self.unique.push(only),
            None => drop(self.before_choice.get_or_insert(before)),
        }
        self.model.states().len() <= MOST_STATES
    }
}

fn planned(line: &Line) -> Arc<PlannedStep> {
    let step = PlannedStep {
        actor: line.actor,
        action: line.action.clone(),
        condition: Condition::Always,
        attempts: 1,
        joined: false,
    };
    Arc::new(step)
}

/// The menu's line that a draw means.
fn entry(ground: &Ground, verb: u8) -> &'static Entry {
    let parts: u32 = ground.menu.iter().map(|entry| entry.parts).sum();
    let mut at = u32::from(verb) * parts / 256;
    ground
        .menu
        .iter()
        .find(|entry| {
            let here = at < entry.parts;
            at = at.saturating_sub(entry.parts);
            here
        })
        .expect("the verb is one of the parts")
}
