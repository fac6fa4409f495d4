//! Orders as people ask for them: a list, and one with everything that is known of it.

use std::collections::BTreeMap;

use bursar_domain::{
    ShopName, Timestamp,
    grants::CatalogAnswer,
    ids::{GrantId, LineId, OrderId},
    ledger::Order,
    statement::{Cause, Payment, ProductId},
};
use sqlx::{QueryBuilder, Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    DeliveryFilter, DeliverySummary, EnrollmentSummary, IDENTITIES_OF_ONE, PurchaseGrant, TrailEntry, purchase_grant,
    trail_entry,
};
use crate::{
    Store, catalog,
    error::{Result, StoreError},
    orders,
    reviews::Review,
    rows,
};

/// How many orders one listing shows at most.
pub const ORDERS_LISTED_MAX: u32 = 1_000;

/// How many deliveries of one order are shown: the newest. An order that is saved more often is odd, and listed elsewhere.
const DELIVERIES_OF_AN_ORDER: u32 = 20;

/// Which orders to list.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Of this shop only.
    pub shop: Option<ShopName>,
    /// Of the learner only who has this e-mail address, username or external id.
    pub learner: Option<String>,
    /// How many; [`ORDERS_LISTED_MAX`] at most.
    pub limit: u32,
}

/// An order, in a line.
#[derive(Debug, Clone)]
pub struct OrderSummary {
    /// Its id.
    pub id: OrderId,
    /// Whose.
    pub shop: ShopName,
    /// The shop's id of it.
    pub external_id: String,
    /// What people call it.
    pub number: Option<String>,
    /// Who learns, as the order writes it; of several learners the first.
    pub learner: Option<String>,
    /// Has the shop got the money?
    pub payment: Payment,
    /// Did a person decide that it counts as paid?
    pub approved: bool,
    /// What holds it, or any of its lines, now.
    pub held: Vec<Cause>,
    /// How many lines it has.
    pub lines: u32,
    /// How many grants are owed.
    pub owed: u32,
    /// How many reviews are open.
    pub reviews: u32,
    /// When it was placed, if the shop said so.
    pub placed_at: Option<Timestamp>,
    /// When something about it changed last.
    pub changed_at: Timestamp,
}

/// An order with everything known of it.
#[derive(Debug, Clone)]
pub struct OrderDetail {
    /// The order, its lines, holds, grants and what people decided.
    pub order: Order,
    /// When Bursar heard of it first.
    pub first_seen_at: Timestamp,
    /// When something about it changed last.
    pub changed_at: Timestamp,
    /// What the catalog says now of the product of each line.
    pub catalog: BTreeMap<LineId, CatalogAnswer>,
    /// How the search for the account of each grant stands.
    pub grants: BTreeMap<GrantId, PurchaseGrant>,
    /// What is known of the enrollments that its grants are about.
    pub enrollments: Vec<EnrollmentSummary>,
    /// The reviews about it, settled ones too.
    pub reviews: Vec<Review>,
    /// What became of it, the oldest first.
    pub trail: Vec<TrailEntry>,
    /// What the shop sent about it, the newest first, and not more than a page shows.
    pub deliveries: Vec<DeliverySummary>,
}

