//! The shape of a webhook without a query, which Saleor calls legacy: turned into what the query would have said.
//!
//! It knows payments and no transactions, so it cannot tell whether an order is paid that was paid by one (fact 10). It says of
//! money that went back how much, and not for which line.

use std::collections::BTreeMap;

use bursar_adapter::loose::{List, Loose};
use bursar_adapter::money::Amount;
use serde::Deserialize;

use crate::body::{self, Channel, Line, Metadata, Money, Total};

/// An order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order<'a> {
    /// `Order`; other events send other things in this shape.
    #[serde(borrow, rename = "type")]
    kind: Loose<'a>,
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(borrow)]
    number: Loose<'a>,
    #[serde(borrow)]
    status: Loose<'a>,
    #[serde(borrow)]
    user_email: Loose<'a>,
    #[serde(borrow)]
    created: Loose<'a>,
    #[serde(borrow)]
    channel: Option<Channel<'a>>,
    #[serde(borrow)]
    metadata: Option<BTreeMap<String, Loose<'a>>>,
    #[serde(deserialize_with = "body::amount")]
    total_gross_amount: Option<Amount>,
    #[serde(borrow)]
    lines: List<Line<'a>>,
    payments: Option<Vec<Payment<'a>>>,
    fulfillments: Option<Vec<Fulfillment>>,
    #[serde(borrow)]
    meta: Option<Meta<'a>>,
}

/// How the body came about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta<'a> {
    /// When it was made.
    #[serde(borrow)]
    pub(crate) issued_at: Loose<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payment<'a> {
    #[serde(borrow)]
    charge_status: Loose<'a>,
    #[serde(borrow)]
    currency: Loose<'a>,
    /// What of it the shop has now: refunds are taken off.
    #[serde(deserialize_with = "body::amount")]
    captured_amount: Option<Amount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fulfillment {
    #[serde(deserialize_with = "body::amount")]
    total_refund_amount: Option<Amount>,
}

/// What was made of an order in this shape.
#[derive(Debug)]
pub(crate) struct Translated<'a> {
    pub(crate) order: body::Order<'a>,
    /// None where the body cannot tell.
    pub(crate) is_paid: Option<bool>,
    /// When the body was made.
    pub(crate) issued_at: Loose<'a>,
}

impl<'a> Order<'a> {
    /// Is it an order at all?
    pub(crate) fn is_order(&self) -> bool {
        self.kind == Loose::Text("Order".into())
    }

    pub(crate) fn translate(self) -> Translated<'a> {
        let payments = self.payments.unwrap_or_default();
        let charged = sum(payments.iter().map(|payment| payment.captured_amount)).filter(|_| !payments.is_empty());
        let refunded = sum(self.fulfillments.iter().flatten().map(|fulfillment| fulfillment.total_refund_amount));
        let is_paid = match (self.total_gross_amount, charged) {
            (Some(total), _) if total.is_zero() => Some(true),
            (Some(total), Some(charged)) => Some(charged.covers(total)),
            _ => None,
        };
        // The statuses of payments are those of orders in another spelling; the last payment is the one that is on.
        let (payment_status, currency) = payments
            .into_iter()
            .next_back()
            .map(|payment| (payment.charge_status, payment.currency))
            .unwrap_or_default();
        let metadata = self.metadata.unwrap_or_default().into_iter();
        let order = body::Order {
            id: self.id,
            number: self.number,
            status: self.status,
            payment_status,
            user_email: self.user_email,
            created: self.created,
            channel: self.channel,
            metadata: List::Items(
                metadata.map(|(key, value)| Metadata { key: Loose::Text(key.into()), value }).collect(),
            ),
            total: Some(Total { gross: Some(Money { amount: self.total_gross_amount, currency }) }),
            total_charged: Some(Money { amount: charged, currency: Loose::Absent }),
            total_refunded: Some(Money { amount: refunded, currency: Loose::Absent }),
            lines: self.lines,
            ..body::Order::default()
        };
        Translated { order, is_paid, issued_at: self.meta.map(|meta| meta.issued_at).unwrap_or_default() }
    }
}

/// None where one of them cannot be read.
fn sum(mut amounts: impl Iterator<Item = Option<Amount>>) -> Option<Amount> {
    amounts.try_fold(Amount::ZERO, |sum, amount| sum.plus(amount?))
}
