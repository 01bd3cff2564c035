//! What the model says, for people: explanations and disagreements.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use comfy_table::{ContentArrangement, Table, presets};

use crate::{
    model::{Explanation, Gave, Judgement, ModelVerdict, RULES, Rule, Seen, Settled, Used},
    outcome::{Transcript, explored, words},
    scenario::Case,
};

/// Shows what each step of a case may give, and below it the rules.
///
/// # Errors
/// As writing does.
pub fn explanation(
    out: &mut dyn Write,
    scenario: &str,
    case: &Case,
    explanation: &Explanation,
) -> io::Result<()> {
    let title = case.title();
    writeln!(out, "{scenario}{}", if title.is_empty() { title } else { format!(" ({title})") })?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut rules: BTreeSet<Rule> = BTreeSet::new();
    for explained in &explanation.steps {
        let step = &case.steps[explained.step];
        for (at, (settled, used)) in explained.allowed.iter().enumerate() {
            let names: Vec<&str> = used.iter().map(|rule| rule.info().name).collect();
            rules.extend(used.iter());
            let (line, text) = match at {
                0 => (step.line.to_string(), step.text.as_str()),
                _ => (String::new(), "  or"),
            };
            table.add_row([line, text.to_owned(), told(case, settled), names.join(", ")]);
        }
    }
    for line in table.lines() {
        writeln!(out, " {}", line.trim_end())?;
    }
    if let Some((step, why)) = &explanation.ends {
        let step = &case.steps[*step];
        writeln!(out, "  line {}: `{}`: {why}; nothing is said from there on", step.line, step.text)?;
    }
    for rule in rules {
        let info = rule.info();
        writeln!(out, "  {}: {} ({})", info.name, info.says, info.source)?;
    }
    writeln!(out)
}

/// A result in words: `blocked; 65536 in log; reader: then ok 100`.
pub fn told(case: &Case, settled: &Settled) -> String {
    let released = settled.released.iter().map(|(actor, gave)| (*actor, gave.words()));
    // Who has just been told to be blocked needs no other word.
    let only_itself = settled.gave == Gave::Blocked && settled.blocked.len() == 1;
    let blocked = if only_itself { &[][..] } else { &settled.blocked };
    sentence(case, settled.gave.words(), released, settled.queued.iter().copied(), blocked)
}

/// What was seen, in the same words.
fn seen_in_words(case: &Case, seen: &Seen<'_>) -> String {
    let released = seen.released.iter().filter_map(|record| {
        let resumed = record.resumed.as_ref()?;
        Some((record.actor, words(&resumed.outcome)))
    });
    let queued = seen.record.counts.iter().map(|count| count.queued.known());
    sentence(case, words(&seen.record.outcome), released, queued, &seen.blocked)
}

fn sentence(
    case: &Case,
    gave: String,
    released: impl Iterator<Item = (usize, String)>,
    queued: impl Iterator<Item = Option<u64>>,
    blocked: &[usize],
) -> String {
    let name = |actor: usize| case.actors[actor].name.as_str();
    let mut parts = vec![gave];
    parts.extend(released.map(|(actor, gave)| format!("{}: then {gave}", name(actor))));
    for (channel, count) in case.plan.channels.iter().zip(queued) {
        parts.extend(count.filter(|count| *count > 0).map(|count| format!("{count} in {}", channel.name)));
    }
    if !blocked.is_empty() {
        let names: Vec<&str> = blocked.iter().map(|actor| name(*actor)).collect();
        parts.push(format!("blocked: {}", names.join(", ")));
    }
    parts.join("; ")
}

/// How many cases and steps agree with the model.
#[derive(Debug, Default)]
pub struct Agreement {
    cases: usize,
    whole: usize,
    pub differs: usize,
    /// Cases of which there is nothing to judge: they were skipped, or failed.
    pub unplayed: usize,
    steps: usize,
    allowed: u64,
    used: Used,
}

impl Agreement {
    /// Counts a case: one that leaves orders open has several judgements, of which the worst is its own.
    pub fn add(&mut self, judgements: &[Judgement]) {
        let agrees = |judgement: &Judgement| matches!(judgement.verdict, ModelVerdict::Agrees);
        let differs = |judgement: &Judgement| matches!(judgement.verdict, ModelVerdict::Differs { .. });
        self.cases += 1;
        self.whole += usize::from(judgements.iter().all(agrees));
        self.differs += usize::from(judgements.iter().any(differs));
        for judgement in judgements {
            self.steps += judgement.steps;
            self.allowed += judgement.allowed;
            self.used.join(judgement.used);
        }
    }

    /// Shows the sums.
    ///
    /// # Errors
    /// As writing does.
    pub fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        let (cases, whole, differs, steps) = (self.cases, self.whole, self.differs, self.steps);
        let part = cases - whole - differs;
        let mean = if steps == 0 { 0.0 } else { self.allowed as f64 / steps as f64 };
        let rules = self.used.iter().count();
        let unplayed = match self.unplayed {
            0 => String::new(),
            unplayed => format!("; {unplayed} more not played"),
        };
        writeln!(
            out,
            "{cases} cases: {whole} agree to their end, {part} as far as the model covers them, {differs} differ; \
             {steps} steps, {mean:.3} results allowed on average; {rules} of {} rules had a say{unplayed}",
            RULES.len()
        )
    }
}

/// Tells where a case differs from the model; with `uncovered`, also where the model ends.
///
/// # Errors
/// As writing does.
pub fn disagreement(
    out: &mut dyn Write,
    scenario: &str,
    case: &Case,
    transcript: &Transcript,
    judgement: &Judgement,
    uncovered: bool,
) -> io::Result<()> {
    let title = case.title();
    let mut name = if title.is_empty() { scenario.to_owned() } else { format!("{scenario} ({title})") };
    if case.orders.is_some() {
        let order = explored::lines(case, &explored::given(transcript));
        name.push_str(&format!(" in the order {order}"));
    }
    let step = |record: usize| transcript.steps.get(record).map(|record| &case.steps[record.step]);
    match &judgement.verdict {
        ModelVerdict::NotModelled { record, why } if uncovered => {
            let (line, text) = step(*record).map_or((0, ""), |step| (step.line, step.text.as_str()));
            writeln!(out, "{name}: line {line}: `{text}`: {why}")
        }
        ModelVerdict::Differs { record, allowed } => {
            let Some(at) = step(*record) else {
                return writeln!(out, "{name}: it came to a stop where the model has somebody go on");
            };
            let seen = Seen::of(transcript, *record);
            writeln!(out, "{name}: line {}: `{}`", at.line, at.text)?;
            writeln!(out, "   seen:    {}", seen_in_words(case, &seen))?;
            for settled in allowed {
                writeln!(out, "   allowed: {}", told(case, settled))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
