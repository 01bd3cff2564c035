//! A script with which a writer differs from its policy, made as short as it can be, with the
//! runtime itself.
//!
//! 1. What follows the move that differs goes.
//! 2. Moves go, many at once, then one by one; two writes become one.
//! 3. Sizes become the least with which it still differs, line feeds and O_NONBLOCK go.
//! 4. And so on as long as anything changes. A script that doesn't differ at once is played
//!    once more before it is given up, as long as the first one took.

use std::mem::replace;

use super::{
    Writer,
    check::{Differing, check},
};
use crate::{
    model::writer::Step,
    policy::{Move, Script},
    stage::{Fault, Handle},
};

/// Plays of the first script before it counts as one that doesn't differ again.
const FIRST_PLAYS: usize = 30;

/// Scripts that are tried at most.
const TRIES: usize = 2000;

/// The shortest script that differs.
#[derive(Clone, Debug)]
pub(super) struct Shrunk {
    pub(super) script: Script,
    pub(super) differing: Differing,
    /// It differed again when it was played once more: else it is as it was found.
    pub(super) again: bool,
    /// Scripts that were tried.
    pub(super) tries: usize,
}

/// `page`: bytes in a page of the machine.
pub(super) fn shrink(
    stage: &mut Handle,
    writer: &Writer,
    page: u64,
    script: Script,
    differing: Differing,
) -> Result<Shrunk, Fault> {
    let best = Shrunk { script: script.clone(), differing, again: false, tries: 0 };
    let mut shrinker = Shrinker { stage, writer, page, plays: 1, best };
    let mut plays = 1;
    while !shrinker.shows(&script)? {
        plays += 1;
        if plays > FIRST_PLAYS {
            return Ok(shrinker.best);
        }
    }
    shrinker.plays = plays;
    while shrinker.drop_moves()? | shrinker.join_writes()? | shrinker.simplify()? {}
    Ok(shrinker.best)
}

struct Shrinker<'s> {
    stage: &'s mut Handle,
    writer: &'s Writer,
    page: u64,
    /// Of each script, until it differs.
    plays: usize,
    best: Shrunk,
}

