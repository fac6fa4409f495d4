//! Enrollment-allowed records: leave to enroll, given in the LMS to an address that has no account yet.
//!
//! Owns `allowances`. Which there should be follows from grants alone and is worked out whenever somebody asks for what is
//! due. A record that was in the LMS before us is somebody else's and is never deleted.

use std::time::Duration;

use bursar_domain::{
    CourseRun, Email, LmsName, ShopName, Timestamp,
    ids::{AllowanceId, DeliveryId, GrantId, LineId, OrderId},
    reason::Reason,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store,
    error::{Result, StoreError},
    rows,
    trail::{AuditAction, Entry},
    writer::Command,
};

bursar_domain::words! {
    /// What is known of a record.
    AllowanceState {
        /// It is to be made.
        Wanted = "wanted",
        /// There was none, and a request for one is about to be, or may have been, sent.
        Making = "making",
        /// We made it.
        Ours = "ours",
        /// It was there before us.
        Theirs = "theirs",
        /// There is none of ours.
        Gone = "gone",
    }
}

/// Whose learners are given leave. A shop that is configured no more is in none of these: what was made for it stays while
/// its grants live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowanceShops {
    /// Shops that want records and are live: for them records are made.
    pub live: Vec<ShopName>,
    /// Shops that want none.
    pub without: Vec<ShopName>,
    /// Shops that are not live: for them nothing is written, so what was made stays.
    pub idle: Vec<ShopName>,
}

/// A record to be dealt with, and the right to do it until the lease ends.
#[derive(Debug, Clone)]
pub struct DueAllowance {
    /// Its id.
    pub id: AllowanceId,
    /// Where.
    pub lms: LmsName,
    /// For whom.
    pub email: Email,
    /// For which course run.
    pub run: CourseRun,
    /// What is known of it.
    pub state: AllowanceState,
    /// Does a grant of a live shop wait for an account?
    pub wanted: bool,
    /// Must what we made stay?
    pub kept: bool,
    /// When the last request was written down.
    pub intent_at: Option<Timestamp>,
    /// Tries since it was last right.
    pub attempts: u32,
    /// Which claim this is.
    fence: i64,
}

/// What came of dealing with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowanceSettled {
    /// What is known of it now.
    pub state: AllowanceState,
    /// When to look again; none if it is right.
    pub due_at: Option<Timestamp>,
    /// What to tell of it.
    pub told: Option<(AuditAction, Reason)>,
}

/// A live shop's grant waits for an account that was looked for and is not there. `?2`: the shops that want records.
macro_rules! waits {
    () => {
        "g.account_id IS NULL AND g.ended_at IS NULL AND g.shop IN (SELECT value FROM json_each(?2))
         AND EXISTS (SELECT 1 FROM identities i WHERE i.id = g.identity_id AND i.kind = 'email')
         AND EXISTS (SELECT 1 FROM resolutions r WHERE r.identity_id = g.identity_id AND r.lms = g.lms AND r.state = 'waiting')"
    };
}

/// The record `a` is wanted.
macro_rules! wanted {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM grants g WHERE g.identity_id = a.identity_id AND g.lms = a.lms AND g.course_run = a.course_run
                 AND ",
            waits!(),
            ")"
        )
    };
}

/// The record `a` must stay: somebody may still need it to enroll. `?3`: shops that want none, `?4`: shops that are not live.
macro_rules! kept {
    () => {
        "EXISTS (SELECT 1 FROM grants g WHERE g.identity_id = a.identity_id AND g.lms = a.lms AND g.course_run = a.course_run
             AND (g.shop IN (SELECT value FROM json_each(?4))
                 OR (g.ended_at IS NULL AND g.shop NOT IN (SELECT value FROM json_each(?3))
                     AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.lms = g.lms AND e.account_id = g.account_id
                         AND e.course_run = g.course_run AND e.satisfied_at >= g.since))))"
    };
}

