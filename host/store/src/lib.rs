//! The inbox, the ledger and the audit trail, kept.
//!
//! Owns every table. A list of closed commands: data in, data out; each is one transaction, and several that are queued
//! share a commit. Decisions are asked of `bursar-domain` and not made here. Knows nothing of wasm, HTTP or the LMS's API.

pub mod catalog;
pub mod enrollments;
mod error;
pub mod inbox;
mod open;
mod orders;
pub mod people;
pub mod resolutions;
pub mod reviews;
mod rows;
pub mod run;
pub mod trail;
mod writer;

use std::{fs::File, sync::Arc};

pub use error::{Class, Result, StoreError};
pub use open::Purpose;
use sqlx::SqlitePool;

use crate::writer::Writer;

/// A ledger. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    readers: SqlitePool,
    /// Held for as long as the store is.
    #[expect(dead_code, reason = "holding it is its use")]
    lock: Option<Arc<File>>,
}
