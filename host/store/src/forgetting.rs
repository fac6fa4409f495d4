//! Forgetting: what is stored of a shop's requests about a subject is blanked, because the shop asked for it.
//!
//! Owns `forgotten`. What was asked is kept as shop, subject and moment, and not as a mark on each delivery: one that is not
//! finished yet is needed whole until it is, and what a parked one is about is not known before it has been judged.
//! Never touches orders and what follows from them: access that was paid for stays.

use bursar_domain::{ShopName, ids::DeliveryId, reason::Reason};
use sqlx::SqliteConnection;

use crate::{
    error::Result,
    inbox,
    orders::Occasion,
    rows,
    trail::{AuditAction, Entry},
};

/// Blanks what came about these subjects and is finished, and sees to it that the rest is blanked once it is. The same again
/// blanks what has been finished since, and nothing twice.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    subjects: &[String],
    asked_in: DeliveryId,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let (mut blanked, mut later) = (0, 0);
    for subject in subjects {
        sqlx::query(
            "INSERT INTO forgotten (shop, subject, at, delivery_id) VALUES (?, ?, ?, ?)
             ON CONFLICT (shop, subject) DO UPDATE SET at = excluded.at, delivery_id = excluded.delivery_id",
        )
        .bind(shop.as_str())
        .bind(subject)
        .bind(occasion.now.as_millis())
        .bind(asked_in.to_string())
        .execute(&mut *connection)
        .await?;
        let stored = sqlx::query(
            "SELECT id, finished_at FROM deliveries WHERE shop = ? AND subject = ? AND blanked_at IS NULL ORDER BY id",
        )
        .bind(shop.as_str())
        .bind(subject)
        .fetch_all(&mut *connection)
        .await?;
        for row in stored {
            if rows::time_option(&row, "finished_at")?.is_none() {
                later += 1;
            } else {
                blanked += 1;
                blank(connection, rows::parsed(&row, "id")?, asked_in, occasion).await?;
            }
        }
    }
    let reason = Reason::ShopForgets { blanked, later };
    tell(connection, asked_in, AuditAction::Forgot, &reason, occasion).await
}

/// Blanks a delivery that has just been finished, if its shop asked since it came that its subject be forgotten.
pub(crate) async fn finished(
    connection: &mut SqliteConnection,
    delivery: DeliveryId,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let asked = sqlx::query(
        "SELECT f.delivery_id FROM deliveries d JOIN forgotten f ON f.shop = d.shop AND f.subject = d.subject
         WHERE d.id = ? AND d.blanked_at IS NULL AND f.at >= d.received_at",
    )
    .bind(delivery.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    match asked {
        Some(row) => blank(connection, delivery, rows::parsed(&row, "delivery_id")?, occasion).await,
        None => Ok(()),
    }
}

async fn blank(
    connection: &mut SqliteConnection,
    delivery: DeliveryId,
    asked_in: DeliveryId,
    occasion: &Occasion<'_>,
) -> Result<()> {
    inbox::blank(connection, delivery, occasion.now).await?;
    tell(connection, delivery, AuditAction::Blanked, &Reason::Forgotten { asked_in }, occasion).await
}

async fn tell(
    connection: &mut SqliteConnection,
    delivery: DeliveryId,
    action: AuditAction,
    reason: &Reason,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let entry = Entry {
        at: occasion.now,
        actor: occasion.actor,
        action,
        reason,
        delivery: Some(delivery),
        order: None,
        line: None,
        grant: None,
        enrollment: None,
    };
    entry.write(connection).await
}
