//! What became of bytes that didn't simply arrive, in a few words each: for
//! tables and snapshots. (`ChannelLedger::lines` says it at length.)

use super::{
    ChannelLedger,
    ledger::{Place, Shape},
};

impl ChannelLedger {
    /// One finding an entry, the quiet ones first. `name` names a writer, `part`
    /// writes a number of bytes.
    pub fn findings(&self, name: &dyn Fn(usize) -> String, part: &dyn Fn(u64) -> String) -> Vec<String> {
        let mut findings = Vec::new();
        let quiet = [
            ("refused", self.refused),
            ("unanswered", self.unanswered),
            ("held by the writer", self.held),
            ("read ahead by the reader", self.read_ahead),
            ("delivered though the call hadn't accepted them", self.uncredited),
        ];
        let quiet = quiet.into_iter().filter(|(_, bytes)| *bytes > 0);
        findings.extend(quiet.map(|(what, bytes)| format!("{} {what}", part(bytes))));
        if let Some(queued) = self.queued.known().filter(|bytes| *bytes > 0) {
            findings.push(format!("{} queued", part(queued)));
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
                Place::Reader => "by the reader's runtime",
                Place::Unknown => "nobody can say where",
            };
            findings.push(format!("{} of {} lost{shape}, {place}", part(loss.len), name(loss.writer)));
        }
        if let Some(unplaced) = &self.unplaced {
            findings.push(format!("{} to {} lost, unclear which", part(unplaced.least), part(unplaced.most)));
        }
        for entry in &self.duplicated {
            findings.push(format!("{} of {} delivered twice", part(entry.len), name(entry.writer)));
        }
        for entry in &self.reordered {
            findings.push(format!("{} of {} out of order", part(entry.len), name(entry.writer)));
        }
        for torn in &self.torn {
            findings.push(format!("a write of {} by {} torn", part(torn.len), name(torn.writer)));
        }
        for foreign in &self.foreign {
            findings.push(format!("{} that nobody sent", part(foreign.len)));
        }
        findings
    }
}
