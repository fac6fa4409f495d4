//! Effects: changes of the LMS that adapters ask for beside the ledger, each done once.
//!
//! Owns `effects`. An effect is kept in the transaction of the run that asked for it, under a key that counts once for each
//! shop. Changes of an enrollment are carried out by whoever holds that enrollment's claim, so that nothing else of ours
//! is on its way for the same learner and course run; all others have a claim of their own. An intent is on disk before
//! the request that it tells of.

use std::time::Duration;

use bursar_domain::{
    LmsName, Mode, ShopName, Timestamp, Username,
    effect::{AddressChange, Attribute, Change, EffectEnd, EffectStatement, EnrollmentChange, FullName},
    fulfillment::Seen,
    ids::{DeliveryId, EffectId, EnrollmentId},
    policy::{ShopMode, ShopPolicy},
    reason::{Concern, Reason},
    statement::Identity,
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store,
    enrollments::{self, Urgency},
    error::{Result, StoreError},
    orders::{self, Occasion},
    resolutions, reviews, rows,
    trail::{AuditAction, Entry},
    writer::Command,
};

/// An effect whose turn has come, and the right to carry it out until the lease of its claim ends.
#[derive(Debug, Clone)]
pub struct DueEffect {
    /// Its id.
    pub id: EffectId,
    /// Whose adapter asked for it.
    pub shop: ShopName,
    /// What is to be changed.
    pub change: Change,
    /// A request whose answer was never recorded.
    pub intent: Option<EffectIntent>,
    /// Tries that came to nothing.
    pub attempts: u32,
    /// When it is to be tried.
    pub due_at: Timestamp,
    delivery: DeliveryId,
    lms: LmsName,
    holder: Holder,
}

/// By which claim an effect is held.
#[derive(Debug, Clone)]
enum Holder {
    /// Its own.
    Effect { fence: i64 },
    /// Its enrollment's.
    Enrollment { id: EnrollmentId, fence: i64, wakes: i64, has_grants: bool },
}

/// A request for an effect that is about to be, or may have been, sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectIntent {
    /// When it was written down.
    pub at: Timestamp,
    /// What the enrollment was before, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is over.
    Over {
        /// How it ended.
        end: EffectEnd,
        /// What the enrollment is now, if the LMS was asked.
        seen: Option<Seen>,
        /// The enrollment is otherwise than before: from now on what it is counts as what was there before any purchase.
        changed: bool,
    },
    /// Whose enrollment it is about is known; it is carried out in that enrollment's turn.
    Account {
        /// The LMS's id of the user.
        lms_user_id: i64,
        /// Their name there.
        username: Username,
    },
    /// It is to be tried again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Why, if something failed.
        failed: Option<Reason>,
        /// What the enrollment is now, if the LMS was asked.
        seen: Option<Seen>,
        /// May a request of ours still have its effect?
        keep_intent: bool,
    },
}

impl Came {
    /// It is over, and no enrollment was touched.
    #[must_use]
    pub fn over(end: EffectEnd) -> Self {
        Self::Over { end, seen: None, changed: false }
    }
}

impl Store {
    /// Takes up to `limit` effects whose time has come and that no enrollment carries, the longest due first. Of what one
    /// delivery asked for, and of everything about one address or username, the oldest goes first and the next one follows
    /// when it is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_effects(
        &self,
        lms: &LmsName,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<DueEffect>> {
        let look = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM effects WHERE lms = ? AND due_at <= ? AND enrollment_id IS NULL)",
        );
        if !self.any_due(look, lms, now).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { lms: lms.clone(), now, limit, lease }).await
    }

    /// Writes down that the request for an effect is about to be sent. Only after this returns may it be sent.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with it by now.
    pub async fn record_effect_intent(&self, effect: &DueEffect, intent: EffectIntent) -> Result<()> {
        self.writer.run(RecordIntent { id: effect.id, holder: effect.holder.clone(), intent }).await
    }

    /// Records what came of an effect, and ends the claim.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else deals with it by now.
    pub async fn record_effect(&self, effect: DueEffect, came: Came, now: Timestamp) -> Result<()> {
        self.writer.run(Record { effect, came, now }).await
    }
}

/// What else a change says, beside the person and the course run: as it is stored, until it is over.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Rest {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    auto_enroll: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<FullName>,
}

