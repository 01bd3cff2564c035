//! The `pipelab` command.

fn main() -> std::process::ExitCode {
    pipelab::stage::become_stage_if_asked();
    pipelab::cli::main()
}
