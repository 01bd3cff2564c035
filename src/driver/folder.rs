//! Programs in folders, for the searches for runtimes.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A folder's entries, sorted; none if it can't be read.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The programs of such names in a folder, behind all links. Scripts are passed over: they are
/// wrappers, and what they lead to is found where it lives.
pub(super) fn programs_in(folder: &Path, is_name: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(&is_name))
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| is_program(path) && !is_script(path))
        .collect()
}

pub(super) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

pub(super) fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}
