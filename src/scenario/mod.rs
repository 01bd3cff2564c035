//! What to play: from a scenario's text to its cases, every mistake shown in
//! the file. The language is described in `docs/scenario.md`.

mod actor;
mod args;
mod assemble;
mod bind;
mod calls;
mod case;
mod cases;
mod casting;
mod check;
mod children;
mod document;
mod ends;
mod expect;
mod expr;
mod forks;
mod handles;
mod holdings;
mod holes;
mod injection;
mod keys;
mod lexer;
mod lines;
mod merge;
mod modifiers;
mod names;
mod needs;
mod overrides;
mod parts;
mod place;
mod problem;
mod program;
mod script;
mod setting;
mod starts;
mod suggest;
mod symbols;
mod syntax;
mod template;
mod together;
mod values;
mod wanted;
mod words;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use case::{Case, CaseActor, CaseExpect, CaseStep, ExpectedBytes, ExpectedOfSome, Skip};
pub use cases::{Cases, Maker};
pub use expect::{Expectation, Expected, OUTCOME_WORDS, OutcomeWord};
pub use keys::{KEYS, KeyInfo};
pub use overrides::Overrides;
pub use parts::{Actor, Channel, CustomDriver, EndKind, ErrorAt, Param, Quantity, SettingKeys, SnapshotKind};
pub use place::{Span, Text};
pub use problem::{Label, Problem, Problems};
pub use symbols::{BUILT_IN, SymbolInfo, Symbols};
pub use wanted::Wanted;

use crate::driver::{Catalog, DriverInfo, Spec, Version};
use cases::Expansion;
use program::Program;

/// More cases than that are a slip of the pen.
const MAX_CASES: usize = 100_000;

/// A scenario, checked as far as that needs no machine. Every part knows its
/// place in the file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How reports call it.
    pub name: String,
    pub path: PathBuf,
    /// The file's text.
    pub text: String,
    pub about: Option<String>,
    pub source: Option<String>,
    /// The lines of the list of semantics that it shows.
    pub catalogue: Vec<Text>,
    pub params: Vec<Param>,
    pub channels: Vec<Channel>,
    /// What the script's calls make; channels too, behind the declared ones.
    pub handles: Vec<Channel>,
    pub actors: Vec<Actor>,
    pub drivers: Vec<CustomDriver>,
    pub setting: SettingKeys,
    script: Option<parts::Script>,
    snapshot: SnapshotKind,
    /// Of each case at most so many orders are played.
    orders: Option<usize>,
    expect: parts::ExpectKeys,
    declared: document::Declared,
}

impl Scenario {
    /// Reads the text of a scenario file. The path is for messages, and its
    /// folder for relative programs in `[drivers]`; nothing is opened.
    ///
    /// # Errors
    /// All mistakes of the file, but for sizes that depend on the machine's
    /// symbols, and versions. After a mistake in TOML itself, only those.
    pub fn parse(name: &str, path: &Path, text: &str) -> Result<Scenario, Problems> {
        let (document, mut problems) = document::read(text, path);
        let mut scenario = Scenario {
            name: name.to_owned(),
            path: path.to_owned(),
            text: text.to_owned(),
            about: document.about,
            source: document.source,
            catalogue: document.catalogue,
            params: document.params,
            channels: document.channels,
            handles: document.handles,
            actors: document.actors,
            drivers: document.drivers,
            setting: document.setting,
            script: document.script,
            snapshot: document.snapshot,
            orders: document.orders,
            expect: document.expect,
            declared: document.declared,
        };
        if problems.iter().all(|problem| problem.rule != "toml") {
            let mut used = BTreeSet::new();
            program::check_files(&scenario, &mut problems);
            children::check_makers(&scenario, &mut problems);
            holes::check(&mut scenario, &mut problems, &mut used);
            let expansion = scenario.check_all();
            problems.extend(expansion.problems);
            used.extend(expansion.used);
            // An unknown name is most likely a parameter's, misspelt.
            let unbound = problems.iter().any(|problem| matches!(problem.rule, "unbound" | "name-unknown"));
            if scenario.script.is_some() && expansion.complete && !unbound {
                let blamed: Vec<Span> = problems.iter().map(Problem::span).collect();
                problems.extend(scenario.unused(&used).filter(|problem| !blamed.contains(&problem.span())));
            }
        }
        match problems.is_empty() {
            true => Ok(scenario),
            false => Err(Problems::new(path.to_owned(), text.to_owned(), problems)),
        }
    }

