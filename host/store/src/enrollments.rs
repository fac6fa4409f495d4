//! Enrollments: what the LMS says of each account and course run, what was there before us, and what we are about to do.
//!
//! Owns `enrollments`. An intent is on disk before the request that it tells of; it is erased only together with the record
//! of the answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bursar_domain::{
    CourseRun, LmsName, Mode, ShopName, Timestamp, Username,
    decision::Answer,
    fulfillment::{History, Seen, Way},
    grants::Ended,
    ids::{AccountId, DeliveryId, EnrollmentId, GrantId, LineId, OrderId},
    policy::ShopMode,
    reason::{Concern, Reason},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store, brakes,
    effects::{self, DueEffect},
    error::{Result, StoreError},
    orders, reviews, rows,
    trail::{AuditAction, Entry},
    writer::Command,
};

/// Who goes first of those whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Somebody paid and waits.
    Purchase,
    /// Access is to end.
    Removal,
    /// A look whether all is still right.
    Upkeep,
}

impl Urgency {
    fn column(self) -> i64 {
        match self {
            Self::Purchase => 0,
            Self::Removal => 1,
            Self::Upkeep => 2,
        }
    }

    fn of(row: &SqliteRow) -> Result<Self> {
        Ok(match row.try_get::<i64, _>("priority")? {
            0 => Self::Purchase,
            1 => Self::Removal,
            _ => Self::Upkeep,
        })
    }
}

/// A request to the LMS that is about to be, or may have been, sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The mode it asks for, or is guarded by.
    pub mode: Mode,
    /// Switch on, or off?
    pub active: bool,
    /// In which way it is asked.
    pub way: Way,
    /// Why.
    pub reason: Reason,
    /// When it was written down.
    pub at: Timestamp,
}

/// An enrollment whose time has come, and the right to deal with it until the lease ends.
#[derive(Debug, Clone)]
pub struct DueEnrollment {
    /// Its id.
    pub id: EnrollmentId,
    /// Where.
    pub lms: LmsName,
    /// Whose, as the LMS calls them.
    pub username: Username,
    /// Which course run.
    pub run: CourseRun,
    /// What we know of our own doings.
    pub history: History,
    /// A request whose answer was never recorded.
    pub intent: Option<Intent>,
    /// Every grant for it, ended ones too.
    pub grants: Vec<GrantRow>,
    /// What an adapter asked for beside the ledger, the oldest of it.
    pub effect: Option<DueEffect>,
    /// Tries since it was last right.
    pub attempts: u32,
    /// How urgent it was.
    pub urgency: Urgency,
    /// Since when it has been due.
    pub due_at: Timestamp,
    /// What a person answered when asked whether the access is to end.
    pub answer: Option<Answer>,
    /// When nothing was owed any more the last time.
    pub closed_at: Option<Timestamp>,
    /// Why it was as it is when it was looked at last.
    reason: Option<Reason>,
    /// How often it had been woken when it was claimed.
    wakes: i64,
    /// Which claim this is.
    fence: i64,
}

/// A grant, as far as its enrollment cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// Whose order.
    pub shop: ShopName,
    /// The order.
    pub order: OrderId,
    /// What the shop calls the order.
    pub order_name: String,
    /// The line.
    pub line: LineId,
    /// What it owes.
    pub mode: Mode,
    /// Since when.
    pub since: Timestamp,
    /// When the order was placed, if the shop said so.
    pub placed_at: Option<Timestamp>,
    /// Whether and why it ended.
    pub ended: Option<Ended>,
    /// Are the removals of its shop paused?
    pub removals_paused: bool,
    /// The delivery that began or ended it last.
    pub delivery: Option<DeliveryId>,
}

/// What came of dealing with an enrollment.
#[derive(Debug, Clone)]
pub struct Settled {
    /// What the LMS says now, if it was asked.
    pub seen: Option<Seen>,
    /// Modes that we set.
    pub gave: Vec<Mode>,
    /// Is every live grant satisfied?
    pub satisfied: bool,
    /// What was done or left.
    pub action: AuditAction,
    /// Why.
    pub reason: Reason,
    /// When to go on with it; none if it is right, or waits for a person.
    pub due_at: Option<Timestamp>,
    /// Where it is right: when to see whether it still is.
    pub look_again_at: Option<Timestamp>,
    /// What a person must see.
    pub concern: Option<Concern>,
    /// Is a request of ours still in doubt?
    pub keep_intent: bool,
    /// Nothing is owed any more and what we gave is undone or let go: whatever is there from now on is the learner's own,
    /// and the baseline of the next purchase.
    pub closed: bool,
}

