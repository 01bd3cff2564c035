//! A finding as a scenario that `pipelab run` plays: it expects what the model allows, and so
//! differs until the model or the kernel is explained.

use super::{
    campaign::Campaign,
    check::Finding,
    ground::{Line, Scene},
    kernel::Kernel,
    law::Law,
    play::Player,
    script::Script,
    shrink::Shrunk,
    size::near,
    words,
};
use crate::{
    model::{Gave, Geometry, Settled},
    outcome::{Action, Transcript},
    setting::Sigpipe,
};

/// A scenario file to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regression {
    /// The file's name, without `.toml`: channel, seed and index.
    pub name: String,
    pub text: String,
}

impl Regression {
    pub(super) fn of(
        campaign: &Campaign<Kernel>,
        player: &Player<'_>,
        index: u64,
        shrunk: &Shrunk,
    ) -> Regression {
        let (ground, seed) = (campaign.game.ground(index).name, campaign.seed);
        let writer = Writer { shrunk, pipe: player.machine().pipe };
        let from = format!("pipelab fuzz --channel {ground} --seed {seed}, script {index}");
        Regression { name: format!("{ground}-{seed}-{index}"), text: writer.text(&from) }
    }
}

struct Writer<'s> {
    shrunk: &'s Shrunk,
    pipe: Geometry,
}

