//! The command line: what can be asked of `bursar`, and the way from an argument to an exit code.
//!
//! Owns arguments, help and exit codes. Each command has a file of its own with its arguments and, where it does
//! anything, a `run`. Nothing here prints except through [`crate::output`].

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub mod adapter;
pub mod because;
pub mod catalog;
pub mod context;
pub mod deliveries;
pub mod doctor;
pub mod error;
pub mod init;
pub mod learner;
pub mod orders;
pub mod reconcile;
pub mod review;
pub mod serve;
pub mod standing;
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
    /// Answer why somebody has, or has not, got a course, and give access by hand.
    #[command(subcommand)]
    Learner(learner::LearnerCommand),
    /// Look at what was bought, and decide about it.
    #[command(subcommand)]
    Orders(orders::OrdersCommand),
    /// See what needs a person, and answer it.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Say which product sells which course.
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Have everything that is owed looked at again in the LMS.
    Reconcile(reconcile::ReconcileArgs),
    /// Write adapters, and look at them.
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
        orders::OrdersCommand, review::ReviewCommand, webhook::WebhookCommand,
    };
    match command {
        Command::Serve(args) => serve::run(context, args).await,
        Command::Init(args) => init::run(context, args).await,
        Command::Doctor(args) => doctor::run(context, args).await,
        Command::Deliveries(DeliveriesCommand::List(args)) => deliveries::list(context, args).await,
        Command::Deliveries(DeliveriesCommand::Show(args)) => deliveries::show(context, args).await,
        Command::Deliveries(DeliveriesCommand::Retry(args)) => deliveries::retry(context, args).await,
        Command::Learner(LearnerCommand::Show(args)) => learner::show::run(context, args).await,
        Command::Learner(LearnerCommand::Grant(args)) => learner::grant::run(context, args).await,
        Command::Orders(OrdersCommand::List(args)) => orders::list::run(context, args).await,
        Command::Orders(OrdersCommand::Show(args)) => orders::show::run(context, args).await,
        Command::Orders(OrdersCommand::Approve(args)) => orders::decide::approve(context, args).await,
        Command::Orders(OrdersCommand::Lift(args)) => orders::decide::lift(context, args).await,
        Command::Orders(OrdersCommand::Revoke(args)) => orders::decide::revoke(context, args).await,
        Command::Orders(OrdersCommand::Restore(args)) => orders::decide::restore(context, args).await,
        Command::Orders(OrdersCommand::Seat(args)) => orders::decide::seat(context, args).await,
        Command::Orders(OrdersCommand::Transfer(args)) => orders::decide::transfer(context, args).await,
        Command::Orders(OrdersCommand::SetAside(args)) => orders::decide::set_aside(context, args).await,
        Command::Reconcile(args) => reconcile::run(context, args).await,
        Command::Learner(LearnerCommand::Waiting(args)) => learner::waiting::run(context, args).await,
        Command::Learner(LearnerCommand::Letter(args)) => learner::letter::run(context, args).await,
        Command::Learner(LearnerCommand::Link(args)) => learner::link::run(context, args).await,
        Command::Review(ReviewCommand::List(args)) => review::list(context, args).await,
        Command::Review(ReviewCommand::Resolve(args)) => review::resolve(context, args).await,
        Command::Catalog(CatalogCommand::Import(args)) => catalog::import(context, args).await,
        Command::Catalog(CatalogCommand::Export(args)) => catalog::export(context, args).await,
        Command::Catalog(CatalogCommand::Remap(args)) => catalog::remap::run(context, args).await,
        Command::Adapter(AdapterCommand::New(args)) => adapter::new::run(context, args),
        Command::Adapter(AdapterCommand::Build(args)) => adapter::build::run(context, args),
        Command::Adapter(AdapterCommand::Check(args)) => adapter::check::run(context, args).await,
        Command::Adapter(AdapterCommand::Inspect(args)) => adapter::inspect(context, args).await,
        Command::Adapter(AdapterCommand::List(args)) => adapter::list(context, args).await,
        Command::Adapter(AdapterCommand::Rollback(args)) => adapter::rollback::run(context, args).await,
        Command::Adapter(AdapterCommand::Release(args)) => adapter::release::run(context, args).await,
        Command::Adapter(AdapterCommand::Test(args)) => adapter::test::run(context, args).await,
        Command::Webhook(WebhookCommand::Send(args)) => webhook::run(context, args).await,
    }
}
