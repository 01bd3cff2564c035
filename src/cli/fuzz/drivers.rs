//! `pipelab fuzz --driver`: whom it plays with.

use std::collections::BTreeSet;

use super::{super::policy, Failure, Fuzz, jobs};
use crate::{
    explore::fuzz::{Writer, Writers},
    model::writer::rules::{RULES, Rule},
    policy::Subject,
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
    /// The writers with their policies. It says on standard error who is left out.
    pub(super) fn writers(&self) -> Result<Writers, Failure> {
        let options = self.stage.options();
        let (mut subjects, mut skipped) = policy::named(&self.driver, &options)?;
        // Two specs may mean the same.
        let mut known = BTreeSet::new();
        subjects.retain(|subject| known.insert(subject.name.clone()));
        skipped.iter().for_each(policy::skipped);
        for Subject { name, version, .. } in &subjects {
            anstream::eprintln!("fitting a policy to {name}, {version}");
        }
        let fitted = policy::fit(&subjects, &options, jobs(self.jobs))?;
        let mut all = Vec::new();
        for (subject, fitted) in subjects.into_iter().zip(fitted) {
            match Writer::new(subject, fitted) {
                Ok(writer) => all.push(self.as_asked(writer)?),
                Err(skip) => {
                    policy::skipped(&skip);
                    skipped.push(skip);
                }
            }
        }
        Ok(Writers { all, skipped })
    }

    /// With a broken rule, if a test wants one.
    fn as_asked(&self, writer: Writer) -> Result<Writer, Failure> {
        let Some(rule) = self.broken_policy else { return Ok(writer) };
        let name = writer.subject.name.clone();
        let open = || format!("pipelab: the policy of {name} leaves `{}` open", rule.info().id);
        writer.broken(rule).ok_or_else(|| Failure::Mistake(open()))
    }
}
