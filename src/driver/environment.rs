//! The environment in which drivers start.

/// Taken over from the caller: where programs are, and where a runtime may look
/// for its own installation.
const INHERITED: &[&str] = &["PATH", "HOME"];

/// Set for all. With another locale or none, CPython 3.6 opens text files as
/// ASCII, and every version consults a different set of rules
/// (<https://peps.python.org/pep-0538/>, <https://peps.python.org/pep-0540/>).
const FIXED: &[(&str, &str)] = &[("LANG", "C.UTF-8")];

/// All variables that a driver gets. A runtime's own are left out on purpose:
/// `PYTHONUNBUFFERED` alone changes what is buffered and how a process ends.
pub fn environment() -> Vec<(String, String)> {
    let inherited = INHERITED.iter().filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?)));
    let fixed = FIXED.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    inherited.chain(fixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_list_gets_through() {
        let names: Vec<String> = environment().into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| ["PATH", "HOME", "LANG"].contains(&name.as_str())), "{names:?}");
        assert!(names.contains(&"LANG".to_owned()));
    }
}
