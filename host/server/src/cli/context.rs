//! What every command has at hand: output, environment, clock, and the configuration when it asks for it.
//!
//! Owns where the configuration is looked for.

use std::{path::PathBuf, sync::Arc};

use bursar_domain::{Clock, SystemClock};
use bursar_sandbox::CompilerProcess;
use bursar_store::{Purpose, Store};

use super::CliError;
use crate::{
    config::{Config, Environment, FILE_NAME, SecretUse, StoreConfig},
    output::Output,
};

/// Names the configuration where `--config` does not.
pub const CONFIG_VARIABLE: &str = "BURSAR_CONFIG";

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    /// The configuration named on the command line.
    pub config: Option<PathBuf>,
    /// Where data and words go.
    pub output: Output,
    /// Environment variables.
    pub environment: Environment,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// What compiles adapters apart from this process; none where this process is another program than `bursar`.
    pub compiler: Option<CompilerProcess>,
}

impl Context {
    /// A context of this process.
    #[must_use]
    pub fn of_process(config: Option<PathBuf>, output: Output, compiler: Option<CompilerProcess>) -> Self {
        Self { config, output, environment: Environment::Process, clock: Arc::new(SystemClock), compiler }
    }

    /// Where the configuration is: `--config`, `BURSAR_CONFIG`, `./bursar.toml`.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        let named = self.config.clone();
        let from_environment = || self.environment.variable(CONFIG_VARIABLE).filter(|name| !name.is_empty());
        named.or_else(|| from_environment().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(FILE_NAME))
    }

    /// The configuration with its secrets; its warnings are printed.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn load_config(&self) -> Result<Config, CliError> {
        let config = Config::load(&self.config_file(), &self.environment, SecretUse::Read)?;
        for warning in &config.warnings {
            self.output.warning(&warning.headline(), warning.hint.as_deref());
        }
        Ok(config)
    }

    /// The configured store.
    ///
    /// # Errors
    /// When the configuration cannot be used, or the store cannot be opened.
    pub async fn open_store(&self, purpose: Purpose) -> Result<Store, CliError> {
        let StoreConfig::Sqlite { path } = self.load_config_without_secrets()?.store;
        Ok(Store::open(&path, purpose).await?)
    }

    /// Whoever gives the command, as the audit trail names them.
    #[must_use]
    pub fn operator(&self) -> String {
        format!("operator {}", self.environment.variable("USER").unwrap_or_else(|| "unknown".to_owned()))
    }

    /// The configuration without its secrets, for commands that only look at the store.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn load_config_without_secrets(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.config_file(), &self.environment, SecretUse::Leave)?)
    }
}
