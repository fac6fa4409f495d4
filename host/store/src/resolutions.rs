//! Which account a learner is, in each LMS.
//!
//! Owns `accounts` and `resolutions`. Once a grant has its account it keeps it; only a definite "unknown" counts as no
//! account.

use std::time::Duration;

use bursar_domain::{
    LmsName, ShopName, Timestamp, Username,
    ids::{AccountId, EnrollmentId, GrantId, IdentityId, LineId, OrderId},
    reason::{Concern, Reason},
    statement::Identity,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store, enrollments,
    error::{Result, StoreError},
    orders, reviews, rows,
    trail::{AuditAction, Entry},
    writer::Command,
};

/// A learner to be looked up, and the right to do it until the lease ends.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// The identity's id.
    pub identity_id: IdentityId,
    /// Who.
    pub identity: Identity,
    /// Where.
    pub lms: LmsName,
    /// Look-ups so far that found nothing.
    pub misses: u32,
    /// Since when the account is waited for.
    pub waiting_since: Option<Timestamp>,
    /// The shops whose grants wait for it.
    pub shops: Vec<ShopName>,
    /// Which claim this is.
    fence: i64,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The account.
    Account {
        /// The LMS's id of the user.
        lms_user_id: i64,
        /// Their name there.
        username: Username,
    },
    /// Definitely none; look again then.
    Nobody {
        /// When to look again.
        due_at: Timestamp,
        /// A person should know.
        tell: bool,
    },
    /// The account was retired.
    Retired,
    /// This kind of identity cannot be looked up.
    Unsupported,
    /// It could not be found out; look again then.
    Unknown {
        /// When to look again.
        due_at: Timestamp,
        /// What happened.
        reason: Reason,
    },
}

impl Store {
    /// Takes up to `limit` learners that live grants wait for and whose time has come, the longest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_unresolved(
        &self,
        lms: &LmsName,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<Unresolved>> {
        let look = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM resolutions WHERE lms = ? AND due_at <= ?)");
        if !self.any_due(look, lms, now).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { lms: lms.clone(), now, limit, lease }).await
    }

    /// Records what look-ups found, all in one transaction. Those whose lease was lost are passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_found(&self, found: Vec<(Unresolved, Found)>, now: Timestamp) -> Result<()> {
        self.writer.run(Record { found, now }).await
    }
}

/// A live grant waits for this learner: look it up now, unless the account is known already.
pub(crate) async fn want(
    connection: &mut SqliteConnection,
    lms: &LmsName,
    identity: &Identity,
    now: Timestamp,
) -> Result<()> {
    let identity_id = orders::intern(connection, identity, now).await?;
    let row = sqlx::query(
        "INSERT INTO resolutions (identity_id, lms, state, due_at) VALUES (?1, ?2, 'open', ?3)
         ON CONFLICT (identity_id, lms) DO UPDATE
             SET due_at = CASE WHEN state IN ('resolved', 'retired', 'unsupported') THEN due_at ELSE ?3 END
         RETURNING account_id",
    )
    .bind(identity_id.to_string())
    .bind(lms.as_str())
    .bind(now.as_millis())
    .fetch_one(&mut *connection)
    .await?;
    if let Some(account) = rows::parsed_option(&row, "account_id")? {
        give_account(connection, identity_id, lms, account, now).await?;
    }
    Ok(())
}

/// Every live grant of the learner that has no account gets it, and its enrollment is due.
async fn give_account(
    connection: &mut SqliteConnection,
    identity: IdentityId,
    lms: &LmsName,
    account: AccountId,
    now: Timestamp,
) -> Result<()> {
    let grants = sqlx::query(
        "UPDATE grants SET account_id = ?1
         WHERE identity_id = ?2 AND lms = ?3 AND account_id IS NULL AND ended_at IS NULL
         RETURNING id, line_id, course_run, (SELECT order_id FROM lines WHERE lines.id = line_id) AS order_id",
    )
    .bind(account.to_string())
    .bind(identity.to_string())
    .bind(lms.as_str())
    .fetch_all(&mut *connection)
    .await?;
    for row in grants {
        let grant: GrantId = rows::parsed(&row, "id")?;
        let line: LineId = rows::parsed(&row, "line_id")?;
        let order: OrderId = rows::parsed(&row, "order_id")?;
        let enrollment: EnrollmentId =
            enrollments::wake(connection, lms, account, &rows::parsed(&row, "course_run")?, now, now).await?;
        let entry = Entry {
            at: now,
            actor: "host",
            action: AuditAction::AccountFound,
            reason: &Reason::AccountFound,
            delivery: None,
            order: Some(order),
            line: Some(line),
            grant: Some(grant),
            enrollment: Some(enrollment),
        };
        entry.write(connection).await?;
    }
    Ok(())
}

