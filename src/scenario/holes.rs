//! `{…}` that name nothing. An actor or setting that holds one is left out of
//! further checks, and a line of the script is read around it, so that one slip is
//! one mistake.

use std::{collections::BTreeSet, ops::Range};

use super::{
    Scenario,
    expr::Expr,
    parts::{Param, Template},
    place::{Span, Text},
    problem::Problem,
    program::Program,
    suggest::way_out,
    symbols::BUILT_IN,
    template::Piece,
};

/// Reports unbound names, takes out the actors and setting keys that hold them, and
/// marks the lines; parameters that these mention count as used.
pub(super) fn check(scenario: &mut Scenario, problems: &mut Vec<Problem>, used: &mut BTreeSet<usize>) {
    let params = &scenario.params;
    let mut sound =
        |text: &Text, pieces: &[Piece], expressions: Expressions, extent: &str, unbound: &mut Vec<Span>| {
            let before = problems.len();
            let mut sized = matches!(expressions, Expressions::Anywhere | Expressions::InWords);
            for piece in pieces {
                match piece {
                    Piece::Literal(range) => {
                        sized |= expressions == Expressions::InBuffer
                            && text.value[range.clone()].contains("buffer=");
                    }
                    Piece::Hole { whole, inner } => {
                        let before = problems.len();
                        if expressions != Expressions::InWords || !runtime_size(text, inner, problems) {
                            hole(text, inner.clone(), params, sized, problems);
                        }
                        if problems.len() > before {
                            unbound.push(text.place(whole.clone()));
                        }
                    }
                }
            }
            if problems.len() > before {
                used.extend(mentioned(params, extent));
            }
            problems.len() == before
        };
    let setting = &mut scenario.setting;
    for key in [&mut setting.sigpipe, &mut setting.cpu_budget, &mut setting.user] {
        key.take_if(|(text, pieces)| !sound(text, pieces, Expressions::Nowhere, &text.value, &mut vec![]));
    }
    let mut is_unsound =
        |(text, pieces): &mut Template| !sound(text, pieces, Expressions::Anywhere, &text.value, &mut vec![]);
    setting.max_dgram_qlen.take_if(&mut is_unsound);
    setting.limits.retain_mut(|(_, template)| !is_unsound(template));
    for channel in &mut scenario.channels {
        channel.capacity.take_if(&mut is_unsound);
    }
    scenario.actors.retain(|actor| {
        let texts = actor.program.iter().flat_map(Program::texts);
        let words: Vec<bool> = texts
            .map(|(text, pieces)| sound(text, pieces, Expressions::InWords, &text.value, &mut vec![]))
            .collect();
        !words.contains(&false)
            && sound(&actor.driver, &actor.pieces, Expressions::InBuffer, &actor.driver.value, &mut vec![])
    });
    if let Some(script) = &mut scenario.script {
        for line in &mut script.lines {
            let sound =
                sound(&script.text, &line.pieces, Expressions::Anywhere, &line.text, &mut line.unbound);
            script.incomplete |= !sound;
        }
    }
}

/// The parameters that a text may mention.
pub(super) fn mentioned(params: &[Param], text: &str) -> BTreeSet<usize> {
    let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    (0..params.len()).filter(|index| words.contains(params[*index].name.value.as_str())).collect()
}

/// Where `{…}` may hold more than a parameter's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expressions {
    Nowhere,
    InBuffer,
    Anywhere,
    /// Of a program, which is found before any runtime has told its sizes.
    InWords,
}

/// Reports a size that a runtime tells.
fn runtime_size(text: &Text, inner: &Range<usize>, problems: &mut Vec<Problem>) -> bool {
    let Ok(expr) = Expr::parse(&text.value[inner.clone()], &|range| range) else { return false };
    let names = expr.names();
    let Some((name, span)) = names.iter().find(|(name, _)| name.contains('.')) else { return false };
    let place = text.place(inner.start + span.start..inner.start + span.end);
    problems.push(
        Problem::new("symbol", format!("`{name}` in the words of a program"))
            .at(place, "told by a runtime, which comes later")
            .help("write a number, or a parameter that is one"),
    );
    true
}

fn hole(text: &Text, inner: Range<usize>, params: &[Param], sized: bool, problems: &mut Vec<Problem>) {
    let content = &text.value[inner.clone()];
    let is_param = |name: &str| params.iter().any(|param| param.name.value == name);
    if is_param(content) {
        return;
    }
    let param_names = params.iter().map(|param| param.name.value.as_str());
    if !sized {
        problems.push(
            Problem::new("unbound", format!("no parameter is called `{content}`"))
                .at(text.place(inner), "unbound")
                .help(match params {
                    [] => format!("declare it in [params]: `{content} = …`"),
                    _ => way_out(content, "parameter", param_names),
                }),
        );
        return;
    }
    let place = |part: Range<usize>| text.place(inner.start + part.start..inner.start + part.end);
    let expr = match Expr::parse(content, &place) {
        Ok(expr) => expr,
        Err(problem) => return problems.push(problem),
    };
    for (name, span) in expr.names() {
        let known = is_param(name) || name.contains('.') || BUILT_IN.iter().any(|symbol| symbol.name == name);
        if !known {
            let names = param_names.clone().chain(BUILT_IN.iter().map(|symbol| symbol.name));
            problems.push(
                Problem::new("unbound", format!("no parameter or symbol is called `{name}`"))
                    .at(span.clone(), "unbound")
                    .help(way_out(name, "name", names)),
            );
        }
    }
}
