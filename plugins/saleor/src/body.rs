//! What the body of a genuine request is. The body alone tells, because no header is signed (fact 6).
//!
//! There are three shapes (fact 7): what the query's `event` holds, standing at the top; `data` with a field of the query's in
//! it; and a list with one order, from a webhook without a query.

use std::collections::BTreeMap;

use bursar_adapter::loose::{List, Loose};
use bursar_adapter::money::{Amount, Written};
use bursar_adapter::{Request, Result};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::legacy;

/// What a webhook says.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// In the shape that a query asked for.
    Event(Event<'a, Order<'a>>),
    /// In the shape of a webhook without a query, which does not say what happened.
    Legacy(Vec<legacy::Order<'a>>),
}

impl<'a> Body<'a> {
    /// Reads the body.
    pub(crate) fn read(request: &'a Request<'_>) -> Result<Self> {
        if is_list(request.body()) {
            return Ok(Self::Legacy(request.json()?));
        }
        Ok(Self::Event(request.json::<Envelope<'a, Order<'a>>>()?.open()))
    }
}

/// As much of a body as tells what it is about. What is no JSON, or has another shape, tells nothing; `handle` will say so.
#[derive(Debug, Default)]
pub(crate) struct Glance<'a> {
    /// As in the header, `order_fully_paid`, if the body names it.
    pub(crate) event: Option<String>,
    /// When the body was made.
    pub(crate) issued: Loose<'a>,
    pub(crate) orders: Vec<OnlyId<'a>>,
}

/// The id of an order, which is called so in every shape.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnlyId<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    /// In the shape without a query.
    #[serde(borrow)]
    meta: Option<legacy::Meta<'a>>,
}

impl<'a> Glance<'a> {
    /// Looks at the body.
    pub(crate) fn at(request: &'a Request<'_>) -> Self {
        if is_list(request.body()) {
            let mut orders: Vec<OnlyId<'a>> = request.json().unwrap_or_default();
            let meta = orders.first_mut().and_then(|order| order.meta.take());
            return Self { event: None, issued: meta.map(|meta| meta.issued_at).unwrap_or_default(), orders };
        }
        let Ok(envelope) = request.json::<Envelope<'a, OnlyId<'a>>>() else { return Self::default() };
        let event = envelope.open();
        Self { event: event.name, issued: event.issued_at, orders: event.orders }
    }
}

fn is_list(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// An event, out of what it was wrapped in.
#[derive(Debug)]
pub(crate) struct Event<'a, T> {
    /// As in the header, `order_fully_paid`, if the body names it.
    pub(crate) name: Option<String>,
    /// When the body was made.
    pub(crate) issued_at: Loose<'a>,
    pub(crate) orders: Vec<T>,
    /// Saleor met errors while it made the body, and says so in it (fact 11).
    pub(crate) has_errors: bool,
}

/// The top of a body.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<'a, T> {
    /// The shape of a query that names its event itself: one field, called like the event.
    #[serde(borrow)]
    data: Option<BTreeMap<String, Option<Said<'a, T>>>>,
    #[serde(default)]
    errors: List<IgnoredAny>,
    #[serde(borrow, default, rename = "__typename")]
    kind: Loose<'a>,
    #[serde(borrow, default, rename = "issuedAt")]
    issued_at: Loose<'a>,
    order: Option<T>,
    orders: Option<Vec<T>>,
}

/// What a query's field holds.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Said<'a, T> {
    #[serde(borrow, default, rename = "__typename")]
    kind: Loose<'a>,
    #[serde(borrow, default, rename = "issuedAt")]
    issued_at: Loose<'a>,
    order: Option<T>,
    orders: Option<Vec<T>>,
}

impl<'a, T> Envelope<'a, T> {
    fn open(self) -> Event<'a, T> {
        let has_errors = !matches!(self.errors, List::Absent);
        let (field, said) = match self.data.and_then(|data| data.into_iter().next()) {
            Some((field, said)) => (Some(field), said),
            None => {
                let Self { kind, issued_at, order, orders, .. } = self;
                (None, Some(Said { kind, issued_at, order, orders }))
            }
        };
        let Some(said) = said else {
            let name = field.as_deref().map(snake_case);
            return Event { name, issued_at: Loose::Absent, orders: Vec::new(), has_errors };
        };
        let kind = match &said.kind {
            Loose::Text(kind) => Some(kind.as_ref()),
            _ => field.as_deref(),
        };
        let name = kind.map(snake_case);
        let orders = said.order.into_iter().chain(said.orders.into_iter().flatten()).collect();
        Event { name, issued_at: said.issued_at, orders, has_errors }
    }
}

