//! What may be, given what was seen: the set of states, and the results they allow.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::{Call, Handle, Settled, State, Used, script::Cast, world::TooMany};

/// So many states are carried on before the model gives up: nobody has looked for so long
/// that it says little.
const MOST_STATES: usize = 256;

/// States, in the order in which they were come upon, each once.
type States = IndexSet<State, FxBuildHasher>;

/// All states that the channels may be in, given what has been seen so far.
#[derive(Clone, Debug)]
pub struct Model {
    states: States,
    pub(super) cast: Arc<Cast>,
}

/// One thing that may be seen.
#[derive(Clone, Debug)]
pub struct Allowed {
    pub settled: Settled,
    /// The rules that had a say in it.
    pub rules: Used,
    /// The model that goes on from there.
    pub next: Model,
}

impl From<State> for Model {
    fn from(state: State) -> Model {
        Model { states: States::from_iter([state]), cast: Arc::default() }
    }
}

impl Model {
    pub(super) fn with_cast(state: State, cast: Cast) -> Model {
        Model { states: States::from_iter([state]), cast: cast.into() }
    }

    /// One of these, and nobody knows which. `None` if there are none, or too many states.
    pub fn union(models: impl IntoIterator<Item = Model>) -> Option<Model> {
        let mut models = models.into_iter();
        let mut all = models.next()?;
        for model in models {
            all.states.extend(model.states);
        }
        (all.states.len() <= MOST_STATES).then_some(all)
    }

    /// The states.
    pub fn states(&self) -> impl ExactSizeIterator<Item = &State> {
        self.states.iter()
    }

    /// Whether the actor can make this call ([`State::can`]), whichever state it is.
    pub fn can_call(&self, actor: usize, on: Handle, call: Call) -> bool {
        self.states.iter().all(|state| state.can(actor, on, call))
    }

    /// Everything that may be seen after this call. One entry: the answer is unique. A result
    /// that isn't among them is one that Linux doesn't allow.
    ///
    /// # Errors
    /// There are too many to look at.
    ///
    /// # Panics
    /// The actor can't make this call in any of the states.
    pub fn after(&self, actor: usize, on: Handle, call: Call) -> Result<Vec<Allowed>, TooMany> {
        let mut allowed: BTreeMap<Settled, (Used, States)> = BTreeMap::new();
        let able = self.states.iter().filter(|state| state.can(actor, on, call));
        for state in able {
            for (settled, used, state) in state.after(actor, on, call)? {
                let (rules, states) = allowed.entry(settled).or_default();
                rules.join(used);
                states.insert(state);
            }
        }
        assert!(!allowed.is_empty(), "actor {actor} can't do {call:?}");
        let cast = &self.cast;
        let next = |states| Model { states, cast: cast.clone() };
        let entries = allowed.into_iter();
        Ok(entries.map(|(settled, (rules, states))| Allowed { settled, rules, next: next(states) }).collect())
    }

    /// Plays the call if its result is unique; `None`, and nothing has changed, if
    /// the kernel may choose.
    ///
    /// # Panics
    /// The actor can't make this call.
    pub fn play(&mut self, actor: usize, on: Handle, call: Call) -> Option<Settled> {
        let mut allowed = self.after(actor, on, call).ok()?;
        let only = allowed.pop().filter(|_| allowed.is_empty())?;
        *self = only.next;
        Some(only.settled)
    }
}
