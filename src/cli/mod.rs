//! The command line, one command a file.

mod absorb;
mod drivers;
mod emit;
mod explain;
mod fuzz;
mod judge;
mod policy;
mod run;
mod sweep;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    report::exit,
    runner::{Found, LoadError, find},
    scenario::Overrides,
    setting::surroundings,
    stage::{Fault, Options},
};

/// Shows exactly what happens to bytes and errors when one end of a FIFO goes
/// away, fills up, comes back or just sits there.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_STATUSES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUSES: &str = "\
Exit status: 0 all as expected; 1 something differs or is stuck; 2 a mistake in a scenario or on the
command line; 3 pipelab, a driver or the machine failed; 4 nothing differs, but a case is in no
snapshot or none could be played.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Play scenarios and compare what happens with their expectations and snapshots
    Run(run::Run),
    Explain(explain::Explain),
    /// Play random scripts, and hold what the kernel or a runtime's buffered writer does against its model
    Fuzz(fuzz::Fuzz),
    Judge(judge::Judge),
    Sweep(sweep::Sweep),
    /// List the drivers, their modes, the versions found here, and what is missing
    Drivers(drivers::Drivers),
    Policy(policy::Policy),
    Emit(emit::Emit),
    Absorb(absorb::Absorb),
}

/// In a program's environment: this binary is to be `pipelab` to it, whatever else it is,
/// and whether SIGPIPE is ignored (`ignore`), which Rust's start has overwritten.
pub(crate) const TOOL_VARIABLE: &str = "PIPELAB_TOOL";
pub(crate) const IGNORES: &str = "ignore";

/// Runs one of the commands that are programs of a scenario, whatever binary this is.
pub(crate) fn tool() -> u8 {
    surroundings::reset_signals();
    surroundings::ignore_sigpipe(true);
    match Cli::parse().command {
        Command::Emit(emit) => emit.main(),
        Command::Absorb(absorb) => absorb.main(),
        _ => {
            eprintln!("pipelab: a scenario's programs are `pipelab emit` and `pipelab absorb`");
            exit::MISTAKE
        }
    }
}

/// What a program of a scenario may have as its buffer, in bytes.
const LARGEST_BUFFER: u64 = 1 << 30;

/// The program's own name (prctl(2), PR_SET_NAME).
fn rename(name: &std::ffi::CStr) {
    // A convenience.
    let _ = nix::sys::prctl::set_name(name);
}

/// Ignores signals; SIGPIPE too, if this process was started so.
fn ignore(signals: &[nix::sys::signal::Signal]) {
    let started_so = std::env::var_os(TOOL_VARIABLE).is_some_and(|value| value == IGNORES);
    signals.iter().for_each(|signal| surroundings::ignore(*signal as i32));
    surroundings::ignore_sigpipe(started_so);
}

/// Why a command ended without results.
enum Failure {
    /// The user's mistake, as a text for the user.
    Mistake(String),
    Fault(Fault),
    Output(io::Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::Fault(fault)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

/// The program.
pub fn main() -> ExitCode {
    // A caller may leave SIGCHLD ignored, or signals blocked.
    surroundings::reset_signals();
    surroundings::ignore_sigpipe(true);
    let cli = Cli::parse();
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    let result = match cli.command {
        Command::Run(run) => run.main(&mut out),
        Command::Explain(explain) => explain.main(&mut out),
        Command::Judge(judge) => judge.main(&mut out),
        Command::Fuzz(fuzz) => fuzz.main(&mut out),
        Command::Sweep(sweep) => sweep.main(&mut out),
        Command::Drivers(drivers) => drivers.main(&mut out),
        Command::Policy(policy) => policy.main(&mut out),
        Command::Emit(emit) => return ExitCode::from(emit.main()),
        Command::Absorb(absorb) => return ExitCode::from(absorb.main()),
    };
    match result.and_then(|status| Ok(out.flush().map(|()| status)?)) {
        Ok(status) => ExitCode::from(status),
        Err(Failure::Mistake(text)) => {
            anstream::eprintln!("{}", text.trim_end());
            ExitCode::from(exit::MISTAKE)
        }
        Err(Failure::Fault(fault)) => {
            anstream::eprintln!("pipelab: {fault}");
            ExitCode::from(exit::FAULT)
        }
        // Our reader has left: it has seen what it wanted.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(exit::FAULT)
        }
        Err(Failure::Output(error)) => {
            anstream::eprintln!("pipelab: standard output: {error}");
            ExitCode::from(exit::FAULT)
        }
    }
}

/// How many stages play: as many as asked for, or one a CPU that pipelab may use.
fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// The scenarios that paths name.
fn found(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    find(paths).map_err(|(path, error)| Failure::Mistake(format!("pipelab: {}: {error}", path.display())))
}

/// What `--set` says over the files.
fn overrides(set: &[String]) -> Result<Overrides, Failure> {
    let mut overrides = Overrides::default();
    for text in set {
        overrides.set(text).map_err(|why| Failure::Mistake(format!("--set {why}")))?;
    }
    Ok(overrides)
}

/// The mistakes of scenarios, as they are shown.
fn mistakes(errors: Vec<LoadError>) -> Failure {
    let styled = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let texts: Vec<String> = errors
        .iter()
        .map(|error| match error {
            LoadError::Mistakes(problems) => problems.render(styled),
            LoadError::File { path, error } => format!("pipelab: {}: {error}", path.display()),
        })
        .collect();
    Failure::Mistake(texts.join("\n\n"))
}

/// How stages are made; all but the first for pipelab's own tests.
#[derive(Debug, clap::Args)]
struct StageArgs {
    /// Play every case with processes of its own, even where clean ones stand ready
    #[arg(long)]
    fresh: bool,
    /// What keeps processes and files together: namespaces, subreaper, nothing
    #[arg(long, hide = true, default_value = "namespaces", value_parser = containment)]
    containment: crate::stage::Containment,
    /// See every program's calls on the case's channels (ptrace), also where its scenario doesn't
    /// ask for it; verdicts and snapshots stay as they are
    #[arg(long)]
    trace: bool,
    /// Do as if no process might be traced
    #[arg(long, hide = true)]
    refuse_trace: bool,
    /// Do as if /proc/PID/syscall couldn't be read
    #[arg(long, hide = true)]
    refuse_syscall: bool,
}

fn containment(name: &str) -> Result<crate::stage::Containment, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
}

impl StageArgs {
    fn options(&self) -> Options {
        let access =
            if self.refuse_syscall { crate::observe::Access::NoSyscall } else { crate::observe::Access::All };
        Options {
            containment: self.containment,
            access,
            fresh: self.fresh,
            trace: self.trace,
            refuse_trace: self.refuse_trace,
            ..Options::default()
        }
    }
}
