//! Plays scripts with one runtime as the writer.

use super::script::{Observed, Script};
use crate::stage::{Fault, Handle, PlannedActor};

/// Pipes of more than this aren't asked for.
const LARGEST: u64 = 1 << 20;

/// Scripts under way at a stage.
const DEPTH: usize = 16;

/// Why a script has no transcript.
pub(super) type Unplayed = Fault;

/// A stage, and the writer of its scripts.
pub(super) struct Player<'stage> {
    stage: &'stage mut Handle,
    writer: &'stage PlannedActor,
}

impl<'stage> Player<'stage> {
    pub(super) fn new(stage: &'stage mut Handle, writer: &'stage PlannedActor) -> Player<'stage> {
        Player { stage, writer }
    }

    /// The largest pipe for scripts (bytes).
    pub(super) fn largest(&self) -> u64 {
        self.stage.measures().largest_pipe.min(LARGEST)
    }

    /// Bytes in a page.
    pub(super) fn page(&self) -> u64 {
        self.stage.measures().page
    }

    pub(super) fn observe(&mut self, script: &Script) -> Result<Observed, Unplayed> {
        let transcript = self.stage.play(&script.plan(self.writer))?;
        Ok(script.observed(&transcript))
    }

    /// The same for many, in their order.
    pub(super) fn observe_all(&mut self, scripts: &[Script]) -> Result<Vec<Observed>, Unplayed> {
        let mut observed = Vec::with_capacity(scripts.len());
        for (at, script) in scripts.iter().enumerate() {
            self.stage.submit(&script.plan(self.writer))?;
            if at >= DEPTH {
                observed.push(scripts[at - DEPTH].observed(&self.stage.next()?));
            }
        }
        for script in &scripts[observed.len()..] {
            observed.push(script.observed(&self.stage.next()?));
        }
        Ok(observed)
    }
}
