//! Binds the parameters of a scenario: one round for each combination.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Scenario,
    actor::{BoundActor, all_versions},
    case::{Case, CaseActor, CaseExpect, CaseStep, ExpectedBytes, Machine, Skip},
    check,
    expr::{Expr, substitute},
    holes::mentioned,
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
    stage::{Plan, PlannedActor, PlannedChannel, PlannedStep},
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
            let several: Vec<bool> = alternatives.iter().map(|list| list.len() > 1).collect();
            self.case(setting.clone().flatten().unwrap_or_default(), &actors, &several);
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

    fn case(&mut self, setting: Setting, actors: &[Option<BoundActor>], several: &[bool]) {
        let scenario = self.scenario;
        let runtimes: Vec<Option<Result<Runtime, Skip>>> =
            actors.iter().map(|actor| Some(actor.as_ref()?.runtime(scenario, self.machine?))).collect();
        let mut scope = self.scope();
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
        if !self.problems.is_empty() || self.machine.is_none() {
            return;
        }
        self.cases.push(self.assemble(setting, actors, several, runtimes, modes, steps, expect, &scope));
    }

    fn steps(&mut self, scope: &Scope<'_>, actors: &[Option<BoundActor>]) -> Vec<CaseStep> {
        let scenario = self.scenario;
        let Some(script) = &scenario.script else { return Vec::new() };
        let context = Context { scenario, scope, actors };
        let mut parsed = Vec::new();
        for line in &script.lines {
            let step = self.item(scope, &line.text, |problems| context.read(line, problems));
            parsed.push(step.unwrap_or(Parsed::Fault(None)));
        }
        if script.incomplete {
            self.used.extend(mentioned(&scenario.params, &script.text.value));
        }
        let mut problems = Vec::new();
        check::flow(scenario, &parsed, &mut problems);
        self.problems.extend(problems.into_iter().map(|problem| (problem, BTreeSet::new())));
        let lines = script.lines.iter().zip(parsed);
        lines
            .filter_map(|(line, parsed)| {
                let Parsed::Step(step) = parsed else { return None };
                Some(CaseStep {
                    line: line.number,
                    text: line.text.split(" -> ").next().unwrap_or(&line.text).to_owned(),
                    size_text: step.size_text,
                    planned: PlannedStep {
                        actor: step.actor,
                        action: step.action,
                        condition: step.condition,
                        attempts: step.attempts,
                        expected: step.expectation.is_some(),
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

    #[allow(clippy::too_many_arguments)]
    fn assemble(
        &self,
        setting: Setting,
        actors: &[Option<BoundActor>],
        several: &[bool],
        runtimes: Vec<Option<Result<Runtime, Skip>>>,
        modes: Vec<Vec<String>>,
        steps: Vec<CaseStep>,
        expect: CaseExpect,
        scope: &Scope<'_>,
    ) -> Case {
        let scenario = self.scenario;
        let mut params: Vec<(String, String)> =
            self.params.iter().map(|(name, text)| ((*name).to_owned(), text.value.clone())).collect();
        let (mut case_actors, mut planned, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut skip: Option<Skip> = None;
        let mut about = BTreeSet::new();
        for (index, declared) in scenario.actors.iter().enumerate() {
            let (Some(actor), Some(runtime)) = (&actors[index], &runtimes[index]) else { continue };
            let name = declared.name.value.clone();
            if several[index] {
                let taken = params.iter().any(|(param, _)| *param == name);
                let key = if taken { format!("actors.{name}") } else { name.clone() };
                about.extend(runtime.is_err().then(|| key.clone()));
                params.push((key, actor.spec.to_string()));
            }
            match runtime {
                Ok(runtime) => {
                    keys.extend(runtime.snapshot_key.clone());
                    planned.push(PlannedActor {
                        name: name.clone(),
                        launch: runtime.launch.clone(),
                        mode: modes[index].clone(),
                        ignores_sigpipe: actor.info.is_some_and(|info| info.ignores_sigpipe),
                    });
                }
                Err(why) => {
                    keys.insert(match &actor.spec.version {
                        Version::Named(version) => format!("{}-{version}", actor.spec.driver),
                        _ => actor.spec.driver.clone(),
                    });
                    let used = mentioned(&scenario.params, &declared.driver.value);
                    about.extend(used.into_iter().map(|index| scenario.params[index].name.value.clone()));
                    skip.get_or_insert_with(|| why.clone());
                }
            }
            case_actors.push(CaseActor {
                name,
                spec: actor.spec.clone(),
                runtime: runtime.as_ref().ok().cloned(),
            });
        }
        if skip.is_some() {
            params.retain(|(name, _)| about.contains(name));
        } else if let Some(untold) = scope.untold.borrow().first() {
            skip = Some(Skip {
                reason: format!("the runtime here tells no size `{untold}`"),
                remedy: "use a size that every runtime of the scenario tells".to_owned(),
            });
        }
        let channels = scenario.channels.iter();
        let channels =
            channels.map(|channel| PlannedChannel { name: channel.name.value.clone(), kind: channel.kind });
        let played = skip.is_none();
        Case {
            params,
            actors: case_actors,
            expect,
            plan: Plan {
                channels: channels.collect(),
                actors: if played { planned } else { Vec::new() },
                steps: if played {
                    steps.iter().map(|step| step.planned.clone()).collect()
                } else {
                    Vec::new()
                },
                setting,
            },
            steps,
            skip,
            snapshot_key: match keys.is_empty() {
                true => "raw".to_owned(),
                false => Vec::from_iter(keys).join("+"),
            },
        }
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

/// Mistakes of all rounds, each once.
#[derive(Default)]
pub(super) struct Merged {
    found: BTreeMap<(&'static str, usize, usize), (Problem, usize, bool)>,
    rounds: usize,
}

impl Merged {
    /// Takes in a round; a mistake that was seen is only counted.
    pub fn add(
        &mut self,
        scenario: &Scenario,
        round: Vec<(Problem, BTreeSet<usize>)>,
        params: &[(&str, &Text)],
        varies: &[bool],
    ) {
        self.rounds += 1;
        let mut seen = BTreeSet::new();
        for (mut problem, touched) in round {
            let span = problem.span();
            let key = (problem.rule, span.start, span.end);
            let first_in_round = seen.insert(key);
            if let Some((known, count, differs)) = self.found.get_mut(&key) {
                *count += usize::from(first_in_round);
                *differs |= known.message != problem.message;
                continue;
            }
            // A mistake in a value is shown there: no need to name the value.
            let in_value = scenario.params.iter().flat_map(|param| &param.values);
            let in_value =
                in_value.into_iter().any(|text| text.span.start <= span.start && span.end <= text.span.end);
            let touched = if touched.is_empty() { (0..params.len()).collect() } else { touched };
            let when: Vec<String> = touched
                .into_iter()
                .filter(|index| varies[*index])
                .map(|index| format!("{} = {}", params[index].0, params[index].1.value))
                .collect();
            problem.when = (!when.is_empty() && !in_value).then(|| when.join(", "));
            self.found.insert(key, (problem, 1, false));
        }
    }

    /// All mistakes; those of every round alike don't name a binding.
    pub fn into_problems(self) -> Vec<Problem> {
        let rounds = self.rounds;
        self.found
            .into_values()
            .map(|(mut problem, count, differs)| {
                if count == rounds && !differs {
                    problem.when = None;
                }
                problem
            })
            .collect()
    }
}
