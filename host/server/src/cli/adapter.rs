//! `bursar adapter`: what an adapter is, which there are, and how one is made.

use std::{path::PathBuf, sync::Arc};

use bursar_sandbox::{Adapter, Document, Inspection, Limits, Named, PACKAGE, inspect as read_component};
use bursar_toolchain::component::Identity;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

pub mod build;
pub mod check;
pub mod new;
pub mod release;
pub mod rollback;
mod sandbox;
pub mod test;

use self::sandbox::sandbox;
use super::{CliError, Context, deliveries::first_line};
use crate::{
    adapters::{
        self, serving_sandbox,
        status::{self, Row, Status},
    },
    output::{
        human,
        table::{Column, Table},
    },
};

/// What can be asked of adapters.
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Begin an adapter: write a folder that builds, in Rust, JavaScript or Python.
    New(new::NewArgs),
    /// Make a component of an adapter's folder.
    Build(build::BuildArgs),
    /// Check that a file is an adapter that this host would run, and say what to mend.
    Check(check::CheckArgs),
    /// Show what a file is: platform, version, topics, secrets, settings, and the permissions it needs.
    Inspect(InspectArgs),
    /// List the adapters of the configured directory, and the shops that use them.
    List(ListArgs),
    /// Put an earlier version of an adapter back.
    Rollback(rollback::RollbackArgs),
    /// Give a quarantined adapter another chance at once.
    Release(release::ReleaseArgs),
    /// Run an adapter's fixtures in the sandbox of production, and compare what comes of them with what is expected.
    Test(test::TestArgs),
}

/// Arguments of `bursar adapter inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Permissions are read from the file's imports before any of it runs. The SHA-256 shown is the one for a shop's `pin`.

Examples:
  bursar adapter inspect adapters/woocommerce.wasm
  bursar adapter inspect adapters/saleor.wasm --document query")]
pub struct InspectArgs {
    /// The adapter's `.wasm` file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print this one of the texts to paste into the shop, and nothing else.
    #[arg(long, value_name = "NAME")]
    pub document: Option<String>,
}

/// Arguments of `bursar adapter list`.
#[derive(Debug, Args)]
#[command(after_help = "Example: bursar adapter list")]
pub struct ListArgs {}

/// Shows what a file is: first what its bytes say, then what it says of itself, run in the sandbox.
///
/// # Errors
/// When it is no adapter that can run.
pub async fn inspect(context: &Context, args: &InspectArgs) -> Result<(), CliError> {
    let file = args.file.display();
    let bytes =
        std::fs::read(&args.file).map_err(|error| CliError::failed(format!("{file} cannot be read: {error}")))?;
    let inspection = read_component(&bytes, &Limits::default())?;
    let identity = Identity::read(&bytes);
    let adapter = sandbox(context, false)?.load(bytes).await?;
    if let Some(name) = &args.document {
        return context.output.raw(document(&adapter.description().documents, name)?.text.as_bytes());
    }
    context.output.item(&data(&adapter, &inspection, &identity), |_| words(&adapter, &inspection, &identity))
}

fn document<'a>(documents: &'a [Document], name: &str) -> Result<&'a Document, CliError> {
    documents.iter().find(|document| document.name == name).ok_or_else(|| {
        let names: Vec<_> = documents.iter().map(|document| &*document.name).collect();
        let there = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        CliError::failed(format!("the adapter has no document `{name}`")).hint(there)
    })
}

fn data(adapter: &Adapter, inspection: &Inspection, identity: &Identity) -> Value {
    let description = adapter.description();
    let named = |list: &[Named]| -> Vec<Value> {
        list.iter().map(|named| json!({ "name": named.name, "purpose": named.purpose })).collect()
    };
    json!({
        "platform": description.platform, "version": description.version, "sha256": inspection.sha256,
        "bytes": inspection.size, "contract": inspection.contract,
        "metadata": {
            "name": identity.name, "version": identity.version, "licence": identity.licence,
            "contract": identity.contract,
        },
        "imports": inspection.imports, "exports": inspection.exports,
        "permissions": inspection.permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>(),
        "optional_permissions": description.optional_permissions.iter().map(|(permission, purpose)| {
            json!({ "name": permission.name(), "purpose": purpose })
        }).collect::<Vec<_>>(),
        "topics": named(&description.topics), "secrets": named(&description.secrets),
        "optional_secrets": named(&description.optional_secrets), "key_sets": named(&description.key_sets),
        "settings": serde_json::from_str::<Value>(description.settings.text()).unwrap_or(Value::Null),
        "redact_headers": description.redact_headers, "redact_body": description.redact_body,
        "redact_address": description.redact_address,
        "documents": description.documents.iter().map(|document| {
            json!({ "name": document.name, "purpose": document.purpose, "text": document.text })
        }).collect::<Vec<_>>(),
    })
}

