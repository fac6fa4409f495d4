//! `bursar reconcile`: has everything that is owed looked at again.

use bursar_domain::LmsName;
use bursar_store::{Purpose, Store};
use clap::Args;
use serde_json::json;

use super::{CliError, Context};
use crate::config::StoreConfig;

/// Arguments of `bursar reconcile`.
#[derive(Debug, Args)]
#[command(after_help = "\
`bursar serve` then reads each enrollment in the LMS and puts right what is not as it is owed: for the day after an LMS \
was restored from a backup. What learners left themselves stays left. Purchases go first.

Examples:
  bursar reconcile
  bursar reconcile --lms main")]
pub struct ReconcileArgs {
    /// In this LMS only.
    #[arg(long)]
    pub lms: Option<LmsName>,
}

/// Has everything that is owed looked at again.
///
/// # Errors
/// When there is no such LMS, or the store cannot be written.
pub async fn run(context: &Context, args: &ReconcileArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    if let Some(lms) = &args.lms
        && config.lms(lms.as_str()).is_none()
    {
        let names: Vec<_> = config.lms.iter().map(|lms| lms.name.as_str()).collect();
        return Err(CliError::usage(format!("there is no LMS {lms} in {}", config.file.display()))
            .hint(format!("there are: {}", names.join(", "))));
    }
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let woken = store.wake_all(args.lms.clone(), context.clock.now()).await?;
    context.output.item(&json!({ "enrollments": woken, "lms": args.lms }), |_| match woken {
        0 => "no enrollment is owed, so none is looked at".to_owned(),
        1 => "1 enrollment will be looked at by `bursar serve`".to_owned(),
        count => format!("{count} enrollments will be looked at by `bursar serve`"),
    })
}