impl Shrinker<'_> {
    /// Keeps the script, up to the move that differs, if one does.
    fn shows(&mut self, script: &Script) -> Result<bool, Fault> {
        let plan = script.plan(&self.writer.subject.writer);
        for _ in 0..self.plays {
            self.best.tries += 1;
            let transcript = self.stage.play(&plan)?;
            let checked = check(script, &transcript, self.writer.policy, self.page);
            if let Some(differing) = checked.differing {
                let mut script = script.clone();
                script.moves.truncate(differing.at + 1);
                let tries = self.best.tries;
                self.best = Shrunk { script, differing: *differing, again: true, tries };
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same for a script that is the best one but for its moves, of which those go that
    /// nobody can take.
    fn tries(&mut self, moves: Vec<Move>) -> Result<bool, Fault> {
        let script = Script { moves: possible(moves), ..self.best.script.clone() };
        Ok(self.best.tries < TRIES && script != self.best.script && self.shows(&script)?)
    }

    /// Rule 2: halves, quarters, ..., each from the end, where least hangs on a move. Whether
    /// any went.
    fn drop_moves(&mut self) -> Result<bool, Fault> {
        let mut any = false;
        let mut many = self.best.script.moves.len() / 2;
        while many > 0 {
            let mut end = self.best.script.moves.len();
            while end > 0 {
                let start = end.saturating_sub(many);
                let mut moves = self.best.script.moves.clone();
                moves.drain(start..end);
                any |= self.tries(moves)?;
                end = start.min(self.best.script.moves.len());
            }
            many /= 2;
        }
        Ok(any)
    }

    /// Rule 2. Whether any became one.
    fn join_writes(&mut self) -> Result<bool, Fault> {
        let (mut any, mut at) = (false, 0);
        while let Some(&first) = self.best.script.moves.get(at) {
            let mut moves = self.best.script.moves.clone();
            moves.remove(at);
            if join(first, &mut moves[at..]) && self.tries(moves)? {
                any = true;
            } else {
                at += 1;
            }
        }
        Ok(any)
    }

    /// Rule 3. Whether anything changed.
    fn simplify(&mut self) -> Result<bool, Fault> {
        let mut any = self.wait_for_room()?;
        let mut at = 0;
        while let Some(&it) = self.best.script.moves.get(at) {
            if let Some(plain) = plain(it) {
                any |= self.replaced(at, plain)?;
            }
            any |= self.least(at)?;
            at += 1;
        }
        Ok(any)
    }

    /// Without O_NONBLOCK, on a pipe so large that the writer needn't wait.
    fn wait_for_room(&mut self) -> Result<bool, Fault> {
        let (nonblock, pipe) = (false, self.writer.shape.largest);
        let script = Script { nonblock, pipe, moves: self.best.script.moves.clone() };
        Ok(self.best.script.nonblock && self.best.tries < TRIES && self.shows(&script)?)
    }

    /// The least size of a move, by bisection.
    fn least(&mut self, at: usize) -> Result<bool, Fault> {
        let (mut any, mut below) = (false, 0);
        loop {
            let Some(&it) = self.best.script.moves.get(at) else { return Ok(any) };
            let Some(bytes) = size(it).filter(|bytes| bytes - below > 1) else { return Ok(any) };
            // One byte first, since many sizes mean nothing.
            let middle = if below == 0 && !any { 1 } else { below + (bytes - below) / 2 };
            if self.replaced(at, sized(it, middle))? {
                any = true;
            } else {
                below = middle;
            }
        }
    }

    fn replaced(&mut self, at: usize, it: Move) -> Result<bool, Fault> {
        let mut moves = self.best.script.moves.clone();
        moves[at] = it;
        self.tries(moves)
    }
}

/// Those of these moves that somebody can take.
fn possible(moves: Vec<Move>) -> Vec<Move> {
    let (mut reader, mut closed) = (true, false);
    let can = |it: &Move| match it {
        Move::Writer(Step::Close) => !replace(&mut closed, true),
        Move::Writer(_) => !closed,
        Move::Leave => replace(&mut reader, false),
        Move::Return => !replace(&mut reader, true),
        Move::Read(_) => reader,
    };
    moves.into_iter().filter(can).collect()
}

/// Adds a write to the next one, if both are.
fn join(first: Move, behind: &mut [Move]) -> bool {
    let next = behind.iter_mut().find(|it| matches!(it, Move::Writer(_)));
    match (first, next) {
        (Move::Writer(Step::Write { bytes: first, .. }), Some(Move::Writer(Step::Write { bytes, .. }))) => {
            *bytes += first;
            true
        }
        _ => false,
    }
}

/// A simpler move of its kind.
fn plain(it: Move) -> Option<Move> {
    match it {
        Move::Writer(Step::Write { bytes, newline: true }) => {
            Some(Move::Writer(Step::Write { bytes, newline: false }))
        }
        Move::Read(Some(_)) => Some(Move::Read(None)),
        _ => None,
    }
}

fn size(it: Move) -> Option<u64> {
    match it {
        Move::Writer(Step::Write { bytes, .. }) => Some(bytes),
        Move::Read(bytes) => bytes,
        _ => None,
    }
}

fn sized(it: Move, bytes: u64) -> Move {
    match it {
        Move::Writer(Step::Write { newline, .. }) => Move::Writer(Step::Write { bytes, newline }),
        Move::Read(_) => Move::Read(Some(bytes)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLUSH: Move = Move::Writer(Step::Flush);
    const CLOSE: Move = Move::Writer(Step::Close);

    fn write(bytes: u64) -> Move {
        Move::Writer(Step::Write { bytes, newline: false })
    }

    #[test]
    fn what_nobody_can_take_goes() {
        let moves = vec![Move::Return, Move::Leave, Move::Leave, Move::Read(None), FLUSH, Move::Return];
        assert_eq!(possible(moves), [Move::Leave, FLUSH, Move::Return]);
        assert_eq!(possible(vec![CLOSE, write(1), FLUSH, CLOSE]), [CLOSE]);
    }

    #[test]
    fn a_write_joins_the_next_one_and_not_one_behind_a_flush() {
        let mut behind = [Move::Leave, write(5), FLUSH];
        assert!(join(write(3), &mut behind));
        assert_eq!(behind[1], write(8));
        assert!(!join(write(3), &mut [FLUSH, write(5)]));
        assert!(!join(FLUSH, &mut [write(5)]));
    }
}
