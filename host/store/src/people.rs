//! What people ask the store: deliveries and how they fared, and why a learner has, or has not, what they bought.
//!
//! Reads only, but for `retry`. Everything here is for showing; nothing of the host decides by it.

use bursar_domain::{
    CourseRun, LmsName, Mode, Request, ShopName, Timestamp,
    fulfillment::Seen,
    grants::Ended,
    ids::{DeliveryId, EnrollmentId, GrantId},
    reason::Reason,
    statement::Payment,
};
use sqlx::{QueryBuilder, Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store, effects,
    error::{Result, StoreError},
    inbox::{self, DeliveryState, Origin},
    orders, rows,
    run::Notes,
    trail::AuditAction,
    writer::Command,
};

mod orders_asked;

pub use orders_asked::{ORDERS_LISTED_MAX, OrderDetail, OrderFilter, OrderSummary};

/// How many deliveries one listing shows at most.
pub const DELIVERIES_LISTED_MAX: u32 = 1_000;

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this shop only.
    pub shop: Option<ShopName>,
    /// In this state only.
    pub state: Option<DeliveryState>,
    /// About this subject only: an order's id, as the shop gives it.
    pub subject: Option<String>,
    /// Those before this one.
    pub before: Option<DeliveryId>,
    /// How many; [`DELIVERIES_LISTED_MAX`] at most.
    pub limit: u32,
}

/// A delivery, in a line.
#[derive(Debug, Clone)]
pub struct DeliverySummary {
    /// Its id.
    pub id: DeliveryId,
    /// Whose.
    pub shop: ShopName,
    /// Where it came from.
    pub origin: Origin,
    /// How far it has come.
    pub state: DeliveryState,
    /// What it says it is.
    pub topic: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// When it is looked at next.
    pub due_at: Option<Timestamp>,
    /// Tries that counted.
    pub attempts: u32,
    /// When what the shop sent was blanked, because it asked that somebody be forgotten. Such a delivery never runs again.
    pub blanked_at: Option<Timestamp>,
    /// Size of the body as it came, in bytes.
    pub body_bytes: u64,
    /// What went wrong last: code and sentence.
    pub problem: Option<(String, String)>,
}

/// A delivery with everything known of it.
#[derive(Debug, Clone)]
pub struct DeliveryDetail {
    /// In a line.
    pub summary: DeliverySummary,
    /// The request as stored, redacted.
    pub request: Request,
    /// Its attempts, the oldest first.
    pub attempts: Vec<AttemptSummary>,
    /// What followed from it.
    pub trail: Vec<TrailEntry>,
}

/// An attempt, in a line.
#[derive(Debug, Clone)]
pub struct AttemptSummary {
    /// Which try.
    pub number: u32,
    /// The adapter, its version, and the beginning of its digest.
    pub adapter: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: String,
    /// What went wrong: code and sentence.
    pub problem: Option<(String, String)>,
    /// Microseconds that the guest ran.
    pub guest_micros: u64,
    /// What it ignored and logged.
    pub notes: Notes,
}

/// An entry of the audit trail.
#[derive(Debug, Clone)]
pub struct TrailEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: AuditAction,
    /// Why.
    pub reason: Reason,
    /// At which course run, where it was at one.
    pub run: Option<CourseRun>,
}

/// Everything about one learner in one LMS.
#[derive(Debug, Clone)]
pub struct LearnerAccess {
    /// What they bought, a line of an order at a time.
    pub purchases: Vec<Purchase>,
    /// What the LMS said of each course run.
    pub enrollments: Vec<EnrollmentSummary>,
}

/// One line of an order, and what it owes.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// Whose order.
    pub shop: ShopName,
    /// What the shop calls the order.
    pub order: String,
    /// The shop's id of the order.
    pub order_id: String,
    /// The shop's id of the line.
    pub line: String,
    /// What it calls the product.
    pub title: Option<String>,
    /// Has the shop got the money?
    pub payment: Payment,
    /// What it owes; none where the product is not mapped, or nothing was ever owed.
    pub grant: Option<PurchaseGrant>,
    /// The line waits for the catalog to know its product.
    pub unmapped: bool,
}

/// What a line owes.
#[derive(Debug, Clone)]
pub struct PurchaseGrant {
    /// Its id.
    pub id: GrantId,
    /// Where.
    pub lms: LmsName,
    /// Which course run.
    pub run: CourseRun,
    /// In which mode.
    pub mode: Mode,
    /// Since when it is owed.
    pub since: Timestamp,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// Whether and why it ended.
    pub ended: Option<Ended>,
    /// The learner's account; none while it is not known.
    pub username: Option<String>,
    /// How far the search for the account has come: `open`, `waiting`, `resolved`, `retired`, `unsupported`.
    pub resolution: Option<String>,
    /// Since when the account is waited for.
    pub waiting_since: Option<Timestamp>,
    /// When the account is looked for next.
    pub looked_for_next: Option<Timestamp>,
}

