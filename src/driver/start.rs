//! Starts a driver that is a program of its own, outside any stage: to ask what
//! it is, and to test it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::{
        fd::AsRawFd,
        unix::{fs::FileExt, net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::environment;
use crate::wire::{CONTROL_FD, Hello};

/// How long a program may take to greet before it counts as broken. Nothing is
/// measured by it: a driver greets within 50 ms or doesn't at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest greeting that is read.
const LONGEST: u64 = 4096;

/// A driver that has greeted. It is killed and reaped when this is dropped.
#[derive(Debug)]
pub struct Started {
    /// What it said.
    pub greeting: Hello,
    /// Our end of the conversation, read up to the greeting's line feed.
    pub control: BufReader<UnixStream>,
    process: Process,
}

impl Started {
    /// Runs `command` with the words of a mode and waits for its greeting.
    ///
    /// # Errors
    /// Why there is none, in a line for people: what the system said, the last
    /// line of the program's standard error, or what is wrong with the greeting.
    pub fn new(command: &[String], mode: &[&str]) -> Result<Started, String> {
        let (program, arguments) = command.split_first().ok_or("no command")?;
        let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
        // A file in memory, not a pipe: it can't fill up, and nothing that the
        // program left running can keep its end of file from us.
        let stderr =
            File::from(memfd_create("stderr", MFdFlags::MFD_CLOEXEC).map_err(|error| error.to_string())?);
        let child = {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .args(mode)
                .env_clear()
                .envs(environment())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(stderr.try_clone().map_err(|error| error.to_string())?);
            let fd = theirs.as_raw_fd();
            // SAFETY: between fork and exec the closure makes nothing but two
            // system calls that are async-signal-safe (signal-safety(7)), on
            // a descriptor that `theirs` keeps open beyond `spawn`.
            unsafe { command.pre_exec(move || become_control(fd)) };
            command.spawn().map_err(|error| error.to_string())?
        };
        drop(theirs);
        let mut process = Process { child, stderr };
        ours.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let mut control = BufReader::new(ours);
        let mut line = Vec::new();
        match control.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(format!("it gave no greeting within {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
            Ok(0) => return Err(process.last_words()),
            Ok(_) => {}
        }
        control.get_ref().set_read_timeout(None).map_err(|error| error.to_string())?;
        let greeting = Hello::decode(&String::from_utf8_lossy(&line)).map_err(|error| error.to_string())?;
        Ok(Started { greeting, control, process })
    }

    /// The program that greeted: another than the one that was started if that
    /// was a wrapper and gave way to it with execve(2).
    ///
    /// # Errors
    /// As for readlink(2) of `/proc/PID/exe`.
    pub fn program(&self) -> io::Result<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.process.child.id()))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// As for readdir(3) of `/proc/PID/fd`.
    pub fn descriptors(&self) -> io::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.process.child.id()))?.count())
    }

    /// Waits for the end of the process and gives its status.
    ///
    /// # Errors
    /// As for wait(2).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.child.wait()
    }

    /// What the process has written to standard error so far.
    ///
    /// # Errors
    /// As for read(2).
    pub fn stderr(&self) -> io::Result<String> {
        self.process.stderr()
    }
}

/// Makes `fd` the control descriptor of the program that is about to be executed.
///
/// The library has an error pipe open across exec, possibly under this very
/// number. If so, a failed exec is told to us over the control socket, as a
/// greeting that isn't one; a successful exec isn't affected.
fn become_control(fd: i32) -> io::Result<()> {
    // dup2(2) onto itself would leave FD_CLOEXEC as it is.
    // SAFETY: plain system calls on numbers.
    let done = unsafe {
        if fd == CONTROL_FD { libc::fcntl(fd, libc::F_SETFD, 0) } else { libc::dup2(fd, CONTROL_FD) }
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A process that doesn't outlive this value.
#[derive(Debug)]
struct Process {
    child: Child,
    stderr: File,
}

impl Process {
    fn stderr(&self) -> io::Result<String> {
        // By position, since the process writes at the offset that is shared.
        let mut said = vec![0; self.stderr.metadata()?.len() as usize];
        self.stderr.read_exact_at(&mut said, 0)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Why a process that hung up without a word may have done so.
    fn last_words(&mut self) -> String {
        let status = self.end();
        let said = self.stderr().unwrap_or_default();
        match (said.lines().rev().find(|line| !line.trim().is_empty()), status) {
            (Some(line), _) => line.trim().to_owned(),
            (None, Some(status)) => format!("it gave no greeting ({status})"),
            (None, None) => "it gave no greeting".to_owned(),
        }
    }

    /// Reaps the process, which may be killed for that.
    fn end(&mut self) -> Option<ExitStatus> {
        // An error means that it was reaped already.
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