impl Settled {
    /// Something was done or left, for a reason, and that was all.
    #[must_use]
    pub fn new(action: AuditAction, reason: Reason) -> Self {
        Self {
            seen: None,
            gave: Vec::new(),
            satisfied: false,
            action,
            reason,
            due_at: None,
            look_again_at: None,
            concern: None,
            keep_intent: false,
            closed: false,
        }
    }
}

impl Store {
    /// Takes up to `limit` enrollments whose time has come, the longest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_enrollments(
        &self,
        lms: &LmsName,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<DueEnrollment>> {
        let look = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM enrollments WHERE lms = ? AND priority IN (0, 1, 2) AND due_at <= ?)",
        );
        if !self.any_due(look, lms, now).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { lms: lms.clone(), least: Urgency::Upkeep, now, limit, lease }).await
    }

    /// As [`Store::claim_enrollments`], but only those that somebody paid for and waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_purchases(
        &self,
        lms: &LmsName,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<DueEnrollment>> {
        let look = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM enrollments WHERE lms = ?1 AND priority = 0 AND due_at <= ?2
                 AND COALESCE(leased_until, 0) <= ?2)",
        );
        if !self.any_due(look, lms, now).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { lms: lms.clone(), least: Urgency::Purchase, now, limit, lease }).await
    }

    /// Remembers the mode that each shop has now. What was only observed is due where its shop is live by now, and so is
    /// everything of a shop that was not live when the host last started.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wake_live(&self, modes: BTreeMap<ShopName, ShopMode>, now: Timestamp) -> Result<u64> {
        self.writer.run(WakeLive { modes, now }).await
    }

    /// Every enrollment that something is owed for is looked at again, of one LMS or of all; answers how many those are. Learners
    /// whose account is waited for are looked up, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wake_all(&self, lms: Option<LmsName>, now: Timestamp) -> Result<u64> {
        self.writer.run(WakeAll { lms, now }).await
    }

    /// Writes down a request that is about to be sent, and what was there before the first one. Only after this returns may
    /// it be sent.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with the enrollment by now.
    pub async fn record_intent(&self, due: &DueEnrollment, baseline: Seen, intent: Intent) -> Result<()> {
        self.writer.run(RecordIntent { id: due.id, fence: due.fence, baseline, intent }).await
    }

    /// Records what came of it, and ends the claim.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with the enrollment by now.
    pub async fn record_settled(&self, due: DueEnrollment, settled: Settled, now: Timestamp) -> Result<()> {
        self.writer.run(RecordSettled { due, settled, now }).await
    }
}

