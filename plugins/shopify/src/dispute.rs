//! Chargebacks and inquiries.

use bursar_adapter::field::Field;
use bursar_adapter::orders::{self, Cause};
use bursar_adapter::{Delivery, Result};

use crate::body::Dispute;
use crate::revision;

/// Holds the order while its money is in question, and lifts that when the question is settled for the shop (fact 19).
pub(crate) fn state(dispute: &Dispute<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let Some(order) = Field::new("order_id", &dispute.order_id).id()? else {
        delivery.ignored("a dispute that Shopify has found no order for");
        return Ok(());
    };
    let status = Field::new("status", &dispute.status);
    let status = status.text()?.ok_or_else(|| status.missing())?;
    let (rank, holds) = match status.as_ref() {
        "needs_response" => (0, Some(true)),
        "under_review" => (1, Some(true)),
        "lost" | "accepted" | "charge_refunded" => (2, Some(true)),
        "won" | "prevented" => (2, Some(false)),
        _ => (0, None),
    };
    let stated = orders::patch(&order, &revision::of_dispute(dispute, rank)?);
    let evidence = format!("dispute status={status}");
    match holds {
        Some(true) => drop(stated.hold(Cause::Disputed, &evidence)),
        Some(false) => drop(stated.lift(Cause::Disputed, &evidence)),
        None => {
            stated.review("the buyer disputes the payment, and how that stands is said in a word unknown here");
        }
    }
    Ok(())
}
