//! The inbox: deliveries, from acceptance to the claim of a worker.
//!
//! Owns `deliveries`, `bodies` and `lanes`. A delivery is there once, whatever happens to those who handle it: what one
//! worker claimed is another's when the lease runs out.

use std::time::Duration;

use bursar_domain::{
    AdapterName, Request, ShopName, Timestamp,
    ids::{AttemptId, DeliveryId},
    request::{BLANK, BLANK_PATH},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store,
    error::{Result, StoreError},
    rows,
    writer::Command,
};

/// Bodies and headers are compressed from this size on; below it the gain is not worth the work.
const COMPRESS_FROM_BYTES: usize = 512;

bursar_domain::words! {
    /// Where a delivery comes from.
    Origin {
        /// The shop sent it.
        Webhook = "webhook",
        /// Bursar asked the shop.
        Backfill = "backfill",
        /// A person had it run again.
        Operator = "operator",
    }

    /// How far a delivery has come.
    DeliveryState {
        /// Kept unverified, because nobody could judge it yet.
        Parked = "parked",
        /// Waits for its turn.
        Queued = "queued",
        /// Waits for a person: something is missing.
        Waiting = "waiting",
        /// Handled.
        Done = "done",
        /// Handled, and there was nothing to do.
        Ignored = "ignored",
        /// Authentic, but it makes no sense.
        Rejected = "rejected",
        /// It was parked, and turned out not to be authentic.
        Refused = "refused",
        /// Every try was used up.
        Failed = "failed",
    }
}

impl DeliveryState {
    /// Will nothing more happen to it by itself?
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Parked | Self::Queued | Self::Waiting => false,
            Self::Done | Self::Ignored | Self::Rejected | Self::Refused | Self::Failed => true,
        }
    }
}

/// A delivery about to be stored.
#[derive(Debug)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose it is.
    pub shop: ShopName,
    /// Which adapter understands it.
    pub adapter: AdapterName,
    /// Where it comes from.
    pub origin: Origin,
    /// `Queued`, or `Parked` where it could not be judged.
    pub state: DeliveryState,
    /// As the adapter said it; empty if parked.
    pub topic: String,
    /// The lane.
    pub subject: Option<String>,
    /// An id that the signature covers.
    pub dedupe_key: Option<String>,
    /// When the shop says that it happened.
    pub occurred_at: Option<Timestamp>,
    /// Why it is parked.
    pub problem: Option<(String, String)>,
    /// When to look at it first.
    pub due_at: Timestamp,
    /// The request, redacted.
    pub request: Request,
    /// Digest of the body as it arrived.
    pub body_sha256: [u8; 32],
}

impl NewDelivery {
    /// The digest that tells one body from another.
    #[must_use]
    pub fn digest(body: &[u8]) -> [u8; 32] {
        Sha256::digest(body).into()
    }
}

/// What became of a delivery that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored.
    New(DeliveryId),
    /// The same one is here already, under this id.
    Duplicate(DeliveryId),
    /// There is no room for more of those that nobody could judge.
    NoRoom,
}

/// A delivery whose turn has come, and the right to handle it until the lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: DeliveryId,
    /// Whose it is.
    pub shop: ShopName,
    /// Where it comes from.
    pub origin: Origin,
    /// `Parked`, `Queued` or `Waiting`.
    pub state: DeliveryState,
    /// As the adapter said it.
    pub topic: String,
    /// Tries so far that counted.
    pub attempts: u32,
    /// The request as stored.
    pub request: Request,
    /// The right to handle it.
    pub lane: Lane,
}

/// The right to handle one subject of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The shop.
    pub shop: ShopName,
    /// The subject.
    pub subject: String,
    /// Which claim this is: an id of its own.
    pub claim: String,
}

