//! `bursar init`: the beginning. A configuration, a webhook secret, a directory for adapters, an empty store.
//!
//! Owns what is written and where. Never overwrites anything.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bursar_domain::Timestamp;
use bursar_store::Store;
use clap::Args;
use rand::Rng as _;
use serde::Serialize;

use super::{CliError, Context};
use crate::config::{self, Config, DEFAULT_TEXT, Environment, SecretUse, StoreConfig};

/// Characters of a webhook secret. A shop's forms drop blanks, `<…>` and `%41`, and escape others; these survive all.
const SECRET_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/// Characters in a webhook secret: 288 bits, more than the hash can use.
const SECRET_LENGTH: usize = 48;
/// The file of the secret that the default configuration names.
const SECRET_FILE: &str = "secrets/campus-webhook";

/// Arguments of `bursar init`.
#[derive(Debug, Args)]
#[command(after_help = "\
It writes bursar.toml, secrets/campus-webhook, adapters/ and an empty store. Where there is a \
configuration already, it makes the store and the adapters' directory that it names, and leaves the rest. \
It overwrites nothing.

Examples:
  bursar init
  bursar init --directory /etc/bursar
  bursar --config my.toml init")]
pub struct InitArgs {
    /// Where to write; made if it is not there. Otherwise the directory of the configuration.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    config: &'a Path,
    /// None where the configuration was there already.
    secret: Option<&'a Path>,
    adapters: &'a Path,
    store: &'a Path,
}

/// Writes what is needed to begin, and says what to do next.
///
/// # Errors
/// When anything is in the way or cannot be written.
pub async fn run(context: &Context, args: &InitArgs) -> Result<(), CliError> {
    let file = match &args.directory {
        Some(directory) => directory.join(config::FILE_NAME),
        None => context.config_file(),
    };
    if file.is_file() { for_configuration(context, &file).await } else { from_nothing(context, &file).await }
}

/// The store and the directory that a configuration names.
async fn for_configuration(context: &Context, file: &Path) -> Result<(), CliError> {
    let config = Config::load(file, &context.environment, SecretUse::Leave)?;
    let StoreConfig::Sqlite { path: store } = &config.store;
    let adapters = &config.adapters.directory;
    refuse_to_overwrite([store.as_path()])?;
    make_directory(adapters, false)?;
    Store::create(store).await?;
    tell(context, &Written { config: file, secret: None, adapters, store })?;
    context
        .output
        .say(&format!("\n{0} was there already and is as it was. Next: bursar --config {0} doctor", file.display()));
    Ok(())
}

async fn from_nothing(context: &Context, file: &Path) -> Result<(), CliError> {
    let directory = file.parent().unwrap_or(Path::new(""));
    let secret = directory.join(SECRET_FILE);
    let plan = Config::parse(file, DEFAULT_TEXT, &Environment::Process, SecretUse::Leave)?;
    let StoreConfig::Sqlite { path: store } = &plan.store;
    let adapters = &plan.adapters.directory;
    refuse_to_overwrite([file, secret.as_path(), store.as_path()])?;

    make_directory(adapters, false)?;
    make_directory(secret.parent().unwrap_or(directory), true)?;
    write_new(&secret, &new_secret(), true)?;
    // Half a beginning would stand in the way of the next try.
    if let Err(error) = write_new(file, &connected(context.clock.now()), false) {
        let _ = std::fs::remove_file(&secret);
        return Err(error);
    }
    if let Err(error) = Store::create(store).await {
        let _ = std::fs::remove_file(&secret);
        let _ = std::fs::remove_file(file);
        return Err(error.into());
    }
    tell(context, &Written { config: file, secret: Some(&secret), adapters, store })?;
    context.output.say(&next_steps(file, &secret, adapters));
    Ok(())
}

/// The configuration of a shop that is connected on this day: what it sold before was given by others.
fn connected(now: Timestamp) -> String {
    let now = now.to_string();
    let today = now.split_once('T').map_or(now.as_str(), |(day, _)| day);
    DEFAULT_TEXT.replace(SOLD_BEFORE_EXAMPLE, &format!("sold_before = \"{today}\"        "))
}

/// How the key stands in the default text.
const SOLD_BEFORE_EXAMPLE: &str = "# sold_before = \"2026-09-01\"        ";

fn tell(context: &Context, written: &Written<'_>) -> Result<(), CliError> {
    context.output.item(written, |written| {
        let paths = [Some(written.config), written.secret, Some(written.adapters), Some(written.store)];
        paths.into_iter().flatten().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
    })
}

fn next_steps(file: &Path, secret: &Path, adapters: &Path) -> String {
    let (file, secret, adapters) = (file.display(), secret.display(), adapters.display());
    format!(
        "
Next:
  1. Edit {file}: the LMS's url and client_id, and the shop's name.
     Set BURSAR_LMS_SECRET to the client's secret.
  2. Put the shop's adapter into {adapters}: woocommerce.wasm, say.
  3. bursar --config {file} doctor
  4. bursar --config {file} serve
  5. In the shop, have its webhooks sent to https://(your host)/webhooks/(the shop's name)
     with the secret in {secret}. WooCommerce needs four of them: docs/shops/woocommerce.md.
  6. Say which product sells which course: bursar catalog import --help
The shop is in mode \"observe\": nothing is written to the LMS until it says \"live\"."
    )
}

fn refuse_to_overwrite<const N: usize>(paths: [&Path; N]) -> Result<(), CliError> {
    let found: Vec<_> = paths.into_iter().filter(|path| path.symlink_metadata().is_ok()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
    Err(CliError::failed(format!("there already: {}; nothing was written", names.join(", ")))
        .hint("choose another place with --directory, or move it away"))
}

fn new_secret() -> String {
    let mut random = rand::rng();
    let mut letter = || SECRET_ALPHABET.get(random.random_range(0..SECRET_ALPHABET.len())).copied();
    (0..SECRET_LENGTH).filter_map(|_| letter()).map(char::from).collect()
}

fn make_directory(path: &Path, private: bool) -> Result<(), CliError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    builder.create(path).map_err(|error| cannot_write(path, &error))
}

/// Writes a file that was not there. A private one is never readable by others, not even for a moment.
fn write_new(path: &Path, text: &str, private: bool) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let write = |mut file: File| -> io::Result<()> {
        writeln!(file, "{}", text.trim_end_matches('\n'))?;
        file.sync_all()
    };
    options.open(path).and_then(write).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::failed(format!("cannot write {}: {error}", path.display()))
}
