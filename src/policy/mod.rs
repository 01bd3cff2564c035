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
pub use script::{Check, Move, Observed, Predicted, Script};
pub use subject::{Subject, subjects};
pub use words::Words;

use std::{
    panic::resume_unwind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use self::{
    play::Player,
    search::{Found, search},
};
use crate::{
    model::writer::{
        Policy,
        rules::{ChunkAt, ChunkBefore, RULES, Rule},
    },
    stage::{Fault, Handle, PlannedActor},
};

/// Random scripts of a fit, and the moves of each.
const RANDOM: u64 = 250;
const MOVES: usize = 12;
/// Theirs alone: whoever checks a fit draws with another.
const SEED: u64 = 0x6669_7474_6564;

/// What was found out about a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The answers that the simplest policies which explain everything have in common; the
    /// nearest policy if none explains it.
    pub policy: Policy,
    /// One of these policies, whole: for whoever predicts what a runtime will do.
    pub example: Policy,
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

/// All of these writers, in their order, each fitted on one of the stages.
///
/// # Errors
/// A stage or a driver failed.
pub fn fit_all(subjects: &[Subject], stages: Vec<Handle>) -> Result<Vec<Fitted>, Fault> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Fitted>>> = subjects.iter().map(|_| Mutex::default()).collect();
    let work = |mut stage: Handle| -> Result<(), Fault> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(subject) = subjects.get(at) else { return Ok(()) };
            let fitted = fit(&mut stage, &subject.writer)?;
            *results[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(fitted);
        }
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = stages.into_iter().map(|stage| scope.spawn(move || work(stage))).collect();
        let joined =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect::<Result<Vec<()>, Fault>>()
    })?;
    let fitted = results.into_iter().map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(fitted.map(|fitted| fitted.expect("each was taken by a thread that didn't fail")).collect())
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
    let observed = player.observe_all(&scripts)?;
    let played: Vec<_> = scripts.into_iter().zip(observed).collect();
    let mut sizes = vec![0];
    sizes.extend(thresholds.iter().flat_map(|at| [at.saturating_sub(1), *at, at + 1]));
    sizes.sort_unstable();
    sizes.dedup();
    Ok(match search(&played, &sizes, page) {
        Found::All(policies) => {
            let simplest = simplest(&policies);
            let (policy, undecided) = common(&simplest);
            let unasked = RULES
                .iter()
                .map(|info| info.rule)
                .filter(|rule| policy.get(*rule).is_none() && !undecided.contains(rule));
            Fitted {
                unasked: unasked.collect(),
                policy,
                example: simplest[0],
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
                matches!(script.check(*nearest, page, observed), Check::Agrees(_))
            };
            Fitted {
                policy: *nearest,
                example: *nearest,
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

/// What is seen of these scripts with this writer, in their order; [`Script::check`] holds it
/// against a policy.
///
/// # Errors
/// The stage or the driver failed.
pub fn play(stage: &mut Handle, writer: &PlannedActor, scripts: &[Script]) -> Result<Vec<Observed>, Fault> {
    Player::new(stage, writer).observe_all(scripts)
}

/// Those in which the fewest rules have a say, each once.
fn simplest(policies: &[Policy]) -> Vec<Policy> {
    let fewest = policies.iter().map(Policy::answered).min();
    let simplest = policies.iter().filter(|policy| Some(policy.answered()) == fewest);
    let mut named: Vec<Policy> = Vec::new();
    for policy in simplest.map(|policy| named_alike(*policy)) {
        if !named.contains(&policy) {
            named.push(policy);
        }
    }
    named
}

/// To hand down from 11 bytes on, and what is more than 10, is the same if nothing else
/// looks at the chunk's size.
fn named_alike(policy: Policy) -> Policy {
    let looks = policy.choice().is_some_and(|before: ChunkBefore| before != ChunkBefore::Together);
    match (policy.get(Rule::Chunk), policy.choice::<ChunkAt>()) {
        (Some(chunk), Some(ChunkAt::At)) if chunk > 1 && !looks => {
            policy.with(Rule::Chunk, chunk - 1).choose(ChunkAt::Above)
        }
        _ => policy,
    }
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
