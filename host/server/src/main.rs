//! The binary `bursar`: hands its arguments to the library, and the library's answer to the shell.

use std::{path::Path, process::ExitCode};

use bursar_sandbox::CompilerProcess;
use bursar_server::{
    cli::{self, Cli, CliError, Context},
    output::Output,
};
use clap::Parser as _;

/// The first argument of a process that compiles one adapter and does nothing else. People never type it.
const COMPILER: &str = "compile-adapter";

/// This program, whatever has become of its file since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

fn main() -> ExitCode {
    if let [first, job] = std::env::args().skip(1).collect::<Vec<_>>().as_slice()
        && first == COMPILER
    {
        return bursar_sandbox::compile_from_input(job, std::io::stdin());
    }
    let Cli { config, json, command } = Cli::parse();
    let context = Context::of_process(config, Output::of_process(json), compiler());
    // Fails where a provider has been chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = tokio::runtime::Runtime::new()
        .map_err(|error| CliError::failed(format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(cli::run(&context, &command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// This program again, with limits that the system enforces; none where it cannot be found.
fn compiler() -> Option<CompilerProcess> {
    let program = Some(Path::new(THIS_PROGRAM)).filter(|program| program.exists()).map(Path::to_owned);
    let program = program.or_else(|| std::env::current_exe().ok())?;
    Some(CompilerProcess { program, arguments: vec![COMPILER.into()] })
}
