//! `bursar serve`: its arguments.

use clap::Args;

/// Arguments of `bursar serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
It stops on SIGTERM and on Ctrl-C: it takes no more requests, waits for what is under way as long as \
`server.drain` says, and ends. Whatever is left is taken up at the next start.

Example: bursar --config /etc/bursar/bursar.toml serve")]
pub struct ServeArgs {}
