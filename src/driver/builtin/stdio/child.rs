//! Programs as C starts them: pipe(2), fork(2), execve(2), fdopen(3) and waitpid(2), or, in
//! the mode `popen`, popen(3) and pclose(3).

use std::{ffi::CString, os::fd::RawFd, ptr};

use libc::FILE;
use nix::errno::Errno;

use super::{Reply, Stdio, failed};
use crate::{
    driver::builtin::{Spawn, close_on_exec, misused, silence},
    outcome::{self, signal_name},
    stage::Std,
};

/// The mode, and the way of starting programs.
pub(super) const POPEN: &str = "popen";

/// A program that was started and not waited for.
#[derive(Clone, Copy)]
pub(super) struct Started {
    pid: i32,
    /// By popen(3): the stream, which pclose(3) closes.
    popen: Option<*mut FILE>,
}

/// All that exec needs, made before the fork.
struct Program {
    words: Vec<CString>,
    env: Vec<CString>,
}

impl Stdio {
    pub(super) fn spawn(&mut self, spawn: &Spawn<'_>) -> Reply {
        if self.children.contains_key(spawn.child) {
            return misused(format!("{} was started already", spawn.child));
        }
        let c_strings = |words: &[String]| words.iter().map(|word| CString::new(word.as_str())).collect();
        let (Ok(words), Ok(env)) = (c_strings(spawn.words), c_strings(spawn.env)) else {
            return failed(Errno::EINVAL, None, 0, vec![]);
        };
        close_on_exec();
        let program = Program { words, env };
        let started =
            if self.mode.name == POPEN { self.popen(spawn, &program) } else { self.fork(spawn, &program) };
        match started {
            Ok((pid, made)) => Reply::Said { bytes: Some(pid as u64), made, words: vec![], data: vec![] },
            Err(reply) => reply,
        }
    }

    /// pipe(2), fork(2), execve(2), fdopen(3).
    fn fork(&mut self, spawn: &Spawn<'_>, program: &Program) -> Result<(i32, Vec<RawFd>), Reply> {
        let refused = |errno| failed(errno, None, 0, vec![]);
        // Per stream: the child's end, and ours.
        let mut pipes: [Option<[RawFd; 2]>; 3] = [None; 3];
        for ((stream, stdio), pipe) in Std::ALL.iter().zip(spawn.streams).zip(&mut pipes) {
            if stdio != outcome::Stdio::Pipe {
                continue;
            }
            let mut ends = [0; 2];
            // SAFETY: the kernel writes two descriptors. Both close on exec, as C programs
            // have it that start more than one child.
            let made = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
            Errno::result(made).map_err(refused)?;
            let [read, write] = ends;
            *pipe = Some(if *stream == Std::In { [read, write] } else { [write, read] });
        }
        // SAFETY: this process has one thread.
        let pid = Errno::result(unsafe { libc::fork() }).map_err(refused)?;
        if pid == 0 {
            become_program(&pipes, spawn.streams[2] == outcome::Stdio::Stdout, program)
        }
        let mut made = Vec::new();
        for (stream, pipe) in Std::ALL.into_iter().zip(pipes) {
            let Some([theirs, ours]) = pipe else { continue };
            let (mode, writes) = if stream == Std::In { (c"w", true) } else { (c"r", false) };
            // SAFETY: fresh descriptors that nothing else owns, and a literal.
            let file = unsafe {
                libc::close(theirs);
                libc::fdopen(ours, mode.as_ptr())
            };
            if file.is_null() {
                return Err(refused(Errno::last()));
            }
            let stream = (format!("{}.{}", spawn.child, stream.name()), self.stream(file, writes));
            self.open.insert(stream.0, stream.1);
            made.push(ours);
        }
        self.children.insert(spawn.child.to_owned(), Started { pid, popen: None });
        Ok((pid, made))
    }