/// The enrollment needs looking at, at `due_at` or earlier if it was due earlier.
pub(crate) async fn wake(
    connection: &mut SqliteConnection,
    lms: &LmsName,
    account: AccountId,
    run: &CourseRun,
    urgency: Urgency,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<EnrollmentId> {
    let row = sqlx::query(
        "INSERT INTO enrollments (id, lms, account_id, course_run, given, state, due_at, changed_at, priority)
         VALUES (?1, ?2, ?3, ?4, '[]', 'due', ?5, ?6, ?7)
         ON CONFLICT (lms, account_id, course_run) DO UPDATE
             SET due_at = MIN(COALESCE(due_at, ?5), ?5), state = 'due', attempts = 0, wakes = wakes + 1, changed_at = ?6,
                 priority = CASE WHEN due_at IS NULL THEN ?7 ELSE MIN(priority, ?7) END
         RETURNING id",
    )
    .bind(EnrollmentId::new(now).to_string())
    .bind(lms.as_str())
    .bind(account.to_string())
    .bind(run.as_str())
    .bind(due_at.as_millis())
    .bind(now.as_millis())
    .bind(urgency.column())
    .fetch_one(connection)
    .await?;
    rows::parsed(&row, "id")
}

struct Claim {
    lms: LmsName,
    /// What is less urgent is left.
    least: Urgency,
    now: Timestamp,
    limit: u32,
    lease: Duration,
}

impl Command for Claim {
    const DURABLE: bool = false;

    type Output = Vec<DueEnrollment>;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Vec<DueEnrollment>> {
        let rows = sqlx::query(
            "UPDATE enrollments SET leased_until = ?1, fence = fence + 1
             WHERE id IN (SELECT id FROM enrollments
                 WHERE lms = ?2 AND due_at <= ?3 AND COALESCE(leased_until, 0) <= ?3
                     AND priority = CASE
                         WHEN EXISTS (SELECT 1 FROM enrollments WHERE lms = ?2 AND priority = 0 AND due_at <= ?3
                             AND COALESCE(leased_until, 0) <= ?3) THEN 0
                         WHEN ?5 >= 1 AND EXISTS (SELECT 1 FROM enrollments WHERE lms = ?2 AND priority = 1 AND due_at <= ?3
                             AND COALESCE(leased_until, 0) <= ?3) THEN 1
                         WHEN ?5 >= 2 THEN 2 END
                 ORDER BY due_at, id LIMIT ?4)
             RETURNING *, (SELECT username FROM accounts a WHERE a.id = account_id) AS username",
        )
        .bind(self.now.plus(self.lease).as_millis())
        .bind(self.lms.as_str())
        .bind(self.now.as_millis())
        .bind(i64::from(self.limit))
        .bind(self.least.column())
        .fetch_all(&mut *connection)
        .await?;
        let paused = brakes::pulled(connection).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let account: AccountId = rows::parsed(&row, "account_id")?;
            let run: CourseRun = rows::parsed(&row, "course_run")?;
            let id: EnrollmentId = rows::parsed(&row, "id")?;
            let grants = grants(connection, account, &run, &paused).await?;
            let (wakes, fence) = (row.try_get("wakes")?, row.try_get("fence")?);
            claimed.push(DueEnrollment {
                id,
                lms: self.lms.clone(),
                username: rows::parsed(&row, "username")?,
                history: History {
                    baseline: rows::json_option(&row, "baseline")?,
                    given: rows::json(&row, "given")?,
                    satisfied_at: rows::time_option(&row, "satisfied_at")?,
                },
                intent: rows::json_option(&row, "intent")?,
                effect: effects::carried_by(connection, id, fence, wakes, !grants.is_empty()).await?,
                grants,
                attempts: rows::count(&row, "attempts")?,
                urgency: Urgency::of(&row)?,
                due_at: rows::time(&row, "due_at")?,
                answer: row
                    .try_get::<Option<String>, _>("answer")?
                    .map(|word| rows::from_word("answer", word))
                    .transpose()?,
                closed_at: rows::time_option(&row, "closed_at")?,
                reason: rows::json_option(&row, "reason")?,
                wakes,
                fence,
                run,
            });
        }
        // The database answers in any order.
        claimed.sort_by_key(|due| (due.due_at, due.id));
        Ok(claimed)
    }
}

async fn grants(
    connection: &mut SqliteConnection,
    account: AccountId,
    run: &CourseRun,
    paused: &[ShopName],
) -> Result<Vec<GrantRow>> {
    let rows = sqlx::query(
        "SELECT g.*, l.order_id, o.placed_at, COALESCE(o.number, o.external_id) AS order_name
         FROM grants g JOIN lines l ON l.id = g.line_id JOIN orders o ON o.id = l.order_id
         WHERE g.account_id = ? AND g.course_run = ? ORDER BY g.id",
    )
    .bind(account.to_string())
    .bind(run.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let shop: ShopName = rows::parsed(row, "shop")?;
            Ok(GrantRow {
                id: rows::parsed(row, "id")?,
                removals_paused: paused.contains(&shop),
                shop,
                order: rows::parsed(row, "order_id")?,
                order_name: row.try_get("order_name")?,
                line: rows::parsed(row, "line_id")?,
                mode: rows::parsed(row, "mode")?,
                since: rows::time(row, "since")?,
                placed_at: rows::time_option(row, "placed_at")?,
                ended: orders::ended(row)?,
                delivery: rows::parsed_option(row, "delivery_id")?,
            })
        })
        .collect()
}

