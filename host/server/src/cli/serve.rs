//! `bursar serve`: its arguments, and the beginning of the log.

use std::sync::Arc;

use clap::Args;

use super::{CliError, Context};
use crate::{logging, serve};

/// Arguments of `bursar serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
It stops on SIGTERM and on Ctrl-C: it takes no more requests, waits for what is under way as long as \
`server.drain` says, and ends. Whatever is left is taken up at the next start.

Example: bursar --config /etc/bursar/bursar.toml serve")]
pub struct ServeArgs {}

/// Serves until told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(context: &Context, _: &ServeArgs) -> Result<(), CliError> {
    let config = context.load_config()?;
    logging::start(config.log, &context.environment)?;
    Ok(serve::serve(config, Arc::clone(&context.clock), context.compiler.clone()).await?)
}
