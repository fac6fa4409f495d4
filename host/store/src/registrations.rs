//! Tries to register learners in an LMS, and how many more there may be.
//!
//! Owns `registrations`. A try is on disk before its request, so that a restart forgets neither what may have been sent nor
//! how much of the LMS's limit is used up.

use std::time::Duration;

use bursar_domain::{
    LmsName, ShopName, Timestamp, Username,
    ids::{IdentityId, RegistrationId},
    retry,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store,
    error::{Result, StoreError},
    resolutions::Unresolved,
    rows,
    writer::Command,
};

bursar_domain::words! {
    /// What came of a try.
    Tried {
        /// The account was made.
        Registered = "registered",
        /// There was an account after all.
        Found = "found",
        /// Somebody else has the username.
        Taken = "taken",
        /// The LMS does not take this learner.
        Refused = "refused",
        /// The LMS takes nobody this way.
        Closed = "closed",
        /// The LMS takes nobody else for now.
        Limit = "limit",
        /// Nothing was sent.
        Unsent = "unsent",
        /// Nothing came of it.
        Lost = "lost",
    }
}

/// What bounds registrations at one LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// How many tries there may be in [`retry::REGISTRATION_WINDOW`].
    pub per_window: u32,
    /// The shops whose policy is to register, as far as they are live.
    pub shops: Vec<ShopName>,
    /// Refusals before this are forgotten: the configuration may have been mended since.
    pub started_at: Timestamp,
    /// How long a request may still land.
    pub call_timeout: Duration,
}

/// May a learner be registered?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Yes, and it is written down.
    Given(RegistrationId),
    /// Nobody wants it any more.
    NotWanted,
    /// There were enough of late.
    Limit,
    /// The LMS refused lately.
    Paused,
    /// An earlier request may still land until then.
    InDoubt {
        /// Until when.
        until: Timestamp,
    },
}

impl Store {
    /// Asks leave to register a learner under this username, and writes it down. Only after this gave leave may the request
    /// be sent. The claim goes on for another `lease`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with the learner by now.
    pub async fn begin_registration(
        &self,
        learner: &Unresolved,
        username: &Username,
        bounds: &Bounds,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Permit> {
        let (learner, username, bounds) = (learner.clone(), username.clone(), bounds.clone());
        self.writer.run(Begin { learner, username, bounds, lease, now }).await
    }

    /// Records what came of a try, where that was no account: an account is recorded as what was found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_registration(&self, id: RegistrationId, tried: Tried) -> Result<()> {
        self.writer.run(End { id, tried }).await
    }
}

struct Begin {
    learner: Unresolved,
    username: Username,
    bounds: Bounds,
    lease: Duration,
    now: Timestamp,
}

impl Command for Begin {
    type Output = Permit;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Permit> {
        let Self { learner, username, bounds, lease, now } = self;
        let (identity, lms) = (learner.identity_id.to_string(), learner.lms.as_str());
        let held =
            sqlx::query("UPDATE resolutions SET leased_until = ? WHERE identity_id = ? AND lms = ? AND fence = ?")
                .bind(now.plus(lease).as_millis())
                .bind(&identity)
                .bind(lms)
                .bind(learner.fence)
                .execute(&mut *connection)
                .await?;
        if held.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        let wanted: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM grants WHERE identity_id = ? AND lms = ? AND account_id IS NULL AND ended_at IS NULL
                 AND shop IN (SELECT value FROM json_each(?)))",
        )
        .bind(&identity)
        .bind(lms)
        .bind(rows::to_json(&bounds.shops)?)
        .fetch_one(&mut *connection)
        .await?;
        if !wanted {
            return Ok(Permit::NotWanted);
        }
        let open: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(tried_at) FROM registrations WHERE identity_id = ? AND lms = ? AND outcome IS NULL",
        )
        .bind(&identity)
        .bind(lms)
        .fetch_one(&mut *connection)
        .await?;
        let lands = open.map(|at| Timestamp::from_millis(at).plus(bounds.call_timeout));
        if let Some(until) = lands.filter(|until| *until > now) {
            return Ok(Permit::InDoubt { until });
        }
        if refused_lately(connection, &learner, &bounds, now).await? {
            return Ok(Permit::Paused);
        }
        let counted: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM registrations WHERE lms = ? AND tried_at > ? AND outcome IS NOT 'unsent'",
        )
        .bind(lms)
        .bind(now.minus(retry::REGISTRATION_WINDOW).as_millis())
        .fetch_one(&mut *connection)
        .await?;
        if counted >= i64::from(bounds.per_window) {
            return Ok(Permit::Limit);
        }
        close(connection, learner.identity_id, &learner.lms, Tried::Lost).await?;
        let id = RegistrationId::new(now);
        sqlx::query("INSERT INTO registrations (id, lms, identity_id, username, tried_at) VALUES (?, ?, ?, ?, ?)")
            .bind(id.to_string())
            .bind(lms)
            .bind(&identity)
            .bind(username.as_str())
            .bind(now.as_millis())
            .execute(connection)
            .await?;
        Ok(Permit::Given(id))
    }
}

/// A limit outlasts a restart. A refusal does not, because a restart is how a mended configuration comes into effect.
async fn refused_lately(
    connection: &mut SqliteConnection,
    learner: &Unresolved,
    bounds: &Bounds,
    now: Timestamp,
) -> Result<bool> {
    let everybody = now.minus(retry::REGISTRATION_PAUSE);
    let one = now.minus(retry::REGISTRATION_PAUSE_OF_ONE);
    let look = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM registrations WHERE lms = ?1 AND (
             (outcome = 'limit' AND tried_at > ?2) OR (outcome = 'closed' AND tried_at > ?3)
             OR (outcome = 'refused' AND identity_id = ?4 AND tried_at > ?5)) AND tried_at > ?6)",
    );
    let look = look
        .bind(learner.lms.as_str())
        .bind(everybody.as_millis())
        .bind(everybody.max(bounds.started_at).as_millis())
        .bind(learner.identity_id.to_string())
        .bind(one.max(bounds.started_at).as_millis())
        .bind(everybody.min(one).as_millis());
    Ok(look.fetch_one(connection).await?)
}

struct End {
    id: RegistrationId,
    tried: Tried,
}

impl Command for End {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query("UPDATE registrations SET outcome = ? WHERE id = ? AND outcome IS NULL")
            .bind(self.tried.as_str())
            .bind(self.id.to_string())
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Every try of this learner of which nothing is known came to this.
async fn close(connection: &mut SqliteConnection, identity: IdentityId, lms: &LmsName, tried: Tried) -> Result<()> {
    sqlx::query("UPDATE registrations SET outcome = ? WHERE identity_id = ? AND lms = ? AND outcome IS NULL")
        .bind(tried.as_str())
        .bind(identity.to_string())
        .bind(lms.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The learner's account was found under this username. Did a try of ours make it?
pub(crate) async fn found(
    connection: &mut SqliteConnection,
    identity: IdentityId,
    lms: &LmsName,
    username: &Username,
) -> Result<bool> {
    let open = sqlx::query("SELECT username FROM registrations WHERE identity_id = ? AND lms = ? AND outcome IS NULL")
        .bind(identity.to_string())
        .bind(lms.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(open) = open else { return Ok(false) };
    let tried: String = open.try_get("username")?;
    let ours = tried.to_lowercase() == username.normalized();
    close(connection, identity, lms, if ours { Tried::Registered } else { Tried::Found }).await?;
    Ok(ours)
}
