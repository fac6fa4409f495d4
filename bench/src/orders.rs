//! The orders that are sent: WooCommerce's, of about 3 KB, signed.

use std::net::SocketAddr;
use std::time::Duration;

use bursar_domain::{Email, Timestamp, statement::ProductId};
use bursar_server::webhook::{Event, Line, Message, Order, Platform as _, Sender, woocommerce::WooCommerce};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::Result;
use crate::servers::address_of;

/// The shop's name.
pub(crate) const SHOP: &str = "campus";
/// The product that sells the course; every order has one line of it.
pub(crate) const PRODUCT: &str = "T101";
/// Lines that sell no course, so that an order is as long as real ones are.
const OTHER_LINES: [&str; 2] = ["BOOK-1", "BOOK-2"];
/// The topic of a changed order.
const TOPIC: &str = "order.updated";
/// When the orders were placed (2026-01-01T00:00:00Z).
const PLACED_AT: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// The price of everything, in cents.
const CENTS: i64 = 49_00;

/// A paid order of this number.
pub(crate) fn signed(number: u64, email: &str, key: &str) -> Result<Message> {
    let line = |sku: &&str| Line {
        products: vec![ProductId { kind: "sku".to_owned(), id: (*sku).to_owned() }],
        title: format!("Course or book {sku}"),
        quantity: 1,
        price: Decimal::new(CENTS, 2),
        learner: None,
    };
    let order = Order {
        id: number,
        event: Event::Paid,
        status: None,
        placed_at: PLACED_AT,
        modified_at: PLACED_AT.plus(Duration::from_secs(number)),
        email: Some(Email::parse(email)?),
        lines: [PRODUCT].iter().chain(&OTHER_LINES).map(line).collect(),
    };
    let body = WooCommerce.body(&order, TOPIC)?;
    let sender = Sender { secret: &key.into(), settings: &Value::Null, at: order.modified_at };
    Ok(WooCommerce.sign(body, TOPIC, &sender)?)
}

/// The message as it goes over the wire on a connection that stays open.
pub(crate) fn wire(message: &Message, address: SocketAddr) -> Vec<u8> {
    let mut head = format!("POST /webhooks/{SHOP} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in &message.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", message.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&message.body);
    bytes
}

/// Orders `first..first + count`, each of a learner of its own, ready to be sent.
pub(crate) fn batch(first: u64, count: u64, key: &str, address: SocketAddr) -> Result<Vec<Vec<u8>>> {
    (first..first + count).map(|number| Ok(wire(&signed(number, &address_of(number), key)?, address))).collect()
}
