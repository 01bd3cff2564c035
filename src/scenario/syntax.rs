//! Mistakes in TOML itself.

use toml::de::{DeTable, DeValue, Error};

use super::{place::Span, problem::Problem};

/// A mistake that TOML's parser found.
pub(super) fn error(error: &Error) -> Problem {
    Problem::new("toml", format!("not TOML: {}", error.message()))
        .at(error.span().unwrap_or(0..0), "here")
        .help("the format is described at https://toml.io; the other mistakes show once this is mended")
}

/// A name that is declared twice, said in the scenario's words.
pub(super) fn duplicate(error: &Error, tree: &DeTable<'_>, file: &str) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let word = file.get(span.clone()).unwrap_or("");
    let name = word.trim_matches(['"', '\'']);
    let mut found = Vec::new();
    collect(tree, "", name, &mut found);
    let first = found.into_iter().filter(|(_, at)| at.start < span.start).max_by_key(|(_, at)| at.start);
    let (message, help) = match first.as_ref().map(|(parent, _)| parent.as_str()) {
        Some(parent @ ("params" | "channels" | "actors" | "drivers")) if name != "script" => {
            let what = if parent == "params" { "parameters" } else { parent };
            (format!("two {what} are called `{name}`"), "give one of them another name")
        }
        _ => (format!("`{name}` is set twice"), "leave one of them out"),
    };
    let problem = Problem::new("duplicate", message).at(span, "again").help(help);
    match first {
        Some((_, at)) => problem.at(at, "first here"),
        None => problem,
    }
}

/// All keys of this name, with the path of their tables. TOML's parser bounds
/// the depth of the tree.
fn collect(table: &DeTable<'_>, path: &str, name: &str, found: &mut Vec<(String, Span)>) {
    for (key, value) in table {
        if key.get_ref() == name {
            found.push((path.to_owned(), key.span()));
        }
        if let DeValue::Table(inner) = value.get_ref() {
            let dot = if path.is_empty() { "" } else { "." };
            collect(inner, &format!("{path}{dot}{}", key.get_ref()), name, found);
        }
    }
}
