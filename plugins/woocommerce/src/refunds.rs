//! Which lines the money was for that went back. Webhooks do not say it (fact 25), so the shop is asked, where it may be.
//!
//! Owns the reading of refunds. A refund names a line with a number of seats, or with money only, or names none:
//!
//! | the shop says | what follows |
//! |---|---|
//! | so many seats of a line | that many were refunded |
//! | money of a line and no seats, and all that the line cost is back | every seat was refunded |
//! | money of a line and no seats, less than it cost | money for no seat in particular |
//! | shipping, a fee, a line that is not in the order any more | nothing: it gave no access |
//! | no line | money for no seat in particular |

use std::collections::BTreeMap;

use bursar_adapter::money::Amount;
use bursar_adapter::{Result, orders, shop_api};

use crate::api;
use crate::body::{Item, Order};
use crate::lines;
use crate::loose::Loose;

/// The custom field of a refund's line that names the order's line.
const REFUNDED_LINE: &str = "_refunded_item_id";

/// What went back for the lines of an order.
#[derive(Debug)]
pub(crate) enum Refunded {
    /// Nobody says for which.
    Unsaid,
    /// Seats by line, and the money that went back for no seat in particular.
    Seats { of: BTreeMap<u64, u32>, other: Amount },
}

impl Refunded {
    /// Nothing, since the order lists no refund. Lines of which the shop had said otherwise have no refunded seat any more.
    pub(crate) fn nothing(order: &Order<'_>) -> Self {
        let refunded = orders::known(order.id).into_iter().filter(|line| line.refunded_quantity() > 0);
        let of = refunded.filter_map(|line| Some((line.id().parse().ok()?, 0))).collect();
        Self::Seats { of, other: Amount::ZERO }
    }

    /// How many seats of this line were refunded; none where nobody says.
    pub(crate) fn seats(&self, line: u64) -> Option<u32> {
        match self {
            Self::Unsaid => None,
            Self::Seats { of, .. } => of.get(&line).copied(),
        }
    }

    /// Asks the shop about the refunds that the order lists. Later ones are not counted, since the order is stated as it was when
    /// the shop wrote the body. What the shop does not show any more counts as money for no seat in particular.
    ///
    /// # Errors
    /// When the shop may be asked and gives no answer.
    pub(crate) fn of(order: &Order<'_>) -> Result<Self> {
        let Some(Some(shown)) = shop_api::if_granted(api::refunds(order.id))? else { return Ok(Self::Unsaid) };
        let mut refunds = shown.refunds()?;
        let listed = order.refunds.as_deref().unwrap_or_default();
        refunds
            .retain(|refund| refund.id.id().is_some_and(|id| listed.iter().any(|listed| listed.id.id() == Some(id))));

        let back = Back::of(order, &refunds);
        let mut other = Amount::ZERO;
        for listed in listed {
            let named = refunds.iter().find(|refund| refund.id.id() == listed.id.id());
            let named = named.map_or(Amount::ZERO, |refund| back.named_by(refund));
            let left = amount(&listed.total).minus(named).filter(|left| left.covers(Amount::ZERO));
            other = other.plus(left.unwrap_or(Amount::ZERO)).unwrap_or(other);
        }
        Ok(Self::Seats { of: back.0.into_iter().map(|(line, back)| (line, back.seats)).collect(), other })
    }
}

/// What went back for each line of the order.
struct Back(BTreeMap<u64, LineBack>);

#[derive(Clone, Copy)]
struct LineBack {
    seats: u32,
    money: Amount,
    /// All that the line cost is back.
    whole: bool,
}

impl Back {
    fn of(order: &Order<'_>, refunds: &[api::Refund<'_>]) -> Self {
        let none = LineBack { seats: 0, money: Amount::ZERO, whole: false };
        let mut lines: BTreeMap<u64, LineBack> =
            order.items.iter().filter_map(|item| Some((item.id.id()?, none))).collect();
        for back in refunds.iter().flat_map(|refund| refund.line_items.iter().flatten()) {
            if let Some(line) = refunded_line(back).and_then(|line| lines.get_mut(&line)) {
                line.seats = line.seats.saturating_add(seats(back));
                line.money = line.money.plus(cost(back)).unwrap_or(line.money);
            }
        }
        for item in &order.items {
            let Some(line) = item.id.id().and_then(|id| lines.get_mut(&id)) else { continue };
            let (cost, sold) = (cost(item), lines::sold(item).unwrap_or(1));
            line.whole = !cost.is_zero() && line.money.covers(cost);
            line.seats = if line.whole { sold } else { line.seats.min(sold) };
        }
        Self(lines)
    }

    /// The money of a refund that was for seats, or for what gave no access.
    fn named_by(&self, refund: &api::Refund<'_>) -> Amount {
        let lines = refund.line_items.iter().flatten().filter(|back| {
            let Some(line) = refunded_line(back) else { return false };
            seats(back) > 0 || self.0.get(&line).is_none_or(|line| line.whole)
        });
        let beside = refund.shipping_lines.iter().chain(&refund.fee_lines).flatten();
        lines.chain(beside).map(cost).fold(Amount::ZERO, |sum, cost| sum.plus(cost).unwrap_or(sum))
    }
}

/// The order's line that a refund's line is about.
fn refunded_line(back: &Item<'_>) -> Option<u64> {
    back.meta().iter().find(|field| field.key.text().as_deref() == Some(REFUNDED_LINE))?.value.id()
}

/// Seats that a refund's line gives back: its quantity is below zero, or zero.
fn seats(back: &Item<'_>) -> u32 {
    let quantity = back.quantity.text().unwrap_or_default();
    quantity.strip_prefix('-').and_then(|seats| seats.parse().ok()).unwrap_or_default()
}

/// What a line cost, or gave back, tax included.
fn cost(line: &Item<'_>) -> Amount {
    let (net, tax) = (amount(&line.total), amount(&line.total_tax));
    net.plus(tax).unwrap_or(net)
}

/// An amount without its sign; nothing for what is no amount.
fn amount(value: &Loose<'_>) -> Amount {
    value.text().and_then(|text| Amount::parse(&text)).map_or(Amount::ZERO, Amount::absolute)
}