impl Store {
    /// The orders that match, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Vec<OrderSummary>> {
        let learner = filter.learner.as_ref().map(|learner| learner.trim().to_lowercase());
        let mut query = QueryBuilder::new("WITH people AS (");
        query.push(IDENTITIES_OF_ONE).push(
            ") SELECT o.*,
                (SELECT i.written FROM identities i WHERE i.id = COALESCE(o.learner_id,
                    (SELECT l.learner_id FROM lines l WHERE l.order_id = o.id AND l.learner_id IS NOT NULL ORDER BY l.id LIMIT 1))
                ) AS learner,
                EXISTS (SELECT 1 FROM decisions d WHERE d.order_id = o.id AND d.kind = 'approved' AND d.withdrawn_at IS NULL)
                    AS approved,
                (SELECT json_group_array(DISTINCT h.cause) FROM holds h WHERE h.order_id = o.id AND h.holds) AS held,
                (SELECT COUNT(*) FROM lines l WHERE l.order_id = o.id) AS line_count,
                (SELECT COUNT(*) FROM grants g JOIN lines l ON l.id = g.line_id
                    WHERE l.order_id = o.id AND g.ended_at IS NULL) AS owed,
                (SELECT COUNT(*) FROM reviews r WHERE r.order_id = o.id AND r.resolved_at IS NULL) AS review_count
              FROM orders o
              WHERE (?2 IS NULL OR o.shop = ?2)
                AND (?1 IS NULL OR o.learner_id IN (SELECT id FROM people) OR EXISTS (SELECT 1 FROM lines l
                    WHERE l.order_id = o.id AND (l.learner_id IN (SELECT id FROM people)
                        OR EXISTS (SELECT 1 FROM grants g WHERE g.line_id = l.id AND g.identity_id IN (SELECT id FROM people)))))
              ORDER BY o.id DESC LIMIT ?3",
        );
        let rows = query
            .build()
            .bind(learner)
            .bind(filter.shop.as_ref().map(ShopName::as_str))
            .bind(i64::from(filter.limit.min(ORDERS_LISTED_MAX)))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(summary).collect()
    }

    /// One order, whole, by the shop's id of it or by its number.
    ///
    /// # Errors
    /// When there is none, several have this number, or the database fails.
    pub async fn order_detail(&self, shop: &ShopName, name: &str) -> Result<OrderDetail> {
        let mut connection = self.readers.acquire().await?;
        let external_id = orders::find(&mut connection, shop, name).await?;
        let order = orders::load(&mut connection, shop, &external_id)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "order", id: name.to_owned() })?;
        let row = sqlx::query("SELECT first_seen_at, changed_at FROM orders WHERE id = ?")
            .bind(order.id.to_string())
            .fetch_one(&mut *connection)
            .await?;
        let catalog = catalog_answers(&mut connection, &order).await?;
        let grants = grants(&mut connection, order.id).await?;
        let trail = sqlx::query(
            "SELECT a.*, COALESCE(e.course_run, g.course_run) AS course_run
             FROM audit a LEFT JOIN enrollments e ON e.id = a.enrollment_id LEFT JOIN grants g ON g.id = a.grant_id
             WHERE a.order_id = ? ORDER BY a.id",
        )
        .bind(order.id.to_string())
        .fetch_all(&mut *connection)
        .await?;
        let enrollment_rows = sqlx::query(
            "SELECT DISTINCT e.*, a.username FROM enrollments e JOIN accounts a ON a.id = e.account_id
             JOIN grants g ON g.account_id = e.account_id AND g.course_run = e.course_run
             JOIN lines l ON l.id = g.line_id WHERE l.order_id = ? ORDER BY e.id",
        )
        .bind(order.id.to_string())
        .fetch_all(&mut *connection)
        .await?;
        drop(connection);
        let mut enrollments = Vec::with_capacity(enrollment_rows.len());
        for row in &enrollment_rows {
            enrollments.push(self.enrollment_summary(row).await?);
        }
        let filter = DeliveryFilter {
            shop: Some(shop.clone()),
            subject: Some(order.external_id.clone()),
            limit: DELIVERIES_OF_AN_ORDER,
            ..DeliveryFilter::default()
        };
        Ok(OrderDetail {
            first_seen_at: rows::time(&row, "first_seen_at")?,
            changed_at: rows::time(&row, "changed_at")?,
            catalog,
            grants,
            enrollments,
            reviews: self.reviews_of(order.id).await?,
            trail: trail.iter().map(trail_entry).collect::<Result<_>>()?,
            deliveries: self.deliveries(&filter).await?,
            order,
        })
    }
}

fn summary(row: &SqliteRow) -> Result<OrderSummary> {
    Ok(OrderSummary {
        id: rows::parsed(row, "id")?,
        shop: rows::parsed(row, "shop")?,
        external_id: row.try_get("external_id")?,
        number: row.try_get("number")?,
        learner: row.try_get("learner")?,
        payment: rows::word(row, "payment")?,
        approved: row.try_get("approved")?,
        held: rows::json(row, "held")?,
        lines: rows::count(row, "line_count")?,
        owed: rows::count(row, "owed")?,
        reviews: rows::count(row, "review_count")?,
        placed_at: rows::time_option(row, "placed_at")?,
        changed_at: rows::time(row, "changed_at")?,
    })
}

async fn catalog_answers(connection: &mut SqliteConnection, order: &Order) -> Result<BTreeMap<LineId, CatalogAnswer>> {
    let products: Vec<ProductId> = order.lines.iter().flat_map(|line| line.products.iter().cloned()).collect();
    let answers = catalog::answers(connection, &order.shop, &products).await?;
    Ok(order.lines.iter().map(|line| (line.id, catalog::answer(&answers, &line.products))).collect())
}

async fn grants(connection: &mut SqliteConnection, order: OrderId) -> Result<BTreeMap<GrantId, PurchaseGrant>> {
    let rows = sqlx::query(
        "SELECT g.*, g.id AS grant_id, a.username, r.state AS resolution, r.waiting_since, r.due_at AS looked_for_next
         FROM grants g JOIN lines l ON l.id = g.line_id LEFT JOIN accounts a ON a.id = g.account_id
         LEFT JOIN resolutions r ON r.identity_id = g.identity_id AND r.lms = g.lms
         WHERE l.order_id = ? ORDER BY g.id",
    )
    .bind(order.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((rows::parsed(row, "grant_id")?, purchase_grant(row)?))).collect()
}
