//! The command line: what can be asked of `bursar`, and the way from an argument to an exit code.
//!
//! Owns arguments, help and exit codes. Each command has a file of its own with its arguments and, where it does
//! anything, a `run`. Nothing here prints except through [`crate::output`].

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

pub mod adapter;
pub mod catalog;
pub mod context;
pub mod deliveries;
pub mod doctor;
pub mod error;
pub mod init;
pub mod learner;
pub mod review;
pub mod serve;
pub mod webhook;

pub use self::{context::Context, error::CliError};

/// Commerce webhooks in, Open edX enrollments out.
#[derive(Debug, Parser)]
#[command(
    name = "bursar",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Exit codes: 0 done, 1 failed, 2 wrong configuration or usage.
Data goes to standard output, words to standard error.

To begin: bursar init, then bursar doctor, then bursar serve."
)]
pub struct Cli {
    /// The configuration; otherwise the variable BURSAR_CONFIG, otherwise ./bursar.toml.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options of every command")]
    pub config: Option<PathBuf>,
    /// Print data as JSON, for programs.
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked of `bursar`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive webhooks and keep enrollments right, until stopped.
    Serve(serve::ServeArgs),
    /// Begin: write a configuration, a webhook secret, and an empty store.
    Init(init::InitArgs),
    /// Check configuration, secrets, store, adapters and LMSs, and say what to mend.
    Doctor(doctor::DoctorArgs),
    /// Look at what shops sent, and have it run again.
    #[command(subcommand)]
    Deliveries(deliveries::DeliveriesCommand),
    /// Answer why somebody has, or has not, got a course.
    #[command(subcommand)]
    Learner(learner::LearnerCommand),
    /// See what needs a person.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Say which product sells which course.
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Look at adapters.
    #[command(subcommand)]
    Adapter(adapter::AdapterCommand),
    /// Send webhooks as a shop would, to try things out.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
}

/// Does what the command asks.
///
/// # Errors
/// When it could not be done; [`CliError::exit_code`] says how badly.
pub async fn run(context: &Context, command: &Command) -> Result<(), CliError> {
    use self::{
        adapter::AdapterCommand, catalog::CatalogCommand, deliveries::DeliveriesCommand, learner::LearnerCommand,
        review::ReviewCommand, webhook::WebhookCommand,
    };
    match command {
        Command::Init(args) => init::run(context, args, &NoStore).await,
        Command::Webhook(WebhookCommand::Send(args)) => webhook::run(context, args).await,
        Command::Serve(_) => Err(missing("serve")),
        Command::Doctor(_) => Err(missing("doctor")),
        Command::Deliveries(DeliveriesCommand::List(_)) => Err(missing("deliveries list")),
        Command::Deliveries(DeliveriesCommand::Show(_)) => Err(missing("deliveries show")),
        Command::Deliveries(DeliveriesCommand::Retry(_)) => Err(missing("deliveries retry")),
        Command::Learner(LearnerCommand::Show(_)) => Err(missing("learner show")),
        Command::Review(ReviewCommand::List(_)) => Err(missing("review list")),
        Command::Catalog(CatalogCommand::Import(_)) => Err(missing("catalog import")),
        Command::Catalog(CatalogCommand::Export(_)) => Err(missing("catalog export")),
        Command::Adapter(AdapterCommand::Inspect(_)) => Err(missing("adapter inspect")),
        Command::Adapter(AdapterCommand::List(_)) => Err(missing("adapter list")),
    }
}

/// Stands where the store will: without one there is nothing to begin with.
struct NoStore;

impl init::CreateStore for NoStore {
    async fn create(&self, _: &Path) -> Result<(), CliError> {
        Err(missing("init"))
    }
}

fn missing(command: &str) -> CliError {
    CliError::failed(format!("this build has no `bursar {command}`"))
}
