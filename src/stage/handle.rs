//! The runner's side: starts a stage, gives it cases, takes transcripts.

use std::{
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::{fs::FileExt, net::UnixStream},
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use super::{Fault, Measures, Plan, frames::Frames, request::Sent, serve::Response};
use crate::{observe, outcome::Transcript};

/// So few cases keep a stage busy until the next ones reach it.
const FEW: usize = 8;

/// Tells a re-executed binary to be a stage; its value is the options in JSON.
pub(super) const STAGE_VARIABLE: &str = "PIPELAB_STAGE";

/// What keeps a case's processes and files together, so that none stays behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Containment {
    /// Namespaces where they can be had, else as `Subreaper`.
    #[default]
    Namespaces,
    /// Keeper and stage clean up for each other.
    Subreaper,
    /// Nothing does. Only for the test that shows that something must.
    Nothing,
}

/// How a stage is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Options {
    pub containment: Containment,
    /// How much of /proc to read.
    pub access: observe::Access,
    /// Every case has processes of its own, even where clean ones stand ready.
    pub fresh: bool,
    /// What isn't looked at when an actor is shown clean. Only for the tests that show
    /// that all must be.
    pub unchecked: Vec<observe::Check>,
    /// What a kernel worker carries isn't waited for. Only for the test that shows that it
    /// must be.
    pub unflushed: bool,
    /// Every program is traced, not only those whose scenario asks for it.
    pub trace: bool,
    /// As if nobody might be traced.
    pub refuse_trace: bool,
    /// The CPU that the stage and its scripted actors are pinned to.
    pub cpu: Option<usize>,
    /// The binary to start, which calls [`super::become_stage_if_asked`]; by
    /// default, this one.
    #[serde(skip)]
    pub program: Option<PathBuf>,
}

/// What a stage is told at its start.
#[derive(Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) options: Options,
    /// Where it keeps its files if it can't have a tmpfs of its own. The runner
    /// names it, so that whoever is left can remove it.
    pub(super) dir: PathBuf,
}

/// A running stage. It ends when this is dropped.
#[derive(Debug)]
pub struct Handle {
    frames: Option<Frames>,
    sent: Sent,
    /// Cases that were sent and have no answer yet.
    under_way: usize,
    /// Cases that were submitted and not sent.
    waiting: usize,
    /// Cases that were answered.
    answered: u64,
    /// Where the stage says which one it plays.
    progress: File,
    lost_at: usize,
    keeper: Child,
    measures: Measures,
    dir: PathBuf,
}

impl Handle {
    /// Starts a stage and waits until it is ready.
    ///
    /// # Errors
    /// The stage can't be started here.
    pub fn start(options: &Options) -> Result<Handle, Fault> {
        let fault = |error: io::Error| Fault::harness("starting the stage", error);
        let program = match &options.program {
            Some(program) => program.clone(),
            // Also when the file has been replaced or its path can't be walked.
            None => PathBuf::from("/proc/self/exe"),
        };
        let dir = fresh_dir().map_err(fault)?;
        let orders = Orders { options: options.clone(), dir: dir.clone() };
        let (ours, theirs) = UnixStream::pair().map_err(fault)?;
        let progress =
            memfd_create(c"progress", MFdFlags::MFD_CLOEXEC).map_err(|errno| fault(errno.into()))?;
        let progress = File::from(progress);
        let value = serde_json::to_string(&orders).map_err(|error| Fault::harness("options", error))?;
        let mut command = Command::new(program);
        command.env_clear().env(STAGE_VARIABLE, value);
        for name in ["TMPDIR", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let keeper = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(progress.try_clone().map_err(fault)?))
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(fault)?;
        // The command holds a copy of their end.
        drop(command);
        let mut handle = Handle {
            frames: Some(Frames::new(ours)),
            sent: Sent::default(),
            under_way: 0,
            waiting: 0,
            answered: 0,
            progress,
            lost_at: 0,
            keeper,
            measures: Measures::default(),
            dir,
        };
        match handle.response() {
            Ok(Some(Response::Ready(measures))) => handle.measures = measures,
            Ok(Some(_)) => {
                return Err(Fault::Harness { message: "the stage didn't say that it was ready".into() });
            }
            Ok(None) => {
                return Err(Fault::Harness {
                    message: "the stage ended before it was ready (a test harness must call \
                              pipelab::stage::become_stage_if_asked first in its main)"
                        .into(),
                });
            }
            Err(error) => return Err(fault(error)),
        }
        Ok(handle)
    }

