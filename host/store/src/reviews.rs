//! Reviews: what needs a person.
//!
//! Owns `reviews`. One open review a topic, however often it comes up. A review never changes access by itself.

use bursar_domain::{
    LmsName, ShopName, Timestamp,
    decision::Answer,
    ids::{DeliveryId, EffectId, EnrollmentId, IdentityId, LineId, OrderId, ReviewId},
    ledger::Finding,
    reason::{Concern, LmsWork},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{Store, error::Result, rows, writer::Command};

/// How many reviews one listing shows at most.
pub const REVIEWS_LISTED_MAX: u32 = 500;

/// What a review is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The delivery that raised it.
    pub delivery: Option<DeliveryId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The line.
    pub line: Option<LineId>,
    /// The enrollment.
    pub enrollment: Option<EnrollmentId>,
    /// The change that an adapter asked for.
    pub effect: Option<EffectId>,
    /// The learner in an LMS, where it is about an account.
    pub learner: Option<(LmsName, IdentityId)>,
}

/// A review, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// Whose order or delivery; none where it is about an LMS.
    pub shop: Option<ShopName>,
    /// What needs a person.
    pub concern: Concern,
    /// The order's number or id, as the shop calls it.
    pub order: Option<String>,
    /// The delivery that raised it.
    pub delivery: Option<DeliveryId>,
    /// How often it came up.
    pub times: u32,
    /// When it came up first.
    pub opened_at: Timestamp,
    /// When it came up last.
    pub last_at: Timestamp,
    /// When it was settled.
    pub resolved_at: Option<Timestamp>,
    /// By whom or what.
    pub resolution: Option<String>,
}

impl Store {
    /// The reviews, the oldest open one first; with `all`, settled ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reviews(&self, all: bool) -> Result<Vec<Review>> {
        let rows = sqlx::query(
            "SELECT r.*, COALESCE(o.number, o.external_id) AS order_name
             FROM reviews r LEFT JOIN orders o ON o.id = r.order_id
             WHERE ?1 OR r.resolved_at IS NULL
             ORDER BY r.resolved_at IS NOT NULL, r.id LIMIT ?2",
        )
        .bind(all)
        .bind(i64::from(REVIEWS_LISTED_MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(review).collect()
    }

    /// The reviews about an order, settled ones too, the oldest first.
    pub(crate) async fn reviews_of(&self, order: OrderId) -> Result<Vec<Review>> {
        let rows = sqlx::query(
            "SELECT r.*, COALESCE(o.number, o.external_id) AS order_name
             FROM reviews r JOIN orders o ON o.id = r.order_id WHERE r.order_id = ? ORDER BY r.id",
        )
        .bind(order.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(review).collect()
    }
}

fn review(row: &SqliteRow) -> Result<Review> {
    Ok(Review {
        id: rows::parsed(row, "id")?,
        shop: rows::parsed_option(row, "shop")?,
        concern: rows::json(row, "concern")?,
        order: row.try_get("order_name")?,
        delivery: rows::parsed_option(row, "delivery_id")?,
        times: rows::count(row, "times")?,
        opened_at: rows::time(row, "opened_at")?,
        last_at: rows::time(row, "last_at")?,
        resolved_at: rows::time_option(row, "resolved_at")?,
        resolution: row.try_get("resolution")?,
    })
}

impl Store {
    /// An LMS serves for this, or does not until a person mends it: then there is an open review about it, and only then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lms_stands(
        &self,
        lms: &LmsName,
        work: LmsWork,
        problem: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let concern = problem.map(|problem| Concern::LmsMisconfigured { lms: lms.clone(), work, problem });
        if concern.is_none() {
            let open: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM reviews WHERE topic = ? AND resolved_at IS NULL)")
                    .bind(lms_topic(lms, work))
                    .fetch_one(&self.readers)
                    .await?;
            if !open {
                return Ok(());
            }
        }
        self.writer.run(LmsStands { lms: lms.clone(), work, concern, now }).await
    }
}

