//! Where a runtime changes its ways: sizes found by doubling and bisection, assuming
//! nothing of the runtime but that what a size does, a larger one does too. (If that is
//! wrong, no policy will explain its transcripts.)

use super::{
    play::{Player, Unplayed},
    script::{Move, Script},
};
use crate::model::writer::Step;

const FLUSH: Move = Move::Writer(Step::Flush);
const CLOSE: Move = Move::Writer(Step::Close);
const READ: Move = Move::Read(None);

/// Sizes in bytes at which something changes, sorted. Some may mean nothing: whoever fits
/// tries them all.
///
/// # Errors
/// The stage or the driver failed.
pub(super) fn thresholds(player: &mut Player<'_>) -> Result<Vec<u64>, Unplayed> {
    // The shortest write of which the kernel gets something at once.
    let through = least(player, |player, bytes| Ok(accepted(player, &[write(bytes)])? > 0))?;
    // The same behind as much as can be held back.
    let held = through.map_or(0, |bytes| bytes - 1);
    let behind = match held {
        0 => None,
        held => least(player, |player, bytes| Ok(accepted(player, &[write(held), write(bytes)])? > 0))?,
    };
    // The same on a stream that was used: a fresh one may have no buffer yet.
    let again = least(player, |player, bytes| Ok(accepted(player, &[write(1), FLUSH, write(bytes)])? > 1))?;
    // The shortest write that doesn't survive a failed flush.
    let lost = least(player, |player, bytes| {
        let moves = [Move::Leave, write(bytes), FLUSH, Move::Return, FLUSH, CLOSE, READ];
        Ok(player.observe(&script(player, &moves))?.delivered() < bytes)
    })?;
    let mut found: Vec<u64> = [through, behind, again, lost].into_iter().flatten().collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn write(bytes: u64) -> Move {
    Move::Writer(Step::Write { bytes, newline: false })
}

fn script(player: &Player<'_>, moves: &[Move]) -> Script {
    Script { nonblock: false, pipe: player.largest(), moves: moves.to_vec() }
}

fn accepted(player: &mut Player<'_>, moves: &[Move]) -> Result<u64, Unplayed> {
    let script = script(player, moves);
    Ok(player.observe(&script)?.accepted())
}

/// The least size for which this holds; `None` up to a quarter of the largest pipe.
fn least(
    player: &mut Player<'_>,
    mut holds: impl FnMut(&mut Player<'_>, u64) -> Result<bool, Unplayed>,
) -> Result<Option<u64>, Unplayed> {
    let most = player.largest() / 4;
    let (mut below, mut at) = (0, 1);
    while !holds(player, at)? {
        if at >= most {
            return Ok(None);
        }
        (below, at) = (at, (2 * at).min(most));
    }
    while at - below > 1 {
        let middle = below + (at - below) / 2;
        if holds(player, middle)? {
            at = middle;
        } else {
            below = middle;
        }
    }
    Ok(Some(at))
}