/// What is known of one enrollment.
#[derive(Debug, Clone)]
pub struct EnrollmentSummary {
    /// Its id.
    pub id: EnrollmentId,
    /// Where.
    pub lms: LmsName,
    /// Whose.
    pub username: String,
    /// Which course run.
    pub run: CourseRun,
    /// What was there before our first change.
    pub baseline: Option<Seen>,
    /// What the LMS said last.
    pub seen: Option<Seen>,
    /// When it said so.
    pub seen_at: Option<Timestamp>,
    /// `settled`, `due`, `waiting` or `observed`.
    pub state: String,
    /// Why it is as it is.
    pub reason: Option<Reason>,
    /// When it is looked at next.
    pub due_at: Option<Timestamp>,
    /// When nothing was owed any more the last time, and what had been given was undone or let go.
    pub closed_at: Option<Timestamp>,
    /// What was done and left, the oldest first.
    pub trail: Vec<TrailEntry>,
}

/// How many things are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that are not finished.
    pub deliveries: u64,
    /// Learners whose account is looked or waited for.
    pub learners: u64,
    /// Enrollments that are not settled.
    pub enrollments: u64,
    /// Changes that adapters asked for and that are not done.
    pub effects: u64,
    /// Open reviews.
    pub reviews: u64,
}