struct Claim {
    lms: LmsName,
    now: Timestamp,
    limit: u32,
    lease: Duration,
}

impl Command for Claim {
    const DURABLE: bool = false;

    type Output = Vec<Unresolved>;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Vec<Unresolved>> {
        // Nobody waits any more: every grant has ended. A new one sets the time again.
        sqlx::query(
            "UPDATE resolutions SET due_at = NULL
             WHERE lms = ?1 AND due_at <= ?2 AND NOT EXISTS (SELECT 1 FROM grants g
                 WHERE g.identity_id = resolutions.identity_id AND g.lms = ?1 AND g.account_id IS NULL AND g.ended_at IS NULL)",
        )
        .bind(self.lms.as_str())
        .bind(self.now.as_millis())
        .execute(&mut *connection)
        .await?;
        let rows = sqlx::query(
            "UPDATE resolutions SET leased_until = ?1, fence = fence + 1
             WHERE lms = ?2 AND identity_id IN (SELECT identity_id FROM resolutions
                 WHERE lms = ?2 AND due_at <= ?3 AND COALESCE(leased_until, 0) <= ?3 ORDER BY due_at LIMIT ?4)
             RETURNING identity_id, misses, waiting_since, fence,
                 (SELECT kind FROM identities i WHERE i.id = identity_id) AS kind,
                 (SELECT provider FROM identities i WHERE i.id = identity_id) AS provider,
                 (SELECT written FROM identities i WHERE i.id = identity_id) AS written",
        )
        .bind(self.now.plus(self.lease).as_millis())
        .bind(self.lms.as_str())
        .bind(self.now.as_millis())
        .bind(i64::from(self.limit))
        .fetch_all(&mut *connection)
        .await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let identity_id: IdentityId = rows::parsed(&row, "identity_id")?;
            claimed.push(Unresolved {
                identity_id,
                identity: orders::identity(&row)?
                    .ok_or(StoreError::Corrupt { what: "resolution", problem: "has no identity".into() })?,
                lms: self.lms.clone(),
                misses: rows::count(&row, "misses")?,
                waiting_since: rows::time_option(&row, "waiting_since")?,
                shops: shops_waiting(connection, identity_id, &self.lms).await?,
                fence: row.try_get("fence")?,
            });
        }
        Ok(claimed)
    }
}

async fn shops_waiting(
    connection: &mut SqliteConnection,
    identity: IdentityId,
    lms: &LmsName,
) -> Result<Vec<ShopName>> {
    let rows = sqlx::query(
        "SELECT DISTINCT shop FROM grants WHERE identity_id = ? AND lms = ? AND account_id IS NULL AND ended_at IS NULL",
    )
    .bind(identity.to_string())
    .bind(lms.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| rows::parsed(row, "shop")).collect()
}

struct Record {
    found: Vec<(Unresolved, Found)>,
    now: Timestamp,
}

impl Command for Record {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        for (unresolved, found) in self.found {
            record(connection, &unresolved, found, self.now).await?;
        }
        Ok(())
    }
}

