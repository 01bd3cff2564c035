//! Binds the parameters of a scenario, one combination of values at a time. What
//! depends on none of the values that changed is kept from the combination before:
//! a scenario of many cases has few casts, and few lines that differ.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Scenario,
    assemble::Parts,
    case::{Case, CaseExpect, CaseStep, ExpectedBytes, ExpectedOfSome, Machine},
    casting::{Bound, BoundCount, BoundLine, Casting},
    check, holdings,
    holes::mentioned,
    needs::Needs,
    parts::{ByteKey, Line},
    place::{Text, line_and_column},
    problem::Problem,
    program,
    script::{Context, Parsed, Step},
    symbols::Scope,
    wanted::Wanted,
};
use crate::stage::PlannedStep;

/// Binds combination after combination.
pub(super) struct Binder<'a> {
    pub(super) scenario: &'a Scenario,
    values: &'a [Arc<Vec<Text>>],
    /// Parameters whose values were all at fault: what touches them isn't judged.
    poisoned: BTreeSet<usize>,
    /// `None` checks what needs no machine; sizes in symbols are unknown then.
    pub(super) machine: Option<Machine<'a>>,
    pub(super) needs: Needs,
    /// Those without mistakes, by the values that they depend on.
    pub(super) casts: HashMap<Vec<usize>, Casting<'a>>,
    /// The lines of `[expect]`'s counts and then of those of `[expect.some]`, of `error_at` and of `end`.
    expect_lines: (Vec<usize>, usize, usize),
    /// The lines of each `[expect.some]`.
    some_lines: Vec<usize>,
    /// The combination: for each parameter, the index of its value.
    at: Vec<usize>,
    pub params: Vec<(&'a str, &'a Text)>,
    /// Its mistakes, each with the parameters that it depends on.
    pub problems: Vec<(Problem, BTreeSet<usize>)>,
    /// Parameters that any combination used.
    pub used: BTreeSet<usize>,
}

/// What one alternative of a combination gives.
pub(super) enum Found {
    /// It is at fault, or there is no machine.
    Nothing,
    /// In so many orders.
    Playable(usize),
    /// A case that can't be played: its parameters and the reason.
    Skipped(Vec<(String, String)>, String),
}

impl<'a> Binder<'a> {
    pub fn new(
        scenario: &'a Scenario,
        values: &'a [Arc<Vec<Text>>],
        poisoned: BTreeSet<usize>,
        machine: Option<Machine<'a>>,
    ) -> Binder<'a> {
        let line = |offset: usize| line_and_column(&scenario.text, offset).0;
        let keys = &scenario.expect;
        Binder {
            scenario,
            values,
            poisoned,
            machine,
            needs: Needs::of(scenario, values),
            casts: HashMap::new(),
            expect_lines: (
                keys.counts().map(|key| line(key.value.span.start)).collect(),
                keys.error_at.as_ref().map_or(0, |(_, span)| line(span.start)),
                keys.end.as_ref().map_or(0, |(_, span)| line(span.start)),
            ),
            some_lines: keys.some.iter().map(|some| line(some.span.start)).collect(),
            at: Vec::new(),
            params: Vec::new(),
            problems: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// Checks a combination; `limit` bounds the number of cases made of `@all`.
    pub fn check(&mut self, combination: usize, limit: usize) -> Vec<Found> {
        self.turn_to(combination);
        let mut casting = self.casting();
        let count = (casting.alternatives.iter())
            .try_fold(1_usize, |count, list| count.checked_mul(list.len()))
            .filter(|count| *count <= limit);
        let Some(count) = count else {
            self.problems.push((too_many(self.scenario), BTreeSet::new()));
            return Vec::new();
        };
        let mut found = Vec::with_capacity(count);
        for alternative in 0..count {
            let parts = self.parts(&mut casting, alternative, true);
            found.push(match parts {
                None => Found::Nothing,
                Some(parts) => match parts.skip() {
                    None => Found::Playable(parts.orders.as_ref().map_or(1, |orders| orders.len())),
                    Some(_) => {
                        let case = parts.assemble();
                        let reason = case.skip.map(|skip| skip.reason).unwrap_or_default();
                        Found::Skipped(case.params, reason)
                    }
                },
            });
        }
        self.keep(casting);
        found
    }

    /// One case of a combination that was checked.
    pub fn case(&mut self, combination: usize, alternative: usize) -> Option<Case> {
        self.turn_to(combination);
        let mut casting = self.casting();
        let case = self.parts(&mut casting, alternative, false).map(|parts| parts.assemble());
        self.keep(casting);
        case
    }

    fn turn_to(&mut self, mut combination: usize) {
        self.problems.clear();
        self.at.clear();
        for list in self.values.iter().rev() {
            self.at.push(combination % list.len());
            combination /= list.len();
        }
        self.at.reverse();
        let values = self.values.iter().zip(&self.at).map(|(list, at)| &list[*at]);
        let names = self.scenario.params.iter().map(|param| param.name.value.as_str());
        self.params = names.zip(values).collect();
    }

    /// The values of these parameters in this combination.
    pub(super) fn at(&self, params: &[usize]) -> Vec<usize> {
        params.iter().map(|param| self.at[*param]).collect()
    }

    pub(super) fn scope(&self) -> Scope<'a> {
        Scope::new(self.params.clone(), self.machine.map(|machine| machine.symbols))
    }

