//! The ledger's entries as a person would say them.

use super::{ChannelLedger, Place, Shape};
use crate::{outcome::Count, stage::Plan};

impl ChannelLedger {
    /// One line for each thing that isn't as it should be, the gravest first;
    /// empty for a clean channel.
    pub fn lines(&self, plan: &Plan) -> Vec<String> {
        let name = |actor: usize| plan.actors.get(actor).map_or("?", |actor| &actor.name);
        let mut lines = Vec::new();
        for loss in &self.lost {
            let shape = match loss.shape {
                Shape::All => "all that was accepted",
                Shape::Prefix => "the head",
                Shape::Tail => "the tail",
                Shape::Gap => "a gap",
            };
            let place = match loss.place {
                Place::Runtime => "in its runtime's buffer",
                Place::Kernel => "in the kernel, at the last close",
                Place::Cut => "cut off by a receive",
                Place::Reader => "in a reader's buffer",
                Place::Unknown => "and the counts don't say where",
            };
            lines.push(format!("lost {} ({shape}), {place}", of(loss.len, name(loss.writer), loss.start)));
        }
        if let Some(unplaced) = &self.unplaced {
            let number = match (unplaced.least, unplaced.most) {
                (least, most) if least == most => bytes(least),
                (0, most) => format!("up to {}", bytes(most)),
                (least, most) => format!("{} to {}", commas(least), bytes(most)),
            };
            let queued = match &self.queued {
                Count::Known(0) => String::new(),
                Count::Known(queued) => format!(" while {} are queued", commas(*queued)),
                Count::Unknown(why) => format!(" (how many are queued is unknown: {why})"),
            };
            let among: Vec<String> = unplaced
                .among
                .iter()
                .map(|extent| format!("{} {}", name(extent.writer), span(extent.start, extent.len)))
                .collect();
            lines.push(format!(
                "lost {number} somewhere among {}{queued}; a read to the end would show which",
                among.join(", ")
            ));
        }
        for entry in &self.duplicated {
            lines.push(format!(
                "delivered {} again, at {} of what was read",
                of(entry.len, name(entry.writer), entry.start),
                commas(entry.at)
            ));
        }
        for entry in &self.reordered {
            lines.push(format!(
                "delivered {} out of order, at {} of what was read",
                of(entry.len, name(entry.writer), entry.start),
                commas(entry.at)
            ));
        }
        for torn in &self.torn {
            let cuts: Vec<String> =
                torn.cuts.iter().map(|cut| format!("at {} by {}", cut.offset, name(cut.by))).collect();
            lines.push(format!(
                "tore a write of {} apart: {}",
                of(torn.len, name(torn.writer), torn.start),
                cuts.join(", ")
            ));
        }
        for foreign in &self.foreign {
            lines.push(format!(
                "delivered {} that nobody sent, at {} of what was read",
                bytes(foreign.len),
                commas(foreign.at)
            ));
        }
        for mispeek in &self.mispeeks {
            lines.push(format!(
                "a peek of {} (step {}) showed other bytes than come next, from its byte {} on",
                name(mispeek.reader),
                mispeek.step + 1,
                commas(mispeek.at)
            ));
        }
        if self.uncredited_refused > 0 {
            lines.push(format!(
                "delivered {} that the write call had said it did not accept",
                bytes(self.uncredited_refused)
            ));
        }
        lines
    }
}

fn of(len: u64, name: &str, start: u64) -> String {
    format!("{} of {name}, {}", bytes(len), span(start, len))
}

/// Offsets stand without commas: they are looked up, not read aloud.
fn span(start: u64, len: u64) -> String {
    format!("{start}..{}", start + len)
}

fn bytes(count: u64) -> String {
    format!("{} byte{}", commas(count), if count == 1 { "" } else { "s" })
}

fn commas(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
