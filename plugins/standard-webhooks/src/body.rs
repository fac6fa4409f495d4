//! The shape of what a shop sends: `docs/shops/standard-webhooks.schema.json`, in Rust.
//!
//! What a value must be is checked where it is used; fields that are not named here are passed over.

use serde::Deserialize;

use bursar_adapter::loose::{List, Loose};

/// As much of a body as tells what it is about, whatever else it may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Glance<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Loose<'a>,
    #[serde(borrow)]
    pub(crate) timestamp: Loose<'a>,
}

/// The id of the order that a body is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct About<'a> {
    #[serde(borrow)]
    pub(crate) data: OnlyId<'a>,
}

/// See [`About`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnlyId<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
}

/// A whole body.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) data: Option<Order<'a>>,
}

/// An order, or the part of it that a refund or a deletion names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) number: Loose<'a>,
    #[serde(borrow)]
    pub(crate) changed_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) placed_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) cancelled: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded: Loose<'a>,
    #[serde(borrow)]
    pub(crate) disputed: Loose<'a>,
    #[serde(borrow)]
    pub(crate) currency: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded_amount: Loose<'a>,
    #[serde(borrow)]
    pub(crate) test: Loose<'a>,
    #[serde(borrow)]
    pub(crate) learner_email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) lines: List<Line<'a>>,
}

/// A line of an order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) variant: Loose<'a>,
    #[serde(borrow)]
    pub(crate) product: Loose<'a>,
    #[serde(borrow)]
    pub(crate) sku: Loose<'a>,
    #[serde(borrow)]
    pub(crate) title: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded_quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded: Loose<'a>,
    #[serde(borrow)]
    pub(crate) learner_email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) courses: List<Course<'a>>,
    #[serde(borrow)]
    pub(crate) until: Loose<'a>,
}

/// A course run that a line names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Course<'a> {
    #[serde(borrow)]
    pub(crate) run: Loose<'a>,
    #[serde(borrow)]
    pub(crate) mode: Loose<'a>,
}
