//! Binds the parameters of a scenario: one round for each combination.

use std::collections::BTreeSet;

use super::{
    Scenario,
    actor::{BoundActor, all_versions},
    assemble::{Cast, Parts},
    case::{Case, CaseExpect, CaseStep, ExpectedBytes, Machine, Skip},
    check,
    expr::Expr,
    holes::mentioned,
    lexer::substitute,
    parts::ByteKey,
    place::{Text, line_and_column},
    problem::Problem,
    script::{Context, Parsed},
    setting,
    symbols::{Scope, ScopeActor},
};
use crate::{
    driver::{Runtime, Version},
    setting::Setting,
    stage::PlannedStep,
};

/// One combination of values.
pub(super) struct Round<'a> {
    pub scenario: &'a Scenario,
    pub params: Vec<(&'a str, &'a Text)>,
    /// Parameters whose values were all at fault: what touches them isn't judged.
    pub poisoned: &'a BTreeSet<usize>,
    /// `None` checks what needs no machine; sizes in symbols are unknown then.
    pub machine: Option<&'a Machine<'a>>,
    /// Mistakes, each with the parameters that it depends on.
    pub problems: Vec<(Problem, BTreeSet<usize>)>,
    pub used: BTreeSet<usize>,
    pub cases: Vec<Case>,
}

impl<'a> Round<'a> {
    /// Binds everything; `limit` bounds the number of cases made of `@all`.
    pub fn play(&mut self, limit: usize) {
        let scope = self.scope();
        let setting =
            self.item(&scope, "", |problems| setting::bind(&self.scenario.setting, &scope, problems));
        let mut alternatives = Vec::new();
        for actor in &self.scenario.actors {
            let bound = self.item(&scope, &actor.driver.value, |problems| {
                BoundActor::read(self.scenario, actor, &scope).map_err(|problem| problems.push(problem)).ok()
            });
            alternatives.push(self.versions(bound.flatten()));
        }
        let count = alternatives.iter().try_fold(1_usize, |count, list| count.checked_mul(list.len()));
        let Some(count) = count.filter(|count| *count <= limit) else {
            self.problems.push((too_many(self.scenario), BTreeSet::new()));
            return;
        };
        for mut index in 0..count {
            let mut actors = Vec::new();
            for list in alternatives.iter().rev() {
                actors.push(list[index % list.len()].clone());
                index /= list.len();
            }
            actors.reverse();
            self.case(setting.clone().flatten().unwrap_or_default(), &actors);
        }
    }