/// A grant waits and there is no record for it. `?1`: the LMS.
macro_rules! missing {
    () => {
        concat!(
            "g.lms = ?1 AND ",
            waits!(),
            " AND NOT EXISTS (SELECT 1 FROM allowances a WHERE a.lms = g.lms AND a.identity_id = g.identity_id
                 AND a.course_run = g.course_run AND a.state <> 'gone')"
        )
    };
}

/// The record `a` is there, at rest, and not needed.
macro_rules! unneeded {
    () => {
        concat!("a.lms = ?1 AND a.state IN ('ours', 'theirs') AND a.due_at IS NULL AND NOT ", kept!())
    };
}

impl Store {
    /// Takes up to `limit` records that should be otherwise than they are, the longest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_allowances(
        &self,
        lms: &LmsName,
        shops: &AllowanceShops,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<DueAllowance>> {
        let look = sqlx::query_scalar(concat!(
            "SELECT EXISTS (SELECT 1 FROM allowances WHERE lms = ?1 AND due_at <= ?5)
                 OR EXISTS (SELECT 1 FROM grants g WHERE ",
            missing!(),
            ") OR EXISTS (SELECT 1 FROM allowances a WHERE ",
            unneeded!(),
            ")"
        ));
        let look = look
            .bind(lms.as_str())
            .bind(rows::to_json(&shops.live)?)
            .bind(rows::to_json(&shops.without)?)
            .bind(rows::to_json(&shops.idle)?)
            .bind(now.as_millis());
        if !look.fetch_one(&self.readers).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { lms: lms.clone(), shops: shops.clone(), now, limit, lease }).await
    }

    /// Writes down that a record is about to be asked for, of which the LMS has none. Only after this returns may it be.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with the record by now.
    pub async fn intend_allowance(&self, due: &DueAllowance, now: Timestamp) -> Result<()> {
        self.writer.run(Intend { id: due.id, fence: due.fence, now }).await
    }

    /// Records what came of it, and ends the claim.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with the record by now.
    pub async fn record_allowance(&self, due: DueAllowance, settled: AllowanceSettled, now: Timestamp) -> Result<()> {
        self.writer.run(Record { due, settled, now }).await
    }
}

struct Claim {
    lms: LmsName,
    shops: AllowanceShops,
    now: Timestamp,
    limit: u32,
    lease: Duration,
}

impl Command for Claim {
    const DURABLE: bool = false;

    type Output = Vec<DueAllowance>;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Vec<DueAllowance>> {
        let Self { lms, shops, now, limit, lease } = self;
        let live = rows::to_json(&shops.live)?;
        let without = rows::to_json(&shops.without)?;
        let idle = rows::to_json(&shops.idle)?;
        // Somebody else's is not ours to delete, and is looked for anew if it is wanted again.
        sqlx::query(concat!(
            "UPDATE allowances AS a SET state = CASE state WHEN 'theirs' THEN 'gone' ELSE state END,
                 due_at = CASE state WHEN 'theirs' THEN NULL ELSE ?5 END, attempts = 0, changed_at = ?5 WHERE ",
            unneeded!()
        ))
        .bind(lms.as_str())
        .bind(&live)
        .bind(&without)
        .bind(&idle)
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
        let missing =
            sqlx::query(concat!("SELECT DISTINCT g.identity_id, g.course_run FROM grants g WHERE ", missing!()))
                .bind(lms.as_str())
                .bind(&live)
                .fetch_all(&mut *connection)
                .await?;
        for row in missing {
            sqlx::query(
                "INSERT INTO allowances (id, lms, identity_id, course_run, state, due_at, changed_at)
                 VALUES (?1, ?2, ?3, ?4, 'wanted', ?5, ?5)
                 ON CONFLICT (lms, identity_id, course_run)
                     DO UPDATE SET state = 'wanted', due_at = ?5, attempts = 0, changed_at = ?5",
            )
            .bind(AllowanceId::new(now).to_string())
            .bind(lms.as_str())
            .bind(row.try_get::<String, _>("identity_id")?)
            .bind(row.try_get::<String, _>("course_run")?)
            .bind(now.as_millis())
            .execute(&mut *connection)
            .await?;
        }
        let claimed: Vec<String> = sqlx::query_scalar(
            "UPDATE allowances SET leased_until = ?1, fence = fence + 1
             WHERE id IN (SELECT id FROM allowances
                 WHERE lms = ?2 AND due_at <= ?3 AND COALESCE(leased_until, 0) <= ?3 ORDER BY due_at, id LIMIT ?4)
             RETURNING id",
        )
        .bind(now.plus(lease).as_millis())
        .bind(lms.as_str())
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
        let claimed = sqlx::query(concat!(
            "SELECT a.*, i.written AS email, ",
            wanted!(),
            " AS wanted, ",
            kept!(),
            " AS kept FROM allowances a JOIN identities i ON i.id = a.identity_id
             WHERE a.id IN (SELECT value FROM json_each(?1)) ORDER BY a.due_at, a.id"
        ))
        .bind(rows::to_json(&claimed)?)
        .bind(&live)
        .bind(&without)
        .bind(&idle)
        .fetch_all(connection)
        .await?;
        claimed
            .iter()
            .map(|row| {
                Ok(DueAllowance {
                    id: rows::parsed(row, "id")?,
                    lms: lms.clone(),
                    email: rows::parsed(row, "email")?,
                    run: rows::parsed(row, "course_run")?,
                    state: rows::word(row, "state")?,
                    wanted: row.try_get("wanted")?,
                    kept: row.try_get("kept")?,
                    intent_at: rows::time_option(row, "intent_at")?,
                    attempts: rows::count(row, "attempts")?,
                    fence: row.try_get("fence")?,
                })
            })
            .collect()
    }
}

