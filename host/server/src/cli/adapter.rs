//! `bursar adapter`: its arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be asked of adapters.
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Show what an adapter is: platform, version, topics, secrets, settings, and the permissions it needs.
    Inspect(InspectArgs),
    /// List the adapters of the configured directory, and the shops that use them.
    List(ListArgs),
}

/// Arguments of `bursar adapter inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Permissions are read from the file's imports before any of it runs. The SHA-256 shown is the one for a shop's `pin`.

Example: bursar adapter inspect adapters/woocommerce.wasm")]
pub struct InspectArgs {
    /// The adapter's `.wasm` file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `bursar adapter list`.
#[derive(Debug, Args)]
#[command(after_help = "Example: bursar adapter list")]
pub struct ListArgs {}