    /// All channels of its plans: the declared ones, then the handles.
    fn all_channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().chain(&self.handles)
    }

    /// The scenario's cases on a machine: the product of all parameters in order
    /// of declaration, the last one fastest. A runtime that isn't here makes one
    /// skipped case. All are checked here, and made when they are wanted.
    ///
    /// # Errors
    /// Mistakes that show only with the machine's sizes, and those in `overrides`.
    pub fn cases(
        self: &Arc<Scenario>,
        symbols: &Symbols,
        catalog: &Arc<Catalog>,
        overrides: &Overrides,
    ) -> Result<Cases, Problems> {
        Cases::of(self, symbols, catalog, overrides)
    }

    /// The drivers that the scenario (with `overrides`) names, but for those it
    /// gives by path: what is worth looking for before `cases`.
    pub fn drivers_named(&self, overrides: &Overrides) -> BTreeSet<&'static str> {
        let specs = self.specs(overrides).filter(|spec| !matches!(spec.version, Version::Path(_)));
        specs.filter_map(|spec| Some(DriverInfo::named(&spec.driver)?.name)).collect()
    }

    /// The programs that it asks for by path (`python@/path`), as driver and
    /// path: whoever fills the catalog should look at them.
    pub fn programs(&self, overrides: &Overrides) -> BTreeSet<(String, String)> {
        let specs = self.specs(overrides);
        specs
            .filter(|spec| DriverInfo::named(&spec.driver).is_some_and(|info| info.versioned))
            .filter_map(|spec| match spec.version {
                Version::Path(path) if !path.contains('{') => Some((spec.driver, path)),
                _ => None,
            })
            .collect()
    }

    /// The text is an expression of sizes, as far as that can be said without a case: its names
    /// are parameters, symbols, or sizes that a runtime tells (`writer.buffer`).
    pub fn is_size(&self, text: &str) -> bool {
        let is_known = |name: &str| {
            let is_param = self.params.iter().any(|param| param.name.value == name);
            is_param || BUILT_IN.iter().any(|symbol| symbol.name == name) || name.contains('.')
        };
        let expr = expr::Expr::parse(text, &|range| range);
        expr.is_ok_and(|expr| expr.names().iter().all(|(name, _)| is_known(name)))
    }

    /// Whatever reads as a driver's spec, among actors and parameter values.
    fn specs<'s>(&'s self, overrides: &'s Overrides) -> impl Iterator<Item = Spec> + 's {
        let params = self.params.iter().flat_map(|param| param.values.iter()).map(|text| text.value.as_str());
        let actors = self.actors.iter().map(|actor| actor.driver.value.as_str());
        let programs = self.actors.iter().filter_map(|actor| actor.program.as_ref().map(Program::name));
        let actors = actors.chain(programs.filter(|name| name.contains('@')));
        let set = overrides.set.iter().flat_map(|(_, values)| values).map(String::as_str);
        params.chain(actors).chain(set).filter_map(|text| Spec::parse(text).ok())
    }

    /// Checks every combination, as far as that needs no machine.
    fn check_all(&self) -> Expansion {
        let mut poisoned = BTreeSet::new();
        let values: Vec<Arc<Vec<Text>>> = (self.params.iter().enumerate())
            .map(|(index, param)| match param.values.is_empty() {
                false => param.values.clone(),
                true => {
                    poisoned.insert(index);
                    vec![Text::whole("1".to_owned(), param.name.span.clone())].into()
                }
            })
            .collect();
        cases::expand(self, &values, poisoned, None)
    }

    fn unused<'s>(&'s self, used: &'s BTreeSet<usize>) -> impl Iterator<Item = Problem> + 's {
        let unused = self.params.iter().enumerate().filter(|(index, _)| !used.contains(index));
        unused.map(|(_, param)| {
            let name = &param.name.value;
            Problem::new("unused", format!("the parameter `{name}` is never used"))
                .at(param.name.span.clone(), "makes more cases, all alike")
                .help(format!("use it as `{{{name}}}`, or leave it out"))
        })
    }

    fn unknown_overrides(&self, overrides: &Overrides) -> Vec<Problem> {
        let names: Vec<&str> = self.params.iter().map(|param| param.name.value.as_str()).collect();
        let unknown = overrides.set.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        unknown
            .map(|(name, _)| {
                Problem::new("set", format!("`{}` has no parameter `{name}` to set", self.name)).help(
                    match names.as_slice() {
                        [] => "it has no parameters".to_owned(),
                        names => format!("its parameters are {}", suggest::listed(names)),
                    },
                )
            })
            .collect()
    }
}