/// `OrderFullyPaid` and `orderFullyPaid` as the header has it: `order_fully_paid`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// An order, as the adapter's own query asks for it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Order<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) number: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) is_paid: Loose<'a>,
    #[serde(borrow)]
    pub(crate) payment_status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) charge_status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) user_email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created: Loose<'a>,
    #[serde(borrow)]
    pub(crate) updated_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) channel: Option<Channel<'a>>,
    #[serde(borrow)]
    pub(crate) metadata: List<Metadata<'a>>,
    #[serde(borrow)]
    pub(crate) user: Option<Customer<'a>>,
    #[serde(borrow)]
    pub(crate) total: Option<Total<'a>>,
    #[serde(borrow)]
    pub(crate) total_charged: Option<Money<'a>>,
    #[serde(borrow)]
    pub(crate) total_refunded: Option<Money<'a>>,
    #[serde(borrow)]
    pub(crate) lines: List<Line<'a>>,
    #[serde(borrow)]
    pub(crate) fulfillments: List<Fulfillment<'a>>,
    #[serde(borrow)]
    pub(crate) granted_refunds: List<GrantedRefund<'a>>,
}

/// Where an order was sold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Channel<'a> {
    #[serde(borrow)]
    pub(crate) slug: Loose<'a>,
}

/// A public note on something, by key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) key: Loose<'a>,
    #[serde(borrow)]
    pub(crate) value: Loose<'a>,
}

/// The buyer's account in the shop, where the order belongs to one (fact 25).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Customer<'a> {
    #[serde(borrow)]
    pub(crate) metadata: List<Metadata<'a>>,
}

/// What an order costs, taxes included.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Total<'a> {
    #[serde(borrow)]
    pub(crate) gross: Option<Money<'a>>,
}

/// An amount, which Saleor writes as a number (fact 8).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Money<'a> {
    #[serde(deserialize_with = "amount")]
    pub(crate) amount: Option<Amount>,
    #[serde(borrow)]
    pub(crate) currency: Loose<'a>,
}

/// Reads an amount digit for digit; none where it is no amount.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Amount>, D::Error> {
    Ok(Option::<Written<'de>>::deserialize(deserializer)?.and_then(|written| written.amount()))
}

/// A line of an order. The names behind `alias` are those of the shape without a query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow, alias = "product_sku")]
    pub(crate) product_sku: Loose<'a>,
    #[serde(borrow, alias = "product_variant_id")]
    pub(crate) product_variant_id: Loose<'a>,
    #[serde(borrow, alias = "product_name")]
    pub(crate) product_name: Loose<'a>,
    #[serde(borrow, alias = "variant_name")]
    pub(crate) variant_name: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: List<Metadata<'a>>,
    /// None once it was deleted.
    #[serde(borrow)]
    pub(crate) variant: Option<Variant<'a>>,
}

/// What was sold, as it is in the shop now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Variant<'a> {
    /// As [`Line::product_variant_id`].
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    /// As [`Line::product_sku`], which the lines of imported orders do not have (fact 12).
    #[serde(borrow)]
    pub(crate) sku: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: List<Metadata<'a>>,
    #[serde(borrow)]
    pub(crate) product: Option<Product<'a>>,
}

/// See [`Variant`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Product<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) slug: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: List<Metadata<'a>>,
}

/// What was done with lines: handed over, sent back, refunded.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fulfillment<'a> {
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) lines: List<Part<'a>>,
}

/// A refund that somebody granted, whether the money went back already or not (fact 19).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GrantedRefund<'a> {
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) amount: Option<Money<'a>>,
    #[serde(borrow)]
    pub(crate) lines: List<Part<'a>>,
}

/// So many of a line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Part<'a> {
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) order_line: Option<LineId<'a>>,
}

/// See [`Part`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LineId<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
}