    /// What lines and expectations see.
    fn scope_of(&self, bound: &Bound<'a>) -> Scope<'a> {
        let scope = self.scope().with_actors(&bound.names, &self.scenario.declared.actors);
        scope.in_setting(bound.troupe.setting())
    }

    /// Does one part of the work and books its mistakes on the parameters that
    /// it used, which come second. `None` if it can't be judged.
    pub(super) fn item<T>(
        &mut self,
        scope: &Scope<'_>,
        text: &str,
        work: impl FnOnce(&mut Vec<Problem>) -> T,
    ) -> (Option<T>, BTreeSet<usize>) {
        scope.take_touched();
        let mut problems = Vec::new();
        let result = work(&mut problems);
        let touched = scope.take_touched();
        self.used.extend(touched.iter().copied());
        if !problems.is_empty() {
            // What the part would have used, had it been read to its end.
            self.used.extend(mentioned(&self.scenario.params, text));
        }
        if !touched.is_disjoint(&self.poisoned) {
            return (None, touched);
        }
        self.problems.extend(problems.into_iter().map(|problem| (problem, touched.clone())));
        (Some(result), touched)
    }

    fn parts<'p>(
        &'p mut self,
        casting: &'p mut Casting<'a>,
        mut alternative: usize,
        check: bool,
    ) -> Option<Parts<'p>> {
        if !casting.troupes.contains_key(&alternative) {
            let number = alternative;
            let mut actors = Vec::new();
            for list in casting.alternatives.iter().rev() {
                actors.push(list[alternative % list.len()].clone());
                alternative /= list.len();
            }
            actors.reverse();
            let bound = self.bound(actors, casting.surroundings.clone());
            alternative = number;
            casting.troupes.insert(number, bound);
        }
        let bound = casting.troupes.get_mut(&alternative).expect("just made");
        let mut untold = bound.untold.clone();
        let mut scope = None;
        self.lines(bound, &mut scope, check);
        let expect = self.expect(bound, &mut scope);
        let orders = self.orders(bound, check);
        if !self.problems.is_empty() || bound.troupe.is_incomplete() {
            return None;
        }
        let lines = bound.lines.iter().flatten();
        untold.extend(lines.clone().flat_map(|line| line.untold.iter().cloned()));
        untold.extend(bound.expect.iter().flat_map(|(.., untold)| untold.iter().cloned()));
        Some(Parts {
            scenario: self.scenario,
            params: &self.params,
            troupe: &bound.troupe,
            steps: lines.flat_map(|line| line.steps.iter().cloned()).collect(),
            expect,
            orders,
            channels: &mut bound.channels,
            untold: untold.pop_first(),
            largest_pipe: self.machine.map_or(u64::MAX, |machine| machine.symbols.largest_pipe),
        })
    }

    /// Reads the lines that may have changed.
    fn lines(&mut self, bound: &mut Bound<'a>, scope: &mut Option<Scope<'a>>, check: bool) {
        let scenario = self.scenario;
        let Some(script) = &scenario.script else { return };
        for (index, line) in script.lines.iter().enumerate() {
            let needs = &self.needs.lines[index];
            // What it needs may have grown since.
            let as_before =
                |known: &BoundLine| needs.iter().map(|param| self.at[*param]).eq(known.at.iter().copied());
            if bound.lines[index].as_ref().is_some_and(as_before) {
                continue;
            }
            let scope = scope.get_or_insert_with(|| self.scope_of(bound));
            scope.untold.take();
            let context = Context { scenario, scope, actors: bound.troupe.actors() };
            let (parsed, touched) = self.item(scope, &line.text, |problems| read(&context, line, problems));
            // Values that were joined to the name of another parameter.
            if touched.iter().any(|param| !self.needs.lines[index].contains(param)) {
                self.needs.lines[index] = (0..self.at.len()).collect();
            }
            let parsed = parsed.filter(|_| line.unbound.is_empty()).unwrap_or(Parsed::Fault(None));
            let read = BoundLine {
                at: self.at(&self.needs.lines[index]),
                steps: case_steps(line, &parsed),
                parsed,
                untold: scope.untold.take(),
            };
            let calls = read.calls();
            let before = bound.lines[index].replace(read);
            if calls || before.is_none_or(|before| before.calls()) {
                bound.channels = None;
            }
        }
        if script.incomplete {
            self.used.extend(mentioned(&scenario.params, &script.text.value));
        }
        if check {
            let mut problems = Vec::new();
            let steps = || bound.lines.iter().flatten().map(|line| &line.parsed);
            check::flow(scenario, steps(), &mut problems);
            holdings::check(scenario, bound.troupe.actors(), steps(), &mut problems);
            self.problems.extend(problems.into_iter().map(|problem| (problem, BTreeSet::new())));
        }
        if !self.problems.is_empty() {
            // Each combination shows its mistakes.
            bound.lines.fill_with(|| None);
        }
    }

    fn expect(&mut self, bound: &mut Bound<'a>, scope: &mut Option<Scope<'a>>) -> Arc<CaseExpect> {
        let at = self.at(&self.needs.expect);
        if let Some((known, expect, _)) = &bound.expect
            && *known == at
        {
            return expect.clone();
        }
        let scenario = self.scenario;
        let scope = scope.get_or_insert_with(|| self.scope_of(bound));
        scope.untold.take();
        let keys = &scenario.expect;
        let some = keys.some.iter().zip(&self.some_lines).map(|(some, line)| ExpectedOfSome {
            bytes: Vec::new(),
            error_at: some.error_at,
            end: some.end,
            line: *line,
        });
        let mut expect = CaseExpect {
            bytes: Vec::new(),
            some: some.collect(),
            streams: Vec::new(),
            error_at: keys.error_at.as_ref().map(|(at, _)| *at),
            end: keys.end.as_ref().map(|(end, _)| *end),
            error_at_line: self.expect_lines.1,
            end_line: self.expect_lines.2,
        };
        for (channel, text) in &keys.streams {
            let (filled, _) = self.item(scope, &text.value, |problems| {
                program::fill(text, scope).map_err(|problem| problems.push(problem)).ok()
            });
            let line = line_and_column(&scenario.text, text.span.start).0;
            expect.streams.extend(filled.flatten().map(|filled| (*channel, filled, line)));
        }
        let mut index = 0..;
        let mut read = |key: &ByteKey| self.count(key, index.next()?, &mut bound.counts, scope);
        expect.bytes = keys.bytes.iter().filter_map(&mut read).collect();
        for (some, keys) in expect.some.iter_mut().zip(&keys.some) {
            some.bytes = keys.bytes.iter().filter_map(&mut read).collect();
        }
        let mut untold = scope.untold.take();
        untold.extend(bound.counts.iter().flatten().flat_map(|count| count.untold.iter().cloned()));
        let expect = Arc::new(expect);
        bound.expect = self.problems.is_empty().then(|| (at, expect.clone(), untold));
        expect
    }

    /// One count of it, read again if it may have changed.
    fn count(
        &mut self,
        key: &ByteKey,
        index: usize,
        counts: &mut [Option<BoundCount>],
        scope: &Scope<'a>,
    ) -> Option<Arc<ExpectedBytes>> {
        let at = self.at(&self.needs.counts[index]);
        if let Some(known) = counts[index].as_ref().filter(|known| known.at == at) {
            return Some(known.expected.clone());
        }
        let others = scope.untold.take();
        let (wanted, _) = self.item(scope, &key.value.value, |problems| {
            Wanted::read(key, scope).map_err(|problem| problems.push(problem)).ok()
        });
        let (channel, quantity, line) = (key.channel, key.quantity, self.expect_lines.0[index]);
        let expected =
            wanted.flatten().map(|wanted| Arc::new(ExpectedBytes { channel, quantity, wanted, line }));
        // Each combination shows its mistakes.
        counts[index] =
            expected.clone().map(|expected| BoundCount { at, expected, untold: scope.untold.take() });
        scope.untold.replace(others);
        expected
    }
}

fn read(context: &Context<'_>, line: &Line, problems: &mut Vec<Problem>) -> Parsed {
    let before = problems.len();
    let parsed = context.read(line, problems);
    // What comes of an unbound name is no mistake of its own.
    let follows = |problem: &Problem| {
        let span = problem.span();
        line.unbound.iter().any(|name| name.start < span.end && span.start < name.end)
    };
    let own: Vec<Problem> = problems.drain(before..).filter(|problem| !follows(problem)).collect();
    problems.extend(own);
    parsed
}

fn case_steps(line: &Line, parsed: &Parsed) -> Vec<Arc<CaseStep>> {
    let Parsed::Steps(steps) = parsed else { return Vec::new() };
    let case_step = |step: &Step| CaseStep {
        line: line.number,
        text: step.text.clone(),
        size_text: step.size_text.clone(),
        planned: Arc::new(PlannedStep {
            actor: step.actor,
            action: step.action.clone(),
            condition: step.condition,
            attempts: step.attempts,
            joined: step.joined,
        }),
        expectation: step.expectation.clone(),
    };
    steps.iter().map(|step| Arc::new(case_step(step))).collect()
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
