//! Opening and making the SQLite file.
//!
//! Owns the settings of the connections and the migrations. Never makes an empty ledger where one was expected.

use std::{
    borrow::Cow,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Connection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Store,
    error::{Result, StoreError},
    writer::Writer,
};

/// How long a connection waits for another process (a command line tool beside `serve`) to finish its transaction. Beyond
/// it the call fails and may be tried again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many reads run side by side. More wait.
const READERS: u32 = 4;

/// Statements kept prepared on each connection: more than there are.
const STATEMENTS_KEPT: usize = 256;

/// How a ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To serve shops: one process at a time.
    Serve,
    /// To look, or to do one thing, beside a serving process.
    Tool,
}

impl Store {
    /// Makes a new, empty ledger.
    ///
    /// # Errors
    /// When there is one already, or the file cannot be made.
    pub async fn create(path: &Path) -> Result<()> {
        if path.exists() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let created = create(path).await;
        if created.is_err() {
            // Half a ledger would stand in the way of the next try. It is known to be ours: nothing was here before.
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "half a ledger could not be taken away");
            }
        }
        created
    }

    /// Opens the ledger; to serve, its schema is brought up to date.
    ///
    /// # Errors
    /// When there is none, it is of a newer version, or another process serves it.
    pub async fn open(path: &Path, purpose: Purpose) -> Result<Self> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let lock = match purpose {
            Purpose::Serve => Some(lock(path)?),
            Purpose::Tool => None,
        };
        let mut connection = connect(path, false).await?;
        match purpose {
            Purpose::Serve => migrate(&mut connection).await?,
            // A tool beside a server must not change the schema under it.
            Purpose::Tool => check_schema(&mut connection).await?,
        }
        let readers =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(options(path).read_only(true)).await?;
        Ok(Self::assemble(Writer::start(connection), readers, lock))
    }

    /// Ends in good order: what is queued is done, and everything is in the one file. Other clones of this store are of no
    /// use afterwards.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn assemble(writer: Writer, readers: SqlitePool, lock: Option<File>) -> Self {
        Self { writer, readers, lock: lock.map(std::sync::Arc::new) }
    }
}

async fn create(path: &Path) -> Result<()> {
    // It will hold personal data: its owner's business only. SQLite gives the files beside it the same permissions.
    let mut file = File::options();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
    let mut connection = connect(path, true).await?;
    migrate(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is blanked or redacted is overwritten, and not only out of reach.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_KEPT)
}

async fn connect(path: &Path, create: bool) -> Result<SqliteConnection> {
    Ok(SqliteConnection::connect_with(&options(path).create_if_missing(create)).await?)
}

/// The newest migration.
const SCHEMA: i64 = 1;

async fn check_schema(connection: &mut SqliteConnection) -> Result<()> {
    let version: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success").fetch_one(connection).await?;
    match version.unwrap_or(0) {
        SCHEMA => Ok(()),
        newer if newer > SCHEMA => Err(StoreError::Schema(MigrateError::VersionMissing(newer))),
        _ => Err(StoreError::Refused(
            "the ledger's schema is older than this bursar\nhint: `bursar serve` of this version brings it up to date"
                .into(),
        )),
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    let migrations = vec![Migration::new(
        SCHEMA,
        Cow::Borrowed("ledger"),
        MigrationType::Simple,
        include_str!("../migrations/sqlite/0001_ledger.sql").into_sql_str(),
        false,
    )];
    let (target, skip) = (None, false);
    Migrator::with_migrations(migrations).run_direct(target, connection, skip).await.map_err(StoreError::Schema)
}

/// The lock is a file beside the ledger, because SQLite's own locks are released between transactions.
fn lock(path: &Path) -> Result<File> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let file = File::create(&lock_path).map_err(|source| StoreError::File { path: lock_path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(StoreError::File { path: lock_path, source }),
    }
}