impl Store {
    /// Stores a delivery. It is on disk when this returns.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn accept(&self, delivery: NewDelivery) -> Result<Accepted> {
        let stored = StoredRequest::pack(&delivery.request)?;
        self.writer.run_if_room(Accept { delivery, stored, room: None }).await
    }

    /// Stores a delivery that nobody could judge yet, unless `room` of them are kept for the shop already.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn park(&self, delivery: NewDelivery, room: u32) -> Result<Accepted> {
        let stored = StoredRequest::pack(&delivery.request)?;
        self.writer.run_if_room(Accept { delivery, stored, room: Some(room) }).await
    }

    /// Takes up to `limit` deliveries whose time has come and whose lanes are free, of each shop as many as it is given and its
    /// longest due first. So one shop's backlog costs another nothing, neither its turns nor the time to look for them. Shops
    /// that are not named are passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        limit: u32,
        lease: Duration,
        shops: Vec<(ShopName, u32)>,
    ) -> Result<Vec<Claimed>> {
        // Looking costs a reader nothing; only when there is work does the writer hear of it.
        if !self.deliveries_are_due(now, &shops).await? {
            return Ok(Vec::new());
        }
        self.writer.run(Claim { now, limit, lease, shops }).await
    }

    async fn deliveries_are_due(&self, now: Timestamp, shops: &[(ShopName, u32)]) -> Result<bool> {
        let names: Vec<&str> = shops.iter().map(|(shop, _)| shop.as_str()).collect();
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM deliveries d
                 WHERE d.shop IN (SELECT value FROM json_each(?2)) AND d.due_at <= ?1
                   AND NOT EXISTS (SELECT 1 FROM lanes l
                       WHERE l.shop = d.shop AND l.subject = COALESCE(d.subject, d.id) AND l.leased_until > ?1))",
        )
        .bind(now.as_millis())
        .bind(rows::to_json(&names)?)
        .fetch_one(&self.readers)
        .await?;
        Ok(row.try_get::<i64, _>(0)? == 1)
    }

    /// Ends every claim, and has what waited for a person looked at now. Only for a process that has just begun to serve:
    /// whoever claimed anything before is gone, because a SQLite ledger is served by one process, so nobody need wait for the
    /// leases to run out; and whoever mended something has started it again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_claims(&self, now: Timestamp) -> Result<()> {
        self.writer.run(ReleaseClaims { now }).await
    }

    /// Has everything of these shops that waits for a person, or could not be judged, looked at now: what they waited for may
    /// have come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_again(&self, shops: Vec<ShopName>, now: Timestamp) -> Result<()> {
        self.writer.run(LookAgain { shops, now }).await
    }

    /// Gives a claim back without having tried: the delivery is looked at again at `due_at`.
    ///
    /// # Errors
    /// When the database fails. A lost lease is no error: then somebody else has it.
    pub async fn put_back(&self, claimed: &Claimed, due_at: Timestamp) -> Result<()> {
        self.writer.run(PutBack { id: claimed.id, lane: claimed.lane.clone(), due_at }).await
    }
}

struct Accept {
    delivery: NewDelivery,
    stored: StoredRequest,
    room: Option<u32>,
}

impl Command for Accept {
    type Output = Accepted;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Accepted> {
        let Self { delivery, stored, room } = self;
        if let Some(room) = room {
            let parked: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM deliveries WHERE shop = ? AND state = 'parked'")
                .bind(delivery.shop.as_str())
                .fetch_one(&mut *connection)
                .await?;
            if parked >= i64::from(room) {
                return Ok(Accepted::NoRoom);
            }
        }
        let (code, message) = delivery.problem.unzip();
        let inserted = sqlx::query(
            "INSERT INTO deliveries (id, shop, adapter, origin, state, verified, topic, subject, dedupe_key, body_sha256, body_bytes,
                 received_at, occurred_at, due_at, problem_code, problem_message)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (shop, dedupe_key, body_sha256) WHERE dedupe_key IS NOT NULL DO NOTHING",
        )
        .bind(delivery.id.to_string())
        .bind(delivery.shop.as_str())
        .bind(delivery.adapter.as_str())
        .bind(rows::to_word(&delivery.origin)?)
        .bind(rows::to_word(&delivery.state)?)
        .bind(delivery.state != DeliveryState::Parked)
        .bind(&delivery.topic)
        .bind(&delivery.subject)
        .bind(&delivery.dedupe_key)
        .bind(delivery.body_sha256.as_slice())
        .bind(i64::try_from(delivery.request.body.len()).unwrap_or(i64::MAX))
        .bind(delivery.request.received_at.as_millis())
        .bind(delivery.occurred_at.map(Timestamp::as_millis))
        .bind(delivery.due_at.as_millis())
        .bind(code)
        .bind(message)
        .execute(&mut *connection)
        .await?;
        if inserted.rows_affected() == 0 {
            let known = sqlx::query("SELECT id FROM deliveries WHERE shop = ? AND dedupe_key = ? AND body_sha256 = ?")
                .bind(delivery.shop.as_str())
                .bind(&delivery.dedupe_key)
                .bind(delivery.body_sha256.as_slice())
                .fetch_one(&mut *connection)
                .await?;
            return Ok(Accepted::Duplicate(rows::parsed(&known, "id")?));
        }
        stored.insert(delivery.id, connection).await?;
        Ok(Accepted::New(delivery.id))
    }
}