impl Store {
    /// The deliveries that match, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliverySummary>> {
        let mut query = QueryBuilder::new("SELECT * FROM deliveries WHERE 1 = 1");
        if let Some(shop) = &filter.shop {
            query.push(" AND shop = ").push_bind(shop.as_str().to_owned());
        }
        if let Some(state) = &filter.state {
            query.push(" AND state = ").push_bind(rows::to_word(state)?);
        }
        if let Some(subject) = &filter.subject {
            query.push(" AND subject = ").push_bind(subject.clone());
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(filter.limit.min(DELIVERIES_LISTED_MAX)));
        query.build().fetch_all(&self.readers).await?.iter().map(summary).collect()
    }

    /// One delivery, whole.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn delivery(&self, id: DeliveryId) -> Result<DeliveryDetail> {
        let row = sqlx::query("SELECT d.*, b.* FROM deliveries d JOIN bodies b ON b.delivery_id = d.id WHERE d.id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "delivery", id: id.to_string() })?;
        let attempts = sqlx::query("SELECT * FROM attempts WHERE delivery_id = ? ORDER BY id")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        let trail = sqlx::query(
            "SELECT a.*, COALESCE(e.course_run, g.course_run) AS course_run
             FROM audit a LEFT JOIN enrollments e ON e.id = a.enrollment_id LEFT JOIN grants g ON g.id = a.grant_id
             WHERE a.delivery_id = ? ORDER BY a.id",
        )
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        Ok(DeliveryDetail {
            summary: summary(&row)?,
            request: inbox::unpack(&row)?,
            attempts: attempts.iter().map(attempt).collect::<Result<_>>()?,
            trail: trail.iter().map(trail_entry).collect::<Result<_>>()?,
        })
    }

    /// Has the delivery run again, now.
    ///
    /// # Errors
    /// When there is none, it was refused as not authentic, or what it holds was blanked.
    pub async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<DeliveryState> {
        self.writer.run(Retry { id, now }).await
    }

    /// Everything about the learners whose e-mail address, username or external id this is, in any case of letters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learner(&self, who: &str) -> Result<LearnerAccess> {
        let who = who.trim().to_lowercase();
        let mut purchases = QueryBuilder::new("WITH people AS (");
        purchases.push(IDENTITIES_OF_ONE).push(
            ") SELECT o.shop, COALESCE(o.number, o.external_id) AS order_name, o.external_id AS order_id, o.payment,
                    l.external_id AS line, l.title, l.unmapped,
                    g.id AS grant_id, g.lms, g.course_run, g.mode, g.since, g.until, g.ended_at, g.ended_reason,
                    a.username, r.state AS resolution, r.waiting_since, r.due_at AS looked_for_next
                FROM lines l JOIN orders o ON o.id = l.order_id
                LEFT JOIN grants g ON g.line_id = l.id
                LEFT JOIN accounts a ON a.id = g.account_id
                LEFT JOIN resolutions r ON r.identity_id = g.identity_id AND r.lms = g.lms
                WHERE g.identity_id IN (SELECT id FROM people)
                   OR (g.id IS NULL AND (COALESCE(l.learner_id, o.learner_id) IN (SELECT id FROM people)
                       OR EXISTS (SELECT 1 FROM decisions d WHERE d.line_id = l.id AND d.withdrawn_at IS NULL
                           AND d.identity_id IN (SELECT id FROM people))))
                ORDER BY l.id, g.id",
        );
        let purchases = purchases.build().bind(&who).fetch_all(&self.readers).await?;
        let mut enrollments = QueryBuilder::new("WITH people AS (");
        enrollments.push(IDENTITIES_OF_ONE).push(
            ") SELECT DISTINCT e.*, a.username FROM enrollments e JOIN accounts a ON a.id = e.account_id
               WHERE LOWER(a.username) = ?1
                  OR e.account_id IN (SELECT account_id FROM resolutions WHERE identity_id IN (SELECT id FROM people) AND account_id IS NOT NULL)
                  OR EXISTS (SELECT 1 FROM grants g WHERE g.account_id = e.account_id AND g.course_run = e.course_run
                      AND g.identity_id IN (SELECT id FROM people))
               ORDER BY e.id",
        );
        let rows = enrollments.build().bind(&who).fetch_all(&self.readers).await?;
        let mut enrollments = Vec::with_capacity(rows.len());
        for row in &rows {
            enrollments.push(self.enrollment_summary(row).await?);
        }
        Ok(LearnerAccess { purchases: purchases.iter().map(purchase).collect::<Result<_>>()?, enrollments })
    }

    async fn enrollment_summary(&self, row: &SqliteRow) -> Result<EnrollmentSummary> {
        let id: EnrollmentId = rows::parsed(row, "id")?;
        let trail = sqlx::query(
            "SELECT a.*, e.course_run FROM audit a JOIN enrollments e ON e.id = a.enrollment_id
             WHERE a.enrollment_id = ? ORDER BY a.id",
        )
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        Ok(EnrollmentSummary {
            id,
            lms: rows::parsed(row, "lms")?,
            username: row.try_get("username")?,
            run: rows::parsed(row, "course_run")?,
            baseline: rows::json_option(row, "baseline")?,
            seen: rows::json_option(row, "seen")?,
            seen_at: rows::time_option(row, "seen_at")?,
            state: row.try_get("state")?,
            reason: rows::json_option(row, "reason")?,
            due_at: rows::time_option(row, "due_at")?,
            closed_at: rows::time_option(row, "closed_at")?,
            trail: trail.iter().map(trail_entry).collect::<Result<_>>()?,
        })
    }

    /// How much is not finished.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self) -> Result<Backlog> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM deliveries WHERE due_at IS NOT NULL) AS deliveries,
                    (SELECT COUNT(*) FROM resolutions WHERE due_at IS NOT NULL) AS learners,
                    (SELECT COUNT(*) FROM enrollments WHERE due_at IS NOT NULL AND state <> 'settled') AS enrollments,
                    (SELECT COUNT(*) FROM effects WHERE due_at IS NOT NULL) AS effects,
                    (SELECT COUNT(*) FROM reviews WHERE resolved_at IS NULL) AS reviews",
        )
        .fetch_one(&self.readers)
        .await?;
        let number = |column| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
        Ok(Backlog {
            deliveries: number("deliveries")?,
            learners: number("learners")?,
            enrollments: number("enrollments")?,
            effects: number("effects")?,
            reviews: number("reviews")?,
        })
    }
}

/// Everything that one person is known by: `?1` is an e-mail address, a username or an external id, in small letters.
const IDENTITIES_OF_ONE: &str = "SELECT id FROM identities WHERE normalized = ?1
    UNION SELECT r.identity_id FROM resolutions r JOIN accounts a ON a.id = r.account_id WHERE LOWER(a.username) = ?1
    UNION SELECT other.identity_id FROM identities i
        JOIN resolutions r ON r.identity_id = i.id JOIN resolutions other ON other.account_id = r.account_id
        WHERE i.normalized = ?1";

fn summary(row: &SqliteRow) -> Result<DeliverySummary> {
    let code: Option<String> = row.try_get("problem_code")?;
    let message: Option<String> = row.try_get("problem_message")?;
    Ok(DeliverySummary {
        id: rows::parsed(row, "id")?,
        shop: rows::parsed(row, "shop")?,
        origin: rows::word(row, "origin")?,
        state: rows::word(row, "state")?,
        topic: row.try_get("topic")?,
        subject: row.try_get("subject")?,
        received_at: rows::time(row, "received_at")?,
        finished_at: rows::time_option(row, "finished_at")?,
        due_at: rows::time_option(row, "due_at")?,
        attempts: rows::count(row, "attempts")?,
        blanked_at: rows::time_option(row, "blanked_at")?,
        body_bytes: u64::try_from(row.try_get::<i64, _>("body_bytes")?).unwrap_or(0),
        problem: code.zip(message),
    })
}

