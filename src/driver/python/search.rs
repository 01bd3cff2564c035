//! Where Pythons may be.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::OLDEST;
use crate::driver::folder::{entries, is_program, is_script, programs_in};

/// A program that may be a Python, and where it stands in the order of search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub path: PathBuf,
    pub place: usize,
}

/// The programs that may be Pythons, each once (rules 1 and 2 of the folder above).
pub fn candidates(path: Option<&OsStr>, pyenv: Option<&Path>) -> Vec<Candidate> {
    let shims = pyenv.map(|root| root.join("shims"));
    let mut folders: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    if let Some(shims) = &shims
        && !folders.contains(shims)
    {
        folders.push(shims.clone());
    }
    let mut seen = BTreeSet::new();
    let mut candidates = Vec::new();
    for (place, folder) in folders.into_iter().enumerate() {
        let programs = match pyenv {
            Some(root) if Some(&folder) == shims.as_ref() => entries(&root.join("versions"))
                .iter()
                .flat_map(|version| pythons_in(&version.join("bin")))
                .collect(),
            _ => pythons_in(&folder),
        };
        for path in programs {
            if seen.insert(path.clone()) {
                candidates.push(Candidate { path, place });
            }
        }
    }
    candidates
}

/// A Python of this name, also one that no driver runs on (`python2.7`): on the path, but for
/// wrappers, or among pyenv's versions.
pub fn named(name: &str, path: &str, pyenv: Option<&Path>) -> Option<PathBuf> {
    let versions = pyenv.map(|root| entries(&root.join("versions"))).unwrap_or_default();
    let folders =
        std::env::split_paths(path).chain(versions.into_iter().rev().map(|version| version.join("bin")));
    folders.map(|folder| folder.join(name)).find(|path| is_program(path) && !is_script(path))
}

/// The programs in a folder whose names are those of Pythons.
fn pythons_in(folder: &Path) -> Vec<PathBuf> {
    programs_in(folder, is_pythons_name)
}

/// `python3`, `python3.6` and up, `pypy3`, `pypy3.10`; not `python3-config`, not
/// `python3.13t`, whose version would be taken for 3.13's.
fn is_pythons_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("python3").or_else(|| name.strip_prefix("pypy3")) else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix('.')
            .and_then(|minor| minor.parse::<u32>().ok())
            .is_some_and(|minor| (3, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// A folder with these files in it; a text that starts with `->` is a link.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("->") {
                Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                None => {
                    fs::write(&path, text).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
        root
    }

    /// The candidates' paths below the tree's root, with their places.
    fn search(root: &tempfile::TempDir, path: &[&str]) -> Vec<(String, usize)> {
        let root = root.path().canonicalize().unwrap();
        let path = std::env::join_paths(path.iter().map(|folder| root.join(folder))).unwrap();
        candidates(Some(&path), Some(&root.join("pyenv")))
            .into_iter()
            .map(|found| (found.path.strip_prefix(&root).unwrap().display().to_string(), found.place))
            .collect()
    }

    #[test]
    fn one_program_of_many_names_is_one_candidate() {
        let root = tree(&[
            ("bin/python3.11", "\x7fELF"),
            ("bin/python3", "->python3.11"),
            ("venv/bin/python3", "->../../bin/python3"),
            ("bin/python3-config", "\x7fELF"),
        ]);
        assert_eq!(search(&root, &["venv/bin", "bin"]), [("bin/python3.11".to_owned(), 0)]);
    }

    #[test]
    fn shims_stand_for_what_pyenv_has_installed() {
        let root = tree(&[
            ("pyenv/shims/python3", "#!/bin/sh"),
            ("pyenv/versions/3.6.15/bin/python3.6", "\x7fELF"),
            ("bin/python3.11", "\x7fELF"),
        ]);
        let pyenv = "pyenv/versions/3.6.15/bin/python3.6".to_owned();
        let own = "bin/python3.11".to_owned();
        assert_eq!(search(&root, &["pyenv/shims", "bin"]), [(pyenv.clone(), 0), (own.clone(), 1)]);
        assert_eq!(search(&root, &["bin"]), [(own, 0), (pyenv, 1)]);
    }

    #[test]
    fn names_of_pythons() {
        for name in ["python3", "python3.6", "python3.14", "pypy3", "pypy3.10"] {
            assert!(is_pythons_name(name), "{name}");
        }
        for name in ["python", "python2.7", "python3.5", "python3.13t", "python3-config", "python3.11-gdb.py"]
        {
            assert!(!is_pythons_name(name), "{name}");
        }
    }
}
