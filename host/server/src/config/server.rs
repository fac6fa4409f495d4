//! The sections that concern the process: `[server]`, `[admin]`, `[store]`, `[adapters]`, `[log]`.
//!
//! Owns their defaults and bounds.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bursar_domain::AdapterName;
use tracing::Level;

use super::{
    reader::{Table, Value},
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
/// Where adapters are kept compiled unless told otherwise.
pub const DEFAULT_CACHE: &str = "cache";
/// How often the adapters' directory is looked at when nothing says that it has changed, unless told otherwise: network file
/// systems and directories mounted into containers often say nothing.
pub const DEFAULT_RESCAN: Duration = Duration::from_secs(30);
/// Least value of `rescan`: a file must be seen twice alike before it is read, and looking costs a little each time.
pub const LEAST_RESCAN: Duration = Duration::from_secs(1);
/// Greatest value of `rescan`: an operator who replaces a file waits for it.
pub const MOST_RESCAN: Duration = Duration::from_secs(3_600);

/// What an Ed25519 public key begins with as a SubjectPublicKeyInfo (RFC 8410, section 4).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

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
    /// What Bursar keeps of adapters between starts: compiled code, and earlier versions. Private to the process's user.
    pub cache: PathBuf,
    /// How often the directory is looked at when nothing says that it has changed.
    pub rescan: Duration,
    /// The adapters of which only one file will do, by its SHA-256.
    pub pins: BTreeMap<AdapterName, [u8; 32]>,
    /// Ed25519 public keys. If there are any, every adapter must be signed by one of them.
    pub signed_by: Vec<[u8; 32]>,
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
    let directory = base.join(directory.unwrap_or(DEFAULT_ADAPTERS));
    let cache_value = table.optional("cache");
    let cache = cache_value.as_ref().and_then(|value| value.text());
    let cache = base.join(cache.unwrap_or(DEFAULT_CACHE));
    let shared = cache.starts_with(&directory) || directory.starts_with(&cache);
    if let Some(value) = cache_value.filter(|_| shared) {
        value.refuse(
            "shares a directory with the adapters, and what is in it runs as machine code",
            Some("give the cache a directory of its own".to_owned()),
        );
    }
    let rescan = table.optional("rescan").and_then(|value| value.duration(LEAST_RESCAN, MOST_RESCAN));
    let pins = table.table("pins").entries().filter_map(|(name, value)| pin(name, &value)).collect();
    let signed_by = table.optional("signed_by").and_then(|value| value.list()).unwrap_or_default();
    let signed_by = signed_by.iter().filter_map(public_key).collect();
    table.finish();
    AdaptersConfig { directory, cache, rescan: rescan.unwrap_or(DEFAULT_RESCAN), pins, signed_by }
}

/// `name = "sha256"` of `[adapters.pins]`.
fn pin(name: &str, value: &Value<'_>) -> Option<(AdapterName, [u8; 32])> {
    let name = AdapterName::parse(name)
        .map_err(|error| value.refuse(format!("{name:?} is no adapter's name: {error}"), None))
        .ok()?;
    Some((name, value.sha256()?))
}

/// An Ed25519 public key as OpenSSL writes it (RFC 8410): the one line between the dashes, or the whole of it; or the 32 bytes
/// in base64.
fn public_key(value: &Value<'_>) -> Option<[u8; 32]> {
    let text = value.text()?;
    let line: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let bytes = BASE64.decode(line.trim()).unwrap_or_default();
    let key = bytes.strip_prefix(&ED25519_PREFIX).unwrap_or(&bytes).try_into().ok();
    if key.is_none() {
        let hint = "write the line that `openssl pkey -in key.pem -pubout` prints between the dashes";
        value.refuse("is not an Ed25519 public key", Some(hint.to_owned()));
    }
    key
}

pub(super) fn log(mut table: Table<'_>) -> LogConfig {
    let default = LogConfig::default();
    let format = table.optional("format").and_then(|value| value.choice(LogFormat::ALL));
    let level = table.optional("level").and_then(|value| value.choice(LEVELS));
    table.finish();
    LogConfig { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) }
}
