//! Plans written as sentences, and a stage to play them.

use std::{
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use nix::sys::signal::Signal;
use pipelab::{
    channel::Kind,
    outcome::{Access, Action, Amount, Call, Called, Transcript},
    setting::{Setting, Sigpipe},
    stage::{Condition, Fault, Handle, Launch, Options, Plan, PlannedActor, PlannedChannel, PlannedStep},
};

pub fn options() -> Options {
    Options { program: Some(PathBuf::from(env!("CARGO_BIN_EXE_pipelab"))), ..Options::default() }
}

/// Tests run in threads of one process, and what another thread forks has a copy of
/// every descriptor until it execs. A pipe's end that is closed in that moment isn't
/// the last one, and the other side doesn't notice. So whoever starts a process holds
/// `forking`, and whoever has a pipe in this process that must notice, `no_fork`.
static FORK: RwLock<()> = RwLock::new(());

/// Held while a process is started. Not to be taken by a thread that holds the other.
pub fn forking() -> RwLockWriteGuard<'static, ()> {
    FORK.write().unwrap_or_else(PoisonError::into_inner)
}

/// No process is between fork and exec while this is held.
pub fn no_fork() -> RwLockReadGuard<'static, ()> {
    FORK.read().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process while nobody minds.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _forking = forking();
    command.spawn()
}

/// Starts one and takes what it says, to its end.
pub fn output(command: &mut Command) -> io::Result<Output> {
    spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.wait_with_output()
}

pub fn stage() -> Handle {
    let _forking = forking();
    Handle::start(&options()).expect("the stage starts")
}

/// One FIFO named `log`, SIGPIPE ignored, actors added as they are named.
pub struct Script(Plan);

impl Script {
    pub fn new() -> Script {
        Script(Plan {
            channels: vec![PlannedChannel::declared("log", Kind::Fifo)].into(),
            actors: vec![].into(),
            steps: vec![],
            order: Default::default(),
            setting: Setting { sigpipe: Sigpipe::Ignore, ..Setting::default() }.into(),
        })
    }

    pub fn setting(mut self, setting: Setting) -> Script {
        self.0.setting = setting.into();
        self
    }

    /// An actor played by a built-in driver, `stdio:line` or `raw`.
    pub fn actor(mut self, name: &str, driver: &str) -> Script {
        let (driver, mode) = driver.split_once(':').unwrap_or((driver, ""));
        Arc::make_mut(&mut self.0.actors).push(PlannedActor {
            name: name.into(),
            launch: Launch::BuiltIn(driver.into()).into(),
            mode: mode.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            ignores_sigpipe: driver == "rust",
        });
        self
    }

    /// A handle that a call of the script makes.
    pub fn handle(mut self, name: &str, kind: Kind) -> Script {
        let handle = PlannedChannel { declared: false, ..PlannedChannel::declared(name, kind) };
        Arc::make_mut(&mut self.0.channels).push(handle);
        self
    }

    /// A system call as it stands in a script, sizes as numbers: `pipe r w`.
    pub fn call(self, actor: &str, call: &str) -> Script {
        let mut words = call.split_whitespace().map(str::to_owned);
        let name = words.next().expect("a call");
        let call = Call::named(&name).expect("a call of the table");
        self.step(actor, Action::Call(Called { call, words: words.collect() }))
    }

    pub fn step(mut self, actor: &str, action: Action) -> Script {
        let actor = self.0.actors.iter().position(|known| known.name == actor).expect("a known actor");
        let condition = Condition::Always;
        let step = PlannedStep { actor, action, condition, attempts: 1, joined: false };
        self.0.steps.push(step.into());
        self
    }

    pub fn open(self, actor: &str, access: Access) -> Script {
        self.step(actor, Action::Open { channel: 0, access, nonblock: false })
    }

    pub fn open_nonblock(self, actor: &str, access: Access) -> Script {
        self.step(actor, Action::Open { channel: 0, access, nonblock: true })
    }

    pub fn write(self, actor: &str, bytes: u64) -> Script {
        self.step(actor, Action::Write { channel: 0, bytes, wide: false, newline: false, pieces: None })
    }

    pub fn flush(self, actor: &str) -> Script {
        self.step(actor, Action::Flush { channel: 0 })
    }

    pub fn read(self, actor: &str, bytes: u64) -> Script {
        self.step(actor, Action::Read { channel: 0, amount: Amount::Bytes(bytes) })
    }

    pub fn drain(self, actor: &str) -> Script {
        self.step(actor, Action::Read { channel: 0, amount: Amount::Available })
    }

    pub fn read_to_eof(self, actor: &str) -> Script {
        self.step(actor, Action::Read { channel: 0, amount: Amount::ToEof })
    }

    pub fn close(self, actor: &str) -> Script {
        self.step(actor, Action::Close { channel: 0 })
    }

    pub fn kill(self, actor: &str) -> Script {
        self.step(actor, Action::Kill { signal: 9 })
    }

    pub fn plan(self) -> Plan {
        self.0
    }

    pub fn play(self, stage: &mut Handle) -> Result<Transcript, Fault> {
        stage.play(&self.0)
    }
}

/// A transcript in words, one line a record.
pub fn told(transcript: &Transcript) -> Vec<String> {
    (transcript.steps.iter())
        .map(|record| {
            let outcome = |outcome: &pipelab::outcome::Outcome| match outcome {
                pipelab::outcome::Outcome::Failed(failure) => failure.errno.clone(),
                pipelab::outcome::Outcome::Blocked { call }
                | pipelab::outcome::Outcome::Waiting { call }
                | pipelab::outcome::Outcome::Pending { call } => format!("{} in {call}", outcome.kind()),
                pipelab::outcome::Outcome::Killed { signal } => format!("killed {signal}"),
                other => match other.bytes() {
                    Some(bytes) if bytes > 0 => format!("{} {bytes}", other.kind()),
                    _ => other.kind().to_owned(),
                },
            };
            let then = match &record.resumed {
                Some(resumed) => format!(", by {}: {}", resumed.by, outcome(&resumed.outcome)),
                None => String::new(),
            };
            format!("{} {}: {}{then}", record.actor, record.verb.name(), outcome(&record.outcome))
        })
        .collect()
}

/// Processes that only burn CPU. They end with this value, and with the thread that
/// started them.
pub struct Hogs(Vec<Child>);

impl Hogs {
    pub fn start(count: usize) -> Hogs {
        let _forking = forking();
        let hog = || {
            let mut command = Command::new("sh");
            // SAFETY: a system call on numbers between fork and exec.
            unsafe { command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?)) };
            command.args(["-c", "while :; do :; done"]).spawn().expect("sh")
        };
        Hogs((0..count).map(|_| hog()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}