struct LmsStands {
    lms: LmsName,
    work: LmsWork,
    concern: Option<Concern>,
    now: Timestamp,
}

impl Command for LmsStands {
    type Output = ();

    async fn execute(self, connection: &mut SqliteConnection) -> Result<()> {
        match self.concern {
            Some(concern) => open(connection, None, &concern, &About::default(), self.now).await,
            None => settle(connection, lms_topic(&self.lms, self.work), "the LMS works again", self.now).await,
        }
    }
}

fn lms_topic(lms: &LmsName, work: LmsWork) -> String {
    format!("lms-misconfigured:{lms}:{work}")
}

/// What makes two concerns one question. An unmapped product is one for the whole shop.
fn topic(shop: Option<&ShopName>, concern: &Concern, about: &About) -> String {
    let code = concern.code();
    let shop = shop.map(ShopName::as_str).unwrap_or_default();
    let subject = match concern {
        Concern::ProductUnmapped { products, .. } if !products.is_empty() => {
            return product_topic(shop, products.first().map(ToString::to_string).unwrap_or_default().as_str());
        }
        Concern::LmsMisconfigured { lms, work, .. } => return lms_topic(lms, *work),
        // However many learners it concerns, one person mends it.
        Concern::RegistrationRefused { .. } | Concern::RegistrationLimit { .. } => shop.to_string(),
        _ => about
            .effect
            .map(|id| id.to_string())
            .or_else(|| about.enrollment.map(|id| id.to_string()))
            .or_else(|| about.line.map(|id| id.to_string()))
            .or_else(|| about.learner.as_ref().map(|(lms, id)| format!("{lms}:{id}")))
            .or_else(|| about.order.map(|id| id.to_string()))
            .or_else(|| about.delivery.map(|id| id.to_string()))
            .unwrap_or_else(|| shop.to_string()),
    };
    match concern {
        Concern::Adapter { words } => format!("{code}:{subject}:{words}"),
        _ => format!("{code}:{subject}"),
    }
}

fn product_topic(shop: &str, product: &str) -> String {
    format!("product-unmapped:{shop}:{product}")
}

/// Opens a review, or counts one more time of the open one. What a person has answered is not asked again unless it is news.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    shop: Option<&ShopName>,
    concern: &Concern,
    about: &About,
    now: Timestamp,
) -> Result<()> {
    let topic = topic(shop, concern, about);
    let json = rows::to_json(concern)?;
    let answered: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM reviews WHERE topic = ? AND concern = ? AND answer IN ('noted', 'keep', 'take'))",
    )
    .bind(&topic)
    .bind(&json)
    .fetch_one(&mut *connection)
    .await?;
    if answered {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO reviews (id, shop, code, topic, concern, delivery_id, order_id, line_id, enrollment_id, opened_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
         ON CONFLICT (topic) WHERE resolved_at IS NULL
             DO UPDATE SET times = times + 1, last_at = excluded.last_at, concern = excluded.concern",
    )
    .bind(ReviewId::new(now).to_string())
    .bind(shop.map(ShopName::as_str))
    .bind(concern.code())
    .bind(topic)
    .bind(json)
    .bind(about.delivery.map(|id| id.to_string()))
    .bind(about.order.map(|id| id.to_string()))
    .bind(about.line.map(|id| id.to_string()))
    .bind(about.enrollment.map(|id| id.to_string()))
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Is a review of this open already?
pub(crate) async fn is_open(
    connection: &mut SqliteConnection,
    shop: Option<&ShopName>,
    concern: &Concern,
    about: &About,
) -> Result<bool> {
    let look = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM reviews WHERE topic = ? AND resolved_at IS NULL)");
    Ok(look.bind(topic(shop, concern, about)).fetch_one(connection).await?)
}

async fn settle(connection: &mut SqliteConnection, topic: String, resolution: &str, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE reviews SET resolved_at = ?, resolution = ? WHERE topic = ? AND resolved_at IS NULL")
        .bind(now.as_millis())
        .bind(resolution)
        .bind(topic)
        .execute(connection)
        .await?;
    Ok(())
}

