//! The configuration: `bursar.toml`, read once, checked as a whole, handed on as types.
//!
//! Owns keys, defaults, bounds and the wording of what is wrong. Whoever holds a [`Config`] need not check it again. It
//! opens nothing but the file itself and the files of secrets.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use bursar_sandbox::Limits;
use toml::de::DeTable;

mod key_sets;
mod limits;
pub mod lms;
mod problem;
mod reader;
pub mod secret;
pub mod server;
pub mod shop;
mod shop_api;
pub mod units;
pub mod words;

pub use self::{
    key_sets::KeySetSource,
    lms::{CallBudget, LmsConfig, ServiceUserConfig},
    problem::{ConfigError, Position, Problem},
    secret::{Environment, Secret, SecretOrigin, SecretUnread},
    server::{AdaptersConfig, AdminConfig, LogConfig, ServerConfig, StoreConfig},
    shop::ShopConfig,
    shop_api::{ShopApiConfig, ShopApiCredentials},
    words::LogFormat,
};
use self::{
    problem::Findings,
    reader::{Reader, Table},
    secret::Secrets,
};

/// What a configuration file is called.
pub const FILE_NAME: &str = "bursar.toml";

/// A configuration with every default filled in: what `init` writes, and the reference of all keys.
pub const DEFAULT_TEXT: &str = include_str!("config/default.toml");

/// Whether a command needs the secrets that a configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUse {
    /// They are read, and it is an error if one cannot be.
    Read,
    /// They are left alone: looking at the store needs none of them.
    Leave,
}

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// The public listener.
    pub server: ServerConfig,
    /// The admin listener.
    pub admin: AdminConfig,
    /// Where everything is kept.
    pub store: StoreConfig,
    /// Where the adapters are.
    pub adapters: AdaptersConfig,
    /// What adapters may use.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: LogConfig,
    /// At least one; names are unique.
    pub lms: Vec<LmsConfig>,
    /// Names are unique; each one's `lms` exists.
    pub shops: Vec<ShopConfig>,
    /// What the operator should know: secrets that others can read, choices that have no effect in this version.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// When it cannot be read, or with everything that is wrong with it.
    pub fn load(file: &Path, environment: &Environment, secrets: SecretUse) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        Self::parse(file, &text, environment, secrets)
    }

    /// Checks a configuration's text. Relative paths in it are relative to `file`'s directory.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn parse(file: &Path, text: &str, environment: &Environment, secrets: SecretUse) -> Result<Self, ConfigError> {
        let findings = Findings::new(file, text);
        let directory = file.parent().unwrap_or(Path::new(""));
        let secrets = Secrets { environment, directory, read: secrets == SecretUse::Read };
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What was recovered would only give rise to further errors that are none.
            for error in &errors {
                findings.refuse(&error.span().unwrap_or_default(), "", error.message().trim(), None);
            }
            return Err(findings.conclude().err().unwrap_or(ConfigError { problems: Vec::new() }));
        }
        let sections = Sections::read(Reader { findings: &findings, secrets: &secrets }, &document, directory);
        let warnings = findings.conclude()?;
        Ok(Self {
            file: file.to_owned(),
            server: sections.server,
            admin: sections.admin,
            store: sections.store,
            adapters: sections.adapters,
            limits: sections.limits,
            log: sections.log,
            lms: sections.lms,
            shops: sections.shops,
            warnings,
        })
    }

    /// The shop of this name.
    #[must_use]
    pub fn shop(&self, name: &str) -> Option<&ShopConfig> {
        self.shops.iter().find(|shop| shop.name.as_str() == name)
    }

    /// The LMS of this name.
    #[must_use]
    pub fn lms(&self, name: &str) -> Option<&LmsConfig> {
        self.lms.iter().find(|lms| lms.name.as_str() == name)
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> ConfigError {
    let (message, hint) = match error.kind() {
        std::io::ErrorKind::NotFound => {
            ("does not exist".to_owned(), Some("make one with `bursar init`, or name it with --config".to_owned()))
        }
        _ => (format!("cannot be read: {error}"), None),
    };
    let problem = Problem { file: file.to_owned(), position: None, key: String::new(), message, hint };
    ConfigError { problems: vec![problem] }
}

struct Sections {
    server: ServerConfig,
    admin: AdminConfig,
    store: StoreConfig,
    adapters: AdaptersConfig,
    limits: Limits,
    log: LogConfig,
    lms: Vec<LmsConfig>,
    shops: Vec<ShopConfig>,
}

impl Sections {
    fn read<'a>(reader: Reader<'a>, document: &'a toml::Spanned<DeTable<'a>>, directory: &Path) -> Self {
        let mut root = Table::root(reader, document);
        let server = server::server(root.table("server"));
        let admin = server::admin(root.table("admin"), server.listen);
        let store = server::store(root.table("store"), directory);
        let adapters = server::adapters(root.table("adapters"), directory);
        let limits = limits::limits(root.table("limits"), server.max_body);
        let log = server::log(root.table("log"));
        let lms_tables = root.tables("lms");
        if lms_tables.is_empty() {
            root.refuse(
                "there is no LMS",
                Some("add `[[lms]]` with name, url, client_id and client_secret".to_owned()),
            );
        }
        let lms_tables = unique(lms_tables, "LMS");
        let named = lms_tables.iter().filter_map(Table::name).collect();
        let lms: Vec<_> = lms_tables.into_iter().filter_map(lms::lms).collect();
        let sites = shop::Sites { named, read: &lms };
        let shop_tables = unique(root.tables("shops"), "shop");
        let shops = shop_tables.into_iter().filter_map(|table| shop::shop(table, &sites)).collect();
        root.finish();
        Self { server, admin, store, adapters, limits, log, lms, shops }
    }
}

/// Refuses a name that an earlier one has.
fn unique<'a>(tables: Vec<Table<'a>>, kind: &str) -> Vec<Table<'a>> {
    let mut seen = BTreeSet::new();
    for table in &tables {
        if let Some(name) = table.name()
            && !seen.insert(name)
        {
            table.refuse_name(format!("there is another {kind} of this name above"));
        }
    }
    tables
}