async fn record(
    connection: &mut SqliteConnection,
    unresolved: &Unresolved,
    found: Found,
    now: Timestamp,
) -> Result<()> {
    let (state, account, due_at, missed, problem, concern) = match found {
        Found::Account { lms_user_id, username } => {
            let account = account(connection, &unresolved.lms, lms_user_id, &username, now).await?;
            ("resolved", Some(account), None, false, None, None)
        }
        Found::Nobody { due_at, tell } => {
            ("waiting", None, Some(due_at), true, None, tell.then_some(Concern::NoAccount))
        }
        Found::Retired => ("retired", None, None, false, Some(Reason::AccountRetired), Some(Concern::AccountRetired)),
        Found::Unsupported => {
            ("unsupported", None, None, false, Some(Reason::IdentityUnsupported), Some(Concern::IdentityUnsupported))
        }
        Found::Unknown { due_at, reason } => ("open", None, Some(due_at), false, Some(reason), None),
    };
    let updated = sqlx::query(
        "UPDATE resolutions SET state = CASE WHEN ?1 = 'open' THEN state ELSE ?1 END, account_id = ?2,
             source = CASE WHEN ?2 IS NULL THEN source ELSE 'lookup' END, due_at = ?3, leased_until = NULL,
             misses = misses + ?4, problem = ?5,
             waiting_since = CASE WHEN ?4 = 1 THEN COALESCE(waiting_since, ?6) ELSE waiting_since END
         WHERE identity_id = ?7 AND lms = ?8 AND fence = ?9 AND account_id IS NULL",
    )
    .bind(state)
    .bind(account.map(|id| id.to_string()))
    .bind(due_at.map(Timestamp::as_millis))
    .bind(i64::from(missed))
    .bind(problem.as_ref().map(rows::to_json).transpose()?)
    .bind(now.as_millis())
    .bind(unresolved.identity_id.to_string())
    .bind(unresolved.lms.as_str())
    .bind(unresolved.fence)
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(());
    }
    if let Some(account) = account {
        give_account(connection, unresolved.identity_id, &unresolved.lms, account, now).await?;
    }
    if missed && unresolved.waiting_since.is_none() {
        note_missing(connection, unresolved, now).await?;
    }
    if let Some(concern) = concern {
        for (shop, order) in waiting_orders(connection, unresolved).await? {
            let about = reviews::About {
                order: Some(order),
                learner: Some((unresolved.lms.clone(), unresolved.identity_id)),
                ..reviews::About::default()
            };
            reviews::open(connection, &shop, &concern, &about, now).await?;
        }
    }
    Ok(())
}

/// The first order of each shop that waits for the learner.
async fn waiting_orders(
    connection: &mut SqliteConnection,
    unresolved: &Unresolved,
) -> Result<Vec<(ShopName, OrderId)>> {
    let rows = sqlx::query(
        "SELECT g.shop, MIN(l.order_id) AS order_id FROM grants g JOIN lines l ON l.id = g.line_id
         WHERE g.identity_id = ? AND g.lms = ? AND g.account_id IS NULL AND g.ended_at IS NULL GROUP BY g.shop",
    )
    .bind(unresolved.identity_id.to_string())
    .bind(unresolved.lms.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((rows::parsed(row, "shop")?, rows::parsed(row, "order_id")?))).collect()
}

/// The first miss is worth an entry at each grant that waits; the thousandth is not.
async fn note_missing(connection: &mut SqliteConnection, unresolved: &Unresolved, now: Timestamp) -> Result<()> {
    let waiting = sqlx::query(
        "SELECT g.id, g.line_id, l.order_id FROM grants g JOIN lines l ON l.id = g.line_id
         WHERE g.identity_id = ? AND g.lms = ? AND g.account_id IS NULL AND g.ended_at IS NULL",
    )
    .bind(unresolved.identity_id.to_string())
    .bind(unresolved.lms.as_str())
    .fetch_all(&mut *connection)
    .await?;
    for row in waiting {
        let entry = Entry {
            at: now,
            actor: "host",
            action: AuditAction::AccountMissing,
            reason: &Reason::NoAccount,
            delivery: None,
            order: rows::parsed_option(&row, "order_id")?,
            line: rows::parsed_option(&row, "line_id")?,
            grant: rows::parsed_option(&row, "id")?,
            enrollment: None,
        };
        entry.write(connection).await?;
    }
    Ok(())
}

/// The LMS's user, made known if it is not.
pub(crate) async fn account(
    connection: &mut SqliteConnection,
    lms: &LmsName,
    lms_user_id: i64,
    username: &Username,
    now: Timestamp,
) -> Result<AccountId> {
    let row = sqlx::query(
        "INSERT INTO accounts (id, lms, lms_user_id, username, state, created_at, seen_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?5)
         ON CONFLICT (lms, lms_user_id) DO UPDATE SET username = ?4, seen_at = ?5, state = 'active' RETURNING id",
    )
    .bind(AccountId::new(now).to_string())
    .bind(lms.as_str())
    .bind(lms_user_id)
    .bind(username.as_str())
    .bind(now.as_millis())
    .fetch_one(connection)
    .await?;
    rows::parsed(&row, "id")
}
