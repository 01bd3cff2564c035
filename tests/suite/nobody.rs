//! Runs as the user nobody, who gets at nothing but what lies ready for all.

use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{User, geteuid};

use crate::{
    lab::{command, copy_program},
    support::output,
};

/// A folder for all, with the program in it.
pub struct Nobody {
    dir: tempfile::TempDir,
    user: User,
}

impl Nobody {
    /// `None`, aloud, for whoever can't become another user.
    pub fn new() -> Option<Nobody> {
        if !geteuid().is_root() {
            eprintln!("SKIPPED: only root can become another user");
            return None;
        }
        let user = User::from_name("nobody").ok().flatten().expect("every system has the user nobody");
        // The binary may be where nobody gets.
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("chmod");
        copy_program(&dir.path().join("pipelab"));
        Some(Nobody { dir, user })
    }

    /// Puts a file, or a folder with all that is in it, here.
    pub fn put(&self, from: &Path, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(to.parent().expect("it has one")).expect("a directory");
        let run = |program: &str, words: &[&Path]| {
            assert!(output(Command::new(program).args(words)).expect("coreutils").status.success());
        };
        run("cp", &["-r".as_ref(), from, &to]);
        run("chmod", &["-R".as_ref(), "a+rX".as_ref(), self.dir.path()]);
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The program, as the user who runs the tests.
    pub fn as_root(&self, words: &[&str]) -> Command {
        let mut command = command(&self.path("pipelab"), self.dir.path(), words);
        command.env("TMPDIR", "/tmp").env_remove("PIPELAB_STAGE");
        command
    }

    /// The same as nobody.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.as_root(words);
        command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        command
    }
}
