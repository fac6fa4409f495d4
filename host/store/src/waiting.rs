//! Who paid and waits for an account.
//!
//! Reads only, for showing; nothing of the host decides by it.

use bursar_domain::{CourseRun, LmsName, Mode, ShopName, Timestamp, statement::Identity};
use sqlx::{QueryBuilder, Row};

use crate::{
    Store,
    error::{Result, StoreError},
    orders, rows,
};

/// Of which learners to tell.
#[derive(Debug, Clone, Default)]
pub struct WaitingFilter {
    /// At this LMS only.
    pub lms: Option<LmsName>,
    /// Of this shop only.
    pub shop: Option<ShopName>,
    /// With this address, username or external id only, in any case of letters.
    pub who: Option<String>,
}

/// A live grant without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingGrant {
    /// Where.
    pub lms: LmsName,
    /// Who, as the shop says it.
    pub identity: Identity,
    /// Since when it is owed.
    pub since: Timestamp,
    /// Whose order.
    pub shop: ShopName,
    /// What the shop calls the order.
    pub order: String,
    /// What it calls the product.
    pub title: Option<String>,
    /// Which course run.
    pub run: CourseRun,
    /// In which mode.
    pub mode: Mode,
    /// How far the search for the account has come: `open`, `waiting`, `resolved`, `retired`, `unsupported`.
    pub resolution: String,
    /// When the LMS is asked next; none where a person decides.
    pub next_look: Option<Timestamp>,
}

impl Store {
    /// Every live grant that waits for an account, the longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&self, filter: &WaitingFilter) -> Result<Vec<WaitingGrant>> {
        let mut query = QueryBuilder::new(
            "SELECT g.lms, g.since, g.shop, g.course_run, g.mode, i.kind, i.provider, i.written, l.title,
                 COALESCE(o.number, o.external_id) AS order_name, COALESCE(r.state, 'open') AS resolution, r.due_at
             FROM grants g JOIN identities i ON i.id = g.identity_id JOIN lines l ON l.id = g.line_id
                 JOIN orders o ON o.id = l.order_id
                 LEFT JOIN resolutions r ON r.identity_id = g.identity_id AND r.lms = g.lms
             WHERE g.account_id IS NULL AND g.ended_at IS NULL",
        );
        if let Some(lms) = &filter.lms {
            query.push(" AND g.lms = ").push_bind(lms.as_str().to_owned());
        }
        if let Some(shop) = &filter.shop {
            query.push(" AND g.shop = ").push_bind(shop.as_str().to_owned());
        }
        if let Some(who) = &filter.who {
            query.push(" AND i.normalized = ").push_bind(who.trim().to_lowercase());
        }
        query.push(" ORDER BY g.since, g.id");
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(WaitingGrant {
                    lms: rows::parsed(row, "lms")?,
                    identity: orders::identity(row)?
                        .ok_or(StoreError::Corrupt { what: "grant", problem: "has no learner".into() })?,
                    since: rows::time(row, "since")?,
                    shop: rows::parsed(row, "shop")?,
                    order: row.try_get("order_name")?,
                    title: row.try_get("title")?,
                    run: rows::parsed(row, "course_run")?,
                    mode: rows::parsed(row, "mode")?,
                    resolution: row.try_get("resolution")?,
                    next_look: rows::time_option(row, "due_at")?,
                })
            })
            .collect()
    }
}
