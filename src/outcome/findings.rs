//! What became of bytes that didn't simply arrive, in a few words each: for
//! tables and snapshots. (`ChannelLedger::lines` says it at length.)

use super::{
    ChannelLedger,
    ledger::{Place, Shape},
};
use crate::scenario::Quantity;

impl ChannelLedger {
    /// One finding an entry, the quiet ones first. `name` names a writer, `part`
    /// writes a number of bytes, of this quantity if it is one that a scenario can
    /// expect.
    pub fn findings(
        &self,
        name: &dyn Fn(usize) -> String,
        part: &dyn Fn(Option<Quantity>, u64) -> String,
    ) -> Vec<String> {
        let lost = (self.lost.len() == 1).then_some(Quantity::Lost);
        let mut findings = Vec::new();
        if self.refused > 0 {
            // What is left says how many those are.
            let rest = self.accepted > 0 && self.unanswered == 0;
            findings.push(format!(
                "{} refused",
                if rest { "the rest".to_owned() } else { part(None, self.refused) }
            ));
        }
        let quiet = [
            ("passed on", self.passed_on),
            ("unanswered", self.unanswered),
            ("held by the writer", self.held),
            ("read ahead by the reader", self.read_ahead),
            ("delivered though the call hadn't accepted them", self.uncredited),
        ];
        let quiet = quiet.into_iter().filter(|(_, bytes)| *bytes > 0);
        findings.extend(quiet.map(|(what, bytes)| format!("{} {what}", part(None, bytes))));
        if let Some(queued) = self.queued.known().filter(|bytes| *bytes > 0) {
            findings.push(format!("{} queued", part(Some(Quantity::Queued), queued)));
        }
        if self.programs.reads {
            findings.push(match self.taken_by_programs {
                Some(bytes) => format!("{} taken by a program", part(None, bytes)),
                None => "what a program took isn't known".to_owned(),
            });
        }
        if self.unjudged {
            findings.push("whose bytes were passed on can't be told: not judged".to_owned());
        }
        for loss in &self.lost {
            let shape = match loss.shape {
                Shape::All => "",
                Shape::Prefix => ", the head",
                Shape::Tail => ", the tail",
                Shape::Gap => ", a gap",
            };
            let place = match loss.place {
                Place::Runtime => "by the writer's runtime",
                Place::Kernel => "by the kernel at the last close",
                Place::Cut => "cut off by a receive",
                Place::Reader => "by the reader's runtime",
                Place::Unknown => "nobody can say where",
            };
            findings.push(format!("{} of {} lost{shape}, {place}", part(lost, loss.len), name(loss.writer)));
        }
        if let Some(unplaced) = &self.unplaced {
            findings.push(format!(
                "{} to {} lost, unclear which",
                part(None, unplaced.least),
                part(None, unplaced.most)
            ));
        }
        for entry in &self.duplicated {
            findings.push(format!("{} of {} delivered twice", part(None, entry.len), name(entry.writer)));
        }
        for entry in &self.reordered {
            findings.push(format!("{} of {} out of order", part(None, entry.len), name(entry.writer)));
        }
        for torn in &self.torn {
            findings.push(format!("a write of {} by {} torn", part(None, torn.len), name(torn.writer)));
        }
        for mispeek in &self.mispeeks {
            findings.push(format!(
                "a peek of {} in step {} isn't what comes next",
                name(mispeek.reader),
                mispeek.step + 1
            ));
        }
        for foreign in &self.foreign {
            findings.push(format!("{} that nobody sent", part(None, foreign.len)));
        }
        findings
    }
}
