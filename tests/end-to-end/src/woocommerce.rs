//! Orders as a WooCommerce shop sends them: a recorded one with other facts, signed with the shop's secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::recorded;

/// A paid order of three lines, of which every made-up one is a copy.
const PATTERN: &str = "04-payment-complete-to-processing";

/// The price of every line.
const PRICE: u64 = 49;

/// When made-up orders are placed, in seconds since 1970: 2026-11-01T00:00:00Z.
const PLACED_AT: i64 = 1_793_491_200;

/// An order at one moment of its life. Each step of it is a minute after the one before.
#[derive(Debug, Clone)]
pub struct Order {
    id: u64,
    email: String,
    products: Vec<u64>,
    status: &'static str,
    paid: bool,
    refunded: bool,
    quantity: u32,
    key: String,
    step: i64,
}

impl Order {
    /// An order that has just been placed and is not paid.
    #[must_use]
    pub fn placed(id: u64, email: &str, products: &[u64]) -> Self {
        let (email, products) = (email.to_owned(), products.to_vec());
        let key = format!("wc_order_{id}");
        Self { id, email, products, status: "pending", paid: false, refunded: false, quantity: 1, key, step: 0 }
    }

    /// An order that is paid.
    #[must_use]
    pub fn paid(id: u64, email: &str, products: &[u64]) -> Self {
        Self { status: "processing", paid: true, step: 1, ..Self::placed(id, email, products) }
    }

    /// The same later, with all the money gone back.
    #[must_use]
    pub fn refunded(&self) -> Self {
        Self { status: "refunded", refunded: true, step: self.step + 1, ..self.clone() }
    }

    /// The same a moment later, with nothing changed.
    #[must_use]
    pub fn later(&self) -> Self {
        Self { step: self.step + 1, ..self.clone() }
    }

    /// With so many of everything.
    #[must_use]
    pub fn quantity(self, quantity: u32) -> Self {
        Self { quantity, ..self }
    }

    /// Another order under the same id, as a shop sends it that was restored from a backup.
    #[must_use]
    pub fn under_another_key(self) -> Self {
        Self { key: format!("{}_again", self.key), ..self }
    }

    /// The shop's id of it.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The body of a webhook about it.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.json().to_string().into_bytes()
    }

    fn json(&self) -> Value {
        let mut order: Value = serde_json::from_slice(&recorded::delivery(PATTERN).body).unwrap();
        let line = order["line_items"][0].clone();
        let lines = self.products.iter().zip(1..).map(|(product, number): (_, u64)| {
            let mut line = line.clone();
            line["id"] = json!(self.id * 100 + number);
            line["product_id"] = json!(product);
            line["quantity"] = json!(self.quantity);
            line["sku"] = json!(format!("SKU-{product}"));
            line
        });
        order["line_items"] = lines.collect();
        let total = PRICE * u64::from(self.quantity) * u64::try_from(self.products.len()).unwrap();
        let total = format!("{total}.00");
        let placed = stamp(PLACED_AT);
        let modified = stamp(PLACED_AT + 60 * self.step);
        let paid = self.paid.then(|| stamp(PLACED_AT + 60));
        for (key, value) in [
            ("id", json!(self.id)),
            ("number", json!(self.id())),
            ("order_key", json!(self.key)),
            ("status", json!(self.status)),
            ("total", json!(total)),
            ("tax_lines", json!([])),
            ("total_tax", json!("0.00")),
            ("cart_tax", json!("0.00")),
            ("date_created", json!(placed)),
            ("date_created_gmt", json!(placed)),
            ("date_modified", json!(modified)),
            ("date_modified_gmt", json!(modified)),
            ("date_paid", json!(paid)),
            ("date_paid_gmt", json!(paid)),
            ("needs_payment", json!(!self.paid)),
        ] {
            order[key] = value;
        }
        order["billing"]["email"] = json!(self.email);
        if self.refunded {
            order["refunds"] = json!([{ "id": self.id * 100 + 99, "reason": "", "total": format!("-{total}") }]);
        }
        order
    }
}

/// The body with a field that fills it up to so many bytes. The shop's own bodies end like this one: with an object.
#[must_use]
pub fn filled_up(order: &Order, bytes: usize) -> Vec<u8> {
    let mut json = order.json();
    json["customer_note"] = json!("");
    let rest = bytes.checked_sub(json.to_string().len()).unwrap();
    json["customer_note"] = json!("x".repeat(rest));
    let body = json.to_string().into_bytes();
    assert_eq!(body.len(), bytes);
    body
}

/// What WooCommerce puts into `X-WC-Webhook-Signature`.
#[must_use]
pub fn signature(body: &[u8], secret: &str) -> String {
    STANDARD.encode(hmac(body, secret))
}

/// HMAC-SHA256 of the body, keyed with the secret's text.
#[must_use]
pub fn hmac(body: &[u8], secret: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

/// The headers of a delivery, all but `Host` and those of the body's length.
#[must_use]
pub fn headers(topic: &str, signature: &str) -> Vec<(String, String)> {
    [
        ("User-Agent", "WooCommerce/9.9.5 Hookshot (WordPress/6.9)"),
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("X-WC-Webhook-Source", "https://shop.example/"),
        ("X-WC-Webhook-Topic", topic),
        ("X-WC-Webhook-Resource", "order"),
        ("X-WC-Webhook-Event", topic.rsplit('.').next().unwrap()),
        ("X-WC-Webhook-Signature", signature),
        ("X-WC-Webhook-ID", "7"),
        ("X-WC-Webhook-Delivery-ID", "b5a57ec32ebd9701085b7f2ccd87a7f7"),
        ("Connection", "close"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