fn words(adapter: &Adapter, inspection: &Inspection, identity: &Identity) -> String {
    let description = adapter.description();
    let mut text = format!(
        "{} {}, {}\nsha256 {}\nmade for {PACKAGE}@{}\n",
        description.platform,
        description.version,
        human::size(u64::try_from(inspection.size).unwrap_or(u64::MAX)),
        inspection.sha256,
        inspection.contract,
    );
    let mut part = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            for item in items {
                text.push_str(&format!("  {item}\n"));
            }
        }
    };
    let named = |list: &[Named]| -> Vec<String> {
        list.iter().map(|named| format!("{:<28} {}", named.name, named.purpose)).collect()
    };
    let said = [
        ("name", &identity.name),
        ("version", &identity.version),
        ("licence", &identity.licence),
        ("contract", &identity.contract),
    ];
    let said = said.into_iter().filter_map(|(what, value)| Some(format!("{what:<28} {}", value.as_ref()?)));
    part("the file says of itself", said.collect());
    part("topics", named(&description.topics));
    part("secrets", named(&description.secrets));
    part("secrets that some shops have", named(&description.optional_secrets));
    part("sets of public keys", named(&description.key_sets));
    let settings = description.settings.properties().iter();
    part("settings", settings.map(|setting| format!("{:<28} {}", setting.name, setting.description)).collect());
    let address = description.redact_address.then(|| "the address behind the shop's name".to_owned());
    let headers_and_body = [&description.redact_headers[..], &description.redact_body[..]].concat();
    part("blanked before anything is stored", headers_and_body.into_iter().chain(address).collect());
    for Document { name, purpose, text } in &description.documents {
        let title = format!("document {name}, to paste into the shop: {purpose}");
        // A tab is no character that is printed as it is.
        part(&title, text.lines().map(|line| line.replace('\t', "    ")).collect());
    }
    let permissions: Vec<String> = adapter.needed_permissions().map(|permission| permission.to_string()).collect();
    let optional = description.optional_permissions.iter();
    let optional = optional.map(|(permission, purpose)| format!("{:<28} {purpose}", permission.name())).collect();
    part("permissions it can do without", optional);
    part("permissions it needs", if permissions.is_empty() { vec!["none".to_owned()] } else { permissions });
    part("imports", inspection.imports.clone());
    part("exports", inspection.exports.clone());
    text
}

/// Lists the configured directory's adapters: as a running server has them, or else as one would begin with them.
///
/// # Errors
/// When the directory cannot be read.
pub async fn list(context: &Context, _: &ListArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let rows = match Status::of_running(&config.adapters.cache) {
        Some(status) => {
            context
                .output
                .say(&format!("as the running server (process {}) has them since {}", status.process, status.at));
            status.adapters
        }
        None => {
            let sandbox = serving_sandbox(&config, context.compiler.clone())?;
            let mut directory = adapters::directory(&config, sandbox, Arc::clone(&context.clock));
            let adapters = directory
                .open()
                .await
                .map_err(|error| CliError::failed(format!("{} cannot be read: {error}", directory.path().display())))?;
            context.output.say("no server runs here; this is what one would begin with");
            status::rows(&adapters)
        }
    };
    let shops = |row: &Row| -> Vec<String> {
        let served = config.shops.iter().filter(|shop| Some(shop.adapter.as_str()) == row.adapter.as_deref());
        served.map(|shop| shop.name.to_string()).collect()
    };
    let data: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "adapter": row.adapter, "version": row.version, "sha256": row.sha256, "file": row.file,
                "shops": shops(row), "state": row.state.as_str(), "problem": row.reason,
            })
        })
        .collect();
    context.output.list(&data, |_| {
        let columns = ["adapter", "version", "sha256", "state", "shops", "file", "problem"];
        let mut table = Table::new(columns.map(Column::new));
        for row in &rows {
            let sha256 = row.sha256.as_deref().unwrap_or_default();
            table.row([
                row.adapter.clone().unwrap_or_default(),
                row.version.clone().unwrap_or_default(),
                sha256.get(..12).unwrap_or_default().to_owned(),
                row.state.as_str().to_owned(),
                shops(row).join(", "),
                row.file.display().to_string(),
                row.reason.as_deref().map(first_line).unwrap_or_default().to_owned(),
            ]);
        }
        table
    })
}