    /// What the stage found out about the machine.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Plays one case.
    ///
    /// # Errors
    /// The case has no transcript: a driver or the harness failed.
    pub fn play(&mut self, plan: &Plan) -> Result<Transcript, Fault> {
        self.submit(plan)?;
        self.next()
    }

    /// Hands a case over. Several may be under way; they are played in their order.
    ///
    /// # Errors
    /// The stage is gone.
    pub fn submit(&mut self, plan: &Plan) -> Result<(), Fault> {
        let frames = self.frames.as_mut().expect("open until it is dropped");
        let request = self.sent.request(plan);
        frames.push(&request).map_err(|error| Fault::harness("talking to the stage", error))?;
        self.waiting += 1;
        Ok(())
    }

    /// Waits for the oldest case that was submitted and not yet taken.
    ///
    /// # Errors
    /// The case has no transcript: a driver or the harness failed.
    #[expect(clippy::should_implement_trait, reason = "it isn't an iterator: there is no end")]
    pub fn next(&mut self) -> Result<Transcript, Fault> {
        let response = self.response();
        match &response {
            Ok(Some(_)) => self.answered += 1,
            Ok(None) | Err(_) => self.lost_at = self.begun().saturating_sub(self.answered) as usize,
        }
        match response {
            Ok(Some(Response::Played(transcript))) => Ok(transcript),
            Ok(Some(Response::Failed(fault))) => Err(fault),
            Ok(Some(Response::Ready(_))) => Err(Fault::Harness { message: "the stage started over".into() }),
            Ok(None) => Err(Fault::Harness { message: "the stage ended in the middle of a case".into() }),
            Err(error) => Err(Fault::harness("talking to the stage", error)),
        }
    }

    /// After a fault of [`Handle::next`]: which of the cases without an answer was
    /// being played, from 0, the oldest. A stage that ends may have played some whose
    /// answers never came.
    pub fn lost_at(&self) -> usize {
        self.lost_at
    }

    /// The number of the case that the stage began last.
    fn begun(&self) -> u64 {
        let mut number = [0; 8];
        self.progress.read_exact_at(&mut number, 0).map_or(0, |()| u64::from_le_bytes(number))
    }

    fn response(&mut self) -> io::Result<Option<Response>> {
        let frames = self.frames.as_mut().expect("open until it is dropped");
        loop {
            if let Some(response) = frames.take()? {
                self.under_way = self.under_way.saturating_sub(1);
                return Ok(Some(response));
            }
            // Several go together, and go before the stage has nothing to do.
            if self.under_way <= FEW {
                frames.send_some()?;
                self.under_way += std::mem::take(&mut self.waiting);
            }
            if !frames.receive()? {
                return Ok(None);
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.frames = None;
        // Where SIGCHLD is ignored there is nothing to wait for, which is fine.
        let _ = self.keeper.wait();
        // Only a stage without a tmpfs makes it, and only one that was killed
        // together with its keeper leaves it.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A name under TMPDIR that nobody has; the stage makes the directory if it
/// needs it.
fn fresh_dir() -> io::Result<PathBuf> {
    let mut random = [0; 8];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
    Ok(std::env::temp_dir().join(format!("pipelab-{:016x}", u64::from_ne_bytes(random))))
}
