//! Which account a learner is, in each LMS.
//!
//! Owns `accounts` and `resolutions`. Once a grant has its account it keeps it; only a definite "unknown" counts as no
//! account. What a look-up found serves new grants for a day, because addresses change hands; what a person said serves for
//! good.

use std::time::Duration;

use bursar_domain::{
    Email, LmsName, ShopName, Timestamp, Username,
    ids::{AccountId, EnrollmentId, GrantId, IdentityId, LineId, OrderId},
    reason::{Concern, Reason},
    retry,
    statement::Identity,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store,
    enrollments::{self, Urgency},
    error::{Result, StoreError},
    orders, registrations, reviews, rows,
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
    /// Look-ups that failed since one was answered.
    pub failures: u32,
    /// Since when the account is waited for.
    pub waiting_since: Option<Timestamp>,
    /// Was a person told that they wait?
    pub told: bool,
    /// When the LMS said that they have registered.
    pub noticed_at: Option<Timestamp>,
    /// The shops whose grants wait for it.
    pub shops: Vec<ShopName>,
    /// How often it had been woken when it was claimed.
    wakes: i64,
    /// Which claim this is.
    pub(crate) fence: i64,
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
        /// Why nothing else is done about it.
        reason: Reason,
        /// What a person should know, and of which shop.
        tell: Vec<(ShopName, Concern)>,
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

    /// The LMS says that the owner of this address has registered, so whoever waits under it is due now and looked up often
    /// for a while: its answer may lag behind its word. Nobody's waiting is no error.
    ///
    /// # Errors
    /// [`StoreError::Full`] at once where too much waits to be written, and when the database fails.
    pub async fn notice(&self, lms: &LmsName, email: &Email, now: Timestamp) -> Result<()> {
        self.writer.run_if_room(Notice { lms: lms.clone(), email: Some(email.clone()), due_at: now, now }).await
    }

    /// The LMS says that somebody has registered, and not who: everybody who waits there is due at `due_at`.
    ///
    /// # Errors
    /// As [`Store::notice`].
    pub async fn notice_somebody(&self, lms: &LmsName, due_at: Timestamp, now: Timestamp) -> Result<()> {
        self.writer.run_if_room(Notice { lms: lms.clone(), email: None, due_at, now }).await
    }
}

/// A live grant waits for this learner: look it up now, unless the account is known already and was not found too long ago.
pub(crate) async fn want(
    connection: &mut SqliteConnection,
    lms: &LmsName,
    identity: &Identity,
    now: Timestamp,
) -> Result<()> {
    let identity_id = orders::intern(connection, identity, now).await?;
    let row = sqlx::query(
        "INSERT INTO resolutions (identity_id, lms, state, due_at) VALUES (?1, ?2, 'open', ?3)
         ON CONFLICT (identity_id, lms) DO UPDATE SET due_at =
             CASE WHEN source = 'person' OR (state = 'resolved' AND found_at > ?4) THEN NULL ELSE ?3 END
         RETURNING CASE WHEN due_at IS NULL THEN account_id END AS account_id",
    )
    .bind(identity_id.to_string())
    .bind(lms.as_str())
    .bind(now.as_millis())
    .bind(now.minus(retry::ACCOUNT_TRUSTED_FOR).as_millis())
    .fetch_one(&mut *connection)
    .await?;
    if let Some(account) = rows::parsed_option(&row, "account_id")? {
        let known = Given { by: "host", action: AuditAction::AccountFound, reason: Reason::AccountFound };
        give_account(connection, identity_id, lms, account, &known, now).await?;
    }
    Ok(())
}

/// Who or what says which account a learner is.
pub(crate) struct Given<'a> {
    pub(crate) by: &'a str,
    pub(crate) action: AuditAction,
    pub(crate) reason: Reason,
}

