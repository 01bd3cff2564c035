//! What may be, given what was seen: the set of states, and the results they allow.

use std::collections::BTreeMap;

use super::{Call, Settled, State};

/// All states that the channel may be in, given what has been seen so far.
#[derive(Clone, Debug)]
pub struct Model {
    states: Vec<State>,
}

impl From<State> for Model {
    fn from(state: State) -> Model {
        Model { states: vec![state] }
    }
}

impl Model {
    /// One of these, and nobody knows which. `None`: there are none, or more than `most` states.
    pub fn union(models: impl IntoIterator<Item = Model>, most: usize) -> Option<Model> {
        let mut models = models.into_iter();
        let mut all = models.next()?;
        for state in models.flat_map(|model| model.states) {
            if !all.states.contains(&state) {
                all.states.push(state);
            }
        }
        (all.states.len() <= most).then_some(all)
    }

    /// How many states it may be in.
    pub fn size(&self) -> usize {
        self.states.len()
    }

    /// Whether the actor can make this call ([`State::can`]), whichever state it is.
    pub fn can(&self, actor: usize, call: Call) -> bool {
        self.states.iter().all(|state| state.can(actor, call))
    }

    /// Everything that may be seen after this call, each with the model that goes on
    /// from there. One entry: the answer is unique. A result that isn't a key is
    /// one that Linux doesn't allow.
    ///
    /// Panics if the actor can't make this call.
    pub fn allowed(&self, actor: usize, call: Call) -> BTreeMap<Settled, Model> {
        let mut allowed: BTreeMap<Settled, Model> = BTreeMap::new();
        for (settled, state) in self.states.iter().flat_map(|state| state.after(actor, call)) {
            let model = allowed.entry(settled).or_insert_with(|| Model { states: Vec::new() });
            if !model.states.contains(&state) {
                model.states.push(state);
            }
        }
        allowed
    }

    /// Plays the call if its result is unique; `None`, and nothing has changed, if
    /// the kernel may choose.
    ///
    /// Panics if the actor can't make this call.
    pub fn play(&mut self, actor: usize, call: Call) -> Option<Settled> {
        let mut allowed = self.allowed(actor, call);
        let (settled, model) = allowed.pop_first()?;
        allowed.is_empty().then(|| {
            *self = model;
            settled
        })
    }
}
