//! Whose policy is asked for: drivers as scenarios name them.

use std::{path::Path, sync::Arc};

use crate::{
    runner::Lab,
    scenario::{Overrides, Problems, Scenario, Skip},
    stage::PlannedActor,
};

/// A writer of one runtime.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its spec, with its version (`python@3.12:text`).
    pub name: String,
    /// The runtime's exact version, for people.
    pub version: String,
    /// The runtime's part of a snapshot's name (`python-3.12`), if it has one.
    pub key: Option<String>,
    pub writer: PlannedActor,
}

/// The runtimes that these specs mean here, and those that they mean and that aren't.
///
/// # Errors
/// A spec that is none: no such driver or mode, a mode that takes no `buffer`, ...
pub fn subjects(lab: &mut Lab, specs: &[String]) -> Result<(Vec<Subject>, Vec<Skip>), Problems> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for spec in specs {
        let scenario =
            Scenario::parse("policy", Path::new("(a scenario made of the command line)"), &text(spec))?;
        let cases = lab.cases(&Arc::new(scenario), &Overrides::default())?;
        let mut maker = cases.maker();
        for at in 0..cases.len() {
            let case = maker.case(at);
            if let Some(skip) = case.skip {
                missing.push(skip);
                continue;
            }
            let actor = &case.actors[0];
            let runtime = actor.runtime.as_ref();
            found.push(Subject {
                name: actor.spec.to_string(),
                version: runtime.map_or_else(String::new, |runtime| runtime.full_version.clone()),
                key: runtime.and_then(|runtime| runtime.snapshot_key.clone()),
                writer: case.plan.actors[0].clone(),
            });
        }
    }
    Ok((found, missing))
}

/// A scenario in which this driver is the writer.
fn text(spec: &str) -> String {
    let spec = toml::Value::String(spec.to_owned());
    format!(
        "channels.log = \"fifo\"\nactors.writer = {spec}\nactors.reader = \"raw\"\nscript = '''\n\
         reader open log read nonblock\nwriter open log write\nwriter write log 1\nwriter flush log\n\
         writer close log\n'''\n"
    )
}