/// Every live grant of the learner that has no account gets it, and its enrollment is due.
///
/// Answers how many those were.
pub(crate) async fn give_account(
    connection: &mut SqliteConnection,
    identity: IdentityId,
    lms: &LmsName,
    account: AccountId,
    given: &Given<'_>,
    now: Timestamp,
) -> Result<usize> {
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
    let count = grants.len();
    for row in grants {
        let grant: GrantId = rows::parsed(&row, "id")?;
        let line: LineId = rows::parsed(&row, "line_id")?;
        let order: OrderId = rows::parsed(&row, "order_id")?;
        let enrollment: EnrollmentId = enrollments::wake(
            connection,
            lms,
            account,
            &rows::parsed(&row, "course_run")?,
            Urgency::Purchase,
            now,
            now,
        )
        .await?;
        let entry = Entry {
            at: now,
            actor: given.by,
            action: given.action,
            reason: &given.reason,
            delivery: None,
            order: Some(order),
            line: Some(line),
            grant: Some(grant),
            enrollment: Some(enrollment),
        };
        entry.write(connection).await?;
    }
    Ok(count)
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
             RETURNING identity_id, misses, failures, waiting_since, told_at, noticed_at, wakes, fence,
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
                failures: rows::count(&row, "failures")?,
                waiting_since: rows::time_option(&row, "waiting_since")?,
                told: rows::time_option(&row, "told_at")?.is_some(),
                noticed_at: rows::time_option(&row, "noticed_at")?,
                shops: shops_waiting(connection, identity_id, &self.lms).await?,
                wakes: row.try_get("wakes")?,
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
    let Unresolved { identity_id, lms, .. } = unresolved;
    if !still_ours(connection, unresolved).await? {
        return Ok(());
    }
    match found {
        Found::Account { lms_user_id, username } => {
            let account = account(connection, lms, lms_user_id, &username, now).await?;
            let ours = registrations::found(connection, *identity_id, lms, &username).await?;
            let given = if ours {
                Given { by: "host", action: AuditAction::AccountRegistered, reason: Reason::AccountRegistered }
            } else {
                Given { by: "host", action: AuditAction::AccountFound, reason: Reason::AccountFound }
            };
            resolve(connection, *identity_id, lms, account, "lookup", now).await?;
            if ours {
                for (shop, _) in waiting_orders(connection, unresolved).await? {
                    reviews::settle_registrations(connection, &shop, now).await?;
                }
            }
            give_account(connection, *identity_id, lms, account, &given, now).await?;
            reviews::settle_learner(connection, lms, *identity_id, "the account is known now", now).await?;
        }
        Found::Nobody { due_at, reason, tell } => {
            let told = tell.iter().any(|(_, concern)| *concern == Concern::NoAccount);
            sqlx::query(
                "UPDATE resolutions SET state = 'waiting', account_id = NULL, source = NULL, leased_until = NULL,
                     due_at = CASE WHEN wakes > ?6 THEN ?2 ELSE ?1 END,
                     misses = misses + 1, failures = 0, problem = NULL, waiting_since = COALESCE(waiting_since, ?2),
                     told_at = CASE WHEN ?3 THEN COALESCE(told_at, ?2) ELSE told_at END
                 WHERE identity_id = ?4 AND lms = ?5",
            )
            .bind(due_at.as_millis())
            .bind(now.as_millis())
            .bind(told)
            .bind(identity_id.to_string())
            .bind(lms.as_str())
            // A notice that came while the LMS was asked may be newer than its answer.
            .bind(unresolved.wakes)
            .execute(&mut *connection)
            .await?;
            if unresolved.waiting_since.is_none() {
                note_missing(connection, unresolved, &reason, now).await?;
            }
            raise(connection, unresolved, &tell, now).await?;
        }
        Found::Retired => {
            sqlx::query(
                "UPDATE accounts SET state = 'retired' WHERE id = (SELECT account_id FROM resolutions WHERE identity_id = ? AND lms = ?)",
            )
            .bind(identity_id.to_string())
            .bind(lms.as_str())
            .execute(&mut *connection)
            .await?;
            end(connection, unresolved, "retired", &Reason::AccountRetired, Concern::AccountRetired, now).await?;
        }
        Found::Unsupported => {
            let (reason, concern) = (&Reason::IdentityUnsupported, Concern::IdentityUnsupported);
            end(connection, unresolved, "unsupported", reason, concern, now).await?;
        }
        Found::Unknown { due_at, reason } => {
            sqlx::query(
                "UPDATE resolutions SET due_at = ?1, leased_until = NULL, failures = failures + 1, problem = ?2 WHERE identity_id = ?3 AND lms = ?4",
            )
            .bind(due_at.as_millis())
            .bind(rows::to_json(&reason)?)
            .bind(identity_id.to_string())
            .bind(lms.as_str())
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

/// Does the claim still hold? Whoever claims, and a person who joins the learner to an account, ends the claims before.
async fn still_ours(connection: &mut SqliteConnection, unresolved: &Unresolved) -> Result<bool> {
    let look = "SELECT EXISTS (SELECT 1 FROM resolutions WHERE identity_id = ? AND lms = ? AND fence = ?)";
    let look = sqlx::query_scalar(look).bind(unresolved.identity_id.to_string()).bind(unresolved.lms.as_str());
    Ok(look.bind(unresolved.fence).fetch_one(connection).await?)
}

/// The identity is this account from now on. What was given to another one before stays there.
pub(crate) async fn resolve(
    connection: &mut SqliteConnection,
    identity: IdentityId,
    lms: &LmsName,
    account: AccountId,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO resolutions (identity_id, lms, state, account_id, source, found_at) VALUES (?1, ?2, 'resolved', ?3, ?4, ?5)
         ON CONFLICT (identity_id, lms) DO UPDATE SET state = 'resolved', account_id = ?3, source = ?4, found_at = ?5, misses = 0, failures = 0,
             waiting_since = NULL, told_at = NULL, noticed_at = NULL, due_at = NULL, leased_until = NULL, fence = fence + 1,
             problem = NULL",
    )
    .bind(identity.to_string())
    .bind(lms.as_str())
    .bind(account.to_string())
    .bind(source)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// There is nothing more to look for until another grant wants the learner: a person decides.
async fn end(
    connection: &mut SqliteConnection,
    unresolved: &Unresolved,
    state: &str,
    reason: &Reason,
    concern: Concern,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE resolutions SET state = ?1, account_id = NULL, source = NULL, due_at = NULL, leased_until = NULL, misses = 0, failures = 0,
             waiting_since = NULL, told_at = NULL, noticed_at = NULL, problem = ?2
         WHERE identity_id = ?3 AND lms = ?4",
    )
    .bind(state)
    .bind(rows::to_json(reason)?)
    .bind(unresolved.identity_id.to_string())
    .bind(unresolved.lms.as_str())
    .execute(&mut *connection)
    .await?;
    let tell: Vec<_> = unresolved.shops.iter().map(|shop| (shop.clone(), concern.clone())).collect();
    raise(connection, unresolved, &tell, now).await
}

/// Opens a review for each of these at the shop's first order that waits.
async fn raise(
    connection: &mut SqliteConnection,
    unresolved: &Unresolved,
    tell: &[(ShopName, Concern)],
    now: Timestamp,
) -> Result<()> {
    if tell.is_empty() {
        return Ok(());
    }
    let orders = waiting_orders(connection, unresolved).await?;
    for (shop, concern) in tell {
        let Some((_, order)) = orders.iter().find(|(waiting, _)| waiting == shop) else { continue };
        let about = reviews::About {
            order: Some(*order),
            learner: Some((unresolved.lms.clone(), unresolved.identity_id)),
            ..reviews::About::default()
        };
        // What keeps the LMS from registering anybody comes up at every look-up of everybody; it is one question.
        let told_already = matches!(concern, Concern::RegistrationLimit { .. } | Concern::RegistrationRefused { .. })
            && reviews::is_open(connection, Some(shop), concern, &about).await?;
        if !told_already {
            reviews::open(connection, Some(shop), concern, &about, now).await?;
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
async fn note_missing(
    connection: &mut SqliteConnection,
    unresolved: &Unresolved,
    reason: &Reason,
    now: Timestamp,
) -> Result<()> {
    let waiting = sqlx::query(
        "SELECT g.id, g.line_id, g.delivery_id, l.order_id FROM grants g JOIN lines l ON l.id = g.line_id
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
            reason,
            delivery: rows::parsed_option(&row, "delivery_id")?,
            order: rows::parsed_option(&row, "order_id")?,
            line: rows::parsed_option(&row, "line_id")?,
            grant: rows::parsed_option(&row, "id")?,
            enrollment: None,
        };
        entry.write(connection).await?;
    }
    Ok(())
}

/// The account of this user of the LMS, made known if it is not.
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

struct Notice {
    lms: LmsName,
    email: Option<Email>,
    due_at: Timestamp,
    now: Timestamp,
}

impl Command for Notice {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        // Only those with a time are waited for: the others have their account, or end with a person.
        let query = match &self.email {
            Some(email) => sqlx::query(
                "UPDATE resolutions SET due_at = MIN(due_at, ?1), noticed_at = ?2, wakes = wakes + 1 WHERE lms = ?3 AND due_at IS NOT NULL
                     AND identity_id IN (SELECT id FROM identities WHERE kind = 'email' AND normalized = ?4)",
            )
            .bind(self.due_at.as_millis())
            .bind(self.now.as_millis())
            .bind(self.lms.as_str())
            .bind(email.normalized()),
            None => {
                sqlx::query("UPDATE resolutions SET due_at = MIN(due_at, ?1), wakes = wakes + 1 WHERE lms = ?2 AND due_at IS NOT NULL")
                    .bind(self.due_at.as_millis())
                    .bind(self.lms.as_str())
            }
        };
        query.execute(connection).await?;
        Ok(())
    }
}