/// The product has an entry in the catalog now.
pub(crate) async fn settle_product(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    product: &str,
    now: Timestamp,
) -> Result<()> {
    settle(connection, product_topic(shop.as_str(), product), "the catalog knows the product now", now).await
}

/// What deriving finds again each time for as long as it is so; where it is no longer found, it is settled.
const FOUND_WHILE_SO: &str = "('learner-missing', 'learner-malformed', 'learner-changed', 'seats-free', 'quantity-partly-refunded', 'earlier-sale')";

/// What an order's lines were found wanting before, and are not any more, is settled.
pub(crate) async fn settle_unfound(
    connection: &mut SqliteConnection,
    order: OrderId,
    findings: &[Finding],
    now: Timestamp,
) -> Result<()> {
    let found: Vec<String> = findings
        .iter()
        .map(|finding| {
            let about = About { order: Some(order), line: finding.line, ..About::default() };
            topic(None, &finding.concern, &about)
        })
        .collect();
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE reviews SET resolved_at = ?1, resolution = 'it is no longer so'
         WHERE order_id = ?2 AND resolved_at IS NULL AND code IN {FOUND_WHILE_SO}
             AND topic NOT IN (SELECT value FROM json_each(?3))"
    )))
    .bind(now.as_millis())
    .bind(order.to_string())
    .bind(rows::to_json(&found)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// A person answered.
pub(crate) async fn answer(
    connection: &mut SqliteConnection,
    review: ReviewId,
    answer: Answer,
    resolution: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE reviews SET resolved_at = ?, resolution = ?, answer = ? WHERE id = ?")
        .bind(now.as_millis())
        .bind(resolution)
        .bind(answer.as_str())
        .bind(review.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The order gave its id up: what came under it as another order is one.
pub(crate) async fn settle_set_aside(connection: &mut SqliteConnection, order: OrderId, now: Timestamp) -> Result<()> {
    let topic = format!("{}:{order}", Concern::OrderIdentityChanged.code());
    settle(connection, topic, "the order was set aside", now).await
}

/// It is known which account the learner is.
pub(crate) async fn settle_learner(
    connection: &mut SqliteConnection,
    lms: &LmsName,
    identity: IdentityId,
    resolution: &str,
    now: Timestamp,
) -> Result<()> {
    for concern in [Concern::NoAccount, Concern::AccountRetired, Concern::IdentityUnsupported] {
        settle(connection, format!("{}:{lms}:{identity}", concern.code()), resolution, now).await?;
    }
    Ok(())
}

/// The LMS registers the shop's learners again.
pub(crate) async fn settle_registrations(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    now: Timestamp,
) -> Result<()> {
    for code in ["registration-refused", "registration-limit"] {
        settle(connection, format!("{code}:{shop}"), "the LMS registers learners again", now).await?;
    }
    Ok(())
}

/// The order is out of the bin, or never was in it.
pub(crate) async fn settle_deleted(connection: &mut SqliteConnection, order: OrderId, now: Timestamp) -> Result<()> {
    let topic = format!("{}:{order}", Concern::OrderDeleted.code());
    settle(connection, topic, "the order was taken out of the bin", now).await
}

/// The enrollment is as it should be now.
pub(crate) async fn settle_enrollment(
    connection: &mut SqliteConnection,
    enrollment: EnrollmentId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE reviews SET resolved_at = ?, resolution = 'the enrollment is right now'
         WHERE enrollment_id = ? AND code IN ('enrollment-refused', 'revoke') AND resolved_at IS NULL",
    )
    .bind(now.as_millis())
    .bind(enrollment.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// What the adapter asked for is so now.
pub(crate) async fn settle_effect(connection: &mut SqliteConnection, effect: EffectId, now: Timestamp) -> Result<()> {
    settle(connection, format!("effect-refused:{effect}"), "it was done when it was asked for again", now).await
}