/// Keeps an effect that a run asked for, unless its key was used before.
pub(crate) async fn hand_in(
    connection: &mut SqliteConnection,
    policy: &ShopPolicy,
    statement: &EffectStatement,
    delivery: DeliveryId,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let now = occasion.now;
    let (email, username, run, rest) = match &statement.change {
        Change::Enrollment(change) => {
            let EnrollmentChange { username, run, mode, active, force, attributes } = change.clone();
            let rest = Rest { mode, active, force, attributes, ..Rest::default() };
            (None, Some(username), Some(run), rest)
        }
        Change::Address(AddressChange::Allow { email, run, auto_enroll }) => {
            (Some(email), None, Some(run.clone()), Rest { auto_enroll: *auto_enroll, ..Rest::default() })
        }
        Change::Address(AddressChange::Disallow { email, run }) => {
            (Some(email), None, Some(run.clone()), Rest::default())
        }
        Change::Address(AddressChange::Register { email, username, name }) => {
            (Some(email), Some(username.clone()), None, Rest { name: Some(name.clone()), ..Rest::default() })
        }
    };
    let email = match email {
        Some(address) => Some(orders::intern(connection, &Identity::Email { address: address.clone() }, now).await?),
        None => None,
    };
    let username = match username {
        Some(name) => Some(orders::intern(connection, &Identity::Username { name }, now).await?),
        None => None,
    };
    let observed = policy.mode == ShopMode::Observe;
    let asked = statement.change.asked();
    // One that holds its key no more makes room, and is the same effect still: reviews know it by its id.
    let kept = sqlx::query(
        "INSERT INTO effects (id, shop, effect_key, delivery_id, lms, kind, email_id, username_id, course_run, request, state,
             created_at, due_at, done_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (shop, effect_key) DO UPDATE
             SET delivery_id = excluded.delivery_id, lms = excluded.lms, kind = excluded.kind, email_id = excluded.email_id,
                 username_id = excluded.username_id, course_run = excluded.course_run, enrollment_id = NULL,
                 request = excluded.request, state = excluded.state, reason = NULL, intent = NULL, attempts = 0,
                 due_at = excluded.due_at, done_at = excluded.done_at
             WHERE effects.state = 'void'
         RETURNING id",
    )
    .bind(EffectId::new(now).to_string())
    .bind(policy.shop.as_str())
    .bind(&statement.key)
    .bind(delivery.to_string())
    .bind(policy.lms.as_str())
    .bind(asked.kind())
    .bind(email.map(|id| id.to_string()))
    .bind(username.map(|id| id.to_string()))
    .bind(run.as_ref().map(|run| run.as_str()))
    .bind(if observed { "{}".to_owned() } else { rows::to_json(&rest)? })
    .bind(if observed { "void" } else { "due" })
    .bind(now.as_millis())
    .bind((!observed).then(|| now.as_millis()))
    .bind(observed.then(|| now.as_millis()))
    .fetch_optional(&mut *connection)
    .await?;
    let end = match kept {
        None => EffectEnd::Repeated,
        Some(_) if observed => EffectEnd::Observed,
        Some(_) => return Ok(()),
    };
    let entry = Entry {
        at: now,
        actor: "host",
        action: AuditAction::LeftAlone,
        reason: &Reason::Effect { asked, end },
        delivery: Some(delivery),
        order: None,
        line: None,
        grant: None,
        enrollment: None,
    };
    entry.write(connection).await
}

