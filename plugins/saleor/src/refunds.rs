//! What went back of which line. Saleor says it in two places, by the way the refund was made (facts 18, 19).

use std::collections::BTreeMap;

use bursar_adapter::Result;
use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::List;
use bursar_adapter::money::Amount;

use crate::body::{GrantedRefund, Order, Part};
use crate::standing;

/// Fulfillments whose lines went back for money.
const REFUNDED: [&str; 2] = ["REFUNDED", "REFUNDED_AND_RETURNED"];

/// Fulfillments whose lines went back for no money.
const SENT_BACK: [&str; 2] = ["RETURNED", "REPLACED"];

/// What an order says about refunds.
#[derive(Debug, Default)]
pub(crate) struct Refunds {
    lines: BTreeMap<String, OfLine>,
    /// Money went back, and nothing says for which line.
    pub(crate) unnamed: bool,
}

/// What went back of one line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfLine {
    /// For money.
    pub(crate) refunded: u32,
    /// For no money, or none that is seen yet.
    pub(crate) sent_back: u32,
}

impl Refunds {
    /// Reads them; `refunded` is what went back of the whole order.
    pub(crate) fn of(order: &Order<'_>, refunded: Option<Amount>) -> Result<Self> {
        let mut refunds = Self::default();
        for fulfillment in field::items("order.fulfillments", &order.fulfillments)?.unwrap_or_default() {
            let status = standing::word(&fulfillment.status);
            if REFUNDED.contains(&status.as_str()) {
                refunds.unnamed |= !refunds.count(&fulfillment.lines, |line, count| line.add(count))?;
            } else if SENT_BACK.contains(&status.as_str()) {
                refunds.count(&fulfillment.lines, |line, count| {
                    line.sent_back = line.sent_back.saturating_add(count);
                })?;
            }
        }
        let granted = field::items("order.grantedRefunds", &order.granted_refunds)?.unwrap_or_default();
        let all_paid_out = are_paid_out(granted, refunded);
        for refund in granted {
            let status = standing::word(&refund.status);
            if status == "SUCCESS" || (all_paid_out && status != "FAILURE") {
                // What was sent back first and is refunded now is one thing, and no longer a question.
                refunds.unnamed |= !refunds.count(&refund.lines, |line, count| {
                    line.add(count);
                    line.sent_back = line.sent_back.saturating_sub(count);
                })?;
            }
        }
        Ok(refunds)
    }

    /// What went back of this line.
    pub(crate) fn of_line(&self, id: &str) -> OfLine {
        self.lines.get(id).copied().unwrap_or_default()
    }

    /// Does every refund say for which line it was?
    pub(crate) fn are_named(&self) -> bool {
        !self.unnamed && self.lines.values().any(|line| line.refunded > 0)
    }

    /// Has each line's count added; answers whether there was any.
    fn count(&mut self, parts: &List<Part<'_>>, add: impl Fn(&mut OfLine, u32)) -> Result<bool> {
        let mut named = false;
        for part in field::items("the lines of a refund or return", parts)?.unwrap_or_default() {
            let quantity = Field::new("the quantity of a refund or return", &part.quantity);
            let count = quantity.count()?.ok_or_else(|| quantity.missing())?;
            let Some(line) = &part.order_line else { continue };
            if let Some(id) = Field::new("orderLine.id", &line.id).id()? {
                add(self.lines.entry(id.into_owned()).or_default(), count);
                named = true;
            }
        }
        Ok(named)
    }
}

impl OfLine {
    fn add(&mut self, count: u32) {
        self.refunded = self.refunded.saturating_add(count);
    }
}

/// Is as much gone back as was granted? A refund that was granted, and then made without naming it, stays `NONE` for ever
/// (fact 19).
fn are_paid_out(granted: &[GrantedRefund<'_>], refunded: Option<Amount>) -> bool {
    let sum = granted
        .iter()
        .filter(|refund| standing::word(&refund.status) != "FAILURE")
        .try_fold(Amount::ZERO, |sum, refund| sum.plus(refund.amount.as_ref()?.amount?));
    matches!((sum, refunded), (Some(sum), Some(refunded)) if !refunded.is_zero() && refunded.covers(sum))
}
