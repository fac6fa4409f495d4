//! The brakes of shops: whether their removals are paused.
//!
//! Owns `brakes`. When they are too many is decided by `bursar_domain::brake`.

use bursar_domain::{
    ShopName, Timestamp,
    brake::{self, Brake},
    policy::ShopPolicy,
    reason::{Concern, Reason},
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{
    error::{Result, StoreError},
    reviews, rows,
};

/// Pulls the brake of a shop that took more away within the hour than can be meant, and calls a person.
pub(crate) async fn check(connection: &mut SqliteConnection, policy: &ShopPolicy, now: Timestamp) -> Result<()> {
    let shop = policy.shop.as_str();
    let row = sqlx::query("SELECT pulled_at, released_at FROM brakes WHERE shop = ?")
        .bind(shop)
        .fetch_optional(&mut *connection)
        .await?;
    let time = |column| row.as_ref().map_or(Ok(None), |row: &SqliteRow| rows::time_option(row, column));
    let (pulled_at, released_at) = (time("pulled_at")?, time("released_at")?);
    let from = Brake::counted_from(now, released_at);
    let ended = sqlx::query("SELECT ended_reason FROM grants WHERE shop = ? AND ended_at > ?")
        .bind(shop)
        .bind(from.as_millis())
        .fetch_all(&mut *connection)
        .await?;
    let mut counted = 0_u32;
    for row in &ended {
        let reason: Option<Reason> = rows::json_option(row, "ended_reason")?;
        counted += u32::from(reason.as_ref().is_some_and(brake::counts));
    }
    if pulled_at.is_none() && counted <= policy.brake.removals {
        return Ok(());
    }
    let live: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM grants WHERE shop = ? AND ended_at IS NULL")
        .bind(shop)
        .fetch_one(&mut *connection)
        .await?;
    let live = u32::try_from(live).unwrap_or(u32::MAX);
    if pulled_at.is_none() && !policy.brake.stops(counted, live) {
        return Ok(());
    }
    if pulled_at.is_none() {
        sqlx::query(
            "INSERT INTO brakes (shop, pulled_at) VALUES (?1, ?2) ON CONFLICT (shop) DO UPDATE SET pulled_at = ?2",
        )
        .bind(shop)
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
    }
    let concern = Concern::RemovalsPaused { ended: counted, live };
    reviews::open(connection, Some(&policy.shop), &concern, &reviews::About::default(), now).await
}

/// Lets a shop's removals go on, and wakes those that waited.
pub(crate) async fn release(connection: &mut SqliteConnection, shop: &ShopName, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE brakes SET pulled_at = NULL, released_at = ?1 WHERE shop = ?2")
        .bind(now.as_millis())
        .bind(shop.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE enrollments SET state = 'due', due_at = ?1, wakes = wakes + 1
         WHERE state = 'waiting' AND json_extract(reason, '$.code') = 'removals-paused' AND EXISTS (SELECT 1 FROM grants g
             WHERE g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run AND g.shop = ?2)",
    )
    .bind(now.as_millis())
    .bind(shop.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// The shops whose removals are paused.
pub(crate) async fn pulled(connection: &mut SqliteConnection) -> Result<Vec<ShopName>> {
    let rows = sqlx::query("SELECT shop FROM brakes WHERE pulled_at IS NOT NULL").fetch_all(connection).await?;
    rows.iter().map(|row| rows::parsed::<ShopName>(row, "shop")).collect::<Result<_, StoreError>>()
}