/// A person has the delivery run again: what the LMS refused is asked for again, if the adapter asks again.
pub(crate) async fn make_room_for_refused(connection: &mut SqliteConnection, delivery: DeliveryId) -> Result<()> {
    sqlx::query("UPDATE effects SET state = 'void' WHERE delivery_id = ? AND state = 'refused'")
        .bind(delivery.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The oldest effect that the enrollment of this claim carries.
pub(crate) async fn carried_by(
    connection: &mut SqliteConnection,
    id: EnrollmentId,
    fence: i64,
    wakes: i64,
    has_grants: bool,
) -> Result<Option<DueEffect>> {
    let row = sqlx::query("SELECT id FROM effects WHERE enrollment_id = ? AND due_at IS NOT NULL ORDER BY id LIMIT 1")
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let holder = Holder::Enrollment { id, fence, wakes, has_grants };
    load(connection, rows::parsed(&row, "id")?, holder).await.map(Some)
}

/// The enrollment stays due while it carries an effect.
pub(crate) async fn keep_due(connection: &mut SqliteConnection, enrollment: EnrollmentId) -> Result<()> {
    sqlx::query(
        "UPDATE enrollments SET state = 'due', due_at = MIN(COALESCE(enrollments.due_at, carried.due_at), carried.due_at)
         FROM (SELECT enrollment_id, MIN(due_at) AS due_at FROM effects
             WHERE enrollment_id = ?1 AND due_at IS NOT NULL GROUP BY enrollment_id) AS carried
         WHERE enrollments.id = carried.enrollment_id",
    )
    .bind(enrollment.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn load(connection: &mut SqliteConnection, id: EffectId, holder: Holder) -> Result<DueEffect> {
    let row = sqlx::query(
        "SELECT e.*, mail.written AS email, name.written AS username
         FROM effects e LEFT JOIN identities mail ON mail.id = e.email_id LEFT JOIN identities name ON name.id = e.username_id
         WHERE e.id = ?",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(DueEffect {
        id,
        shop: rows::parsed(&row, "shop")?,
        change: change(&row)?,
        intent: rows::json_option(&row, "intent")?,
        attempts: rows::count(&row, "attempts")?,
        due_at: rows::time(&row, "due_at")?,
        delivery: rows::parsed(&row, "delivery_id")?,
        lms: rows::parsed(&row, "lms")?,
        holder,
    })
}

fn change(row: &SqliteRow) -> Result<Change> {
    let Rest { mode, active, force, attributes, auto_enroll, name } = rows::json(row, "request")?;
    Ok(match row.try_get::<String, _>("kind")?.as_str() {
        "enrollment" => Change::Enrollment(EnrollmentChange {
            username: rows::parsed(row, "username")?,
            run: rows::parsed(row, "course_run")?,
            mode,
            active,
            force,
            attributes,
        }),
        "allow" => Change::Address(AddressChange::Allow {
            email: rows::parsed(row, "email")?,
            run: rows::parsed(row, "course_run")?,
            auto_enroll,
        }),
        "disallow" => Change::Address(AddressChange::Disallow {
            email: rows::parsed(row, "email")?,
            run: rows::parsed(row, "course_run")?,
        }),
        "register" => Change::Address(AddressChange::Register {
            email: rows::parsed(row, "email")?,
            username: rows::parsed(row, "username")?,
            name: name.ok_or_else(|| corrupt("has no name".to_owned()))?,
        }),
        other => return Err(corrupt(format!("is of kind {other}"))),
    })
}

fn corrupt(problem: String) -> StoreError {
    StoreError::Corrupt { what: "effect", problem }
}

struct Claim {
    lms: LmsName,
    now: Timestamp,
    limit: u32,
    lease: Duration,
}

impl Command for Claim {
    const DURABLE: bool = false;

    type Output = Vec<DueEffect>;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Vec<DueEffect>> {
        let rows = sqlx::query(
            "UPDATE effects SET leased_until = ?1, fence = fence + 1
             WHERE id IN (SELECT e.id FROM effects e
                 WHERE e.lms = ?2 AND e.due_at <= ?3 AND e.enrollment_id IS NULL AND COALESCE(e.leased_until, 0) <= ?3
                   AND NOT EXISTS (SELECT 1 FROM effects o
                       WHERE o.delivery_id = e.delivery_id AND o.due_at IS NOT NULL AND o.id < e.id)
                   AND NOT EXISTS (SELECT 1 FROM effects o
                       WHERE o.email_id = e.email_id AND o.due_at IS NOT NULL AND o.id < e.id AND o.lms = e.lms)
                   AND NOT EXISTS (SELECT 1 FROM effects o
                       WHERE o.username_id = e.username_id AND o.due_at IS NOT NULL AND o.id < e.id AND o.lms = e.lms)
                 ORDER BY e.due_at, e.id LIMIT ?4)
             RETURNING id, fence",
        )
        .bind(self.now.plus(self.lease).as_millis())
        .bind(self.lms.as_str())
        .bind(self.now.as_millis())
        .bind(i64::from(self.limit))
        .fetch_all(&mut *connection)
        .await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let holder = Holder::Effect { fence: row.try_get("fence")? };
            claimed.push(load(connection, rows::parsed(&row, "id")?, holder).await?);
        }
        Ok(claimed)
    }
}

struct RecordIntent {
    id: EffectId,
    holder: Holder,
    intent: EffectIntent,
}

impl Command for RecordIntent {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let (query, claimed, fence) = match &self.holder {
            Holder::Effect { fence } => (
                "UPDATE effects SET intent = ?1 WHERE id = ?2 AND id = ?3 AND fence = ?4 AND leased_until > ?5",
                self.id.to_string(),
                *fence,
            ),
            Holder::Enrollment { id, fence, .. } => (
                "UPDATE effects SET intent = ?1 WHERE id = ?2 AND EXISTS (SELECT 1 FROM enrollments e
                     WHERE e.id = ?3 AND e.fence = ?4 AND e.leased_until > ?5)",
                id.to_string(),
                *fence,
            ),
        };
        let updated = sqlx::query(query)
            .bind(rows::to_json(&self.intent)?)
            .bind(self.id.to_string())
            .bind(claimed)
            .bind(fence)
            .bind(self.intent.at.as_millis())
            .execute(connection)
            .await?;
        if updated.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}

struct Record {
    effect: DueEffect,
    came: Came,
    now: Timestamp,
}

impl Command for Record {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        let Self { effect, came, now } = self;
        give_back(connection, &effect.holder, effect.id).await?;
        let enrollment = match effect.holder {
            Holder::Effect { .. } => None,
            Holder::Enrollment { id, .. } => Some(id),
        };
        match came {
            Came::Over { end, seen, changed } => {
                over(connection, &effect, &end, seen.as_ref(), now).await?;
                if let Holder::Enrollment { id, wakes, has_grants, .. } = effect.holder {
                    // What was bought is looked at next, now that the enrollment may be another one.
                    let next = has_grants.then_some(now);
                    release(connection, id, wakes, next, seen.as_ref(), changed, now).await?;
                }
            }
            Came::Account { lms_user_id, username } => {
                let Change::Enrollment(change) = &effect.change else {
                    return Err(corrupt("has an account, and is about no enrollment".to_owned()));
                };
                let account = resolutions::account(connection, &effect.lms, lms_user_id, &username, now).await?;
                let carrier =
                    enrollments::wake(connection, &effect.lms, account, &change.run, Urgency::Purchase, now, now)
                        .await?;
                sqlx::query("UPDATE effects SET enrollment_id = ?1, due_at = ?2, attempts = 0 WHERE id = ?3")
                    .bind(carrier.to_string())
                    .bind(now.as_millis())
                    .bind(effect.id.to_string())
                    .execute(&mut *connection)
                    .await?;
            }
            Came::Again { due_at, failed, seen, keep_intent } => {
                sqlx::query(
                    "UPDATE effects SET due_at = ?1, reason = COALESCE(?2, reason), attempts = attempts + ?3,
                         intent = CASE WHEN ?4 THEN intent ELSE NULL END WHERE id = ?5",
                )
                .bind(due_at.as_millis())
                .bind(failed.as_ref().map(rows::to_json).transpose()?)
                .bind(failed.is_some())
                .bind(keep_intent)
                .bind(effect.id.to_string())
                .execute(&mut *connection)
                .await?;
                // The first time that the LMS was no help is worth an entry; the thousandth of a weekend is not.
                if let (Some(reason), 0) = (&failed, effect.attempts) {
                    write(connection, &effect, AuditAction::Postponed, reason, enrollment, now).await?;
                }
                if let Holder::Enrollment { id, wakes, has_grants, .. } = effect.holder {
                    // What was bought need not wait for it, unless a request may still be on its way.
                    let next = if has_grants && !keep_intent { now } else { due_at };
                    release(connection, id, wakes, Some(next), seen.as_ref(), false, now).await?;
                }
            }
        }
        Ok(())
    }
}

