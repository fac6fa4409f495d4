//! How new what is said of an order is, so that whole orders and refunds may come in any order.
//!
//! `[seconds, nanoseconds, newest refund, cancelled, stage]`: the newest moment that the body says of the order, and what
//! tells states of one second apart, because Shopify's moments have no fractions (fact 9). The last three never go back:
//! the highest id of a refund, 1 once cancelled, and how far the payment has come. Only whole orders have a stage.
//!
//! A dispute is known by a revision of its own, `[seconds, nanoseconds, rank, 0, 0]`: nothing else speaks of disputes.

use bursar_adapter::Result;
use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::moment::Moment;

use crate::body::{self, Dispute, Order, Refund};
use crate::standing;

pub(crate) type Revision = [u64; 5];

/// Of a whole order.
pub(crate) fn of_order(order: &Order<'_>) -> Result<Revision> {
    let refunds = field::items("refunds", &order.refunds)?.unwrap_or_default();
    let cancelled = Field::new("cancelled_at", &order.cancelled_at).moment()?;
    let mut moments = vec![
        Field::new("updated_at", &order.updated_at).moment()?,
        Field::new("created_at", &order.created_at).moment()?,
        cancelled,
    ];
    for refund in refunds {
        moments.push(Field::new("refunds.created_at", &refund.created_at).moment()?);
    }
    let newest = moments.into_iter().flatten().max().ok_or_else(|| field::missing("updated_at"))?;
    let refund = refunds.iter().map(|refund| number(&refund.id)).max().unwrap_or_default();
    let stage = standing::stage(&Field::new("financial_status", &order.financial_status).text()?.unwrap_or_default());
    Ok([newest.seconds, u64::from(newest.nanoseconds), refund, u64::from(cancelled.is_some()), stage])
}

/// Of a refund by itself.
pub(crate) fn of_refund(refund: &Refund<'_>, at: Moment) -> Revision {
    [at.seconds, u64::from(at.nanoseconds), number(&refund.id), 0, 0]
}

/// Of a dispute, whose later statuses have later dates, where they have any.
pub(crate) fn of_dispute(dispute: &Dispute<'_>, rank: u64) -> Result<Revision> {
    let initiated = Field::new("initiated_at", &dispute.initiated_at);
    let initiated = initiated.moment()?.ok_or_else(|| initiated.missing())?;
    // Shopify calls these dates "on": one that is no moment says nothing that the rank does not.
    let later = [&dispute.evidence_sent_on, &dispute.finalized_on];
    let newest = later.into_iter().filter_map(body::moment).fold(initiated, Ord::max);
    Ok([newest.seconds, u64::from(newest.nanoseconds), rank, 0, 0])
}

/// Does this revision of a line come from a whole order that was said at that moment or later?
pub(crate) fn is_whole_since(revision: &[u64], at: Moment) -> bool {
    match revision {
        [seconds, nanoseconds, _, _, stage] => {
            *stage > 0 && (*seconds, *nanoseconds) >= (at.seconds, u64::from(at.nanoseconds))
        }
        _ => false,
    }
}

/// An id as a number; 0 for one that is none, which tells nothing apart.
fn number(id: &Loose<'_>) -> u64 {
    Field::new("id", id).id().ok().flatten().and_then(|id| id.parse().ok()).unwrap_or_default()
}
