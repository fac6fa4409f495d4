//! The sections that concern the process: `[server]`, `[admin]`, `[store]`, `[adapters]`, `[log]`.
//!
//! Owns their defaults and bounds.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use tracing::Level;

use super::{
    reader::Table,
    secret::{Secret, secret},
    words::LogFormat,
};

/// Where the public listener listens unless told otherwise: behind a reverse proxy on the same machine.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Where the admin listener listens unless told otherwise.
pub const DEFAULT_ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
/// Largest request body accepted unless told otherwise, in bytes; real orders reach 1.2 MB. What is longer is answered 413.
pub const DEFAULT_MAX_BODY: usize = 4 << 20;
/// Least value of `max_body`, in bytes: with less, everyday orders would be refused.
pub const LEAST_MAX_BODY: usize = 64 << 10;
/// Greatest value of `max_body`, in bytes: a body is held in memory, and copied into the adapter's.
pub const MOST_MAX_BODY: usize = 16 << 20;
/// How long a stopping process waits for what is under way, unless told otherwise.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(30);
/// Greatest value of `drain`: beyond it, process managers kill.
pub const MOST_DRAIN: Duration = Duration::from_secs(600);
/// The store unless told otherwise.
pub const DEFAULT_STORE: &str = "sqlite:bursar.db";
/// The adapters' directory unless told otherwise.
pub const DEFAULT_ADAPTERS: &str = "adapters";

/// `[server]`: the public listener.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Largest request body accepted, in bytes.
    pub max_body: usize,
    /// How long a stopping process waits for what is under way.
    pub drain: Duration,
}

/// `[admin]`: the admin listener.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// What a caller must present.
    pub token: Option<Secret>,
}

/// `[store]`: where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// An SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
}

/// `[adapters]`: where the adapters are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptersConfig {
    /// The directory of `.wasm` files.
    pub directory: PathBuf,
    /// Where compiled code is kept between starts, if it is.
    pub cache: Option<PathBuf>,
}

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines are written.
    pub format: LogFormat,
    /// The least level written.
    pub level: Level,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: Level::INFO }
    }
}

const LEVELS: &[(&str, Level)] = &[
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

pub(super) fn server(mut table: Table<'_>) -> ServerConfig {
    let listen = table.optional("listen").and_then(|value| value.address());
    let max_body = table.optional("max_body").and_then(|value| value.size(LEAST_MAX_BODY, MOST_MAX_BODY));
    let drain = table.optional("drain").and_then(|value| value.duration(Duration::ZERO, MOST_DRAIN));
    table.finish();
    ServerConfig {
        listen: listen.unwrap_or(DEFAULT_LISTEN),
        max_body: max_body.unwrap_or(DEFAULT_MAX_BODY),
        drain: drain.unwrap_or(DEFAULT_DRAIN),
    }
}

pub(super) fn admin(mut table: Table<'_>, public: SocketAddr) -> AdminConfig {
    let value = table.optional("listen");
    let listen = value.as_ref().and_then(|value| value.address()).unwrap_or(DEFAULT_ADMIN_LISTEN);
    let token_value = table.optional("token");
    let token = token_value.as_ref().and_then(secret);
    if listen == public && listen.port() != 0 {
        let message = format!("{listen} is where [server] listens already");
        match &value {
            Some(value) => value.refuse(message, None),
            None => table.refuse(message, Some("give [admin] a `listen` of its own".to_owned())),
        }
    }
    if let Some(value) = value.filter(|_| !listen.ip().is_loopback() && token_value.is_none()) {
        value.refuse(
            "listens beyond this machine without a token",
            Some("add `token = { env = \"BURSAR_ADMIN_TOKEN\" }` to [admin]".to_owned()),
        );
    }
    table.finish();
    AdminConfig { listen, token }
}

pub(super) fn store(mut table: Table<'_>, directory: &Path) -> StoreConfig {
    let value = table.optional("url");
    table.finish();
    let mut path = None;
    if let (Some(value), Some(text)) = (&value, value.as_ref().and_then(|value| value.text())) {
        path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
        if path.is_none() {
            // The text is not repeated: the URL of a database may hold its password.
            let (message, hint) = match text.split_once(':') {
                Some(("postgres" | "postgresql", _)) => (
                    "PostgreSQL is not supported yet",
                    "write \"sqlite:bursar.db\"; the store is one file beside this one",
                ),
                _ => ("is not the URL of a store", "write \"sqlite:bursar.db\""),
            };
            value.refuse(message, Some(hint.to_owned()));
        }
    }
    let default = DEFAULT_STORE.trim_start_matches("sqlite:");
    StoreConfig::Sqlite { path: directory.join(path.unwrap_or(default)) }
}

pub(super) fn adapters(mut table: Table<'_>, base: &Path) -> AdaptersConfig {
    let directory = table.optional("directory").and_then(|value| value.text());
    let cache = table.optional("cache").and_then(|value| value.text());
    table.finish();
    AdaptersConfig {
        directory: base.join(directory.unwrap_or(DEFAULT_ADAPTERS)),
        cache: cache.map(|cache| base.join(cache)),
    }
}

pub(super) fn log(mut table: Table<'_>) -> LogConfig {
    let default = LogConfig::default();
    let format = table.optional("format").and_then(|value| value.choice(LogFormat::ALL));
    let level = table.optional("level").and_then(|value| value.choice(LEVELS));
    table.finish();
    LogConfig { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) }
}
