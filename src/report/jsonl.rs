//! `--format jsonl`: one object a case. The names are stable; `v` counts their
//! versions.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Report, Summary};
use crate::{
    outcome::{Count, Judged, Outcome, Played, StepRecord},
    runner::Loaded,
};

/// Version of the names and their meaning.
const VERSION: u32 = 1;

/// One object a line, one line a case.
#[derive(Debug, Default)]
pub struct Jsonl {
    /// Room for a line, kept.
    line: Vec<u8>,
}

impl Report for Jsonl {
    fn case(&mut self, out: &mut dyn Write, loaded: &Loaded, judged: &Judged) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &case(&loaded.scenario.name, judged))?;
        self.line.push(b'\n');
        out.write_all(&self.line)
    }

    fn scenario(&mut self, _out: &mut dyn Write, _loaded: &Loaded) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write, _summary: &Summary) -> io::Result<()> {
        Ok(())
    }
}

fn case(scenario: &str, judged: &Judged) -> Value {
    let params: Map<String, Value> =
        judged.case.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut object = json!({
        "v": VERSION,
        "scenario": scenario,
        "params": params,
        "runtimes": judged.case.snapshot_key,
        "status": judged.status.name(),
    });
    let fields = object.as_object_mut().expect("an object");
    if let Some(reason) = &judged.reason {
        fields.insert("reason".into(), json!(reason));
    }
    if !judged.differences.is_empty() {
        fields.insert("differences".into(), json!(judged.differences));
    }
    if let Some(played) = &judged.played {
        add_played(fields, judged, played);
    }
    object
}

fn add_played(fields: &mut Map<String, Value>, judged: &Judged, played: &Played) {
    let records = &played.transcript.steps;
    let steps: Vec<Value> =
        records.iter().enumerate().map(|(index, record)| step(judged, index, record)).collect();
    fields.insert("steps".into(), json!(steps));
    fields.insert(
        "error_at".into(),
        played.error_at.as_ref().map_or(
            Value::Null,
            |error| json!({"step": error.record + 1, "verb": error.verb.name(), "errno": error.errno, "error": error.error}),
        ),
    );
    let ledger: Map<String, Value> = played
        .ledgers
        .iter()
        .map(|ledger| {
            let name = judged.case.plan.channels[ledger.channel].name.clone();
            let value = json!({
                "offered": ledger.offered,
                "accepted": ledger.accepted,
                "kernel": count(&ledger.kernel),
                "queued": count(&ledger.queued),
                "delivered": ledger.delivered,
                "held": ledger.held,
                "refused": ledger.refused,
                "unanswered": ledger.unanswered,
                "uncredited": ledger.uncredited,
                "lost": ledger.lost_bytes(),
                "duplicated": ledger.duplicated_bytes(),
                "reordered": ledger.reordered_bytes(),
                "torn": ledger.torn_records(),
                "foreign": ledger.foreign_bytes(),
                "extents": {
                    "lost": ledger.lost,
                    "duplicated": ledger.duplicated,
                    "reordered": ledger.reordered,
                    "torn": ledger.torn,
                    "foreign": ledger.foreign,
                },
            });
            (name, value)
        })
        .collect();
    fields.insert("ledger".into(), Value::Object(ledger));
    let stuck = match &played.transcript.end {
        crate::outcome::End::Played => Value::Null,
        crate::outcome::End::Stuck { step, waits } => {
            let line = judged.case.steps[*step].line;
            let waits: Vec<String> = waits
                .iter()
                .map(|wait| crate::outcome::snapshot::wait_text(&judged.case, &played.transcript, wait))
                .collect();
            json!({"line": line, "waits": waits})
        }
    };
    fields.insert("stuck".into(), stuck);
}

/// A step's record. Its index counts records from 1, as `resumed_by` does.
fn step(judged: &Judged, index: usize, record: &StepRecord) -> Value {
    let case = &judged.case;
    let mut object = json!({
        "index": index + 1,
        "line": case.steps[record.step].line,
        "actor": case.actors[record.actor].name,
        "verb": record.verb.name(),
        "channel": record.channel.map(|channel| case.plan.channels[channel].name.as_str()),
    });
    let fields = object.as_object_mut().expect("an object");
    if record.attempt > 1 {
        fields.insert("attempt".into(), json!(record.attempt));
    }
    add_outcome(fields, &record.outcome);
    if let Some(resumed) = &record.resumed {
        fields.insert("resumed_by".into(), json!(resumed.by + 1));
        let mut then = Map::new();
        add_outcome(&mut then, &resumed.outcome);
        fields.insert("then".into(), Value::Object(then));
    }
    let counts: Map<String, Value> = record
        .counts
        .iter()
        .enumerate()
        .map(|(channel, counts)| {
            let value = json!({"queued": count(&counts.queued), "accepted": count(&counts.accepted), "taken": count(&counts.taken)});
            (case.plan.channels[channel].name.clone(), value)
        })
        .collect();
    fields.insert("counts".into(), Value::Object(counts));
    object
}

fn add_outcome(fields: &mut Map<String, Value>, outcome: &Outcome) {
    fields.insert("outcome".into(), json!(outcome.kind()));
    fields.insert("bytes".into(), json!(outcome.bytes()));
    match outcome {
        Outcome::Failed(failure) => {
            fields.insert("errno".into(), json!(failure.errno));
            fields.insert("error".into(), json!(failure.error));
        }
        Outcome::Blocked { call } | Outcome::Waiting { call } | Outcome::Pending { call } => {
            fields.insert("call".into(), json!(call));
        }
        Outcome::Killed { signal } => drop(fields.insert("signal".into(), json!(signal))),
        Outcome::Exited { status } => drop(fields.insert("exit_status".into(), json!(status))),
        _ => {}
    }
}

/// A number, or null where it can't be known.
fn count(count: &Count) -> Value {
    json!(count.known())
}