    /// popen(3), with the words as a shell takes them.
    fn popen(&mut self, spawn: &Spawn<'_>, program: &Program) -> Result<(i32, Vec<RawFd>), Reply> {
        use outcome::Stdio::{Inherit, Pipe, Stdout};
        let [stdin, stdout, stderr] = spawn.streams;
        let (mode, writes, name) = match (stdin, stdout, stderr) {
            (Pipe, Inherit, Inherit | Stdout) => (c"w", true, "stdin"),
            (Inherit, Pipe, Inherit | Stdout) => (c"r", false, "stdout"),
            _ => return Err(misused("popen(3) makes one pipe: of stdin, or of stdout".to_owned())),
        };
        let quoted: Vec<String> =
            spawn.words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        let mut command = quoted.join(" ");
        if stderr == Stdout {
            command.push_str(" 2>&1");
        }
        let command = CString::new(command).map_err(|_| failed(Errno::EINVAL, None, 0, vec![]))?;
        let before = children();
        // SAFETY: this process has one thread. The strings are copied by putenv's caller: a
        // C program's environment, which it keeps.
        unsafe {
            libc::clearenv();
            for variable in &program.env {
                libc::putenv(variable.clone().into_raw());
            }
        }
        // SAFETY: two C strings that outlive the call.
        let file = unsafe { libc::popen(command.as_ptr(), mode.as_ptr()) };
        if file.is_null() {
            return Err(failed(Errno::last(), None, 0, vec![]));
        }
        let Some(pid) = children().into_iter().find(|pid| !before.contains(pid)) else {
            return Err(misused("the program that popen(3) started isn't listed".to_owned()));
        };
        // SAFETY: the stream is open.
        let fd = unsafe { libc::fileno(file) };
        let stream = self.stream(file, writes);
        self.open.insert(format!("{}.{name}", spawn.child), stream);
        self.children.insert(spawn.child.to_owned(), Started { pid, popen: Some(file) });
        Ok((pid, vec![fd]))
    }

    /// waitpid(2), or pclose(3).
    pub(super) fn wait(&mut self, name: &str, nonblock: bool) -> Reply {
        let Some(&Started { pid, popen }) = self.children.get(name) else {
            return misused(format!("{name} wasn't started, or was waited for"));
        };
        let mut status = 0;
        let waited = match popen {
            Some(_) if nonblock => return misused("pclose(3) always waits".to_owned()),
            Some(file) => {
                let kept = self.open.extract_if(|_, stream| stream.file == file).next();
                // SAFETY: the stream is open, and was forgotten just now; its buffer is
                // dropped after the call.
                status = unsafe { libc::pclose(file) };
                drop(kept);
                status
            }
            // SAFETY: the kernel writes one int.
            None => unsafe { libc::waitpid(pid, &mut status, if nonblock { libc::WNOHANG } else { 0 }) },
        };
        let words = match Errno::result(waited) {
            Err(errno) => return failed(errno, None, 0, vec![]),
            Ok(0) if popen.is_none() => vec!["running".to_owned()],
            Ok(_) => {
                self.children.remove(name);
                ended(status)
            }
        };
        Reply::Said { bytes: None, made: vec![], words, data: vec![] }
    }

    /// Its stream isn't to be closed by fclose(3).
    pub(super) fn is_of_popen(&self, file: *mut FILE) -> bool {
        self.children.values().any(|started| started.popen == Some(file))
    }

    /// None is left running, nor to be waited for.
    pub(super) fn end_children(&mut self) {
        for (_, Started { pid, popen }) in self.children.drain() {
            // SAFETY: a child that hasn't been waited for; of popen(3), an open stream.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                match popen {
                    Some(file) => {
                        silence(libc::fileno(file));
                        libc::pclose(file);
                        self.open.retain(|_, stream| stream.file != file);
                    }
                    None => {
                        while libc::waitpid(pid, ptr::null_mut(), 0) < 0 && Errno::last() == Errno::EINTR {}
                    }
                }
            }
        }
    }
}

/// The child's side of the fork.
fn become_program(pipes: &[Option<[RawFd; 2]>; 3], merged: bool, program: &Program) -> ! {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
    };
    let (words, env) = (pointers(&program.words), pointers(&program.env));
    // SAFETY: numbers, and lists of C strings that end in a null pointer. Doesn't return.
    unsafe {
        for (fd, pipe) in (0..).zip(pipes) {
            if let Some([theirs, _]) = pipe {
                libc::dup2(*theirs, fd);
            }
        }
        if merged {
            libc::dup2(1, 2);
        }
        libc::execve(words[0], words.as_ptr(), env.as_ptr());
        libc::_exit(127)
    }
}

/// In the wire's words and in those of wait(2).
fn ended(status: i32) -> Vec<String> {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        return vec![format!("killed={}", signal_name(signal)), format!("WTERMSIG={signal}")];
    }
    let code = libc::WEXITSTATUS(status);
    vec![format!("exited={code}"), format!("WEXITSTATUS={code}")]
}

/// The processes that this one has started (proc_tid_children(5)).
fn children() -> Vec<i32> {
    let text = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