struct Intend {
    id: AllowanceId,
    fence: i64,
    now: Timestamp,
}

impl Command for Intend {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let updated = sqlx::query(
            "UPDATE allowances SET state = 'making', intent_at = ?1, changed_at = ?1
             WHERE id = ?2 AND fence = ?3 AND leased_until > ?1",
        )
        .bind(self.now.as_millis())
        .bind(self.id.to_string())
        .bind(self.fence)
        .execute(connection)
        .await?;
        if updated.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}

struct Record {
    due: DueAllowance,
    settled: AllowanceSettled,
    now: Timestamp,
}

impl Command for Record {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let Self { due, settled, now } = self;
        let updated = sqlx::query(
            "UPDATE allowances SET state = ?1, due_at = ?2, attempts = CASE WHEN ?2 IS NULL THEN 0 ELSE attempts + 1 END,
                 leased_until = NULL, changed_at = ?3
             WHERE id = ?4 AND fence = ?5",
        )
        .bind(settled.state.as_str())
        .bind(settled.due_at.map(Timestamp::as_millis))
        .bind(now.as_millis())
        .bind(due.id.to_string())
        .bind(due.fence)
        .execute(&mut *connection)
        .await?;
        if updated.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        let Some((action, reason)) = settled.told else { return Ok(()) };
        let newest = sqlx::query(
            "SELECT g.id, g.line_id, g.delivery_id, l.order_id FROM allowances a
             JOIN grants g ON g.identity_id = a.identity_id AND g.lms = a.lms AND g.course_run = a.course_run
             JOIN lines l ON l.id = g.line_id
             WHERE a.id = ? ORDER BY COALESCE(g.ended_at, g.since) DESC LIMIT 1",
        )
        .bind(due.id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
        // None where an order names another learner by now: then the change of the order tells of it.
        let Some(row) = newest else { return Ok(()) };
        let delivery: Option<DeliveryId> = rows::parsed_option(&row, "delivery_id")?;
        let order: OrderId = rows::parsed(&row, "order_id")?;
        let line: LineId = rows::parsed(&row, "line_id")?;
        let grant: GrantId = rows::parsed(&row, "id")?;
        let entry = Entry {
            at: now,
            actor: "host",
            action,
            reason: &reason,
            delivery,
            order: Some(order),
            line: Some(line),
            grant: Some(grant),
            enrollment: None,
        };
        entry.write(connection).await
    }
}