struct Claim {
    now: Timestamp,
    limit: u32,
    lease: Duration,
    shops: Vec<(ShopName, u32)>,
}

impl Command for Claim {
    const DURABLE: bool = false;

    type Output = Vec<Claimed>;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Vec<Claimed>> {
        let mut due = Vec::new();
        for (shop, most) in &self.shops {
            let of_shop = sqlx::query(
                "SELECT d.id, d.shop, d.origin, d.state, d.topic, d.subject, d.attempts, d.received_at, d.due_at,
                        b.method, b.path, b.query, b.encoding, b.headers, b.body
                 FROM deliveries d JOIN bodies b ON b.delivery_id = d.id
                 WHERE d.shop = ?2 AND d.due_at <= ?1
                   AND NOT EXISTS (SELECT 1 FROM lanes l
                       WHERE l.shop = d.shop AND l.subject = COALESCE(d.subject, d.id) AND l.leased_until > ?1)
                 ORDER BY d.due_at, d.id
                 LIMIT ?3",
            )
            .bind(self.now.as_millis())
            .bind(shop.as_str())
            .bind(i64::from((*most).min(self.limit)))
            .fetch_all(&mut *connection)
            .await?;
            for row in of_shop {
                due.push(((row.try_get::<i64, _>("due_at")?, row.try_get::<String, _>("id")?), row));
            }
        }
        due.sort_by(|(one, _), (other, _)| one.cmp(other));
        due.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let mut claimed = Vec::with_capacity(due.len());
        for (_, row) in due {
            let id: DeliveryId = rows::parsed(&row, "id")?;
            let shop: ShopName = rows::parsed(&row, "shop")?;
            let subject = row.try_get::<Option<String>, _>("subject")?.unwrap_or_else(|| id.to_string());
            let claim = AttemptId::new(self.now).to_string();
            let taken = sqlx::query(
                "INSERT INTO lanes (shop, subject, claim, leased_until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (shop, subject) DO UPDATE SET claim = excluded.claim, leased_until = excluded.leased_until
                     WHERE lanes.leased_until <= ?5",
            )
            .bind(shop.as_str())
            .bind(&subject)
            .bind(&claim)
            .bind(self.now.plus(self.lease).as_millis())
            .bind(self.now.as_millis())
            .execute(&mut *connection)
            .await?;
            // An earlier row of this very batch may have taken the lane.
            if taken.rows_affected() == 0 {
                continue;
            }
            claimed.push(Claimed {
                id,
                origin: rows::word(&row, "origin")?,
                state: rows::word(&row, "state")?,
                topic: row.try_get("topic")?,
                attempts: rows::count(&row, "attempts")?,
                request: unpack(&row)?,
                lane: Lane { shop: shop.clone(), subject, claim },
                shop,
            });
        }
        Ok(claimed)
    }
}

struct PutBack {
    id: DeliveryId,
    lane: Lane,
    due_at: Timestamp,
}

