//! What a run with runtimes' writers has covered.

use std::io::{self, Write};

use comfy_table::Table;
use serde_json::{Map, Value, json};

use super::{Shown, plain, show};
use crate::{
    explore::fuzz::{DriversTally, Writer, Writers},
    model::writer::rules::RULES,
    scenario::Skip,
};

impl Shown for Writers {
    fn covered(&self, out: &mut dyn Write, tally: &DriversTally) -> io::Result<()> {
        show(out, &self.drivers(tally))?;
        writeln!(out, "rules of each policy, and the scripts in which each had a say:")?;
        show(out, &self.rules(tally))?;
        let no_say = self.no_say(tally);
        if no_say.row_count() > 0 {
            writeln!(out, "where a policy judged no further:")?;
            show(out, &no_say)?;
        }
        Ok(())
    }

    fn beside(&self) -> Map<String, Value> {
        let one = |writer: &Writer| (writer.subject.name.clone(), json!(writer.words.name));
        let policies: Map<String, Value> = self.all.iter().map(one).collect();
        let skip = |skip: &Skip| json!({ "reason": skip.reason, "remedy": skip.remedy });
        let skipped = self.skipped.iter().map(skip).collect();
        Map::from_iter([
            ("policies".to_owned(), Value::Object(policies)),
            ("skipped".to_owned(), Value::Array(skipped)),
        ])
    }
}

impl Writers {
    fn drivers(&self, tally: &DriversTally) -> Table {
        let mut table = plain(&["driver", "scripts", "steps", "version", "policy"], 1..3);
        for writer in &self.all {
            let name = &writer.subject.name;
            let (scripts, steps) =
                tally.drivers.get(name).map_or((0, 0), |driver| (driver.scripts, driver.steps));
            table.add_row([
                name.clone(),
                scripts.to_string(),
                steps.to_string(),
                writer.subject.version.clone(),
                writer.words.name.clone(),
            ]);
        }
        table
    }

    fn rules(&self, tally: &DriversTally) -> Table {
        let mut table = plain(&["driver", "rule", "answer", "scripts"], 3..4);
        for writer in &self.all {
            let (name, counts) = (&writer.subject.name, tally.drivers.get(&writer.subject.name));
            for info in RULES {
                let Some(mut answer) = writer.policy.word(info.rule) else { continue };
                if writer.undecided.contains(&info.rule) {
                    answer.push_str(" (or not)");
                }
                let scripts = counts.and_then(|driver| driver.rules.get(info.id)).unwrap_or(&0);
                table.add_row([name.clone(), info.id.to_owned(), answer, scripts.to_string()]);
            }
        }
        table
    }

    fn no_say(&self, tally: &DriversTally) -> Table {
        let mut table = plain(&["driver", "why", "scripts"], 2..3);
        for (name, driver) in &tally.drivers {
            for (why, scripts) in &driver.no_say {
                table.add_row([name.clone(), why.clone(), scripts.to_string()]);
            }
        }
        table
    }
}
