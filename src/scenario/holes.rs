//! `{…}` that name nothing. What holds one is left out of further checks, so
//! that one slip is one mistake.

use std::collections::BTreeSet;

use super::{
    Scenario, expr::Expr, parts::Param, place::Text, problem::Problem, suggest::way_out, symbols::BUILT_IN,
    template::Piece,
};

/// Reports unbound names and takes out the lines, actors and setting keys that
/// hold them; parameters that these mention count as used.
pub(super) fn check(scenario: &mut Scenario, problems: &mut Vec<Problem>, used: &mut BTreeSet<usize>) {
    let params = &scenario.params;
    let mut sound = |text: &Text, pieces: &[Piece], expressions: Expressions, extent: &str| {
        let before = problems.len();
        let mut sized = expressions == Expressions::Anywhere;
        for piece in pieces {
            match piece {
                Piece::Literal(range) => {
                    sized |=
                        expressions == Expressions::InBuffer && text.value[range.clone()].contains("buffer=");
                }
                Piece::Hole { inner, .. } => hole(text, inner.clone(), params, sized, problems),
            }
        }
        if problems.len() > before {
            used.extend(mentioned(params, extent));
        }
        problems.len() == before
    };
    for key in [&mut scenario.setting.sigpipe, &mut scenario.setting.cpu_budget] {
        key.take_if(|(text, pieces)| !sound(text, pieces, Expressions::Nowhere, &text.value));
    }
    scenario
        .actors
        .retain(|actor| sound(&actor.driver, &actor.pieces, Expressions::InBuffer, &actor.driver.value));
    if let Some(script) = &mut scenario.script {
        let count = script.lines.len();
        let text = &script.text;
        script.lines.retain(|line| sound(text, &line.pieces, Expressions::Anywhere, &line.text));
        script.incomplete |= script.lines.len() < count;
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
}

fn hole(
    text: &Text,
    inner: std::ops::Range<usize>,
    params: &[Param],
    sized: bool,
    problems: &mut Vec<Problem>,
) {
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
    let place = |part: std::ops::Range<usize>| text.place(inner.start + part.start..inner.start + part.end);
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
