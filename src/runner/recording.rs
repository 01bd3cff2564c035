//! Records of `run --format jsonl`, read again: the transcripts of cases, as far as the
//! records tell them.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{Found, Lab, Reading};
use crate::{
    outcome::{ChannelCount, Count, End, Failure, Outcome, Resumed, Sides, StepRecord, Transcript},
    scenario::{Case, Overrides},
};

/// What a file of records holds.
#[derive(Debug, Default)]
pub struct Recordings {
    pub played: Vec<Recording>,
    /// Cases that were skipped, or that failed.
    pub unplayed: usize,
}

/// A case that was played before.
#[derive(Debug)]
pub struct Recording {
    /// The scenario's name.
    pub scenario: String,
    pub case: Case,
    /// Its steps with their outcomes and what was queued; the bytes aren't in the record. Of a case
    /// that leaves orders open, one for each outcome.
    pub transcripts: Vec<Transcript>,
}

/// What is read of a line; docs/results.md has all of it.
#[derive(Deserialize)]
struct Line {
    v: u32,
    scenario: String,
    params: BTreeMap<String, String>,
    /// `None`: it wasn't played, or leaves orders open.
    #[serde(default)]
    steps: Option<Vec<Step>>,
    #[serde(default)]
    stuck: Option<Stuck>,
    #[serde(default)]
    orders: Option<Orders>,
}

#[derive(Deserialize)]
struct Orders {
    outcomes: Vec<Played>,
}

#[derive(Deserialize)]
struct Played {
    steps: Vec<Step>,
    stuck: Option<Stuck>,
}

#[derive(Deserialize)]
struct Stuck {
    line: usize,
}

#[derive(Deserialize)]
struct Step {
    line: usize,
    actor: String,
    verb: String,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(flatten)]
    outcome: Fields,
    #[serde(default)]
    resumed_by: Option<usize>,
    #[serde(default)]
    then: Option<Fields>,
    counts: BTreeMap<String, Counts>,
}

#[derive(Deserialize)]
struct Fields {
    outcome: String,
    bytes: Option<u64>,
    errno: Option<String>,
    #[serde(default)]
    error: Option<String>,
    call: Option<String>,
    says: Option<Vec<String>>,
    signal: Option<String>,
    exit_status: Option<i32>,
}

#[derive(Deserialize)]
struct Counts {
    queued: Option<u64>,
    accepted: Option<u64>,
    taken: Option<u64>,
}

