//! What can go wrong in the store, and what that means for the caller.

use std::path::PathBuf;

/// What helps against an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Time: the same call may succeed later.
    TryAgain,
    /// Nothing: the call itself cannot succeed.
    Definite,
    /// A person: the machine or the file needs mending.
    Ours,
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database where one was expected.
    #[error(
        "there is no ledger at {path}\nhint: `bursar init` makes one; if there was one, do not make a new one but find it"
    )]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// There is a database where a new one was to be made.
    #[error("there is a ledger at {path} already\nhint: it is left as it is; choose another place, or go on using it")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Another `bursar serve` has the file.
    #[error(
        "another `bursar serve` is using the ledger at {path}\nhint: one process serves a SQLite ledger; stop the other one first"
    )]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// The schema could not be brought up to date, or is of a newer Bursar.
    #[error(
        "the ledger's schema does not fit this version of bursar\nhint: a ledger that a newer bursar has opened needs that version or a later one"
    )]
    Schema(#[source] sqlx::migrate::MigrateError),
    /// A file operation failed.
    #[error("cannot use {path}: {source}\nhint: the user that runs bursar must be able to write there")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused or failed.
    #[error("the ledger's database failed")]
    Database(#[from] sqlx::Error),
    /// Somebody else took over the work in the meantime; what was to be recorded was not.
    #[error("the lease was lost: another worker has taken over")]
    LeaseLost,
    /// There is no such record.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of record.
        what: &'static str,
        /// Its id, as asked for.
        id: String,
    },
    /// A stored value does not read as what it must be.
    #[error("the ledger holds a {what} that does not read: {problem}")]
    Corrupt {
        /// What kind of value.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// What was asked for cannot be done in the state that things are in.
    #[error("{0}")]
    Refused(String),
    /// More wait to be written than there is room for.
    #[error("too much waits to be written")]
    Full,
    /// The store is shutting down, or its writer has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What helps.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Database(_) | Self::LeaseLost | Self::Full | Self::Closed => Class::TryAgain,
            Self::NotFound { .. } | Self::Refused(_) => Class::Definite,
            Self::Missing { .. }
            | Self::Exists { .. }
            | Self::InUse { .. }
            | Self::Schema(_)
            | Self::File { .. }
            | Self::Corrupt { .. } => Class::Ours,
        }
    }

    /// The error and everything that caused it, in one line, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            // Some errors repeat their cause.
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}

/// The result of everything here.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