impl Writer<'_> {
    fn script(&self) -> &Script {
        &self.shrunk.script
    }

    fn scene(&self) -> &Scene {
        &self.shrunk.script.scene
    }

    fn transcript(&self) -> &Transcript {
        &self.shrunk.transcript
    }

    /// The record that differs, and what the model allows there.
    fn difference(&self) -> Option<(usize, &[Settled])> {
        match &self.shrunk.finding {
            Finding::Model { record, allowed } => Some((*record, allowed)),
            Finding::Law(_) => None,
        }
    }

    fn text(&self, from: &str) -> String {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        line(&format!("about  = \"{}\"", self.about()));
        line(&format!("source = \"{from}\""));
        line("\n[channels]");
        for channel in self.scene().channels.iter().filter(|channel| channel.declared) {
            let kind = channel.kind.info().name;
            line(&match channel.capacity {
                None => format!("{} = \"{kind}\"", channel.name),
                Some(bytes) => {
                    let capacity = near(bytes, self.pipe);
                    format!("{} = {{ kind = \"{kind}\", capacity = \"{capacity}\" }}", channel.name)
                }
            });
        }
        line("\n[actors]");
        for actor in self.scene().actors.iter() {
            let mode = actor.mode.iter().map(|word| format!(":{word}")).collect::<String>();
            line(&format!("{} = \"raw{mode}\"", actor.name));
        }
        if self.scene().setting.sigpipe == Sigpipe::Ignore {
            line("\n[setting]\nsigpipe = \"ignore\"");
        }
        line("\nscript = '''");
        for step in self.steps() {
            line(&step);
        }
        self.kernels().iter().for_each(|told| line(&format!("# {told}")));
        line("'''");
        self.expects().iter().for_each(|told| line(told));
        text
    }

    fn about(&self) -> String {
        match &self.shrunk.finding {
            Finding::Model { .. } => "What the model doesn't allow".to_owned(),
            Finding::Law(breach) => breach.to_string(),
        }
    }

    /// The script's lines, with what is expected of them.
    fn steps(&self) -> Vec<String> {
        let lines = &self.script().lines;
        let texts: Vec<String> = lines
            .iter()
            .map(|line| {
                let actor = &self.scene().actors[line.actor].name;
                format!("{actor} {}", words::step(line, self.scene(), self.pipe))
            })
            .collect();
        let width = texts.iter().map(String::len).max().unwrap_or(0);
        texts
            .iter()
            .enumerate()
            .map(|(at, text)| match self.expectation(at) {
                Some(expectation) => format!("{text:width$}  -> {expectation}"),
                None => text.clone(),
            })
            .collect()
    }

    fn expectation(&self, at: usize) -> Option<String> {
        let record = self.transcript().steps.iter().position(|record| record.step == at)?;
        let seen = &self.transcript().steps[record];
        let line = &self.script().lines[at];
        let difference = self.difference();
        if let Some((differs, allowed)) = difference
            && differs == record
        {
            let ways = allowed.iter().map(|settled| self.given(line, settled.gave));
            return alternatives(ways);
        }
        let own = words::seen(&seen.outcome, self.pipe);
        if !seen.outcome.is_outstanding() {
            return Some(own);
        }
        // A call that waits: what it comes to, and by which step.
        let by = |record: usize| {
            words::releaser(&self.script().lines[self.transcript().steps[record].step], self.scene())
        };
        match (&seen.resumed, difference) {
            (Some(resumed), difference) if difference.is_none_or(|(differs, _)| resumed.by < differs) => {
                let then = words::seen(&resumed.outcome, self.pipe);
                Some(format!("{own} then {then} by {}", by(resumed.by)))
            }
            (_, Some((differs, allowed))) if differs < self.transcript().steps.len() => {
                let ways = allowed.iter().map(|settled| {
                    let released = settled.released.iter().find(|(actor, _)| *actor == seen.actor);
                    match released {
                        Some((_, gave)) => {
                            format!("{own} then {} by {}", self.given(line, *gave), by(differs))
                        }
                        // A killed actor's call gives nothing, and is over.
                        None if !settled.blocked.contains(&seen.actor) => own.clone(),
                        None => format!("{own} then nothing"),
                    }
                });
                alternatives(ways)
            }
            _ => Some(own),
        }
    }

    fn given(&self, line: &Line, gave: Gave) -> String {
        words::given(gave, matches!(line.action, Action::Call(_)), self.pipe)
    }

    /// What the kernel did instead, and all that the model allows, for whoever reads the file.
    fn kernels(&self) -> Vec<String> {
        let Some((differs, allowed)) = self.difference() else { return vec![] };
        let Some(record) = self.transcript().steps.get(differs) else {
            return vec!["The model sees somebody go on whom the kernel leaves asleep.".to_owned()];
        };
        let name = |actor: usize| self.scene().actors[actor].name.as_str();
        let list = |blocked: &[usize]| match blocked {
            [] => String::new(),
            blocked => format!(
                ", blocked: {}",
                blocked.iter().map(|&actor| name(actor)).collect::<Vec<_>>().join(" ")
            ),
        };
        let counted = |counts: &[Option<u64>]| {
            let known = self.scene().channels.iter().zip(counts).filter_map(|(channel, count)| {
                Some(format!(", queued in {}: {}", channel.name, near((*count)?, self.pipe)))
            });
            known.collect::<String>()
        };
        let mut told = vec![{
            let released = self.transcript().steps.iter().filter_map(|other| {
                let resumed = other.resumed.as_ref().filter(|resumed| resumed.by == differs)?;
                Some(format!(", {}: {}", name(other.actor), words::seen(&resumed.outcome, self.pipe)))
            });
            let blocked: Vec<usize> = self.transcript().steps[..=differs]
                .iter()
                .filter(|other| other.outcome.is_outstanding())
                .filter(|other| other.resumed.as_ref().is_none_or(|resumed| resumed.by > differs))
                .map(|other| other.actor)
                .collect();
            let counts: Vec<Option<u64>> = record.counts.iter().map(|count| count.queued.known()).collect();
            format!(
                "kernel: {}{}{}{}",
                words::seen(&record.outcome, self.pipe),
                released.collect::<String>(),
                list(&blocked),
                counted(&counts)
            )
        }];
        for settled in allowed {
            let line = &self.script().lines[record.step];
            let released = settled
                .released
                .iter()
                .map(|(actor, gave)| format!(", {}: {}", name(*actor), self.given(line, *gave)));
            told.push(format!(
                "model:  {}{}{}{}",
                self.given(line, settled.gave),
                released.collect::<String>(),
                list(&settled.blocked),
                counted(&settled.queued)
            ));
        }
        told
    }

    /// What must hold at the end, as tables.
    fn expects(&self) -> Vec<String> {
        let table = |channel: usize| match &self.scene().channels[..] {
            [only] if only.declared => "\n[expect]".to_owned(),
            channels => format!("\n[expect.{}]", channels[channel].name),
        };
        match &self.shrunk.finding {
            Finding::Law(breach) => {
                let key = match breach.law {
                    Law::Foreign | Law::Refused => "delivered = \"<= accepted\"",
                    Law::Duplicated => "duplicated = 0",
                    Law::Reordered => "reordered = 0",
                    Law::Lost => "lost = 0",
                    Law::Torn => "torn = 0",
                    // Every report has it as a difference, told or not.
                    Law::Mispeeked | Law::Disordered => return vec![],
                };
                vec![table(breach.channel), key.to_owned()]
            }
            Finding::Model { record, allowed } => {
                let Some(seen) = self.transcript().steps.get(*record) else {
                    return vec!["\n[expect]\nend = \"played\"".to_owned()];
                };
                let mut told = Vec::new();
                for channel in 0..self.scene().channels.len() {
                    let first = allowed.first().and_then(|settled| settled.queued[channel]);
                    let counted =
                        seen.counts.get(channel).is_some_and(|count| count.queued.known().is_some());
                    let agreed = allowed.iter().all(|settled| settled.queued[channel] == first);
                    if let Some(queued) = first.filter(|_| counted && agreed) {
                        told.push(table(channel));
                        told.push(format!("queued = \"{}\"", near(queued, self.pipe)));
                    }
                }
                told
            }
        }
    }
}

/// All of these, each once, in the form in which an expectation has them.
fn alternatives(ways: impl Iterator<Item = String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for way in ways {
        if !all.contains(&way) {
            all.push(way);
        }
    }
    (!all.is_empty()).then(|| all.join(" or "))
}