fn attempt(row: &SqliteRow) -> Result<AttemptSummary> {
    let code: Option<String> = row.try_get("problem_code")?;
    let message: Option<String> = row.try_get("problem_message")?;
    let sha256: String = row.try_get("adapter_sha256")?;
    let name: String = row.try_get("adapter")?;
    let version: String = row.try_get("adapter_version")?;
    Ok(AttemptSummary {
        number: rows::count(row, "number")?,
        adapter: format!("{name}@{version} ({})", sha256.get(..12).unwrap_or_default()),
        started_at: rows::time(row, "started_at")?,
        ended_at: rows::time(row, "ended_at")?,
        outcome: row.try_get("outcome")?,
        problem: code.zip(message),
        guest_micros: u64::try_from(row.try_get::<i64, _>("guest_micros")?).unwrap_or(0),
        notes: rows::json(row, "notes")?,
    })
}

fn trail_entry(row: &SqliteRow) -> Result<TrailEntry> {
    Ok(TrailEntry {
        at: rows::time(row, "at")?,
        actor: row.try_get("actor")?,
        action: rows::word(row, "action")?,
        reason: rows::json(row, "reason")?,
        run: rows::parsed_option(row, "course_run")?,
    })
}

fn purchase(row: &SqliteRow) -> Result<Purchase> {
    let is_owed = row.try_get::<Option<String>, _>("grant_id")?.is_some();
    Ok(Purchase {
        shop: rows::parsed(row, "shop")?,
        order: row.try_get("order_name")?,
        order_id: row.try_get("order_id")?,
        line: row.try_get("line")?,
        title: row.try_get("title")?,
        payment: rows::word(row, "payment")?,
        grant: is_owed.then(|| purchase_grant(row)).transpose()?,
        unmapped: row.try_get("unmapped")?,
    })
}

fn purchase_grant(row: &SqliteRow) -> Result<PurchaseGrant> {
    Ok(PurchaseGrant {
        id: rows::parsed(row, "grant_id")?,
        lms: rows::parsed(row, "lms")?,
        run: rows::parsed(row, "course_run")?,
        mode: rows::parsed(row, "mode")?,
        since: rows::time(row, "since")?,
        until: rows::time_option(row, "until")?,
        ended: orders::ended(row)?,
        username: row.try_get("username")?,
        resolution: row.try_get("resolution")?,
        waiting_since: rows::time_option(row, "waiting_since")?,
        looked_for_next: rows::time_option(row, "looked_for_next")?,
    })
}

struct Retry {
    id: DeliveryId,
    now: Timestamp,
}

impl Command for Retry {
    type Output = DeliveryState;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<DeliveryState> {
        let row = sqlx::query("SELECT state, blanked_at FROM deliveries WHERE id = ?")
            .bind(self.id.to_string())
            .fetch_optional(&mut *connection)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "delivery", id: self.id.to_string() })?;
        let state: DeliveryState = rows::word(&row, "state")?;
        if state == DeliveryState::Refused {
            return Err(StoreError::Refused(format!(
                "{} was not authentic and is never handled\nhint: have the shop send it again once the secret is right",
                self.id
            )));
        }
        if rows::time_option(&row, "blanked_at")?.is_some() {
            return Err(StoreError::Refused(format!(
                "{} holds nothing any more: the shop asked that what it is about be forgotten\nhint: what followed from it stays; for anything newer have the shop send it again",
                self.id
            )));
        }
        // What was never judged is judged first; everything else is handled again, with its tries counted anew.
        let row = sqlx::query(
            "UPDATE deliveries SET state = CASE WHEN verified THEN 'queued' ELSE 'parked' END, due_at = ?,
                 attempts = 0, finished_at = NULL WHERE id = ? RETURNING state",
        )
        .bind(self.now.as_millis())
        .bind(self.id.to_string())
        .fetch_one(&mut *connection)
        .await?;
        // The same facts change nothing, so what the LMS refused on their account is asked for again here.
        sqlx::query(
            "UPDATE enrollments SET due_at = ?1, state = 'due', attempts = 0, wakes = wakes + 1
             WHERE EXISTS (SELECT 1 FROM grants g WHERE g.delivery_id = ?2
                 AND g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run)",
        )
        .bind(self.now.as_millis())
        .bind(self.id.to_string())
        .execute(&mut *connection)
        .await?;
        effects::make_room_for_refused(connection, self.id).await?;
        rows::word(&row, "state")
    }
}