impl Recordings {
    /// The cases of a file of records; `scenarios` is the folder with their scenarios.
    ///
    /// # Errors
    /// A sentence that names file and line, and what to do.
    pub fn read(path: &Path, scenarios: &Path, lab: &mut Lab) -> Result<Recordings, String> {
        let told = |why: String| format!("pipelab: {}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
        let (mut recordings, mut known) = (Recordings::default(), Known::new());
        for (at, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let told = |why: String| told(format!("line {}: {why}", at + 1));
            let mut line: Line = serde_json::from_str(text)
                .map_err(|error| told(format!("no record of `pipelab run --format jsonl`: {error}")))?;
            if line.v != 1 {
                return Err(told(format!("records of version {} aren't known; make them anew", line.v)));
            }
            let open = line.orders.is_some();
            let played = match (line.steps.take(), line.orders.take()) {
                (_, Some(orders)) => orders.outcomes,
                (Some(steps), None) => vec![Played { steps, stuck: line.stuck.take() }],
                (None, None) => {
                    recordings.unplayed += 1;
                    continue;
                }
            };
            let case = find_case(&line, scenarios, lab, &mut known).map_err(told)?;
            if case.orders.is_some() != open {
                return Err(told(changed()));
            }
            let transcripts = played.iter().map(|played| transcript(played, &case));
            let transcripts = transcripts.collect::<Result<_, _>>().map_err(told)?;
            recordings.played.push(Recording { scenario: line.scenario, case, transcripts });
        }
        Ok(recordings)
    }
}

/// Scenarios that were read, by name: records of many cases name one again and again.
type Known = BTreeMap<String, Reading>;

fn find_case(line: &Line, scenarios: &Path, lab: &mut Lab, known: &mut Known) -> Result<Case, String> {
    let path: PathBuf = scenarios.join(format!("{}.toml", line.scenario));
    if !path.is_file() {
        return Err(format!("there is no {}; say where the scenarios are with --scenarios", path.display()));
    }
    if !known.contains_key(&line.scenario) {
        let found = Found { name: line.scenario.clone(), snapshots: PathBuf::new(), path: path.clone() };
        let read = lab.read(&found, &Overrides::default());
        let mistakes = |_| format!("{} has mistakes: `pipelab run` shows them", path.display());
        known.insert(line.scenario.clone(), read.map_err(mistakes)?);
    }
    let reading = &known[&line.scenario];
    let is_param = |name: &str| reading.scenario.params.iter().any(|param| param.name.value == name);
    let set = line.params.iter().filter(|(name, _)| is_param(name));
    let set = set.map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
    // Which of its orders would be played is no matter, also where all are too many.
    let loaded = reading
        .cases(&Overrides { set, orders: Some(1), ..Overrides::default() })
        .map_err(|_| format!("{} has no such case: it has changed since", path.display()))?;
    let same = |case: &Case| case.params.iter().all(|(name, value)| line.params.get(name) == Some(value));
    let found = loaded.cases.iter().find(|case| case.skip.is_none() && same(case));
    found.ok_or_else(|| format!("{} has no such case here", path.display()))
}

fn changed() -> String {
    "the scenario has changed since: make the record anew".to_owned()
}

fn transcript(played: &Played, case: &Case) -> Result<Transcript, String> {
    let mut steps = Vec::new();
    let mut next = 0;
    // Per line and attempt, what comes behind its last record.
    let mut behind: HashMap<(usize, u32), usize> = HashMap::new();
    for step in &played.steps {
        let is = |at: usize| {
            let planned = &case.steps[at];
            planned.line == step.line && planned.planned.action.verb().name() == step.verb
        };
        let attempt = step.attempt.unwrap_or(1);
        // A later attempt begins its line again, and open orders have their lines in any.
        let begins = if attempt > 1 || case.orders.is_some() { 0 } else { next };
        let from = behind.get(&(step.line, attempt)).copied().unwrap_or(begins);
        let at = (from..case.steps.len()).find(|at| is(*at)).ok_or_else(changed)?;
        next = at + 1;
        behind.insert((step.line, attempt), next);
        let planned = &case.plan.steps[at];
        if case.actors[planned.actor].name != step.actor {
            return Err(changed());
        }
        let counts = case.plan.channels.iter().map(|channel| count(step.counts.get(&channel.name)));
        let resumed = step.resumed_by.zip(step.then.as_ref()).map(|(by, then)| {
            let by = by.checked_sub(1).filter(|by| *by < played.steps.len()).ok_or_else(changed)?;
            Ok::<_, String>(Resumed { by, outcome: then.read()? })
        });
        steps.push(StepRecord {
            step: at,
            attempt,
            actor: planned.actor,
            verb: planned.action.verb(),
            channel: None,
            outcome: step.outcome.read()?,
            resumed: resumed.transpose()?,
            offered: None,
            passed: None,
            data: None,
            peeked: None,
            several: Vec::new(),
            held: None,
            counts: counts.collect(),
            resting: Vec::new(),
            calls: Vec::new(),
        });
    }
    let end = match &played.stuck {
        None => End::Played,
        Some(stuck) => {
            let at = case.steps.iter().position(|step| step.line == stuck.line);
            End::Stuck { step: at.ok_or_else(changed)?, waits: Vec::new() }
        }
    };
    Ok(Transcript {
        steps,
        end,
        holds: Vec::new(),
        programs: vec![Sides::default(); case.plan.channels.len()],
        words: Vec::new(),
        untraced: Vec::new(),
        unmet: Vec::new(),
    })
}

fn count(counts: Option<&Counts>) -> ChannelCount {
    let known =
        |count: Option<u64>| count.map_or_else(|| Count::Unknown("not recorded".into()), Count::Known);
    let of = |count: fn(&Counts) -> Option<u64>| known(counts.and_then(count));
    ChannelCount { queued: of(|at| at.queued), accepted: of(|at| at.accepted), taken: of(|at| at.taken) }
}

impl Fields {
    /// An outcome, unless it is one that no scripted actor gives.
    fn read(&self) -> Result<Outcome, String> {
        let unread = || format!("`{}` is no outcome that is known here", self.outcome);
        let call = || self.call.clone().unwrap_or_default();
        Ok(match self.outcome.as_str() {
            "ok" => match &self.says {
                Some(words) => Outcome::Said { bytes: self.bytes, words: words.clone() },
                None => Outcome::Ok { bytes: self.bytes },
            },
            "eof" => Outcome::Eof,
            "failed" => Outcome::Failed(Failure {
                errno: self.errno.clone().ok_or_else(unread)?,
                error: self.error.clone(),
                message: String::new(),
                bytes: self.bytes.unwrap_or(0),
            }),
            "blocked" => Outcome::Blocked { call: call() },
            "waiting" => Outcome::Waiting { call: call() },
            "pending" => Outcome::Pending { call: call() },
            "held" => Outcome::Held { call: call() },
            "stopped" => Outcome::Stopped,
            "spinning" => Outcome::Spinning,
            "killed" => Outcome::Killed { signal: self.signal.clone().unwrap_or_default() },
            "exited" => Outcome::Exited { status: self.exit_status.unwrap_or(0) },
            "skipped" => Outcome::Skipped,
            "gone" => Outcome::Gone,
            _ => return Err(unread()),
        })
    }
}