impl Command for PutBack {
    const DURABLE: bool = false;

    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        if self.lane.release(connection).await.is_ok() {
            sqlx::query("UPDATE deliveries SET due_at = ? WHERE id = ? AND due_at IS NOT NULL")
                .bind(self.due_at.as_millis())
                .bind(self.id.to_string())
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

impl Lane {
    /// Ends the claim, if it is still this one.
    pub(crate) async fn release(&self, connection: &mut SqliteConnection) -> Result<()> {
        let released = sqlx::query("DELETE FROM lanes WHERE shop = ? AND subject = ? AND claim = ?")
            .bind(self.shop.as_str())
            .bind(&self.subject)
            .bind(&self.claim)
            .execute(connection)
            .await?;
        if released.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}

/// A request in the form in which it is kept.
pub(crate) struct StoredRequest {
    method: String,
    path: String,
    query: String,
    encoding: &'static str,
    headers: Vec<u8>,
    body: Vec<u8>,
}

/// Header values that are not UTF-8 are kept as arrays of bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum HeaderValue {
    Text(String),
    Bytes(Vec<u8>),
}

impl StoredRequest {
    pub(crate) fn pack(request: &Request) -> Result<Self> {
        let headers: Vec<(&str, HeaderValue)> = request
            .headers
            .iter()
            .map(|(name, value)| {
                let value = match std::str::from_utf8(value) {
                    Ok(text) => HeaderValue::Text(text.to_owned()),
                    Err(_) => HeaderValue::Bytes(value.to_vec()),
                };
                (name.as_str(), value)
            })
            .collect();
        let headers = rows::to_json(&headers)?.into_bytes();
        let compress = headers.len() + request.body.len() >= COMPRESS_FROM_BYTES;
        let squeeze = |bytes: &[u8]| lz4_flex::compress_prepend_size(bytes);
        Ok(Self {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            encoding: if compress { "lz4" } else { "plain" },
            headers: if compress { squeeze(&headers) } else { headers },
            body: if compress { squeeze(&request.body) } else { request.body.to_vec() },
        })
    }

    /// Puts this in the place of what is kept.
    pub(crate) async fn replace(self, id: DeliveryId, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query("DELETE FROM bodies WHERE delivery_id = ?").bind(id.to_string()).execute(&mut *connection).await?;
        self.insert(id, connection).await
    }

    pub(crate) async fn insert(self, id: DeliveryId, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query(
            "INSERT INTO bodies (delivery_id, method, path, query, encoding, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(self.method)
        .bind(self.path)
        .bind(self.query)
        .bind(self.encoding)
        .bind(self.headers)
        .bind(self.body)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Puts the mark of what was blanked in the place of everything that a sender wrote.
pub(crate) async fn blank(connection: &mut SqliteConnection, id: DeliveryId, now: Timestamp) -> Result<()> {
    let headers = rows::to_json(&[(BLANK, HeaderValue::Text(BLANK.to_owned()))])?;
    sqlx::query(
        "UPDATE bodies SET path = ?, query = ?, encoding = 'plain', headers = ?, body = ? WHERE delivery_id = ?",
    )
    .bind(BLANK_PATH)
    .bind(BLANK)
    .bind(headers.into_bytes())
    .bind(BLANK.as_bytes())
    .bind(id.to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE deliveries SET blanked_at = ? WHERE id = ?")
        .bind(now.as_millis())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The request of a row that joins `deliveries` and `bodies`.
pub(crate) fn unpack(row: &SqliteRow) -> Result<Request> {
    let encoding: String = row.try_get("encoding")?;
    let open = |bytes: Vec<u8>| match encoding.as_str() {
        "plain" => Ok(bytes),
        "lz4" => lz4_flex::decompress_size_prepended(&bytes)
            .map_err(|problem| StoreError::Corrupt { what: "body", problem: problem.to_string() }),
        other => Err(StoreError::Corrupt { what: "body", problem: format!("is encoded as {other}") }),
    };
    let headers = open(row.try_get("headers")?)?;
    let headers: Vec<(String, HeaderValue)> = serde_json::from_slice(&headers)
        .map_err(|problem| StoreError::Corrupt { what: "headers", problem: problem.to_string() })?;
    Ok(Request {
        method: row.try_get("method")?,
        path: row.try_get("path")?,
        query: row.try_get("query")?,
        headers: headers
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    HeaderValue::Text(text) => Bytes::from(text),
                    HeaderValue::Bytes(bytes) => Bytes::from(bytes),
                };
                (name, value)
            })
            .collect(),
        body: Bytes::from(open(row.try_get("body")?)?),
        received_at: rows::time(row, "received_at")?,
    })
}

struct ReleaseClaims {
    now: Timestamp,
}

struct LookAgain {
    shops: Vec<ShopName>,
    now: Timestamp,
}

impl Command for LookAgain {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query(
            "UPDATE deliveries SET due_at = ?1 WHERE state IN ('parked', 'waiting') AND due_at > ?1
                 AND shop IN (SELECT value FROM json_each(?2))",
        )
        .bind(self.now.as_millis())
        .bind(rows::to_json(&self.shops)?)
        .execute(&mut *connection)
        .await?;
        Ok(())
    }
}

impl Command for ReleaseClaims {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query("DELETE FROM lanes").execute(&mut *connection).await?;
        sqlx::query("UPDATE deliveries SET due_at = ?1 WHERE state IN ('parked', 'waiting') AND due_at > ?1")
            .bind(self.now.as_millis())
            .execute(&mut *connection)
            .await?;
        sqlx::query("UPDATE resolutions SET leased_until = NULL, fence = fence + 1 WHERE leased_until > ?")
            .bind(self.now.as_millis())
            .execute(&mut *connection)
            .await?;
        for query in [
            "UPDATE enrollments SET leased_until = NULL, fence = fence + 1 WHERE leased_until > ?",
            "UPDATE allowances SET leased_until = NULL, fence = fence + 1 WHERE leased_until > ?",
            "UPDATE effects SET leased_until = NULL, fence = fence + 1 WHERE leased_until > ?",
        ] {
            sqlx::query(query).bind(self.now.as_millis()).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
