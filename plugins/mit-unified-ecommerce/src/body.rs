//! The shape of what unified-ecommerce sends.
//!
//! What a value must be is checked where it is used; fields that are not named here are passed over.

use serde::Deserialize;

use bursar_adapter::loose::{List, Loose};

/// As much of a body as tells whose it is and of which type, whatever else it may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Glance<'a> {
    #[serde(borrow)]
    pub(crate) system_slug: Loose<'a>,
    #[serde(borrow)]
    pub(crate) system_key: Loose<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Loose<'a>,
}

/// What a body is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct About<'a> {
    #[serde(borrow)]
    pub(crate) user: OnlyId<'a>,
    #[serde(borrow)]
    pub(crate) data: OnlyReference<'a>,
}

/// See [`About`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnlyId<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
}

/// See [`About`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnlyReference<'a> {
    #[serde(borrow)]
    pub(crate) reference_number: Loose<'a>,
}

/// A whole body, with the data of its type.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a, T> {
    #[serde(borrow, default)]
    pub(crate) user: User<'a>,
    pub(crate) data: Option<T>,
}

/// Who bought.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) global_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) username: Loose<'a>,
    #[serde(borrow)]
    pub(crate) email: Loose<'a>,
}

/// Something was put into a basket or taken out of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Basket<'a> {
    #[serde(borrow)]
    pub(crate) action: Loose<'a>,
    #[serde(borrow)]
    pub(crate) product: Product<'a>,
}

/// An order, or what of it belongs to this system.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order<'a> {
    #[serde(borrow)]
    pub(crate) reference_number: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_price_paid: Loose<'a>,
    #[serde(borrow)]
    pub(crate) state: Loose<'a>,
    #[serde(borrow)]
    pub(crate) lines: List<Line<'a>>,
    #[serde(borrow)]
    pub(crate) refunds: List<Refund<'a>>,
}

/// A line of an order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) item_description: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_price: Loose<'a>,
    #[serde(borrow)]
    pub(crate) product: Product<'a>,
}

/// What is sold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Product<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) sku: Loose<'a>,
    #[serde(borrow)]
    pub(crate) name: Loose<'a>,
}

/// A request to give money back, at whatever point it has come to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refund<'a> {
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_refunded: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_price_refunded: Loose<'a>,
    #[serde(borrow)]
    pub(crate) lines: List<RefundLine<'a>>,
}

/// A line of a refund. It names a line of the order by `line`; where it has none, it is the order's line over again, and `id` is
/// that line's (fact 9).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RefundLine<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) line: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded_amount: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_price: Loose<'a>,
}