struct WakeLive {
    modes: BTreeMap<ShopName, ShopMode>,
    now: Timestamp,
}

impl Command for WakeLive {
    type Output = u64;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<u64> {
        let mut turned_live = Vec::new();
        for (shop, mode) in &self.modes {
            let before: Option<String> = sqlx::query_scalar("SELECT mode FROM shops WHERE name = ?")
                .bind(shop.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            if *mode == ShopMode::Live && before.is_some_and(|before| before != mode.as_str()) {
                turned_live.push(shop);
            }
            sqlx::query("INSERT INTO shops (name, mode) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET mode = ?2")
                .bind(shop.as_str())
                .bind(mode.as_str())
                .execute(&mut *connection)
                .await?;
        }
        let live: Vec<_> =
            self.modes.iter().filter(|(_, mode)| **mode == ShopMode::Live).map(|(shop, _)| shop).collect();
        // What another live shop had settled without counting what this one owes is looked at, too.
        let woken = sqlx::query(
            "UPDATE enrollments SET state = 'due', due_at = ?1, priority = 0, wakes = wakes + 1
             WHERE (state = 'observed' AND EXISTS (SELECT 1 FROM grants g
                 WHERE g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run
                   AND g.shop IN (SELECT value FROM json_each(?2))))
                OR EXISTS (SELECT 1 FROM grants g
                 WHERE g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run
                   AND g.shop IN (SELECT value FROM json_each(?3)))",
        )
        .bind(self.now.as_millis())
        .bind(rows::to_json(&live)?)
        .bind(rows::to_json(&turned_live)?)
        .execute(connection)
        .await?;
        Ok(woken.rows_affected())
    }
}

struct WakeAll {
    lms: Option<LmsName>,
    now: Timestamp,
}

impl Command for WakeAll {
    type Output = u64;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<u64> {
        let woken = sqlx::query(
            "UPDATE enrollments SET due_at = ?1, priority = CASE WHEN due_at IS NULL THEN 2 ELSE priority END, wakes = wakes + 1
             WHERE (?2 IS NULL OR lms = ?2) AND state IN ('settled', 'waiting') AND EXISTS (SELECT 1 FROM grants g
                 WHERE g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run AND g.ended_at IS NULL)",
        )
        .bind(self.now.as_millis())
        .bind(self.lms.as_ref().map(LmsName::as_str))
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "UPDATE resolutions SET due_at = ?1 WHERE state = 'waiting' AND due_at > ?1 AND (?2 IS NULL OR lms = ?2)",
        )
        .bind(self.now.as_millis())
        .bind(self.lms.as_ref().map(LmsName::as_str))
        .execute(connection)
        .await?;
        Ok(woken.rows_affected())
    }
}

struct RecordIntent {
    id: EnrollmentId,
    fence: i64,
    baseline: Seen,
    intent: Intent,
}

impl Command for RecordIntent {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let updated = sqlx::query(
            "UPDATE enrollments SET baseline = COALESCE(baseline, ?1), intent = ?2, intent_at = ?3
             WHERE id = ?4 AND fence = ?5 AND leased_until > ?3",
        )
        .bind(rows::to_json(&self.baseline)?)
        .bind(rows::to_json(&self.intent)?)
        .bind(self.intent.at.as_millis())
        .bind(self.id.to_string())
        .bind(self.fence)
        .execute(connection)
        .await?;
        if updated.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}

struct RecordSettled {
    due: DueEnrollment,
    settled: Settled,
    now: Timestamp,
}

