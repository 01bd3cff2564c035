//! `pipelab fuzz --driver`: whom it plays with.

use super::{super::policy, Failure, Fuzz, jobs};
use crate::{
    explore::fuzz::{Writer, Writers},
    model::writer::rules::{RULES, Rule},
};

/// A rule of buffered writers.
pub(super) fn rule(id: &str) -> Result<Rule, String> {
    let known = RULES.iter().find(|info| info.id == id);
    known.map(|info| info.rule).ok_or_else(|| {
        let ids: Vec<&str> = RULES.iter().map(|info| info.id).collect();
        format!("the rules are {}", ids.join(", "))
    })
}

impl Fuzz {
    /// The writers with their policies; `None` if there are none. It says on standard error who
    /// is left out.
    pub(super) fn writers(&self) -> Result<Option<Writers>, Failure> {
        let mut drivers = self.driver.clone();
        drivers.dedup();
        anstream::eprintln!("fitting policies first: {}", drivers.join(" "));
        let fits = policy::fits(&drivers, &self.stage.options(), jobs(self.jobs))?;
        let mut writers = Vec::new();
        for (subject, fitted) in fits {
            match Writer::new(subject, fitted) {
                Ok(writer) => writers.push(self.as_asked(writer)?),
                Err(skip) => policy::skipped(&skip),
            }
        }
        Ok((!writers.is_empty()).then_some(Writers(writers)))
    }

    /// With a broken rule, if a test wants one.
    fn as_asked(&self, writer: Writer) -> Result<Writer, Failure> {
        let Some(rule) = self.broken_policy else { return Ok(writer) };
        let name = writer.subject.name.clone();
        let open = || format!("pipelab: the policy of {name} leaves `{}` open", rule.info().id);
        writer.broken(rule).ok_or_else(|| Failure::Mistake(open()))
    }
}
