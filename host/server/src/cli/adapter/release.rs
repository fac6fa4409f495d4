//! `bursar adapter release`: give a quarantined adapter another chance at once.
//!
//! Owns nothing: it marks the adapter's file as changed, and the server loads it anew.

use std::{fs::File, time::SystemTime};

use bursar_domain::AdapterName;
use clap::Args;
use serde_json::json;

use crate::{
    adapters::status::{State, Status},
    cli::{CliError, Context},
};

/// Arguments of `bursar adapter release`.
#[derive(Debug, Args)]
#[command(after_help = "\
An adapter that failed again and again is quarantined: it is given nothing, and what its shops send waits. The server tries \
it again every five minutes by itself. This has it tried at once, say when what it depends on works again.

Example: bursar adapter release woocommerce")]
pub struct ReleaseArgs {
    /// The adapter.
    #[arg(value_name = "ADAPTER", value_parser = AdapterName::parse)]
    pub adapter: AdapterName,
}

/// Has a quarantined adapter loaded anew.
///
/// # Errors
/// When it is not quarantined, or its file cannot be touched.
pub async fn run(context: &Context, args: &ReleaseArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let name = &args.adapter;
    let status = Status::read(&config.adapters.cache)
        .map_err(|error| CliError::failed(format!("the server's adapters cannot be read: {error}")))?
        .ok_or_else(|| CliError::failed("no server has said yet how its adapters are doing"))?;
    let row = status
        .adapters
        .iter()
        .find(|row| row.adapter.as_deref() == Some(name.as_str()))
        .ok_or_else(|| CliError::failed(format!("the server has no adapter {name}")))?;
    if row.state != State::Quarantined {
        return Err(CliError::failed(format!("{name} is not quarantined: it is {}", row.state.as_str())));
    }
    File::options()
        .append(true)
        .open(&row.file)
        .and_then(|file| file.set_modified(SystemTime::now()))
        .map_err(|error| CliError::failed(format!("{} cannot be touched: {error}", row.file.display())))?;
    let data = json!({ "adapter": name, "file": row.file });
    context.output.item(&data, |_| format!("{name} is loaded anew"))
}