impl Command for RecordSettled {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let Self { due, settled, now } = self;
        let mut given: BTreeSet<Mode> = due.history.given.iter().cloned().chain(settled.gave).collect();
        if settled.closed {
            given.clear();
        }
        let state = match (&settled.due_at, &settled.concern, &settled.reason) {
            (_, _, Reason::ObserveOnly { .. }) => "observed",
            (None, None, reason) if *reason != Reason::RemovalsPaused => "settled",
            _ => "waiting",
        };
        let (due_at, urgency) = match (settled.due_at, settled.look_again_at) {
            (Some(due_at), _) => (Some(due_at), due.urgency),
            (None, Some(look_again_at)) if state == "settled" => (Some(look_again_at), Urgency::Upkeep),
            (None, _) => (None, due.urgency),
        };
        let tried_again = matches!(settled.action, AuditAction::Postponed | AuditAction::Refused);
        // What happened meanwhile (a grant that began or ended while the LMS was asked) wants another look at once.
        let updated = sqlx::query(
            "UPDATE enrollments SET baseline = CASE WHEN ?1 THEN NULL ELSE baseline END, seen = COALESCE(?2, seen),
                 seen_at = CASE WHEN ?2 IS NULL THEN seen_at ELSE ?3 END, given = ?4,
                 satisfied_at = CASE WHEN ?5 THEN ?3 ELSE satisfied_at END,
                 intent = CASE WHEN ?6 THEN intent ELSE NULL END, state = ?7, reason = ?8,
                 due_at = CASE WHEN wakes > ?9 THEN due_at ELSE ?10 END,
                 priority = CASE WHEN wakes > ?9 THEN priority ELSE ?14 END,
                 attempts = CASE WHEN ?11 THEN attempts + 1 ELSE 0 END, leased_until = NULL,
                 closed_at = CASE WHEN ?1 THEN ?3 ELSE closed_at END, answer = CASE WHEN ?1 THEN NULL ELSE answer END
             WHERE id = ?12 AND fence = ?13",
        )
        .bind(settled.closed)
        .bind(settled.seen.as_ref().map(rows::to_json).transpose()?)
        .bind(now.as_millis())
        .bind(rows::to_json(&given)?)
        .bind(settled.satisfied)
        .bind(settled.keep_intent)
        .bind(state)
        .bind(rows::to_json(&settled.reason)?)
        .bind(due.wakes)
        .bind(due_at.map(Timestamp::as_millis))
        .bind(tried_again)
        .bind(due.id.to_string())
        .bind(due.fence)
        .bind(urgency.column())
        .execute(&mut *connection)
        .await?;
        if updated.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        effects::keep_due(connection, due.id).await?;
        if settled.satisfied {
            sqlx::query(
                "UPDATE grants SET fulfilled_at = ?1 WHERE account_id = (SELECT account_id FROM enrollments WHERE id = ?2)
                     AND course_run = ?3 AND ended_at IS NULL AND fulfilled_at IS NULL",
            )
            .bind(now.as_millis())
            .bind(due.id.to_string())
            .bind(due.run.as_str())
            .execute(&mut *connection)
            .await?;
        }
        // The first time that the LMS was no help is worth an entry; the thousandth of a weekend is not, and neither is that
        // all is still as it was.
        let told_before = match settled.action {
            AuditAction::Postponed => due.attempts > 0,
            AuditAction::LeftAlone => due.urgency == Urgency::Upkeep && due.reason.as_ref() == Some(&settled.reason),
            _ => false,
        };
        let newest = due.grants.iter().max_by_key(|grant| grant.ended.as_ref().map_or(grant.since, |ended| ended.at));
        let entry = Entry {
            at: now,
            actor: "host",
            action: settled.action,
            reason: &settled.reason,
            delivery: newest.and_then(|grant| grant.delivery),
            order: newest.map(|grant| grant.order),
            line: newest.map(|grant| grant.line),
            grant: newest.map(|grant| grant.id),
            enrollment: Some(due.id),
        };
        if !told_before {
            entry.write(connection).await?;
        }
        match (&settled.concern, newest) {
            (Some(concern), Some(grant)) => {
                let about = reviews::About {
                    delivery: grant.delivery,
                    order: Some(grant.order),
                    enrollment: Some(due.id),
                    ..reviews::About::default()
                };
                reviews::open(connection, Some(&grant.shop), concern, &about, now).await?;
            }
            (None, _) if settled.due_at.is_none() => reviews::settle_enrollment(connection, due.id, now).await?,
            _ => {}
        }
        Ok(())
    }
}
