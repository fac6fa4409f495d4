//! The end of an attempt: what an adapter stated, what follows from it in the ledger, the delivery's new state and the
//! attempt itself, committed together or not at all.
//!
//! Owns `attempts`. Asks `bursar-domain` what follows; decides nothing itself.

use bursar_domain::{
    Request, ShopName, Timestamp,
    ids::{AttemptId, DeliveryId},
    ledger::{self, Order},
    policy::ShopPolicy,
    reason::Concern,
    statement::Statements,
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::{
    Store, effects,
    error::{Result, StoreError},
    forgetting,
    inbox::{DeliveryState, Lane, StoredRequest},
    orders::{self, Occasion},
    reviews, rows,
    writer::Command,
};

/// One run of an adapter, as it is kept.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// Its id.
    pub id: AttemptId,
    /// The adapter's name.
    pub adapter: String,
    /// The adapter's version.
    pub adapter_version: String,
    /// The component's digest, in hexadecimal.
    pub adapter_sha256: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Microseconds that the guest ran.
    pub guest_micros: u64,
    /// The most memory that the guest had, in bytes.
    pub peak_memory: u64,
    /// What it ignored and logged.
    pub notes: Notes,
}

/// What an adapter said for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Why there was nothing to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// Log lines: level and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<(String, String)>,
    /// Facts that were older than what was known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The adapter stated facts, or that there is nothing to do.
    Stated(Statements),
    /// A parked request turned out to be authentic, and is handled next.
    Authentic {
        /// What it is about, in words.
        topic: String,
        /// The lane from now on.
        subject: Option<String>,
    },
    /// It did not end well.
    Problem {
        /// The delivery's state from now on.
        state: DeliveryState,
        /// When to look at it again; none if that is all.
        due_at: Option<Timestamp>,
        /// Does the try count?
        counts: bool,
        /// A stable word.
        code: String,
        /// A sentence.
        message: String,
    },
}

/// An attempt that has ended.
#[derive(Debug)]
pub struct Run {
    /// On which delivery.
    pub delivery: DeliveryId,
    /// With which right.
    pub lane: Lane,
    /// The policies of its shop.
    pub policy: ShopPolicy,
    /// The attempt; none where the adapter did not run at all.
    pub attempt: Option<AttemptRecord>,
    /// How it ended.
    pub outcome: Outcome,
    /// The request without what is to be blanked, to be kept in its place: nobody has to judge it any more.
    pub redacted: Option<Request>,
    /// The moment of recording.
    pub now: Timestamp,
}

/// What was committed, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The delivery's state.
    pub state: DeliveryState,
    /// How many orders were stated.
    pub orders: usize,
}

impl Store {
    /// Commits the end of an attempt.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else has the delivery by now; then nothing was recorded.
    pub async fn commit_run(&self, run: Run) -> Result<Committed> {
        self.writer.run(run).await
    }
}

impl Command for Run {
    type Output = Committed;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Committed> {
        self.lane.release(connection).await?;
        let Self { delivery, lane, policy, mut attempt, outcome, redacted, now } = self;
        let actor = attempt.as_ref().map_or_else(
            || "host".to_owned(),
            |attempt| format!("adapter {}@{}", attempt.adapter, attempt.adapter_version),
        );
        let occasion = Occasion { now, actor: &actor, delivery: Some(delivery) };
        let mut orders = 0;
        let mut forgets = Vec::new();
        let end = match outcome {
            Outcome::Stated(statements) => {
                orders = statements.orders.len();
                let stale = apply(connection, &lane.shop, &statements, &policy, &occasion).await?;
                for effect in &statements.effects {
                    effects::hand_in(connection, &policy, effect, delivery, &occasion).await?;
                }
                let said_nothing = orders == 0 && statements.effects.is_empty() && statements.forgets.is_empty();
                let state = if said_nothing && !statements.ignored.is_empty() {
                    DeliveryState::Ignored
                } else {
                    DeliveryState::Done
                };
                forgets = statements.forgets;
                if let Some(attempt) = &mut attempt {
                    attempt.notes.stale = stale;
                    attempt.notes.ignored = statements.ignored;
                }
                End { state, due_at: None, counts: true, problem: None, authentic: None }
            }
            Outcome::Authentic { topic, subject } => End {
                state: DeliveryState::Queued,
                due_at: Some(now),
                counts: false,
                problem: None,
                authentic: Some((topic, subject)),
            },
            Outcome::Problem { state, due_at, counts, code, message } => {
                End { state, due_at, counts, problem: Some((code, message)), authentic: None }
            }
        };
        if let Some(request) = redacted {
            StoredRequest::pack(&request)?.replace(delivery, connection).await?;
        }
        if let Some(attempt) = attempt {
            insert_attempt(connection, delivery, &attempt, &end).await?;
        }
        let state = end.state;
        update_delivery(connection, delivery, end, now).await?;
        // Only now, because this delivery may be about somebody to be forgotten, and is finished.
        if !forgets.is_empty() {
            forgetting::forget(connection, &lane.shop, &forgets, delivery, &occasion).await?;
        }
        if state.is_final() {
            forgetting::finished(connection, delivery, &occasion).await?;
        }
        Ok(Committed { state, orders })
    }
}