    fn scope(&self) -> Scope<'a> {
        Scope::new(self.params.clone(), self.machine.map(|machine| machine.symbols))
    }

    /// Does one part of the work and books its mistakes on the parameters that
    /// it used. `None` if it can't be judged.
    fn item<T>(
        &mut self,
        scope: &Scope<'_>,
        text: &str,
        work: impl FnOnce(&mut Vec<Problem>) -> T,
    ) -> Option<T>
    where
        Self: Sized,
    {
        scope.take_touched();
        let mut problems = Vec::new();
        let result = work(&mut problems);
        let touched = scope.take_touched();
        self.used.extend(touched.iter().copied());
        if !problems.is_empty() {
            // What the part would have used, had it been read to its end.
            self.used.extend(mentioned(&self.scenario.params, text));
        }
        if !touched.is_disjoint(self.poisoned) {
            return None;
        }
        self.problems.extend(problems.into_iter().map(|problem| (problem, touched.clone())));
        Some(result)
    }

    /// An actor with `@all` as one with each version.
    fn versions(&self, actor: Option<BoundActor>) -> Vec<Option<BoundActor>> {
        match (actor, self.machine) {
            (Some(actor), Some(machine)) if actor.spec.version == Version::All => {
                let versions = all_versions(&actor.spec.driver, machine);
                match versions.is_empty() {
                    true => vec![Some(actor)],
                    false => versions.iter().map(|version| Some(actor.with_version(version))).collect(),
                }
            }
            (actor, _) => vec![actor],
        }
    }

    fn case(&mut self, setting: Setting, actors: &[Option<BoundActor>]) {
        let scenario = self.scenario;
        let runtimes: Vec<Option<Result<Runtime, Skip>>> =
            actors.iter().map(|actor| Some(actor.as_ref()?.runtime(scenario, self.machine?))).collect();
        let mut scope = self.scope();
        scope.declared = &scenario.declared.actors;
        for ((declared, actor), runtime) in scenario.actors.iter().zip(actors).zip(&runtimes) {
            scope.actors.push(ScopeActor {
                name: &declared.name.value,
                driver: actor.as_ref().map_or_else(String::new, |actor| actor.spec.driver.clone()),
                info: actor.as_ref().and_then(|actor| actor.info),
                sizes: runtime.as_ref().and_then(|runtime| Some(runtime.as_ref().ok()?.symbols.clone())),
            });
        }
        let mut modes = Vec::new();
        for (declared, actor) in scenario.actors.iter().zip(actors) {
            let words = self.item(&scope, &declared.driver.value, |problems| {
                actor.as_ref()?.mode_words(&scope).map_err(|problem| problems.push(problem)).ok()
            });
            modes.push(words.flatten().unwrap_or_default());
        }
        let steps = self.steps(&scope, actors);
        let expect = self.expect(&scope);
        if !self.problems.is_empty() {
            return;
        }
        let cast = actors.iter().zip(runtimes).zip(modes);
        let cast = cast
            .map(|((actor, runtime), mode)| Some(Cast { actor: actor.clone()?, runtime: runtime?, mode }));
        // Without a machine there is no cast, and no case.
        if let Some(cast) = cast.collect() {
            let untold = scope.untold.borrow().first().cloned();
            let parts = Parts { scenario, params: &self.params, setting, cast, steps, expect, untold };
            self.cases.push(parts.assemble());
        }
    }

    fn steps(&mut self, scope: &Scope<'_>, actors: &[Option<BoundActor>]) -> Vec<CaseStep> {
        let scenario = self.scenario;
        let Some(script) = &scenario.script else { return Vec::new() };
        let context = Context { scenario, scope, actors };
        let mut parsed = Vec::new();
        for line in &script.lines {
            let step = self.item(scope, &line.text, |problems| {
                let before = problems.len();
                let parsed = context.read(line, problems);
                // What comes of an unbound name is no mistake of its own.
                let follows = |problem: &Problem| {
                    let span = problem.span();
                    line.unbound.iter().any(|name| name.start < span.end && span.start < name.end)
                };
                let own: Vec<Problem> =
                    problems.drain(before..).filter(|problem| !follows(problem)).collect();
                problems.extend(own);
                parsed
            });
            parsed.push(step.filter(|_| line.unbound.is_empty()).unwrap_or(Parsed::Fault(None)));
        }
        if script.incomplete {
            self.used.extend(mentioned(&scenario.params, &script.text.value));
        }
        let mut problems = Vec::new();
        check::flow(scenario, &parsed, &mut problems);
        self.problems.extend(problems.into_iter().map(|problem| (problem, BTreeSet::new())));
        let lines = script.lines.iter().zip(parsed);
        lines
            .flat_map(|(line, parsed)| {
                let steps = if let Parsed::Steps(steps) = parsed { steps } else { Vec::new() };
                steps.into_iter().map(|step| CaseStep {
                    line: line.number,
                    text: step.text,
                    size_text: step.size_text,
                    planned: PlannedStep {
                        actor: step.actor,
                        action: step.action,
                        condition: step.condition,
                        attempts: step.attempts,
                        joined: step.joined,
                    },
                    expectation: step.expectation,
                })
            })
            .collect()
    }

    fn expect(&mut self, scope: &Scope<'_>) -> CaseExpect {
        let keys = &self.scenario.expect;
        let line = |offset| line_and_column(&self.scenario.text, offset).0;
        let mut expect = CaseExpect {
            bytes: Vec::new(),
            error_at: keys.error_at.as_ref().map(|(at, _)| *at),
            end: keys.end.as_ref().map(|(end, _)| *end),
            error_at_line: keys.error_at.as_ref().map_or(0, |(_, span)| line(span.start)),
            end_line: keys.end.as_ref().map_or(0, |(_, span)| line(span.start)),
        };
        for key in &self.scenario.expect.bytes {
            let value = self.item(scope, &key.value.value, |problems| {
                expected_bytes(key, scope).map_err(|problem| problems.push(problem)).ok()
            });
            if let Some(value) = value.flatten() {
                expect.bytes.push(ExpectedBytes {
                    channel: key.channel,
                    quantity: key.quantity,
                    text: substitute(&key.value.value, &|name| scope.expanded(name)),
                    value,
                    line: line_and_column(&self.scenario.text, key.value.span.start).0,
                });
            }
        }
        expect
    }
}

fn expected_bytes(key: &ByteKey, scope: &Scope<'_>) -> Result<u64, Problem> {
    let text = &key.value;
    let expr = Expr::parse(&text.value, &|range| text.place(range))?;
    let value = expr.value(&|name, span| scope.lookup(name, span))?.unwrap_or(0);
    u64::try_from(value).map_err(|_| {
        Problem::new("size", format!("`{}` can't be {value} bytes", key.quantity.name()))
            .at(text.span.clone(), if value < 0 { "negative" } else { "more than 64 bits" })
            .help("a count of bytes is 0 or more")
    })
}

pub(super) fn too_many(scenario: &Scenario) -> Problem {
    let first =
        scenario.params.first().map(|param| &param.name).or(scenario.actors.first().map(|actor| &actor.name));
    let last = scenario.params.last().map_or(0..0, |param| param.name.span.clone());
    let span = first.map_or(0..0, |name| name.span.clone());
    let problem = Problem::new("cases", format!("more than {} cases", super::MAX_CASES))
        .at(span.clone(), "the product of all parameters")
        .help("leave out some values, or make two scenarios of it");
    if last == span { problem } else { problem.at(last, "down to here") }
}
