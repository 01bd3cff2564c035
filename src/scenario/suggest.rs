//! "Did you mean": the name that is most likely meant.

/// The candidate nearest to `name`, if it is near enough to be a slip.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    // One slip for every three characters, and at least one: `wrtie`, `pyhton`.
    let limit = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| distance <= limit && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The way out for an unknown name: the nearest one, or all that there are.
pub(super) fn way_out<'a>(name: &str, what: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => format!("there is no {what} here yet"),
        None if candidates.len() == 1 => format!("there is only {}", listed(&candidates)),
        None => format!("there are {}", listed(&candidates)),
    }
}

/// The way out of a slip in a step: the word that is near, or the whole form.
pub(super) fn near_or_form(near: Option<&str>, form: &str) -> String {
    near.map_or_else(|| format!("the form is `{form}`"), |near| format!("did you mean `{near}`?"))
}

/// `a`, `b` or `c`.
pub(super) fn either(names: &[impl AsRef<str>]) -> String {
    listed(names).replace(" and ", " or ")
}

/// `a`, `b` and `c`.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}
