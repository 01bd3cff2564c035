//! Which policy a runtime's buffered writer follows, found out from runs alone.
//!
//! 1. `sweep` finds the sizes at which the runtime changes its ways, and `draw` makes
//!    scripts around them.
//! 2. `play` has them played, each [`Script`] on a FIFO with a reader that comes and goes.
//! 3. `search` finds every [`Policy`] that explains every transcript, step by step and byte
//!    by byte; there may be one, several, or none.
//! 4. `words` says in short what was found.
//!
//! Nothing in here knows a runtime's name.

mod draw;
mod play;
mod script;
mod search;
mod subject;
mod sweep;
mod words;

pub use draw::Shape;
pub use script::{Check, Move, Observed, Script};
pub use subject::{Subject, subjects};
pub use words::Words;

use self::{
    play::Player,
    search::{Found, search},
};
use crate::{
    model::writer::{Policy, Used, rules::RULES, rules::Rule},
    stage::{Fault, Handle, PlannedActor},
};

/// Random scripts of a fit, and the moves of each.
const RANDOM: u64 = 300;
const MOVES: usize = 12;
/// Theirs alone: whoever checks a fit draws with another.
const SEED: u64 = 0x6669_7474_6564;

/// What was found out about a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The answers that the simplest policies which explain everything have in common; the
    /// nearest policy if none explains it.
    pub policy: Policy,
    /// Rules of which these give several answers, and rules that had no say in any.
    pub undecided: Vec<Rule>,
    pub unasked: Vec<Rule>,
    /// Policies that explain everything too, with more rules: say, of one layer more that
    /// holds a single byte and is never seen to.
    pub others: usize,
    /// Scripts that were played, and those that the policy explains.
    pub scripts: usize,
    pub explained: usize,
    /// The first script that no policy explains, and what it says of it.
    pub unexplained: Option<(Script, Check)>,
    /// What further scripts should be made of.
    pub shape: Shape,
}

/// Plays scripts with this writer, and says which policy explains them. Deterministic as
/// far as the runtime is.
///
/// # Errors
/// The stage or the driver failed.
pub fn fit(stage: &mut Handle, writer: &PlannedActor) -> Result<Fitted, Fault> {
    let mut player = Player::new(stage, writer);
    let thresholds = sweep::thresholds(&mut player)?;
    let (page, largest) = (player.page(), player.largest());
    let shape = Shape::around(&thresholds, page, largest);
    let mut scripts = shape.apart();
    scripts.extend((0..RANDOM).map(|index| shape.random(SEED, index, MOVES)));
    let t0 = std::time::Instant::now();
    let observed = player.observe_all(&scripts)?;
    eprintln!("played {} in {:?}", scripts.len(), t0.elapsed());
    let t0 = std::time::Instant::now();
    let played: Vec<_> = scripts.into_iter().zip(observed).collect();
    let mut sizes = vec![0];
    sizes.extend(thresholds.iter().flat_map(|at| [at.saturating_sub(1), *at, at + 1]));
    sizes.sort_unstable();
    sizes.dedup();
    let f = search(&played, &sizes, page);
    eprintln!("searched {:?}", t0.elapsed());
    Ok(match f {
        Found::All(policies) => {
            let simplest = simplest(&policies);
            let (policy, undecided) = common(&simplest);
            let unasked = RULES.iter().map(|info| info.rule).filter(|rule| {
                policy.get(*rule).is_none() && !undecided.contains(rule)
            });
            Fitted {
                unasked: unasked.collect(),
                policy,
                undecided,
                others: policies.len() - simplest.len(),
                scripts: played.len(),
                explained: played.len(),
                unexplained: None,
                shape,
            }
        }
        Found::None { nearest, script, check } => {
            let agrees = |(script, observed): &&(Script, Observed)| {
                matches!(script.check(nearest, page, observed), Check::Agrees(_))
            };
            Fitted {
                policy: nearest,
                undecided: vec![],
                unasked: vec![],
                others: 0,
                scripts: played.len(),
                explained: played.iter().filter(agrees).count(),
                unexplained: Some((played[script].0.clone(), check)),
                shape,
            }
        }
    })
}

/// Plays random scripts of this seed that the fit didn't, and holds each against the
/// policy. The rules that had a say in those it explains, and the others.
///
/// # Errors
/// The stage or the driver failed.
pub fn verify(
    stage: &mut Handle,
    writer: &PlannedActor,
    (policy, shape): (Policy, &Shape),
    seed: u64,
    scripts: u64,
) -> Result<(Used, Vec<(Script, Check)>), Fault> {
    let mut player = Player::new(stage, writer);
    let scripts: Vec<Script> = (0..scripts).map(|index| shape.random(seed, index, MOVES)).collect();
    let observed = player.observe_all(&scripts)?;
    let (mut used, mut unexplained) = (Used::default(), Vec::new());
    for (script, observed) in scripts.into_iter().zip(observed) {
        match script.check(policy, player.page(), &observed) {
            Check::Agrees(had) => used = used.and(had),
            check => unexplained.push((script, check)),
        }
    }
    Ok((used, unexplained))
}

/// Those in which the fewest rules have a say, and of these those with the smallest sizes: a
/// layer that hands down what is more than 10 bytes, and one that does so from 11 bytes on, are
/// the same.
fn simplest(policies: &[Policy]) -> Vec<Policy> {
    let cost = |policy: &Policy| {
        let sizes = [Rule::Capacity, Rule::Chunk].map(|rule| policy.get(rule).unwrap_or(0));
        (policy.answered(), sizes.iter().sum::<u64>())
    };
    let least = policies.iter().map(cost).min();
    policies.iter().filter(|policy| Some(cost(policy)) == least).copied().collect()
}

/// What policies have in common, and the rules which they answer differently.
fn common(policies: &[Policy]) -> (Policy, Vec<Rule>) {
    let (mut policy, mut undecided) = (Policy::default(), Vec::new());
    for rule in RULES.iter().map(|info| info.rule) {
        let mut answers = policies.iter().map(|policy| policy.get(rule));
        let first = answers.next().flatten();
        match first {
            Some(answer) if answers.all(|other| other == first) => policy = policy.with(rule, answer),
            _ if policies.iter().any(|policy| policy.get(rule).is_some()) => undecided.push(rule),
            _ => {}
        }
    }
    (policy, undecided)
}
