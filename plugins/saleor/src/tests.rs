//! The adapter as a whole, against the fake host.

mod odd;
mod query;

use bursar_adapter::testing::{Handled, Post, Shop};

use crate::Saleor;

/// A body of a real Saleor: some lines, and refunds and returns of every kind.
const RECORDED: &str = include_str!("../fixtures/line-replaced-without-money-asks-a-person/body.json");

fn handled(body: impl Into<Vec<u8>>) -> Handled {
    Shop::new().settings("{}").handle::<Saleor>(&Post::new(body).topic("order_updated"))
}
