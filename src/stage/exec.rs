//! What a forked process turns into: a driver of this binary, or a program.

use std::{ffi::CString, io, path::Path};

use nix::unistd::{AccessFlags, access};

use super::{
    Launch, PlannedActor,
    shepherd::{Shepherd, Trace},
};
use crate::{
    driver::builtin::Driver,
    setting::{Setting, Sigpipe, surroundings},
};

/// Made ready before the fork.
pub(super) enum Exec {
    BuiltIn {
        driver: Driver,
        /// Empty if it needn't greet.
        greeting: Vec<u8>,
    },
    Program {
        path: CString,
        args: Vec<CString>,
        env: Vec<CString>,
        pinned: bool,
    },
    Shepherd(Shepherd),
}

impl Exec {
    /// A built-in driver, if there is one of this name. `greets`: it says when it has started.
    pub(super) fn built_in(name: &str, mode: &[String], greets: bool) -> Option<Self> {
        let driver = Driver::of(name, mode)?;
        let greeting = if greets { driver.hello().encode() } else { Vec::new() };
        Some(Exec::BuiltIn { driver, greeting })
    }

    /// A program. `trace`: what is seen of it, if it is no driver.
    ///
    /// # Errors
    /// There is no such program, or its words can't be given to it.
    pub(super) fn program(
        planned: &PlannedActor,
        setting: &Setting,
        trace: Option<Trace>,
    ) -> io::Result<Self> {
        match &*planned.launch {
            Launch::BuiltIn(_) => Err(io::Error::other("it is no program")),
            Launch::Command(command) => Ok(Exec::Shepherd(Shepherd::new(command, trace)?)),
            Launch::Child(_) => Err(io::Error::other("another actor starts it")),
            Launch::Program { command, env, pinned } => {
                let c_string = |text: &str| CString::new(text).map_err(io::Error::other);
                let program = command.first().ok_or_else(|| io::Error::other("it is empty"))?;
                let path = c_string(&look_up(program, env)?)?;
                let mut args = command
                    .iter()
                    .chain(&planned.mode)
                    .map(|word| c_string(word))
                    .collect::<io::Result<Vec<_>>>()?;
                if setting.sigpipe == Sigpipe::Default && planned.ignores_sigpipe {
                    // Only the driver can undo what its runtime does after exec.
                    args.push(c"sigpipe=default".to_owned());
                }
                let env = env
                    .iter()
                    .map(|(name, value)| c_string(&format!("{name}={value}")))
                    .collect::<io::Result<Vec<_>>>()?;
                Ok(Exec::Program { path, args, env, pinned: *pinned })
            }
        }
    }

    /// Becomes it, in a process with the surroundings of an actor.
    // SAFETY: with the rest of what an actor runs (see `wire::Answer::encode_to`).
    #[unsafe(link_section = "pipelab_actor")]
    pub(super) fn run(&mut self) -> ! {
        match self {
            Exec::BuiltIn { driver, greeting } => {
                let _ended = EndsHere;
                driver.serve(greeting)
            }
            Exec::Shepherd(shepherd) => {
                let _ended = EndsHere;
                shepherd.run()
            }
            Exec::Program { path, args, env, pinned } => {
                if !*pinned {
                    surroundings::unpin();
                }
                let Err(error) = nix::unistd::execve(path, args, env);
                complain(&format!("{}: {}", path.to_string_lossy(), error.desc()))
            }
        }
    }
}

/// Nothing that panics may unwind past this, into the copy of the stage: that would kill
/// the other actors.
pub(super) struct EndsHere;

impl Drop for EndsHere {
    fn drop(&mut self) {
        complain("the driver panicked")
    }
}

/// Where a program is, by the `PATH` that it will have: the stage has none.
pub(super) fn look_up(program: &str, env: &[(String, String)]) -> io::Result<String> {
    if program.contains('/') {
        return Ok(program.to_owned());
    }
    let path = env.iter().find(|(name, _)| name == "PATH").map_or("/usr/bin:/bin", |(_, path)| path);
    let is_program = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
        .map(|path| path.to_string_lossy().into_owned())
        .ok_or_else(|| io::Error::other(format!("`{program}` isn't on PATH ({path})")))
}

/// Last words of a child that couldn't become an actor, on its standard error.
pub(super) fn complain(message: &str) -> ! {
    // SAFETY: the slice is readable; _exit doesn't return.
    unsafe {
        libc::write(2, message.as_ptr().cast(), message.len());
        libc::_exit(127)
    }
}
