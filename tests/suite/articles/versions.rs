//! Snapshot keys as people name runtimes, in order and in ranges.

/// The keys among these, each once: other runtimes, PyPy, then CPython by age.
pub fn known<'key>(keys: impl Iterator<Item = &'key str>) -> Vec<&'key str> {
    let mut known: Vec<&str> = keys.collect();
    known.sort_by_key(|key| (rank(key), *key));
    known.dedup();
    known
}

fn rank(key: &str) -> (u8, u32) {
    match key.split_once('-') {
        Some(("python", version)) => {
            let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
            (2, minor.unwrap_or(0))
        }
        Some(("pypy", _)) => (1, 0),
        None if key.starts_with("python2") => (1, 0),
        _ => (0, 0),
    }
}

fn name(key: &str) -> String {
    match key.split_once('-') {
        Some(("python", version)) => version.to_owned(),
        Some(("pypy", version)) => format!("PyPy {version}"),
        Some((name, rest)) => format!("{name} ({rest})"),
        None => key.strip_prefix("python").filter(|version| !version.is_empty()).unwrap_or(key).to_owned(),
    }
}

/// Two minor versions of CPython with none between them.
fn is_next(one: &str, other: &str) -> bool {
    let ((kind, minor), (other_kind, next)) = (rank(one), rank(other));
    kind == 2 && other_kind == 2 && minor + 1 == next
}

/// `PyPy 3.9, 3.6 to 3.12`: neighbours among all known as a range.
pub fn told(group: &[&str], known: &[&str]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, key) in known.iter().enumerate().filter(|(_, key)| group.contains(key)) {
        match ranges.last_mut() {
            Some((_, last)) if is_next(known[*last], key) && *last + 1 == at => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    let told = |(first, last): &(usize, usize)| match last - first {
        0 => name(known[*first]),
        1 => format!("{}, {}", name(known[*first]), name(known[*last])),
        _ => format!("{} to {}", name(known[*first]), name(known[*last])),
    };
    ranges.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_make_a_range() {
        let known =
            known(["python-3.10", "python-3.9", "pypy-3.9", "python-3.11", "python-3.13", "raw"].into_iter());
        assert_eq!(known, ["raw", "pypy-3.9", "python-3.9", "python-3.10", "python-3.11", "python-3.13"]);
        assert_eq!(
            told(&["pypy-3.9", "python-3.9", "python-3.10", "python-3.11"], &known),
            "PyPy 3.9, 3.9 to 3.11"
        );
        assert_eq!(told(&["python-3.9", "python-3.11", "python-3.13"], &known), "3.9, 3.11, 3.13");
    }
}
