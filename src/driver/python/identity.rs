//! Which Python answered.

use super::NAME;
use crate::wire::Hello;

/// Which Python it is. In the order of age; CPython behind all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub is_cpython: bool,
    /// The language's version.
    pub language: (u32, u32),
    /// The implementation's own version, as numbers.
    pub release: Vec<u32>,
    pub implementation: String,
    release_text: String,
}

impl Identity {
    /// Reads it from `cpython 3.6.15` or `pypy3.10 7.3.12`.
    pub fn of(greeting: &Hello) -> Option<Identity> {
        let digits = greeting.runtime.find(|c: char| c.is_ascii_digit()).unwrap_or(greeting.runtime.len());
        let (implementation, language) = greeting.runtime.split_at(digits);
        let is_cpython = implementation == "cpython";
        let language = if is_cpython { greeting.version.as_str() } else { language };
        let [major, minor] = *numbers(language).get(..2)? else { return None };
        Some(Identity {
            is_cpython,
            language: (major, minor),
            release: numbers(&greeting.version),
            implementation: implementation.to_owned(),
            release_text: greeting.version.clone(),
        })
    }

    /// What stands after `@`: `3.6`, `pypy3.10`.
    pub fn version(&self) -> String {
        let (major, minor) = self.language;
        let prefix = if self.is_cpython { "" } else { &self.implementation };
        format!("{prefix}{major}.{minor}")
    }

    /// `CPython 3.6.15`, `PyPy 7.3.12 (Python 3.10)`.
    pub fn full_version(&self) -> String {
        let (major, minor) = self.language;
        match self.implementation.as_str() {
            "cpython" => format!("CPython {}", self.release_text),
            "pypy" => format!("PyPy {} (Python {major}.{minor})", self.release_text),
            other => format!("{other} {} (Python {major}.{minor})", self.release_text),
        }
    }

    /// `python-3.6`, `pypy-3.10`.
    pub fn snapshot_key(&self) -> String {
        let (major, minor) = self.language;
        let name = if self.is_cpython { NAME } else { &self.implementation };
        format!("{name}-{major}.{minor}")
    }
}

/// The reverse of [`Identity::snapshot_key`]: what stands after `@`.
pub fn version_of_key(key: &str) -> Option<String> {
    let (name, language) = key.split_once('-').filter(|(_, language)| numbers(language).len() >= 2)?;
    Some(if name == NAME { language.to_owned() } else { format!("{name}{language}") })
}

/// The numbers of a dotted version; whatever follows one (`0rc1`) is left away.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| {
            part.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(greeting: &str) -> Identity {
        Identity::of(&Hello::decode(greeting).unwrap()).unwrap()
    }

    #[test]
    fn cpython_is_named_by_its_version() {
        let python = identity("hello 1 cpython 3.6.15 buffer=8192");
        assert_eq!(python.language, (3, 6));
        assert_eq!(python.version(), "3.6");
        assert_eq!(python.full_version(), "CPython 3.6.15");
        assert_eq!(python.snapshot_key(), "python-3.6");
    }

    #[test]
    fn pypy_is_named_by_its_language() {
        let pypy = identity("hello 1 pypy3.10 7.3.12");
        assert_eq!(pypy.language, (3, 10));
        assert_eq!(pypy.version(), "pypy3.10");
        assert_eq!(pypy.full_version(), "PyPy 7.3.12 (Python 3.10)");
        assert_eq!(pypy.snapshot_key(), "pypy-3.10");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(identity("hello 1 cpython 3.9.18").release < identity("hello 1 cpython 3.10.1").release);
        assert_eq!(numbers("3.15.0alpha2"), [3, 15, 0]);
    }
}