/// Ends the claim, if it is still ours.
async fn give_back(connection: &mut SqliteConnection, holder: &Holder, effect: EffectId) -> Result<()> {
    let (query, id, fence) = match holder {
        Holder::Effect { fence } => {
            ("UPDATE effects SET leased_until = NULL WHERE id = ? AND fence = ?", effect.to_string(), *fence)
        }
        Holder::Enrollment { id, fence, .. } => {
            ("UPDATE enrollments SET leased_until = NULL WHERE id = ? AND fence = ?", id.to_string(), *fence)
        }
    };
    let updated = sqlx::query(query).bind(id).bind(fence).execute(connection).await?;
    if updated.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

/// The enrollment is looked at again at `next`, or when it carries another effect, or at once if something happened to it
/// meanwhile.
async fn release(
    connection: &mut SqliteConnection,
    id: EnrollmentId,
    wakes: i64,
    next: Option<Timestamp>,
    seen: Option<&Seen>,
    changed: bool,
    now: Timestamp,
) -> Result<()> {
    // What an effect brought about is nothing that a purchase gave: where there is a history, it is what was there before.
    sqlx::query(
        "UPDATE enrollments SET seen = COALESCE(?1, seen), seen_at = CASE WHEN ?1 IS NULL THEN seen_at ELSE ?2 END,
             baseline = CASE WHEN ?3 AND baseline IS NOT NULL THEN ?1 ELSE baseline END,
             given = CASE WHEN ?3 THEN '[]' ELSE given END,
             state = CASE WHEN ?4 IS NULL AND wakes <= ?5 THEN 'settled' ELSE 'due' END,
             due_at = CASE WHEN wakes > ?5 THEN due_at ELSE ?4 END
         WHERE id = ?6",
    )
    .bind(seen.map(rows::to_json).transpose()?)
    .bind(now.as_millis())
    .bind(changed && seen.is_some())
    .bind(next.map(Timestamp::as_millis))
    .bind(wakes)
    .bind(id.to_string())
    .execute(&mut *connection)
    .await?;
    keep_due(connection, id).await
}

/// Ends an effect: what else it said is forgotten, and a person hears of a refusal.
async fn over(
    connection: &mut SqliteConnection,
    effect: &DueEffect,
    end: &EffectEnd,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Result<()> {
    let (state, action) = match end {
        EffectEnd::Done | EffectEnd::FoundDone => ("done", told(seen)),
        EffectEnd::AlreadySo | EffectEnd::AccountExists => ("done", AuditAction::LeftAlone),
        EffectEnd::Refused { .. } => ("refused", AuditAction::Refused),
        EffectEnd::Observed | EffectEnd::Repeated => ("void", AuditAction::LeftAlone),
    };
    let reason = Reason::Effect { asked: effect.change.asked(), end: end.clone() };
    sqlx::query(
        "UPDATE effects SET state = ?1, reason = ?2, request = '{}', intent = NULL, due_at = NULL, done_at = ?3 WHERE id = ?4",
    )
    .bind(state)
    .bind(rows::to_json(&reason)?)
    .bind(now.as_millis())
    .bind(effect.id.to_string())
    .execute(&mut *connection)
    .await?;
    let enrollment = match effect.holder {
        Holder::Effect { .. } => None,
        Holder::Enrollment { id, .. } => Some(id),
    };
    write(connection, effect, action, &reason, enrollment, now).await?;
    let about =
        reviews::About { delivery: Some(effect.delivery), effect: Some(effect.id), ..reviews::About::default() };
    match end {
        EffectEnd::Refused { refusal } => {
            let concern = Concern::EffectRefused { asked: effect.change.asked(), refusal: refusal.clone() };
            reviews::open(connection, Some(&effect.shop), &concern, &about, now).await
        }
        EffectEnd::Done | EffectEnd::FoundDone | EffectEnd::AlreadySo | EffectEnd::AccountExists => {
            reviews::settle_effect(connection, effect.id, now).await
        }
        EffectEnd::Observed | EffectEnd::Repeated => Ok(()),
    }
}

/// What the LMS was told: to switch an enrollment on, off, or something else.
fn told(seen: Option<&Seen>) -> AuditAction {
    match seen {
        Some(Seen::Active { .. }) => AuditAction::Enrolled,
        Some(Seen::Inactive { .. } | Seen::Absent) => AuditAction::Unenrolled,
        None => AuditAction::Changed,
    }
}

async fn write(
    connection: &mut SqliteConnection,
    effect: &DueEffect,
    action: AuditAction,
    reason: &Reason,
    enrollment: Option<EnrollmentId>,
    now: Timestamp,
) -> Result<()> {
    let entry = Entry {
        at: now,
        actor: "host",
        action,
        reason,
        delivery: Some(effect.delivery),
        order: None,
        line: None,
        grant: None,
        enrollment,
    };
    entry.write(connection).await
}
