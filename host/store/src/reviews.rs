//! Reviews: what needs a person.
//!
//! Owns `reviews`. One open review a topic, however often it comes up. A review never changes access by itself.

use bursar_domain::{
    LmsName, ShopName, Timestamp,
    ids::{DeliveryId, EffectId, EnrollmentId, IdentityId, LineId, OrderId, ReviewId},
    reason::Concern,
};
use sqlx::{Row, SqliteConnection};

use crate::{Store, error::Result, rows};

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
    /// Whose order or delivery.
    pub shop: ShopName,
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
        rows.iter()
            .map(|row| {
                Ok(Review {
                    id: rows::parsed(row, "id")?,
                    shop: rows::parsed(row, "shop")?,
                    concern: rows::json(row, "concern")?,
                    order: row.try_get("order_name")?,
                    delivery: rows::parsed_option(row, "delivery_id")?,
                    times: rows::count(row, "times")?,
                    opened_at: rows::time(row, "opened_at")?,
                    last_at: rows::time(row, "last_at")?,
                    resolved_at: rows::time_option(row, "resolved_at")?,
                    resolution: row.try_get("resolution")?,
                })
            })
            .collect()
    }
}

/// What makes two concerns one question. An unmapped product is one for the whole shop.
fn topic(shop: &ShopName, concern: &Concern, about: &About) -> String {
    let code = concern.code();
    let subject = match concern {
        Concern::ProductUnmapped { products, .. } if !products.is_empty() => {
            return product_topic(shop, products.first().map(ToString::to_string).unwrap_or_default().as_str());
        }
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

fn product_topic(shop: &ShopName, product: &str) -> String {
    format!("product-unmapped:{shop}:{product}")
}

/// Opens a review, or counts one more time of the open one.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    concern: &Concern,
    about: &About,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO reviews (id, shop, code, topic, concern, delivery_id, order_id, line_id, enrollment_id, opened_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
         ON CONFLICT (topic) WHERE resolved_at IS NULL
             DO UPDATE SET times = times + 1, last_at = excluded.last_at, concern = excluded.concern",
    )
    .bind(ReviewId::new(now).to_string())
    .bind(shop.as_str())
    .bind(concern.code())
    .bind(topic(shop, concern, about))
    .bind(rows::to_json(concern)?)
    .bind(about.delivery.map(|id| id.to_string()))
    .bind(about.order.map(|id| id.to_string()))
    .bind(about.line.map(|id| id.to_string()))
    .bind(about.enrollment.map(|id| id.to_string()))
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
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
    settle(connection, product_topic(shop, product), "the catalog knows the product now", now).await
}

/// The line owes access to somebody now, so whatever kept it from that is settled.
pub(crate) async fn settle_line(connection: &mut SqliteConnection, line: LineId, now: Timestamp) -> Result<()> {
    for concern in [Concern::LearnerMissing, Concern::LearnerMalformed] {
        settle(connection, format!("{}:{line}", concern.code()), "the order names a learner now", now).await?;
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
         WHERE enrollment_id = ? AND code = 'enrollment-refused' AND resolved_at IS NULL",
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
