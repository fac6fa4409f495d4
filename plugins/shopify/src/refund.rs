//! What went back: by line where the shop says so, by amount otherwise.

use std::collections::BTreeMap;

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::money::Amount;
use bursar_adapter::orders::{self, KnownLine};
use bursar_adapter::{Delivery, Result};

use crate::body::{Item, Order, Refund, Transaction};
use crate::revision;
use crate::whole::{self, Awaited};

/// States a refund that came by itself. It says what went back this time, not in all, and nothing of the order.
///
/// What went back in all is what is known of the line and this refund. A line whose revision is as new has it counted
/// already: in the order as it stood after the refund, or by this very news.
pub(crate) fn state(refund: &Refund<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let order = Field::new("order_id", &refund.order_id);
    let order = order.id()?.ok_or_else(|| order.missing())?;
    let at = Field::new("created_at", &refund.created_at);
    let at = at.moment()?.ok_or_else(|| at.missing())?;
    let revision = revision::of_refund(refund, at);

    let lines = Lines::of(std::slice::from_ref(refund))?;
    if lines.0.is_empty() {
        if matches!(Back::of(std::slice::from_ref(refund))?, Back::Nothing) {
            delivery.ignored("a refund with which neither money nor a line went back");
            return Ok(());
        }
        return whole::awaited(delivery, &Awaited { order: &order, at, what: "money went back, and not for a line" });
    }

    let known = orders::known(&order);
    let news: Vec<(&String, u32)> = lines
        .0
        .iter()
        .filter_map(|(line, back)| {
            let known = known.iter().find(|known| known.id() == *line);
            if known.is_some_and(|known| known.revision().as_slice() >= revision.as_slice()) {
                return None;
            }
            let before = known.map(KnownLine::refunded_quantity).unwrap_or_default();
            Some((line, back.in_all.unwrap_or_else(|| before.saturating_add(back.count))))
        })
        .collect();
    if news.is_empty() {
        delivery.ignored("what the refund says of its lines is known already");
        return Ok(());
    }
    let stated = orders::patch(&order, &revision);
    for (line, in_all) in news {
        stated.line(line).refunded_quantity(in_all);
    }
    Ok(())
}

/// What went back of each line, by the line's id.
#[derive(Debug)]
pub(crate) struct Lines(BTreeMap<String, Line>);

/// How many of a line went back.
#[derive(Debug, Default)]
struct Line {
    /// With these refunds.
    count: u32,
    /// With these and everything before, where the line says so itself.
    in_all: Option<u32>,
}

impl Lines {
    /// The sum of these refunds.
    pub(crate) fn of(refunds: &[Refund<'_>]) -> Result<Self> {
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for refund in refunds {
            for returned in field::items("refund_line_items", &refund.refund_line_items)?.unwrap_or_default() {
                let id = Field::new("refund_line_items.line_item_id", &returned.line_item_id);
                let id = id.id()?.ok_or_else(|| id.missing())?;
                let count = Field::new("refund_line_items.quantity", &returned.quantity).count()?.unwrap_or(1);
                if count == 0 {
                    continue;
                }
                let line = lines.entry(id.into_owned()).or_default();
                line.count = line.count.saturating_add(count);
                if let Some(item) = &returned.line_item {
                    line.in_all = removed(item)?;
                }
            }
        }
        Ok(Self(lines))
    }

    /// How many of this line went back.
    pub(crate) fn count(&self, line: &str) -> u32 {
        self.0.get(line).map(|line| line.count).unwrap_or_default()
    }

    /// Did nothing go back?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many of the line are in the order no more, where it says so (fact 14).
pub(crate) fn removed(item: &Item<'_>) -> Result<Option<u32>> {
    let quantity = Field::new("line_items.quantity", &item.quantity).count()?;
    let current = Field::new("line_items.current_quantity", &item.current_quantity).count()?;
    Ok(quantity.zip(current).map(|(quantity, current)| quantity.saturating_sub(current)))
}

/// The money that went back without a line that it was for.
#[derive(Debug)]
pub(crate) enum Back {
    /// None.
    Nothing,
    /// This much.
    Sum { amount: Amount, currency: Option<String> },
    /// Some, in several currencies or in figures that are none.
    Unreadable,
}

impl Back {
    /// The sum over those of these refunds that name no line.
    pub(crate) fn of(refunds: &[Refund<'_>]) -> Result<Self> {
        let mut back = Self::Nothing;
        for refund in refunds {
            if !Lines::of(std::slice::from_ref(refund))?.is_empty() {
                continue;
            }
            for moved in field::items("transactions", &refund.transactions)?.unwrap_or_default() {
                if is_done(moved) {
                    back = back.plus(moved);
                }
            }
        }
        Ok(back)
    }

    fn plus(self, moved: &Transaction<'_>) -> Self {
        let amount = moved.amount.as_ref().and_then(|amount| amount.amount());
        let currency = Field::new("transactions.currency", &moved.currency).currency().ok().flatten();
        let currency = currency.map(|currency| currency.into_owned());
        match (self, amount) {
            (back, Some(amount)) if amount.is_zero() => back,
            (Self::Nothing, Some(amount)) => Self::Sum { amount, currency },
            (Self::Sum { amount: sum, currency: known }, Some(amount)) if known == currency => {
                sum.plus(amount).map_or(Self::Unreadable, |amount| Self::Sum { amount, currency })
            }
            _ => Self::Unreadable,
        }
    }
}

/// Has money gone back with it? An authorisation that was given up moved none, and what is on its way may still fail.
fn is_done(moved: &Transaction<'_>) -> bool {
    is(&moved.kind, "refund") && is(&moved.status, "success")
}

fn is(value: &Loose<'_>, word: &str) -> bool {
    matches!(value, Loose::Text(text) if text == word)
}

/// States the money that went back for no line of a whole order, out of the total in the same currency (fact 16).
pub(crate) fn state_amount(stated: &orders::Order, order: &Order<'_>, refunds: &[Refund<'_>]) -> Result<()> {
    const UNREADABLE: &str =
        "money went back and not for a line, and the order's amounts do not say how much of its total";
    let (amount, currency) = match Back::of(refunds)? {
        Back::Nothing => return Ok(()),
        Back::Unreadable => {
            stated.review(UNREADABLE);
            return Ok(());
        }
        Back::Sum { amount, currency } => (amount, currency),
    };
    let of_shop = Field::new("currency", &order.currency).currency()?;
    let of_buyer = Field::new("presentment_currency", &order.presentment_currency).currency()?;
    let currency = currency.or_else(|| of_shop.as_deref().map(str::to_owned));
    let total = if currency.as_deref() == of_shop.as_deref() {
        order.total_price.as_ref()
    } else if currency.as_deref() == of_buyer.as_deref() {
        order.total_price_set.as_ref().and_then(|set| set.presentment_money.as_ref()?.amount.as_ref())
    } else {
        None
    };
    match (currency, total.and_then(|total| total.amount())) {
        (Some(currency), Some(total)) if !total.is_zero() => {
            stated.refunded_amount(&amount.to_string(), &currency, &total.to_string());
        }
        _ => {
            stated.review(UNREADABLE);
        }
    }
    Ok(())
}