struct End {
    state: DeliveryState,
    due_at: Option<Timestamp>,
    counts: bool,
    problem: Option<(String, String)>,
    authentic: Option<(String, Option<String>)>,
}

/// Records every order stated; answers how many facts were stale.
async fn apply(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    statements: &Statements,
    policy: &ShopPolicy,
    occasion: &Occasion<'_>,
) -> Result<u32> {
    let mut stale = 0;
    for statement in &statements.orders {
        let before = orders::load(connection, shop, &statement.id).await?;
        let order = before.clone().unwrap_or_else(|| Order::unknown(shop.clone(), statement.id.clone(), occasion.now));
        let recorded = ledger::record(order, statement, policy, occasion.now);
        stale += recorded.stale;
        orders::settle(connection, before.as_ref(), recorded.order, recorded.findings, policy, occasion).await?;
    }
    for words in &statements.reviews {
        let about = reviews::About { delivery: occasion.delivery, ..reviews::About::default() };
        reviews::open(connection, Some(shop), &Concern::Adapter { words: words.clone() }, &about, occasion.now).await?;
    }
    Ok(stale)
}

async fn insert_attempt(
    connection: &mut SqliteConnection,
    delivery: DeliveryId,
    attempt: &AttemptRecord,
    end: &End,
) -> Result<()> {
    let outcome = match end.state {
        DeliveryState::Queued if end.authentic.is_some() => "authentic".to_owned(),
        DeliveryState::Queued | DeliveryState::Parked => "retry".to_owned(),
        state => rows::to_word(&state)?,
    };
    let (code, message) = end.problem.clone().unzip();
    sqlx::query(
        "INSERT INTO attempts (id, delivery_id, number, adapter, adapter_version, adapter_sha256, started_at, ended_at,
             outcome, problem_code, problem_message, guest_micros, peak_memory, notes)
         VALUES (?1, ?2, (SELECT COUNT(*) + 1 FROM attempts WHERE delivery_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             ?12, ?13)",
    )
    .bind(attempt.id.to_string())
    .bind(delivery.to_string())
    .bind(&attempt.adapter)
    .bind(&attempt.adapter_version)
    .bind(&attempt.adapter_sha256)
    .bind(attempt.started_at.as_millis())
    .bind(attempt.ended_at.as_millis())
    .bind(outcome)
    .bind(code)
    .bind(message)
    .bind(i64::try_from(attempt.guest_micros).unwrap_or(i64::MAX))
    .bind(i64::try_from(attempt.peak_memory).unwrap_or(i64::MAX))
    .bind(rows::to_json(&attempt.notes)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn update_delivery(
    connection: &mut SqliteConnection,
    delivery: DeliveryId,
    end: End,
    now: Timestamp,
) -> Result<()> {
    let (code, message) = end.problem.unzip();
    let (topic, subject) = end.authentic.unzip();
    let updated = sqlx::query(
        "UPDATE deliveries SET state = ?1, due_at = ?2, attempts = attempts + ?3, problem_code = ?4, problem_message = ?5,
             finished_at = ?6, topic = COALESCE(?7, topic), subject = COALESCE(?8, subject),
             verified = verified OR ?7 IS NOT NULL WHERE id = ?9",
    )
    .bind(rows::to_word(&end.state)?)
    .bind(end.due_at.map(Timestamp::as_millis))
    .bind(i64::from(end.counts))
    .bind(code)
    .bind(message)
    .bind(end.state.is_final().then(|| now.as_millis()))
    .bind(topic)
    .bind(subject.flatten())
    .bind(delivery.to_string())
    .execute(connection)
    .await?;
    if updated.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "delivery", id: delivery.to_string() });
    }
    Ok(())
}
