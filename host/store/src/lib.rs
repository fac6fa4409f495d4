//! The inbox, the ledger and the audit trail, kept.
//!
//! Owns every table. A list of closed commands: data in, data out; each is one transaction, and several that are queued
//! share a commit. Decisions are asked of `bursar-domain` and not made here. Knows nothing of wasm, HTTP or the LMS's API.

pub mod allowances;
mod brakes;
pub mod catalog;
pub mod decisions;
pub mod effects;
pub mod enrollments;
mod error;
mod forgetting;
pub mod inbox;
pub mod links;
mod open;
mod orders;
pub mod people;
pub mod registrations;
pub mod resolutions;
pub mod reviews;
mod rows;
pub mod run;
pub mod trail;
pub mod waiting;
mod writer;

use std::{fs::File, sync::Arc};

use bursar_domain::{LmsName, Timestamp};
pub use error::{Class, Result, StoreError};
pub use open::Purpose;
use sqlx::{Sqlite, SqlitePool, query::QueryScalar, sqlite::SqliteArguments};

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

/// A question that one LMS's name and a moment answer with yes or no.
type Look = QueryScalar<'static, Sqlite, bool, SqliteArguments>;

impl Store {
    /// When something is due next, after this moment: a delivery, a learner to look up, an effect, or an enrollment. For whoever moves
    /// time by hand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(due_at) FROM (
                 SELECT MIN(due_at) AS due_at FROM deliveries WHERE due_at > ?1
                 UNION ALL SELECT MIN(due_at) FROM resolutions WHERE due_at > ?1
                 UNION ALL SELECT MIN(due_at) FROM effects WHERE due_at > ?1
                 UNION ALL SELECT MIN(due_at) FROM allowances WHERE due_at > ?1
                 UNION ALL SELECT MIN(until) FROM grants WHERE until > ?1 AND ended_at IS NULL
                 UNION ALL SELECT MIN(due_at) FROM enrollments WHERE due_at > ?1)",
        )
        .bind(after.as_millis())
        .fetch_one(&self.readers)
        .await?;
        Ok(next.map(Timestamp::from_millis))
    }

    /// Looking costs a reader nothing; only when there is work does the writer hear of it.
    async fn any_due(&self, look: Look, lms: &LmsName, now: Timestamp) -> Result<bool> {
        Ok(look.bind(lms.as_str().to_owned()).bind(now.as_millis()).fetch_one(&self.readers).await?)
    }
}
