//! The binary `bursar`: hands its arguments to the library, and the library's answer to the shell.

use std::process::ExitCode;

use bursar_server::{
    cli::{self, Cli, CliError, Context},
    output::Output,
};
use clap::Parser as _;

fn main() -> ExitCode {
    let Cli { config, json, command } = Cli::parse();
    let context = Context::of_process(config, Output::of_process(json));
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
